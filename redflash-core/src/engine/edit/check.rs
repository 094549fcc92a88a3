//! Validation of directory entries, beyond the rules of their types.

use std::collections::HashSet;
use std::sync::Arc;

use super::{EditError, InvalidField};
use crate::Engine;
use crate::gateway::Gateway;
use crate::model::{
    Address, AddressError, ChannelKind, Contact, Endpoint, Event, Role, Slug, User,
};
use crate::template::{Template, TemplateError};

/// Maximum number of characters of an event's sender and description.
const MAX_LENGTHS: [(&str, usize); 2] = [("sender", 100), ("description", 2_000)];

pub(super) fn contact(
    engine: &Engine,
    contact: &Contact,
    old: Option<&Contact>,
) -> Result<(), EditError> {
    // An enabled endpoint must be valid now. An import keeps invalid addresses, switched off.
    let known = |new: &Endpoint| {
        let endpoints = old.map(|old| &old.endpoints).into_iter().flatten();
        let mut endpoints = endpoints.filter(|old| old.enabled || !new.enabled);
        endpoints.any(|old| (&old.channel, &old.address) == (&new.channel, &new.address))
    };
    let mut seen = HashSet::new();
    let mut errors = Vec::new();
    for (index, endpoint) in contact.endpoints.iter().enumerate() {
        let (channel, address) = (&endpoint.channel, &endpoint.address);
        let field = format!("endpoints[{index}].address");
        if !seen.insert((channel, address)) {
            let message = format!("{} already has this {channel} address", contact.slug);
            errors.push(InvalidField::new(field, message));
        } else if !known(endpoint)
            && let Err(error) = engine.parse_address(channel, address.as_str())
        {
            errors.push(InvalidField::new(field, error.to_string()));
        }
    }
    no_errors(errors)
}

pub(super) fn event(engine: &Engine, event: &Event, old: Option<&Event>) -> Result<(), EditError> {
    let mut errors = templates(event, old);
    let texts = [
        event.sender.as_deref().unwrap_or_default(),
        &event.description,
    ];
    for (text, (field, most)) in texts.into_iter().zip(MAX_LENGTHS) {
        if text.chars().count() > most {
            errors.push(InvalidField::new(
                field,
                format!("at most {most} characters"),
            ));
        } else if let Some(bad) = text.chars().find(|c| c.is_control() && !c.is_whitespace()) {
            errors.push(InvalidField::new(
                field,
                format!("{bad:?} is not allowed here"),
            ));
        }
    }
    if old.is_none_or(|old| old.sender != event.sender)
        && let Err(message) = sender(engine, event)
    {
        errors.push(InvalidField::new("sender", message));
    }
    for (field, slugs) in [("contacts", &event.contacts), ("groups", &event.groups)] {
        if let Err(EditError::Invalid(twice)) = unique(field, slugs) {
            errors.extend(twice);
        }
    }
    no_errors(errors)
}

/// Returns the errors in an event's templates.
///
/// * `old` - the event as it was. Sources that it has already only have to compile.
fn templates(event: &Event, old: Option<&Event>) -> Vec<InvalidField> {
    let mut errors = Vec::new();
    let (message, subject) = (Some(&event.message), event.subject.as_ref());
    let given = [
        ("message", message, old.map(|old| &old.message)),
        ("subject", subject, old.and_then(|old| old.subject.as_ref())),
    ];
    for (field, source, before) in given {
        let Some(source) = source else { continue };
        if source.trim().is_empty() {
            errors.push(InvalidField::new(field, format!("the {field} is empty")));
        } else if source.contains('\0') {
            errors.push(InvalidField::new(
                field,
                "a NUL character is not allowed in a template",
            ));
        } else if let Err(error) = Template::parse(source) {
            errors.push(InvalidField {
                line: line(&error),
                ..InvalidField::new(field, error.to_string())
            });
        } else if let Some(line) = foreign_tag_line(source).filter(|_| before != Some(source)) {
            let message = "{% … %} is of another template language, and would be sent literally: \
                write {{name}} or {{#if name}}…{{/if}}";
            errors.push(InvalidField {
                line: Some(line),
                ..InvalidField::new(field, message)
            });
        }
    }
    errors
}

/// Returns the first line with a tag of the old service's template language.
fn foreign_tag_line(source: &str) -> Option<usize> {
    let line = source.lines().position(|line| line.contains("{%"))?;
    Some(line + 1)
}

fn line(error: &TemplateError) -> Option<usize> {
    match error {
        TemplateError::Syntax { line, .. } | TemplateError::TooDeep { line } => Some(*line),
        _ => None,
    }
}

/// Checks that some gateway can send with the event's sender.
fn sender(engine: &Engine, event: &Event) -> Result<(), String> {
    let Some(sender) = &event.sender else {
        return Ok(());
    };
    let mut refusals = Vec::new();
    let choosing = |gateway: &&Arc<Gateway>| gateway.channel.capabilities().sender;
    for gateway in engine.gateways().iter().filter(choosing) {
        match gateway.check_sender(sender) {
            Ok(()) => return Ok(()),
            Err(error) => refusals.push(format!("{}: {error}", gateway.name)),
        }
    }
    if refusals.is_empty() {
        // No gateway supports senders now, but one may be added.
        return Ok(());
    }
    let refusals = refusals.join("; ");
    Err(format!("no gateway can send as {sender:?} ({refusals})"))
}

pub(super) fn unique(field: &str, slugs: &[Slug]) -> Result<(), EditError> {
    let mut seen = HashSet::new();
    let twice = slugs
        .iter()
        .enumerate()
        .filter(|(_, slug)| !seen.insert(*slug));
    let error = |(index, slug): (usize, &Slug)| {
        InvalidField::new(
            format!("{field}[{index}]"),
            format!("{slug} is listed twice"),
        )
    };
    no_errors(twice.map(error).collect())
}

fn no_errors(errors: Vec<InvalidField>) -> Result<(), EditError> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(EditError::Invalid(errors))
}

impl Event {
    /// Returns the errors in its templates, whether or not it is saved.
    pub fn check_templates(&self) -> Vec<InvalidField> {
        templates(self, None)
    }
}

impl Engine {
    /// Parses an address into its channel's normal form: by the gateway that serves the channel, or
    /// without one by the [rules](crate::engine::EngineBuilder::address_rules) of the channel.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the address is not valid.
    pub fn parse_address(&self, channel: &ChannelKind, raw: &str) -> Result<Address, AddressError> {
        let served = self.gateways().of(channel.as_str()).next().is_some();
        let address = match self.address_rules {
            Some(rules) if !served => rules(channel, raw),
            _ => self.gateways().parse_address(channel, raw),
        };
        self.refuse_premium(channel, address?)
    }

    /// Checks that another admin than this one can log in.
    pub(super) async fn check_not_last_admin(&self, slug: &Slug) -> Result<(), EditError> {
        let users = self.store().users().await?;
        let guards = |user: &User| user.enabled && user.role == Role::Admin && user.slug != *slug;
        if users.iter().any(guards) {
            return Ok(());
        }
        Err(EditError::LastAdmin(slug.clone()))
    }
}
