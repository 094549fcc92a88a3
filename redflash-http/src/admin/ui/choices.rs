//! Contacts and groups as lists to tick, references to them, and their state in words.

use redflash_core::model::{Contact, Event, Group, Slug};
use serde::Serialize;

use crate::admin::ui::field::Choice;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::FieldErrors;
use crate::admin::urls;

/// A contact, group or event that includes an item, or is included by it:
/// `{{> partials/references page.events}}` takes a list of them.
#[derive(Serialize)]
pub(crate) struct Reference {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// The groups between both, if the reference is indirect.
    pub(crate) via: Option<String>,
    pub(crate) state: &'static str,
}

impl Reference {
    pub(crate) fn contact(contact: &Contact) -> Self {
        Self {
            url: urls::contact(&contact.slug),
            name: contact.name.to_string(),
            kind: "contact",
            via: None,
            state: badge(contact.enabled),
        }
    }

    pub(crate) fn group(group: &Group) -> Self {
        Self {
            url: urls::group(&group.slug),
            name: group.name.to_string(),
            kind: "group",
            via: None,
            state: badge(group.enabled),
        }
    }

    pub(crate) fn event(event: &Event) -> Self {
        Self {
            url: urls::event(&event.slug),
            name: event.name.to_string(),
            kind: "event",
            via: None,
            state: badge(event.enabled),
        }
    }
}

/// Returns the effect of a removal on the items that include the removed one.
pub(crate) fn removal_impact<'a>(naming: impl Iterator<Item = &'a Reference>) -> String {
    let direct = naming.filter(|one| one.via.is_none());
    let names: Vec<_> = direct.map(|one| &*one.name).collect();
    if names.is_empty() {
        return "Not used in any group or event.".into();
    }
    format!("It will be removed from {}.", names.join(", "))
}

/// Returns the badge of a switch.
pub(crate) const fn badge(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// Returns the channels of a contact, or the reason why there are none.
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

/// Returns the number of members of a group, and whether it is disabled.
pub(crate) fn size(group: &Group) -> String {
    let off = if group.enabled { "" } else { ", switched off" };
    match group.contacts.len() {
        1 => format!("1 contact{off}"),
        count => format!("{count} contacts{off}"),
    }
}

/// Returns all contacts to tick, chosen ones first.
pub(crate) fn contacts(all: &[Contact], chosen: &[Slug]) -> Vec<Choice> {
    let choices = all.iter().map(|contact| Choice {
        value: contact.slug.to_string(),
        label: contact.name.to_string(),
        detail: Some(format!("{} · {}", contact.slug, reach(contact))),
        chosen: chosen.contains(&contact.slug),
    });
    chosen_first(choices.collect())
}

/// Returns all groups to tick, chosen ones first.
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

/// Returns the ticked slugs: those of `before` in their order, then the others.
pub(crate) fn ticked(
    form: &Form,
    name: &str,
    before: &[Slug],
    errors: &mut FieldErrors,
) -> Vec<Slug> {
    let mut given = Vec::new();
    for text in form.all(name) {
        match errors.take(name, Slug::parse(text)) {
            Some(slug) if !given.contains(&slug) => given.push(slug),
            _ => {}
        }
    }
    let position = |slug: &Slug| before.iter().position(|known| known == slug);
    given.sort_by_key(|slug| position(slug).unwrap_or(usize::MAX));
    given
}

#[cfg(test)]
mod tests {
    use redflash_core::clock::Timestamp;
    use redflash_core::model::{Address, ChannelKind, EndpointId};

    use super::*;

    fn slugs(texts: &[&str]) -> Vec<Slug> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn lists_channels_of_a_contact() {
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
    fn keeps_the_order_of_earlier_choices() {
        let form = Form::parse(b"contacts=ann&contacts=bob&contacts=cid&contacts=bob").unwrap();
        let mut errors = FieldErrors::default();
        let ticked = ticked(
            &form,
            "contacts",
            &slugs(&["cid", "eve", "ann"]),
            &mut errors,
        );
        assert_eq!(ticked, slugs(&["cid", "ann", "bob"]));
        assert!(errors.is_empty());
        let bad = Form::parse(b"contacts=..").unwrap();
        assert!(super::ticked(&bad, "contacts", &[], &mut errors).is_empty());
        assert!(!errors.is_empty());
    }
}
