//! The filters of the log, read from a query.

use std::num::NonZeroU32;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::model::{ChannelKind, NotificationId, Slug, Target};
use redflash_core::store::LogFilter;
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::field::{Choice, Field};
use crate::admin::ui::form::Form;

/// The query parameters of the filters.
const FILTERS: [&str; 9] = [
    "q", "state", "channel", "gateway", "contact", "target", "since", "from", "until",
];

/// The error of a time that cannot be parsed.
const INVALID_TIME: &str = "Enter a time such as 2026-11-25T04:32 or a date such as 2026-11-25. This filter is \
    ignored until then.";

/// The filters of a query. Invalid ones are ignored.
pub(crate) struct LogQuery<'a>(&'a Form);

/// The fields of the filters: `q` and `state` first, the others below them.
#[derive(Serialize)]
pub(crate) struct Fields {
    first: [Field; 2],
    more: Vec<Field>,
    /// True if one of the others is filled in.
    open: bool,
}

impl<'a> LogQuery<'a> {
    pub(crate) const fn of(query: &'a Form) -> Self {
        Self(query)
    }

    /// Returns the filter for the store.
    pub(crate) fn filter(&self, limit: NonZeroU32) -> LogFilter {
        LogFilter {
            state: self.parsed::<DeliveryState>("state"),
            contact: self.parsed::<Slug>("contact"),
            channel: self.parsed::<ChannelKind>("channel"),
            gateway: self.parsed::<Slug>("gateway"),
            target: self.parsed::<Target>("target"),
            // Databases reject NUL in a text, and no stored text has one.
            text: self.0.given("q").map(|text| text.replace('\0', "")),
            since: timestamp(self.since()),
            until: timestamp(self.0.get("until")),
            before: self.parsed::<NotificationId>("before"),
            limit,
        }
    }

    /// Returns true if no filter is set.
    pub(crate) fn is_unfiltered(&self) -> bool {
        FILTERS.iter().all(|name| self.0.given(name).is_none())
    }

    /// Returns the URL of another page with the same filters.
    pub(crate) fn url(&self, path: &str, before: Option<NotificationId>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in FILTERS {
            query.extend_pairs(self.0.given(name).map(|value| (name, value)));
        }
        query.extend_pairs(before.map(|id| ("before", id.to_string())));
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// Returns the fields, filled in from the query.
    pub(crate) fn fields(&self, engine: &Engine) -> Fields {
        let state = DeliveryState::ALL.iter().map(|state| state.as_str());
        let gateways = engine.gateways();
        let channel = gateways
            .iter()
            .map(|gateway| gateway.channel.kind().to_string());
        let gateway = gateways.iter().map(|gateway| gateway.name.to_string());
        let more = vec![
            self.select("channel", "Channel", channel),
            self.select("gateway", "Gateway", gateway),
            self.text::<Slug>("contact", "Contact"),
            self.text::<Target>("target", "Target"),
            time("since", "Since (UTC)", self.since()),
            time("until", "Before (UTC)", self.0.get("until")),
        ];
        let first = ["q", "state", "before"];
        Fields {
            first: [
                Field::input("q", "Message, name or address", "search").value(self.0.get("q")),
                self.select("state", "State", state.map(str::to_owned)),
            ],
            more,
            open: FILTERS
                .iter()
                .any(|name| !first.contains(name) && self.0.given(name).is_some()),
        }
    }

    fn since(&self) -> &str {
        self.0.given("since").unwrap_or(self.0.get("from"))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.0.given(name)?.parse().ok()
    }

    /// Returns a select of the known values, and of the requested one even if it no longer exists.
    fn select(
        &self,
        name: &'static str,
        label: &'static str,
        known: impl Iterator<Item = String>,
    ) -> Field {
        let selected = self.0.given(name).filter(|text| Slug::parse(text).is_ok());
        let mut values: Vec<String> = known.collect();
        values.extend(selected.map(str::to_owned));
        values.sort();
        values.dedup();
        let any = Choice {
            value: String::new(),
            label: "Any".into(),
            detail: None,
            chosen: selected.is_none(),
        };
        let choices = values.into_iter().map(|value| Choice {
            label: value.clone(),
            detail: None,
            chosen: selected == Some(&value),
            value,
        });
        Field::select(name, label, [any].into_iter().chain(choices).collect())
    }

    /// Returns a text field with the error of its value.
    fn text<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
        label: &'static str,
    ) -> Field {
        let typed = self.0.given(name);
        let error = typed.and_then(|text| text.parse::<T>().err());
        Field::text(name, label)
            .value(typed.unwrap_or_default())
            .error(error.map(|error| error.to_string()))
    }
}

/// Returns a field for a time, with the error of its value.
fn time(name: &'static str, label: &'static str, typed: &str) -> Field {
    let typed = typed.trim();
    match (civil(typed), typed) {
        (Some(at), _) => {
            let text = at.strftime("%Y-%m-%dT%H:%M").to_string();
            Field::input(name, label, "datetime-local").value(text)
        }
        (None, "") => Field::input(name, label, "datetime-local"),
        (None, typed) => Field::text(name, label)
            .value(typed)
            .error(Some(INVALID_TIME)),
    }
}

/// Parses a time such as `2026-11-25`, `2026-11-25T04:32` or `2026-11-25T04:32:10Z`. Without an
/// offset it is in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    let at = TimeZone::UTC.to_timestamp(civil(text.trim())?).ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

fn civil(text: &str) -> Option<DateTime> {
    let exact = text.parse::<jiff::Timestamp>();
    let exact = exact.map(|at| TimeZone::UTC.to_datetime(at));
    exact.or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> LogFilter {
        let query = Form::parse(query.as_bytes()).unwrap();
        LogQuery::of(&query).filter(NonZeroU32::MIN)
    }

    #[test]
    fn parses_times_of_browsers_and_people() {
        let at = |text: &str| timestamp(text).map(Timestamp::as_millis);
        let day = 1_795_564_800_000;
        for text in ["2026-11-25", "2026-11-25T00:00", "2026-11-25T02:00+02:00"] {
            assert_eq!(at(text), Some(day), "{text}");
        }
        assert_eq!(at("2026-11-25T00:00:01Z"), Some(day + 1000));
        for bad in ["", "soon", "2026-13-01", "10000000-01-01", "\u{202e}"] {
            assert_eq!(at(bad), None, "{bad}");
        }
        assert_eq!(filter("from=2026-11-25").since, timestamp("2026-11-25"));
    }

    #[test]
    fn ignores_invalid_filters() {
        let odd =
            "state=lost&channel=%F0&gateway=a%2Fb&contact=+&target=ann&since=x&before=1&page=1";
        assert_eq!(filter(odd), LogFilter::newest(NonZeroU32::MIN));
        let plain = filter("state=failed&target=event%2Fx&q=+disk+");
        assert_eq!(plain.state, Some(DeliveryState::Failed));
        assert_eq!(plain.target, "event/x".parse().ok());
        assert_eq!(plain.text.as_deref(), Some("disk"));
    }

    #[test]
    fn keeps_filters_in_page_links() {
        let query = Form::parse(b"q=a%26b&state=failed&notice=raised&before=x&page=7").unwrap();
        let query = LogQuery::of(&query);
        assert_eq!(query.url("/x", None), "/x?q=a%26b&state=failed");
        let id = NotificationId::new(Timestamp::from_millis(1));
        let next = query.url("/x", Some(id));
        assert_eq!(next, format!("/x?q=a%26b&state=failed&before={id}"));
        assert!(LogQuery::of(&Form::default()).is_unfiltered() && !query.is_unfiltered());
    }
}
