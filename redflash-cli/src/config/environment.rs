//! Settings from the environment: `REDFLASH_SERVER__LISTEN` is `listen` in `[server]`, and
//! `REDFLASH_GATEWAYS__OFFICE_MAIL__PASSWORD` is `password` of the gateway `office-mail`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use redflash_core::closest;
use toml::{Table, Value};

use super::file_key;
use crate::error::CliError;

const PREFIX: &str = "REDFLASH_";

/// The variables that set no key of a section.
const PLAIN: [&str; 7] = [
    "REDFLASH_API_KEY",
    "REDFLASH_API_KEY_FILE",
    "REDFLASH_CONFIG",
    "REDFLASH_DATABASE",
    "REDFLASH_DATABASE_FILE",
    "REDFLASH_LOG",
    "REDFLASH_SERVER",
];

/// Keys that variables set, such as `server.listen` or `gateways[0].port`, with their variables.
pub(super) type Overlaid = BTreeMap<String, String>;

/// Returns the value of a variable; `None` if it is unset or empty.
///
/// # Errors
///
/// Returns an error if a variable is not UTF-8.
pub(crate) fn variable(name: &str) -> Result<Option<String>, CliError> {
    match std::env::var_os(name) {
        None => Ok(None),
        Some(value) => text(name, value).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

fn text(name: &str, value: OsString) -> Result<String, CliError> {
    let invalid = |_| CliError::usage(format!("{name}: its value is not UTF-8"));
    value.into_string().map_err(invalid)
}

/// Returns the variables that start with `REDFLASH_`.
///
/// # Errors
///
/// Returns an error if a variable is not UTF-8.
pub(super) fn variables() -> Result<Vec<(String, String)>, CliError> {
    let mut found = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        found.push((name.to_owned(), text(name, value)?));
    }
    found.sort();
    Ok(found)
}

/// Returns warnings about unknown variables. Those with a section are left to [`overlay`], since the
/// configuration knows its keys.
pub(super) fn unread(variables: &[(String, String)]) -> Vec<String> {
    let is_read = |name: &str| name.contains("__") || PLAIN.contains(&name);
    let unread = variables
        .iter()
        .filter(|(name, text)| !text.is_empty() && !is_read(name));
    let warning = |(name, _): &(String, String)| match closest(name, PLAIN) {
        Some(similar) => format!("unknown variable {name}: did you mean {similar}?"),
        None => format!(
            "unknown variable {name}: separate section and key with two underscores, as in \
             REDFLASH_SERVER__LISTEN"
        ),
    };
    unread.map(warning).collect()
}

/// Overrides the file with variables. A variable also replaces the counterpart of its key, such as
/// `password_file` for `password`. Empty variables count as unset.
///
/// # Errors
///
/// Rejects a variable without a matching section, and two that set the same key.
pub(super) fn overlay(
    table: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Overlaid, CliError> {
    let mut overlaid = Overlaid::new();
    for (variable, text) in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        if text.is_empty() {
            continue;
        }
        let segments: Vec<_> = name.split("__").collect();
        let (start, path, segments) = match &segments[..] {
            ["GATEWAYS", gateway, rest @ ..] if !rest.is_empty() => {
                let (number, gateway) = find_gateway(table, gateway).ok_or_else(|| {
                    CliError::usage(format!("{variable}: no gateway has this name"))
                })?;
                (gateway, format!("gateways[{number}]."), rest)
            }
            ["DATABASE" | "DATABASE_FILE"] | [_, _, ..] => {
                (&mut *table, String::new(), &segments[..])
            }
            // Other variables without a section are read elsewhere.
            _ => continue,
        };
        set(start, path, segments, &variable, &text, &mut overlaid)?;
    }
    Ok(overlaid)
}

/// Sets one key.
///
/// * `path` - the path of the table, with a trailing dot.
/// * `segments` - the names of the nested tables and of the key.
fn set(
    mut table: &mut Table,
    mut path: String,
    segments: &[&str],
    variable: &str,
    text: &str,
    overlaid: &mut Overlaid,
) -> Result<(), CliError> {
    let Some((key, sections)) = segments.split_last() else {
        return Ok(());
    };
    for section in sections {
        let name = name_in(table, section);
        path = format!("{path}{name}.");
        let inner = table.entry(name).or_insert_with(|| Table::new().into());
        table = inner.as_table_mut().ok_or_else(|| {
            CliError::usage(format!("{variable}: the configuration has no such section"))
        })?;
    }
    let key = name_in(table, key);
    let counterpart = name_in(table, &file_key::counterpart(&key));
    if let Some(other) = overlaid.get(&format!("{path}{counterpart}")) {
        let message = format!("{other} and {variable} are both set: unset one");
        return Err(CliError::usage(message));
    }
    table.remove(&counterpart);
    let value = value(text, &key);
    overlaid.insert(format!("{path}{key}"), variable.to_owned());
    table.insert(key, value);
    Ok(())
}

/// Returns the key of a table that a segment of a variable's name refers to, existing or not.
fn name_in(table: &Table, name: &str) -> String {
    let is_meant = |key: &&String| key.replace('-', "_").eq_ignore_ascii_case(name);
    let known = table.keys().find(is_meant);
    known.map_or_else(|| name.to_ascii_lowercase(), Clone::clone)
}

fn find_gateway<'a>(table: &'a mut Table, name: &str) -> Option<(usize, &'a mut Table)> {
    let gateways = table.get_mut("gateways")?.as_array_mut()?;
    let gateways = gateways.iter_mut().enumerate();
    let mut gateways = gateways.filter_map(|(number, one)| Some((number, one.as_table_mut()?)));
    gateways.find(|(_, gateway)| {
        let given = gateway.get("name").and_then(Value::as_str);
        given.is_some_and(|given| given.replace('-', "_").eq_ignore_ascii_case(name))
    })
}

