//! The form of an event.

use redflash_core::model::{Contact, Event, Group, MissingArguments, Name, Slug};
use serde::Serialize;

use crate::admin::ui::choices;
use crate::admin::ui::field::{Checklist, Choice, Field};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors};

/// An event as it was filled in, valid or not.
pub(crate) struct Draft {
    name: String,
    description: String,
    subject: String,
    message: String,
    sender: String,
    missing_arguments: MissingArguments,
    contacts: Vec<Slug>,
    groups: Vec<Slug>,
}

/// The fields of an event: `{{> partials/event page.fields}}`.
#[derive(Serialize)]
pub(crate) struct Fields {
    name: Field,
    description: Field,
    subject: Field,
    message: Field,
    sender: Field,
    missing_arguments: Field,
    contacts: Checklist,
    groups: Checklist,
}

/// Returns the label of a choice for missing arguments.
pub(crate) const fn label(choice: MissingArguments) -> &'static str {
    match choice {
        MissingArguments::Blank => "Leave blank",
        MissingArguments::Mark => "Show the name, such as [host?]",
        MissingArguments::Refuse => "Refuse the alert",
    }
}

/// Reads the choice for missing arguments from a form.
///
/// * `before` - the event being changed, which keeps its choice if the form has none.
fn missing_arguments(
    form: &Form,
    before: Option<&Event>,
    errors: &mut FieldErrors,
) -> MissingArguments {
    let usual = before.map_or(MissingArguments::Mark, |event| event.missing_arguments);
    let Some(given) = form.given("missing_arguments") else {
        return usual;
    };
    let choice = errors.take("missing_arguments", given.parse());
    choice.unwrap_or(usual)
}

impl Draft {
    /// Returns the draft of an existing event.
    pub(crate) fn of(event: &Event) -> Self {
        Self {
            name: event.name.to_string(),
            description: event.description.clone(),
            subject: event.subject.clone().unwrap_or_default(),
            message: event.message.clone(),
            sender: event.sender.clone().unwrap_or_default(),
            missing_arguments: event.missing_arguments,
            contacts: event.contacts.clone(),
            groups: event.groups.clone(),
        }
    }

    /// Reads a form.
    ///
    /// * `before` - the event being changed, whose order of contacts and groups is kept.
    pub(crate) fn parse(form: &Form, before: Option<&Event>, errors: &mut FieldErrors) -> Self {
        let (contacts, groups) = match before {
            Some(event) => (&*event.contacts, &*event.groups),
            None => (&[][..], &[][..]),
        };
        Self {
            name: form.get("name").to_owned(),
            description: lines(form.get("description")),
            subject: form.get("subject").trim().to_owned(),
            message: lines(form.get("message")),
            sender: form.get("sender").trim().to_owned(),
            missing_arguments: missing_arguments(form, before, errors),
            contacts: choices::ticked(form, "contacts", contacts, errors),
            groups: choices::ticked(form, "groups", groups, errors),
        }
    }

    /// Copies everything but the name into an event.
    pub(crate) fn fill(&self, event: &mut Event) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.description.trim().clone_into(&mut event.description);
        event.subject = some(&self.subject);
        event.message.clone_from(&self.message);
        event.sender = some(&self.sender);
        event.missing_arguments = self.missing_arguments;
        event.contacts.clone_from(&self.contacts);
        event.groups.clone_from(&self.groups);
    }

    /// Returns the name, if it is valid.
    pub(crate) fn name(&self, errors: &mut FieldErrors) -> Option<Name> {
        errors.take("name", Name::parse(&self.name))
    }

    /// Returns an event for the preview; an invalid name is replaced.
    fn event(&self, slug: &Slug) -> Event {
        let unnamed = || Name::parse("Event").expect("it is a name");
        let name = Name::parse(&self.name).unwrap_or_else(|_| unnamed());
        let mut event = Event::new(slug.clone(), name, "");
        self.fill(&mut event);
        event
    }

    /// Returns the event that this draft of a new one would be.
    pub(crate) fn unsaved(&self) -> Event {
        self.event(&Slug::parse("new").expect("it is a slug"))
    }

    /// Returns the form fields.
    pub(crate) fn fields(
        &self,
        contacts: &[Contact],
        groups: &[Group],
        errors: Option<&FormErrors>,
    ) -> Fields {
        let error = |field| errors.and_then(|errors| errors.error(field));
        let text =
            |name, label, value: &str| Field::text(name, label).value(value).error(error(name));
        let area =
            |name, label, value: &str| Field::area(name, label).value(value).error(error(name));
        Fields {
            name: text("name", "Name", &self.name).required(),
            description: area("description", "Description", &self.description)
                .hint("What the event means and how to respond. Not sent."),
            subject: text("subject", "Subject", &self.subject)
                .hint("For channels with a subject, such as email. Defaults to the name."),
            message: area("message", "Message", &self.message)
                .hint(
                    "{{host}} inserts the argument host. Also available: {{#if host}}…{{/if}}, \
                     {{#if (eq status \"resolved\")}}…{{/if}}, {{#each list}}…{{/each}}, \
                     {{default host \"unknown\"}}, {{upper host}}, {{truncate text 100}}, {{date}}, \
                     {{format_date time \"%H:%M\"}}.",
                )
                .required(),
            sender: text("sender", "Sender", &self.sender)
                .hint("Sender ID, if the gateway supports it. Usually empty."),
            missing_arguments: Field::select("missing_arguments", "Missing arguments", self.choices())
                .hint("What happens when an alert lacks an argument that the templates use.")
                .error(error("missing_arguments")),
            contacts: Checklist {
                name: "contacts",
                legend: "Contacts to notify".into(),
                options: choices::contacts(contacts, &self.contacts),
                error: error("contacts"),
            },
            groups: Checklist {
                name: "groups",
                legend: "Groups to notify".into(),
                options: choices::groups(groups, &self.groups),
                error: error("groups"),
            },
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let choices = MissingArguments::ALL.into_iter();
        let choice = |choice: MissingArguments| Choice {
            value: choice.to_string(),
            label: label(choice).into(),
            detail: None,
            chosen: choice == self.missing_arguments,
        };
        choices.map(choice).collect()
    }

    /// Returns the saved values, for a user whose edit conflicts with them.
    pub(crate) fn summary(&self) -> Vec<String> {
        let names = |slugs: &[Slug]| {
            let names: Vec<_> = slugs.iter().map(Slug::as_str).collect();
            names.join(", ")
        };
        let (contacts, groups) = (names(&self.contacts), names(&self.groups));
        let missing = label(self.missing_arguments).to_owned();
        [
            ("Name", &self.name),
            ("Description", &self.description),
            ("Subject", &self.subject),
            ("Message", &self.message),
            ("Sender", &self.sender),
            ("Missing arguments", &missing),
            ("Contacts", &contacts),
            ("Groups", &groups),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| format!("{label}: {text}"))
        .collect()
    }
}

/// Returns an event with the edits of a form. The form of a viewer has samples alone.
pub(crate) fn edited(event: Event, form: Option<&Form>) -> Event {
    let Some(form) = form.filter(|form| form.has("message")) else {
        return event;
    };
    let draft = Draft::parse(form, Some(&event), &mut FieldErrors::default());
    Event {
        enabled: event.enabled,
        ..draft.event(&event.slug)
    }
}

/// Normalizes line ends: browsers send CR LF.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}
