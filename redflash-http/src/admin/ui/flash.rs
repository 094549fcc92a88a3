//! One-line notices at the top of the page after a form was sent.

use redflash_core::model::{EndpointId, Slug};
use serde::Serialize;

use crate::admin::ui::form::Form;

/// The notice that a page shows once, after a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flash {
    Added,
    Saved,
    Removed,
    SwitchedOn,
    SwitchedOff,
    Raised,
    Resent,
    NothingToResend,
    PasswordSet,
}

/// The notices, with their codes in a query and their texts.
const FLASHES: [(Flash, &str, &str); 9] = [
    (Flash::Added, "added", "Added."),
    (Flash::Saved, "saved", "Saved."),
    (
        Flash::Removed,
        "removed",
        "Removed. Past alerts remain in the log.",
    ),
    (Flash::SwitchedOn, "on", "Switched on."),
    (
        Flash::SwitchedOff,
        "off",
        "Switched off. This also applies to queued messages.",
    ),
    (
        Flash::Raised,
        "raised",
        "Alert sent. This page shows its deliveries.",
    ),
    (Flash::Resent, "resent", "Queued again."),
    (
        Flash::NothingToResend,
        "nothing",
        "No deliveries to resend.",
    ),
    (
        Flash::PasswordSet,
        "password",
        "Password changed. Other sessions are logged out.",
    ),
];

/// The query parameter with the code of a [`Flash`].
pub(crate) const FLASH: &str = "notice";
/// The query parameter with the path, below `/admin/`, of an item that was switched off.
pub(crate) const UNDO: &str = "undo";

/// A [`Flash`] as the layout shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FlashMessage {
    text: String,
    undo: Option<Undo>,
}

/// A button that switches an item on again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Undo {
    /// URL of the switch.
    action: String,
    /// Accessible name of the button, such as `Switch contact ann on again`.
    label: String,
}

/// The items that can be switched: the folder of their pages, and their noun.
const NOUNS: [(&str, &str); 5] = [
    ("contacts", "contact"),
    ("groups", "group"),
    ("events", "event"),
    ("keys", "API key"),
    ("users", "user"),
];

impl Flash {
    /// Returns the code of the notice in a query.
    pub(crate) fn code(self) -> &'static str {
        let found = FLASHES.iter().find(|(flash, ..)| *flash == self);
        found.map_or("", |(_, code, _)| code)
    }
}

impl FlashMessage {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            undo: None,
        }
    }

    /// Returns the notice that a query asks for.
    pub(crate) fn from_query(query: &Form, is_admin: bool) -> Option<Self> {
        let code = query.get(FLASH);
        let (flash, _, text) = FLASHES.iter().find(|(_, known, _)| *known == code)?;
        let switched_off = match flash {
            Flash::SwitchedOff => Self::switched_off(query, is_admin),
            _ => None,
        };
        Some(switched_off.unwrap_or_else(|| Self::new(text)))
    }

    /// Returns the notice after an item was switched off, with a button that undoes it.
    ///
    /// The author of a link can choose among nouns and legal slugs, but not the text.
    fn switched_off(query: &Form, is_admin: bool) -> Option<Self> {
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

/// Returns the name of the item whose page has this path below `/admin/`, if it can be switched.
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

    fn flash(query: &str, is_admin: bool) -> Option<FlashMessage> {
        FlashMessage::switched_off(&Form::parse(query.as_bytes()).unwrap(), is_admin)
    }

    #[test]
    fn names_the_item_that_was_switched_off() {
        let flash = flash("undo=contacts/ann", true).unwrap();
        assert!(flash.text.starts_with("Switched off contact ann."));
        let undo = flash.undo.unwrap();
        assert_eq!(undo.action, "/admin/contacts/ann/switch");
        assert_eq!(undo.label, "Switch contact ann on again");
    }

    #[test]
    fn offers_undo_to_admins_only() {
        assert_eq!(flash("undo=groups/ops", false).unwrap().undo, None);
    }

    #[test]
    fn ignores_paths_without_switch() {
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