/// Converts the value of a variable: to a number, boolean or list if it parses as one, else a string.
fn value(text: &str, key: &str) -> Value {
    // These are strings even if they consist of digits.
    let is_text = [
        "secret", "password", "key", "name", "from", "token", "number", "_id", "_file", "database",
        "level",
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

    fn overlaid(file: &str, variables: &[(&str, &str)]) -> Result<Table, CliError> {
        let mut table: Table = file.parse().unwrap();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        overlay(&mut table, variables.iter().map(own)).map(|_| table)
    }

    #[test]
    fn sets_any_key() {
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
                ("REDFLASH_GATEWAYS__OFFICE_MAIL__BUDGET__PER_HOUR", "7"),
                ("REDFLASH_ADMIN__OIDC__CLIENT_SECRET", "12345"),
                ("REDFLASH_ADMIN__OIDC__CREATE_USERS", "true"),
                ("HOME", "/root"),
                ("REDFLASH_DATABASE", "5"),
                ("REDFLASH_SERVER", "https://elsewhere"),
            ],
        );
        let table = table.unwrap();
        assert_eq!(table["server"]["listen"].as_str(), Some("127.0.0.1:1"));
        assert_eq!(table["delivery"]["max_queued"].as_integer(), Some(5));
        let gateway = &table["gateways"][0];
        assert_eq!(gateway["port"].as_integer(), Some(25));
        assert_eq!(gateway["password"].as_str(), Some("12345"));
        assert_eq!(gateway["number"].as_str(), Some("+447700900123"));
        assert_eq!(gateway["api_id"].as_str(), Some("12345"));
        assert_eq!(gateway["budget"]["per_hour"].as_integer(), Some(7));
        let oidc = &table["admin"]["oidc"];
        assert_eq!(oidc["client_secret"].as_str(), Some("12345"));
        assert_eq!(oidc["create_users"].as_bool(), Some(true));
        assert_eq!(table["database"].as_str(), Some("5"));
    }

    #[test]
    fn ignores_empty_variables() {
        let file = "database = \"a\"\n[[gateways]]\nname = \"m\"\npassword = \"b\"\n";
        let empty = [
            ("REDFLASH_DATABASE", ""),
            ("REDFLASH_DATABASE_FILE", ""),
            ("REDFLASH_GATEWAYS__M__PASSWORD", ""),
            ("REDFLASH_GATEWAYS__M__PASSWORD_FILE", ""),
            ("REDFLASH_GATEWAYS__NOBODY__PASSWORD", ""),
            ("REDFLASH_ADMIN__OIDC__CLIENT_SECRET", ""),
        ];
        assert_eq!(overlaid(file, &empty).unwrap(), file.parse().unwrap());
    }

    #[test]
    fn replaces_either_form_of_a_secret() {
        let file = "database_file = \"a\"\n[admin.oidc]\nclient_secret = \"b\"\n\
                    [[gateways]]\nname = \"m\"\npassword_file = \"c\"\nrooms = { Ops = \"d\" }\n";
        let variables = [
            ("REDFLASH_DATABASE", "e"),
            ("REDFLASH_ADMIN__OIDC__CLIENT_SECRET_FILE", "f"),
            ("REDFLASH_GATEWAYS__M__PASSWORD", "g"),
            ("REDFLASH_GATEWAYS__M__ROOMS__OPS_FILE", "h"),
        ];
        let expected = "database = \"e\"\n[admin.oidc]\nclient_secret_file = \"f\"\n\
                        [[gateways]]\nname = \"m\"\npassword = \"g\"\nrooms = { ops_file = \"h\" }\n";
        let expected: Table = expected.parse().unwrap();
        assert_eq!(overlaid(file, &variables).unwrap(), expected);
    }

    #[test]
    fn rejects_two_variables_for_one_secret() {
        let file = "[[gateways]]\nname = \"m\"\n";
        for (one, other) in [
            ("REDFLASH_DATABASE", "REDFLASH_DATABASE_FILE"),
            (
                "REDFLASH_ADMIN__OIDC__CLIENT_SECRET_FILE",
                "REDFLASH_ADMIN__OIDC__CLIENT_SECRET",
            ),
            (
                "REDFLASH_GATEWAYS__M__TOKEN",
                "REDFLASH_GATEWAYS__M__TOKEN_FILE",
            ),
        ] {
            let refused = overlaid(file, &[(one, "a"), (other, "b")]).unwrap_err();
            let message = refused.message;
            assert!(
                message.contains(one) && message.contains(other),
                "{message}"
            );
        }
    }

    #[test]
    fn rejects_variable_of_unknown_gateway() {
        let refused = overlaid("", &[("REDFLASH_GATEWAYS__X__PORT", "1")]).unwrap_err();
        assert!(
            refused.message.contains("REDFLASH_GATEWAYS__X__PORT"),
            "{}",
            refused.message
        );
    }

    #[test]
    fn warns_about_unknown_variable() {
        let unread = |name: &str| unread(&[(name.to_owned(), "1".to_owned())]);
        for name in PLAIN.into_iter().chain(["REDFLASH_SERVER__LISTEN"]) {
            assert_eq!(unread(name), [""; 0]);
        }
        for (name, hint) in [
            ("REDFLASH_DATABSE", "did you mean REDFLASH_DATABASE?"),
            ("REDFLASH_API_KEYS", "did you mean REDFLASH_API_KEY?"),
            ("REDFLASH_SERVER_LISTEN", "as in REDFLASH_SERVER__LISTEN"),
        ] {
            let warnings = unread(name);
            assert!(
                warnings[0].contains(name) && warnings[0].contains(hint),
                "{warnings:?}"
            );
        }
        assert_eq!(
            super::unread(&[("REDFLASH_DATABSE".into(), String::new())]),
            [""; 0]
        );
    }
}
