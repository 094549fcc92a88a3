//! Contacts and groups as lists to tick, what names them, and how those who read a page see their
//! state.

use redflash_core::{Contact, Event, Group, Slug};
use serde::Serialize;

use crate::admin::ui::field::Choice;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::Faults;

/// A contact, group or event in a list of what belongs together: `{{> partials/naming page.events}}`
/// takes a list of them.
#[derive(Serialize)]
pub(crate) struct Naming {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// The groups through which, where it does not name it itself.
    pub(crate) via: Option<String>,
    pub(crate) state: &'static str,
}

impl Naming {
    pub(crate) fn contact(contact: &Contact) -> Self {
        Self {
            url: format!("/admin/contacts/{}", contact.slug),
            name: contact.name.to_string(),
            kind: "contact",
            via: None,
            state: word(contact.enabled),
        }
    }

    pub(crate) fn group(group: &Group) -> Self {
        Self {
            url: format!("/admin/groups/{}", group.slug),
            name: group.name.to_string(),
            kind: "group",
            via: None,
            state: word(group.enabled),
        }
    }

    pub(crate) fn event(event: &Event) -> Self {
        Self {
            url: format!("/admin/events/{}", event.slug),
            name: event.name.to_string(),
            kind: "event",
            via: None,
            state: word(event.enabled),
        }
    }
}

/// What happens to those that name something when it is removed.
pub(crate) fn losses<'a>(naming: impl Iterator<Item = &'a Naming>) -> String {
    let direct = naming.filter(|one| one.via.is_none());
    let names: Vec<_> = direct.map(|one| &*one.name).collect();
    if names.is_empty() {
        return "Not used in any group or event.".into();
    }
    format!("It will be removed from {}.", names.join(", "))
}

/// The badge of a switch.
pub(crate) const fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// Through what a contact is told, or why it is not.
pub(crate) fn reach(contact: &Contact) -> String {
    if !contact.enabled {
        return "switched off".into();
    }
    let mut channels: Vec<&str> = Vec::new();
    for endpoint in contact.endpoints.iter().filter(|endpoint| endpoint.enabled) {
        if !channels.contains(&endpoint.channel.as_str()) {
            channels.push(endpoint.channel.as_str());
        }
    }
    match (&*channels, &*contact.endpoints) {
        ([], []) => "no endpoints".into(),
        ([], _) => "all endpoints switched off".into(),
        (channels, _) => channels.join(", "),
    }
}

/// How many members a group has, and whether it is on.
pub(crate) fn size(group: &Group) -> String {
    let off = if group.enabled { "" } else { ", switched off" };
    match group.contacts.len() {
        1 => format!("1 contact{off}"),
        count => format!("{count} contacts{off}"),
    }
}

/// Every contact to tick, those first that are chosen.
pub(crate) fn contacts(all: &[Contact], chosen: &[Slug]) -> Vec<Choice> {
    let choices = all.iter().map(|contact| Choice {
        value: contact.slug.to_string(),
        label: contact.name.to_string(),
        detail: Some(format!("{} · {}", contact.slug, reach(contact))),
        chosen: chosen.contains(&contact.slug),
    });
    chosen_first(choices.collect())
}

/// Every group to tick, those first that are chosen.
pub(crate) fn groups(all: &[Group], chosen: &[Slug]) -> Vec<Choice> {
    let choices = all.iter().map(|group| Choice {
        value: group.slug.to_string(),
        label: group.name.to_string(),
        detail: Some(format!("{} · {}", group.slug, size(group))),
        chosen: chosen.contains(&group.slug),
    });
    chosen_first(choices.collect())
}

fn chosen_first(mut choices: Vec<Choice>) -> Vec<Choice> {
    choices.sort_by_key(|choice| !choice.chosen);
    choices
}

/// What was ticked in a list: those that were chosen before in their order, then the others.
pub(crate) fn ticked(form: &Form, name: &str, before: &[Slug], faults: &mut Faults) -> Vec<Slug> {
    let mut given = Vec::new();
    for text in form.all(name) {
        match faults.take(name, Slug::parse(text)) {
            Some(slug) if !given.contains(&slug) => given.push(slug),
            _ => {}
        }
    }
    let place = |slug: &Slug| before.iter().position(|known| known == slug);
    given.sort_by_key(|slug| place(slug).unwrap_or(usize::MAX));
    given
}

#[cfg(test)]
mod tests {
    use redflash_core::{Address, ChannelKind, EndpointId, Timestamp};

    use super::*;

    fn slugs(texts: &[&str]) -> Vec<Slug> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_contact_says_how_it_is_told() {
        let mut ann = Contact::new("ann".parse().unwrap(), "Ann".parse().unwrap());
        assert_eq!(reach(&ann), "no endpoints");
        for (channel, address) in [("sms", "+447700900123"), ("email", "a@b.c"), ("sms", "+44")] {
            let id = EndpointId::new(Timestamp::default());
            let kind = ChannelKind::parse(channel).unwrap();
            ann = ann.with_endpoint(id, kind, Address::new(address).unwrap());
        }
        assert_eq!(reach(&ann), "sms, email");
        ann.endpoints.iter_mut().for_each(|one| one.enabled = false);
        assert_eq!(reach(&ann), "all endpoints switched off");
        ann.enabled = false;
        assert_eq!(reach(&ann), "switched off");
    }

    #[test]
    fn who_was_chosen_keeps_the_order() {
        let form = Form::parse(b"contacts=ann&contacts=bob&contacts=cid&contacts=bob").unwrap();
        let mut faults = Faults::default();
        let ticked = ticked(
            &form,
            "contacts",
            &slugs(&["cid", "eve", "ann"]),
            &mut faults,
        );
        assert_eq!(ticked, slugs(&["cid", "ann", "bob"]));
        assert!(faults.is_empty());
        let bad = Form::parse(b"contacts=..").unwrap();
        assert!(super::ticked(&bad, "contacts", &[], &mut faults).is_empty());
        assert!(!faults.is_empty());
    }
}
