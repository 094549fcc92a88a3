//! The texts of the audit log about changes.

use serde_json::Value;

use crate::model::{Action, Contact, Endpoint, Slug, User};
use crate::store::Entry;

/// Maximum number of characters shown of a value.
const MAX_SHOWN: usize = 120;

/// Returns the action, and the differences between the two states.
pub(super) fn difference(old: Option<&Entry>, new: &Entry) -> (Action, String) {
    let Some(old) = old else {
        return (Action::Added, entry(new));
    };
    let mut differences = Vec::new();
    let mut switches = Vec::new();
    match (old, new) {
        (Entry::Contact(old), Entry::Contact(new)) => {
            endpoints(old, new, &mut differences, &mut switches);
        }
        (Entry::User(old), Entry::User(new)) if old.password != new.password => {
            let same_else = User {
                password: None,
                ..old.clone()
            } == User {
                password: None,
                ..new.clone()
            };
            if same_else {
                return (Action::PasswordSet, String::new());
            }
            differences.push("password".to_owned());
        }
        _ => {}
    }
    let json = |entry: &Entry| serde_json::to_value(entry).unwrap_or_default();
    fields(&json(old), &json(new), &mut differences, &mut switches);
    let action = match (&*differences, &*switches) {
        ([], [(true, _), ..]) => Action::SwitchedOn,
        ([], [(false, _), ..]) => Action::SwitchedOff,
        _ => Action::Changed,
    };
    let mixed = switches.iter().any(|(on, _)| *on != switches[0].0);
    if action == Action::Changed || mixed {
        let texts = switches.into_iter().map(|(on, what)| {
            let suffix = if on { "switched on" } else { "switched off" };
            format!("{what} {suffix}").trim_start().to_owned()
        });
        differences.extend(texts);
        return (Action::Changed, differences.join("; "));
    }
    let texts: Vec<_> = switches.into_iter().map(|(_, what)| what).collect();
    (action, texts.join(", "))
}

/// Describes an entry in a few words.
pub(super) fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Contact(contact) => {
            let endpoints: Vec<_> = contact.endpoints.iter().map(address).collect();
            listed(contact.name.as_str(), &endpoints)
        }
        Entry::Group(group) => listed(group.name.as_str(), &names(&group.contacts)),
        Entry::Event(event) => {
            let entries: Vec<_> = names(&event.contacts)
                .into_iter()
                .chain(names(&event.groups))
                .collect();
            listed(event.name.as_str(), &entries)
        }
        Entry::ApiKey(key) => {
            let mut may = Vec::new();
            may.extend(key.admin.then(|| "admin".to_owned()));
            may.extend(key.inspect.then(|| "inspect".to_owned()));
            listed(&key.hint, &may)
        }
        Entry::User(user) => listed(user.name.as_str(), &[user.role.to_string()]),
    }
}

fn listed(name: &str, rest: &[String]) -> String {
    if rest.is_empty() {
        return name.to_owned();
    }
    cut(&format!("{name}: {}", rest.join(", ")))
}

fn names(slugs: &[Slug]) -> Vec<String> {
    slugs.iter().map(ToString::to_string).collect()
}

fn address(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.channel, endpoint.address)
}

/// Collects the fields that differ, each with both values, and the switch of the entry itself.
fn fields(
    old: &Value,
    new: &Value,
    differences: &mut Vec<String>,
    switches: &mut Vec<(bool, String)>,
) {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return;
    };
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        match (key.as_str(), before, after) {
            // Described elsewhere, or not at all.
            ("endpoints" | "created_at", ..) => {}
            ("hash", before, after) if before != after => differences.push("secret".into()),
            ("enabled", before, Some(Value::Bool(on))) if before != after => {
                switches.push((*on, String::new()));
            }
            (key, Some(Value::Array(before)), Some(Value::Array(after))) if before != after => {
                differences.push(format!("{key}: {}", member_changes(before, after)));
            }
            (key, before, after) if before != after => {
                differences.push(format!("{key}: {} → {}", value(before), value(after)));
            }
            _ => {}
        }
    }
}

/// Returns the members that a list gained and lost.
fn member_changes(before: &[Value], after: &[Value]) -> String {
    let came = after.iter().filter(|value| !before.contains(value));
    let left = before.iter().filter(|value| !after.contains(value));
    let came = came.map(|one| format!("+{}", text(one)));
    let entries: Vec<_> = came
        .chain(left.map(|one| format!("-{}", text(one))))
        .collect();
    if entries.is_empty() {
        return "reordered".into();
    }
    cut(&entries.join(" "))
}

fn endpoints(
    old: &Contact,
    new: &Contact,
    differences: &mut Vec<String>,
    switches: &mut Vec<(bool, String)>,
) {
    let of = |contact: &Contact, id| contact.endpoints.iter().find(|e| e.id == id).cloned();
    for endpoint in &new.endpoints {
        match of(old, endpoint.id) {
            None => differences.push(format!("+{}", address(endpoint))),
            Some(before) => {
                if (&before.channel, &before.address) != (&endpoint.channel, &endpoint.address) {
                    differences.push(format!("{} → {}", address(&before), address(endpoint)));
                }
                if before.enabled != endpoint.enabled {
                    switches.push((endpoint.enabled, address(endpoint)));
                }
            }
        }
    }
    let gone = |endpoint: &&Endpoint| of(new, endpoint.id).is_none();
    let gone = old.endpoints.iter().filter(gone);
    differences.extend(gone.map(|endpoint| format!("-{}", address(endpoint))));
    let kept = |contact: &Contact, other: &Contact| -> Vec<_> {
        let ids = contact.endpoints.iter().map(|endpoint| endpoint.id);
        ids.filter(|id| of(other, *id).is_some()).collect()
    };
    if kept(old, new) != kept(new, old) {
        differences.push("endpoints: reordered".into());
    }
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".into(),
        Some(value) => format!("“{}”", cut(&text(value))),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
