//! The message at the top of the page after a form was done.

use redflash_core::{EndpointId, Slug};
use serde::Serialize;

use crate::admin::ui::form::Form;

/// The message at the top of the page after a form was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Flash {
    text: String,
    /// The button that takes it back.
    undo: Option<Undo>,
}

/// A button that switches on again what was just switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Undo {
    /// URL of the switch.
    action: String,
    /// Accessible name of the button, as `Switch contact ann on again`.
    label: String,
}

/// The nouns with a switch: the folder of their pages, and the noun itself.
const NOUNS: [(&str, &str); 5] = [
    ("contacts", "contact"),
    ("groups", "group"),
    ("events", "event"),
    ("keys", "API key"),
    ("users", "user"),
];

/// The field of a query that names what was switched off: the path of its page below `/admin/`.
pub(crate) const UNDO: &str = "undo";

impl Flash {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            undo: None,
        }
    }

    /// The message after something was switched off, with a button that undoes it.
    ///
    /// Whoever writes the query chooses among existing nouns and legal slugs, never the words.
    pub(crate) fn switched_off(query: &Form, is_admin: bool) -> Option<Self> {
        let path = query.given(UNDO)?;
        let name = name(path)?;
        let undo = is_admin.then(|| Undo {
            action: format!("/admin/{path}/switch"),
            label: format!("Switch {name} on again"),
        });
        Some(Self {
            text: format!("Switched off {name}. This also applies to queued messages."),
            undo,
        })
    }
}

/// The name of what has its page at a path below `/admin/`; `None` when nothing there has a switch.
fn name(path: &str) -> Option<String> {
    let (folder, rest) = path.split_once('/')?;
    let (_, noun) = NOUNS.iter().find(|(known, _)| *known == folder)?;
    match rest.split_once("/endpoints/") {
        None => Some(format!("{noun} {}", Slug::parse(rest).ok()?)),
        Some((contact, id)) if folder == "contacts" => {
            id.parse::<EndpointId>().ok()?;
            Some(format!("an endpoint of {}", Slug::parse(contact).ok()?))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flash(query: &str, is_admin: bool) -> Option<Flash> {
        Flash::switched_off(&Form::parse(query.as_bytes()).unwrap(), is_admin)
    }

    #[test]
    fn names_what_was_switched_off() {
        let flash = flash("undo=contacts/ann", true).unwrap();
        assert!(flash.text.starts_with("Switched off contact ann."));
        let undo = flash.undo.unwrap();
        assert_eq!(undo.action, "/admin/contacts/ann/switch");
        assert_eq!(undo.label, "Switch contact ann on again");
    }

    #[test]
    fn offers_undo_to_admins_alone() {
        assert_eq!(flash("undo=groups/ops", false).unwrap().undo, None);
    }

    #[test]
    fn ignores_what_has_no_switch() {
        for path in [
            "",
            "contacts",
            "contacts/",
            "contacts/../keys",
            "gateways/mail",
            "groups/ops/endpoints/0123456789abcdef0123456789abcdef",
            "contacts/ann/endpoints/x",
            "contacts/<b>",
        ] {
            assert_eq!(flash(&format!("undo={path}"), true), None, "{path}");
        }
    }
}
