//! Warnings about input that can be saved but is probably a mistake.

use crate::model::{ChannelKind, Contact, Event};
use crate::template::Template;
use crate::{Engine, closest};

/// The channels that gateways may serve.
const CHANNELS: [&str; 15] = [
    "sms",
    "email",
    "webhook",
    "x",
    "slack",
    "telegram",
    "discord",
    "teams",
    "matrix",
    "signal",
    "ntfy",
    "gotify",
    "pushover",
    "pagerduty",
    "console",
];

/// Other names of channels.
const ALIASES: [(&str, &str); 22] = [
    ("mail", "email"),
    ("e-mail", "email"),
    ("smtp", "email"),
    ("text", "sms"),
    ("phone", "sms"),
    ("mobile", "sms"),
    ("tel", "sms"),
    ("twitter", "x"),
    ("tweet", "x"),
    ("dm", "x"),
    ("hook", "webhook"),
    ("http", "webhook"),
    ("https", "webhook"),
    ("url", "webhook"),
    ("tg", "telegram"),
    ("msteams", "teams"),
    ("ms-teams", "teams"),
    ("microsoft-teams", "teams"),
    ("element", "matrix"),
    ("pd", "pagerduty"),
    ("stdout", "console"),
    ("log", "console"),
];

impl Engine {
    /// Returns a warning if no gateway serves a channel, so that nothing can be sent on it yet.
    pub fn channel_warning(&self, channel: &ChannelKind) -> Option<String> {
        let gateways = self.gateways();
        if gateways.of(channel.as_str()).next().is_some() {
            return None;
        }
        let served: Vec<_> = gateways.iter().map(|one| one.channel.kind()).collect();
        let served = served.iter().map(ChannelKind::as_str);
        let hint = intended_channel(channel.as_str(), served)
            .map_or_else(String::new, |name| format!("; did you mean {name}?"));
        Some(format!(
            "no gateway serves {channel}: nothing can be sent there yet{hint}"
        ))
    }

    /// Returns the warnings about the endpoints of a contact, each once.
    pub fn contact_warnings(&self, contact: &Contact) -> Vec<String> {
        let mut channels: Vec<_> = contact.endpoints.iter().map(|one| &one.channel).collect();
        channels.sort_unstable();
        channels.dedup();
        let warnings = channels.into_iter();
        warnings
            .filter_map(|channel| self.channel_warning(channel))
            .collect()
    }
}

/// Returns the channel that was probably meant by another name.
fn intended_channel<'a>(channel: &str, served: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut aliases = ALIASES.iter();
    if let Some((_, name)) = aliases.find(|(alias, _)| *alias == channel) {
        return Some(name);
    }
    if CHANNELS.contains(&channel) {
        return None;
    }
    closest(channel, served).or_else(|| closest(channel, CHANNELS))
}

impl Event {
    /// Returns warnings about probable mistakes in the templates.
    pub fn warnings(&self) -> Vec<String> {
        let sources = [
            ("message", Some(&self.message)),
            ("subject", self.subject.as_ref()),
        ];
        let mut warnings = Vec::new();
        for (field, source) in sources {
            let template = source.and_then(|source| Template::parse(source).ok());
            for name in template.iter().flat_map(Template::helper_names) {
                warnings.push(format!(
                    "{field}: {name} alone is the argument of that name, not the helper"
                ));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_other_names_of_channels() {
        let served = ["email", "pager-east"];
        for (channel, wanted) in [
            ("mail", Some("email")),
            ("twitter", Some("x")),
            ("text", Some("sms")),
            ("emial", Some("email")),
            ("webhok", Some("webhook")),
            ("pager-eats", Some("pager-east")),
            ("slack", None),
            ("sms", None),
            ("carrier-pigeon", None),
        ] {
            assert_eq!(
                intended_channel(channel, served.into_iter()),
                wanted,
                "{channel}"
            );
        }
    }

    #[test]
    fn warns_of_arguments_named_like_a_helper() {
        let name = "Disk full".parse().expect("a name");
        let mut event = Event::new("disk".parse().expect("a slug"), name, "{{lower}} {{date}}");
        event.subject = Some("{{upper level}} {{#if default}}{{/if}}".into());
        assert_eq!(
            event.warnings(),
            [
                "message: lower alone is the argument of that name, not the helper",
                "subject: default alone is the argument of that name, not the helper",
            ]
        );
        event.message = "{{#if".into();
        event.subject = None;
        assert!(event.warnings().is_empty());
    }
}
