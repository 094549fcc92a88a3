//! The schemas of a document, collected while its operations are described.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// The schemas of a document.
///
/// Requests and responses have a generator each, since the fields that a type requires depend on whether
/// it is read or written.
#[derive(Debug)]
pub(super) struct Schemas {
    /// Schemas of requests.
    pub(super) input: SchemaGenerator,
    /// Schemas of responses.
    pub(super) output: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let mut settings =
            SchemaSettings::draft2020_12().with_transform(RecursiveTransform(remove_number_format));
        settings.definitions_path = "/components/schemas".into();
        Self {
            input: settings.clone().for_deserialize().into_generator(),
            output: settings.for_serialize().into_generator(),
        }
    }

    /// Returns every schema by name.
    ///
    /// # Panics
    ///
    /// When a type differs between requests and responses: each needs a type of its own.
    pub(super) fn into_definitions(mut self) -> Map<String, Value> {
        let mut all = self.input.take_definitions(true);
        for (name, schema) in self.output.take_definitions(true) {
            if let Some(other) = all.get(&name) {
                assert_eq!(
                    *other, schema,
                    "{name} differs between requests and responses"
                );
            }
            all.insert(name, schema);
        }
        all
    }
}

/// Removes the formats of Rust's numbers, such as `uint32`, most of which `OpenAPI` does not define.
fn remove_number_format(schema: &mut Schema) {
    let format = schema.get("format").and_then(Value::as_str);
    let is_number = |format: &str| {
        format.starts_with("uint") || format.starts_with("int") || format == "double"
    };
    if format.is_some_and(is_number) {
        schema.remove("format");
    }
}
