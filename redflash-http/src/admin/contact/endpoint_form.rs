//! The channel and address fields of an endpoint.

use redflash_core::Engine;
use redflash_core::model::{Address, ChannelKind, Endpoint, Slug};
use serde::Serialize;

use crate::admin::ui::field::{Choice, Confirm, Field};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors};
use crate::admin::urls;

/// The fields of an endpoint: `{{> partials/endpoint page.endpoint}}`.
#[derive(Serialize)]
pub(crate) struct EndpointFields {
    channel: Field,
    other: Field,
    address: Field,
}

/// The choice for a channel that is not listed.
const OTHER: &str = "other";
/// The channels that are always offered, with their labels.
const KNOWN: [(&str, &str); 4] = [
    ("sms", "SMS"),
    ("email", "Email"),
    ("webhook", "Webhook"),
    ("x", "X"),
];

impl EndpointFields {
    /// Returns the fields as they were filled in, or else with the values of the endpoint.
    pub(crate) fn new(
        engine: &Engine,
        form: &Form,
        endpoint: Option<&Endpoint>,
        errors: Option<&FormErrors>,
    ) -> Self {
        let error = |field| errors.and_then(|errors| errors.error(field));
        let now = endpoint.map_or("", |endpoint| endpoint.channel.as_str());
        let chosen = channel_in(form).unwrap_or(now);
        let options = channels(engine, chosen);
        let is_offered = options
            .iter()
            .any(|option| option.chosen && option.value != OTHER);
        let other = match (is_offered, chosen) {
            (true, _) | (_, "") => "",
            (_, OTHER) => form.get("other"),
            (_, unlisted) => unlisted,
        };
        let address = endpoint.map(|endpoint| endpoint.address.masked());
        let address = address.as_deref().unwrap_or_default();
        let address = if form.has("address") {
            form.get("address")
        } else {
            address
        };
        Self {
            channel: Field::select("channel", "Channel", options).error(error("channel")),
            other: Field::text("other", "Channel name")
                .value(other)
                .hint("In lower case, as in the gateway configuration.")
                .error(error("other")),
            address: Field::text("address", "Address")
                .value(address)
                .hint(
                    "A phone number with country code (such as +447700900123), an email address, a URL \
                     or a room name.",
                )
                .error(error("address")),
        }
    }
}

/// Returns the channels of the gateways and the known ones.
fn channels(engine: &Engine, chosen: &str) -> Vec<Choice> {
    let mut options: Vec<Choice> = Vec::new();
    let gateways = engine.gateways();
    let served = gateways.iter().map(|gateway| gateway.channel.kind());
    let served: Vec<_> = served.map(|kind| kind.as_str().to_owned()).collect();
    let usual = KNOWN.iter().map(|(kind, _)| (*kind).to_owned());
    for value in served.into_iter().chain(usual) {
        if options.iter().any(|option| option.value == value) {
            continue;
        }
        let known = KNOWN.iter().find(|(kind, _)| *kind == value);
        options.push(Choice {
            label: known.map_or_else(|| value.clone(), |(_, label)| (*label).into()),
            chosen: value == chosen,
            value,
            detail: None,
        });
    }
    let listed = chosen.is_empty() || options.iter().any(|option| option.chosen);
    options.push(Choice {
        value: OTHER.into(),
        label: "Other…".into(),
        detail: None,
        chosen: !listed,
    });
    options
}

/// Returns the channel in a form. Scripts may call it `kind`.
pub(crate) fn channel_in(form: &Form) -> Option<&str> {
    form.given("channel").or_else(|| form.given("kind"))
}

/// Reads the channel and the address from a form.
pub(crate) fn parse(
    engine: &Engine,
    form: &Form,
    errors: &mut FieldErrors,
) -> Option<(ChannelKind, Address)> {
    let (field, channel) = match channel_in(form) {
        None => {
            errors.add("channel", "choose a channel");
            return None;
        }
        Some(OTHER) => ("other", form.get("other").trim()),
        Some(listed) => ("channel", listed),
    };
    let channel = errors.take(field, ChannelKind::parse(channel))?;
    let address = engine.parse_address(&channel, form.get("address"));
    Some((channel, errors.take("address", address)?))
}

/// Returns the confirmation before an endpoint is removed.
pub(crate) fn removal(contact: &Slug, endpoint: &Endpoint) -> Confirm {
    let (channel, address) = (&endpoint.channel, &endpoint.address);
    Confirm {
        action: format!("{}/delete", urls::endpoint(contact, endpoint.id)),
        ask: "Remove…".into(),
        text: format!("{channel} {address} will receive no more messages, including queued ones."),
        button: "Remove endpoint".into(),
        open: false,
    }
}
