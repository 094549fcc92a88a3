//! Parameters and response headers that operations refer to by name.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::openapi::value;

/// Returns every parameter by name.
///
/// A parameter that differs in one operation is named as in `listInbound.cursor`. `If-Match-Required` is
/// the header `If-Match` where it is required.
pub(super) fn parameters(schemas: &mut SchemaGenerator) -> Value {
    let id = of::<value::Id>(schemas);
    let slug = of::<value::Slug>(schemas);
    let channel = of::<value::Channel>(schemas);
    let target = of::<value::Target>(schemas);
    let state = of::<value::DeliveryState>(schemas);
    let actor = of::<value::Actor>(schemas);
    let key = "Unique key of the request: repeated requests with one key raise one alert. \
               Keys expire after one day.";
    let all = [
        path("slug", "Slug of the resource.", &slug),
        path("id", "Id of the resource.", &id),
        query(
            "q",
            "Items that contain this text, ignoring case and white space.",
            &text(),
        ),
        query("limit", "Maximum number of items on the page.", &limit()),
        query("cursor", "`next` of the previous page.", &cursor()),
        query(
            "listNotifications.cursor",
            "`next` of the previous page.",
            &id,
        ),
        query(
            "listInbound.cursor",
            "`next` of the previous page: the id of its last message.",
            &id,
        ),
        query(
            "listAuditEntries.cursor",
            "`next` of the previous page: the id of its last entry.",
            &id,
        ),
        query(
            "state",
            "Notifications with a delivery in this state.",
            &state,
        ),
        query(
            "contact",
            "Notifications with a delivery to this contact.",
            &slug,
        ),
        query("listInbound.contact", "Messages from this contact.", &slug),
        query(
            "channel",
            "Notifications with a delivery on this channel.",
            &channel,
        ),
        query(
            "gateway",
            "Notifications with a delivery at this gateway, or last attempted through it.",
            &slug,
        ),
        query("target", "Notifications raised to this target.", &target),
        query(
            "text",
            "Notifications whose name, message or recipients contain this text, ignoring the case of A to Z.",
            &text(),
        ),
        query(
            "since",
            "Notifications raised at or after this time: milliseconds since 1970, or RFC 3339.",
            &time(),
        ),
        query(
            "until",
            "Notifications raised before this time: milliseconds since 1970, or RFC 3339.",
            &time(),
        ),
        query(
            "subject",
            "Entries about this subject, such as contact/ann.",
            &text(),
        ),
        query("by", "Entries caused by this actor.", &actor),
        query(
            "wait",
            "Time to wait for the first attempts before responding, such as 10s.",
            &wait(),
        ),
        header("Idempotency-Key", key, &idempotency_key()),
        header("If-Match", IF_MATCH, &if_match()),
        required(
            "If-Match-Required",
            header("If-Match", IF_MATCH, &if_match()).1,
        ),
        header(
            "If-None-Match",
            "Known ETag: the response is 304 if the resource still has it.",
            &json!({ "type": "string" }),
        ),
    ];
    let all = all.map(|(key, parameter)| (key.to_owned(), parameter));
    all.into_iter().collect::<Map<_, _>>().into()
}

/// A parameter with the name that operations refer to.
type Named = (&'static str, Value);

fn query(key: &'static str, description: &str, schema: &Value) -> Named {
    parameter(key, "query", description, schema)
}

fn header(key: &'static str, description: &str, schema: &Value) -> Named {
    parameter(key, "header", description, schema)
}

fn path(key: &'static str, description: &str, schema: &Value) -> Named {
    required(key, parameter(key, "path", description, schema).1)
}

fn required(key: &'static str, mut parameter: Value) -> Named {
    parameter["required"] = json!(true);
    (key, parameter)
}

fn parameter(key: &'static str, location: &str, description: &str, schema: &Value) -> Named {
    let name = key.rsplit('.').next().unwrap_or(key);
    let parameter = json!({
        "name": name,
        "in": location,
        "description": description,
        "schema": schema,
    });
    (key, parameter)
}

/// Returns every response header by name.
pub(super) fn headers() -> Value {
    json!({
        "ETag": {
            "required": true,
            "description": "Revision of the resource. It changes whenever the resource changes.",
            "schema": { "type": "string", "pattern": ETAG },
        },
        "Location": {
            "required": true,
            "description": "URL of the resource.",
            "schema": { "type": "string", "pattern": "^/api/v1/" },
        },
        "WWW-Authenticate": {
            "required": true,
            "description": "Authentication scheme.",
            "schema": { "type": "string", "const": "Bearer" },
        },
        "Retry-After": {
            "description": "Seconds to wait before retrying.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

const ETAG: &str = "^\"[0-9a-f]{24}\"$";
const IF_MATCH: &str = "ETag that the resource must still have; * for any.";

fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

fn text() -> Value {
    json!({ "type": "string", "pattern": r"^[^\u0000]*$" })
}

fn time() -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": 0, "maximum": 253_402_300_799_999_i64 },
        { "type": "string", "format": "date-time" },
    ] })
}

fn if_match() -> Value {
    json!({ "anyOf": [{ "const": "*" }, { "type": "string", "pattern": ETAG }] })
}

fn limit() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 })
}

fn cursor() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })
}

fn wait() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,3}s$" })
}

fn idempotency_key() -> Value {
    let pattern = "^[!-~]([ -~]{0,253}[!-~])?$";
    json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern })
}
