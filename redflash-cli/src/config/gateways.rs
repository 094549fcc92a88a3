//! The gateways.

use std::collections::BTreeSet;

use redflash_channels::{COMMON_KEYS, Configured, TYPES, configure};
use toml::{Table, Value};

use super::source::Source;
use crate::error::CliError;

/// The gateway that exists when none is configured: webhooks to public addresses.
const DEFAULT_GATEWAY: &str = "name = \"webhook\"\ntype = \"webhook\"\n";

/// Removes the gateways' tables from the configuration and returns them.
pub(super) fn take_tables(table: &mut Table, source: &Source<'_>) -> Result<Vec<Table>, CliError> {
    let error = || {
        let reason = "write each gateway as a table, under [[gateways]]";
        source.key("gateways", reason)
    };
    match table.remove("gateways") {
        None => Ok(vec![DEFAULT_GATEWAY.parse().expect("it is TOML")]),
        Some(Value::Array(tables)) => tables
            .into_iter()
            .map(|item| match item {
                Value::Table(table) => Ok(table),
                _ => Err(error()),
            })
            .collect(),
        Some(_) => Err(error()),
    }
}

/// Creates the gateways from their tables.
pub(super) fn configure_all(
    tables: Vec<Table>,
    public_url: Option<&str>,
    source: &Source<'_>,
) -> Result<Vec<Configured>, CliError> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let path = format!("gateways[{index}]");
        let json = serde_json::to_value(&table);
        let Ok(serde_json::Value::Object(settings)) = json else {
            return Err(source.key(&path, "values must be strings, numbers, booleans or lists"));
        };
        let type_name = settings.get("type").and_then(|name| name.as_str());
        let known = known_keys(type_name.unwrap_or_default());
        let configured = configure(settings, public_url).map_err(|error| match &error.key {
            Some(key) => source.serde(&format!("{path}.{key}"), &error.reason, &known),
            None => source.serde(&path, &error.reason, &known),
        })?;
        if !names.insert(configured.gateway.name.clone()) {
            let reason = "another gateway has this name: names must be unique";
            return Err(source.key(&format!("{path}.name"), reason));
        }
        all.push(configured);
    }
    Ok(all)
}

/// Returns the keys that a gateway's table accepts in addition to those that its type reads itself.
fn known_keys(type_name: &str) -> Vec<&'static str> {
    let gateway_type = TYPES.iter().find(|kind| kind.name == type_name);
    let secrets = gateway_type.into_iter().flat_map(|kind| kind.secrets);
    let own = [
        "name",
        "type",
        "callback_secret",
        "previous_callback_secret",
    ];
    let known = own.iter().chain(COMMON_KEYS).chain(secrets);
    known.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::load::tests::load_text;

    #[test]
    fn warns_about_gateway_with_unrestricted_networks() {
        for (networks, warns) in [
            ("[\"0.0.0.0/0\"]", true),
            ("[\"::/0\"]", true),
            ("[\"10.1.0.0/16\", \"0.0.0.0/1\"]", true),
            ("[\"10.0.0.0/8\"]", false),
        ] {
            let text = format!(
                "[[gateways]]\nname = \"hooks\"\ntype = \"webhook\"\nallow_networks = {networks}"
            );
            let warnings = load_text(&text).unwrap().warnings;
            let warned = warnings
                .iter()
                .any(|warning| warning.starts_with("gateway hooks: allow_networks "));
            assert_eq!(warned, warns, "{networks}: {warnings:?}");
        }
    }
}
