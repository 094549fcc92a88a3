//! Settings from the environment: `REDFLASH_SERVER__LISTEN` is `listen` in `[server]`, and
//! `REDFLASH_GATEWAYS__OFFICE_MAIL__PASSWORD` is `password` of the gateway `office-mail`.

use toml::{Table, Value};

use crate::failure::Failure;

const PREFIX: &str = "REDFLASH_";

/// Puts variables into the place of what the file says.
///
/// # Errors
///
/// Names a variable that fits nowhere.
pub(super) fn overlay(
    table: &mut Table,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<(), Failure> {
    for (variable, text) in variables {
        let Some(path) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let segments: Vec<_> = path.split("__").collect();
        let lower = |name: &str| name.to_ascii_lowercase();
        match &segments[..] {
            ["GATEWAYS", gateway, key] => {
                let gateway = find_gateway(table, gateway).ok_or_else(|| {
                    Failure::usage(format!("{variable}: no gateway of that name is configured"))
                })?;
                let key = lower(key);
                let value = value(&text, &key);
                gateway.insert(key, value);
            }
            [places @ .., key] if !places.is_empty() => {
                let mut table = &mut *table;
                for place in places {
                    let inner = table
                        .entry(lower(place))
                        .or_insert_with(|| Table::new().into());
                    table = inner.as_table_mut().ok_or_else(|| {
                        Failure::usage(format!("{variable}: the configuration has no such section"))
                    })?;
                }
                let key = lower(key);
                let value = value(&text, &key);
                table.insert(key, value);
            }
            // Variables without a section are options, and mean the same elsewhere.
            _ => {}
        }
    }
    Ok(())
}

fn find_gateway<'a>(table: &'a mut Table, name: &str) -> Option<&'a mut Table> {
    let gateways = table.get_mut("gateways")?.as_array_mut()?;
    let mut gateways = gateways.iter_mut().filter_map(Value::as_table_mut);
    gateways.find(|gateway| {
        let given = gateway.get("name").and_then(Value::as_str);
        given.is_some_and(|given| given.replace('-', "_").eq_ignore_ascii_case(name))
    })
}

/// The value of a variable: a number, a switch or a list where it reads like one, else a text.
fn value(text: &str, key: &str) -> Value {
    // These are texts even when they consist of digits.
    let is_text = [
        "secret", "password", "key", "name", "from", "token", "number", "_id",
    ];
    if key == "user" || is_text.iter().any(|word| key.contains(word)) {
        return text.into();
    }
    match text.parse::<Value>() {
        Ok(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))) => {
            value
        }
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaid(file: &str, variables: &[(&str, &str)]) -> Result<Table, Failure> {
        let mut table: Table = file.parse().unwrap();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        overlay(&mut table, variables.iter().map(own)).map(|()| table)
    }

    #[test]
    fn every_key_can_come_from_a_variable() {
        let file = "[server]\nlisten = \"a\"\n[[gateways]]\nname = \"office-mail\"\nport = 1\n";
        let table = overlaid(
            file,
            &[
                ("REDFLASH_SERVER__LISTEN", "127.0.0.1:1"),
                ("REDFLASH_DELIVERY__MAX_QUEUED", "5"),
                ("REDFLASH_GATEWAYS__OFFICE_MAIL__PORT", "25"),
                ("REDFLASH_GATEWAYS__OFFICE_MAIL__PASSWORD", "12345"),
                ("REDFLASH_GATEWAYS__OFFICE_MAIL__NUMBER", "+447700900123"),
                ("REDFLASH_GATEWAYS__OFFICE_MAIL__API_ID", "12345"),
                ("REDFLASH_ADMIN__OIDC__CLIENT_SECRET", "12345"),
                ("REDFLASH_ADMIN__OIDC__CREATE_USERS", "true"),
                ("HOME", "/root"),
                ("REDFLASH_DATABASE", "elsewhere"),
            ],
        );
        let table = table.unwrap();
        assert_eq!(table["server"]["listen"].as_str(), Some("127.0.0.1:1"));
        assert_eq!(table["delivery"]["max_queued"].as_integer(), Some(5));
        assert_eq!(table["gateways"][0]["port"].as_integer(), Some(25));
        assert_eq!(table["gateways"][0]["password"].as_str(), Some("12345"));
        let number = table["gateways"][0]["number"].as_str();
        assert_eq!(number, Some("+447700900123"));
        assert_eq!(table["gateways"][0]["api_id"].as_str(), Some("12345"));
        let oidc = &table["admin"]["oidc"];
        assert_eq!(oidc["client_secret"].as_str(), Some("12345"));
        assert_eq!(oidc["create_users"].as_bool(), Some(true));
        assert!(!table.contains_key("database"));
    }

    #[test]
    fn a_variable_for_a_gateway_that_is_not_there_is_named() {
        let refused = overlaid("", &[("REDFLASH_GATEWAYS__X__PORT", "1")]).unwrap_err();
        assert!(
            refused.message.contains("REDFLASH_GATEWAYS__X__PORT"),
            "{}",
            refused.message
        );
    }
}
