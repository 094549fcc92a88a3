use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::template::Arguments;
use crate::{
    Accepted, AddressError, Channel, Contact, Gateway, OutboundMessage, SendError, Template,
};

/// A channel that takes any address.
#[derive(Debug)]
struct Anything(ChannelKind);

#[async_trait::async_trait]
impl Channel for Anything {
    fn kind(&self) -> ChannelKind {
        self.0.clone()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
        Ok(Accepted::default())
    }
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn gateways(kinds: &[ChannelKind]) -> Gateways {
    let gateway = |kind: &ChannelKind| Gateway::new(slug(kind.as_str()), Anything(kind.clone()));
    Gateways::new(kinds.iter().map(gateway)).unwrap()
}

fn both() -> Gateways {
    gateways(&[ChannelKind::sms(), ChannelKind::email()])
}

fn contact(who: &str, endpoints: &[(ChannelKind, &str)]) -> Contact {
    let new = Contact::new(slug(who), name(who));
    endpoints.iter().fold(new, |contact, (channel, address)| {
        let id = EndpointId::new(Timestamp::default());
        contact.with_endpoint(id, channel.clone(), Address::new(*address).unwrap())
    })
}

fn group(who: &str, contacts: &[&str]) -> Group {
    Group::new(
        slug(who),
        name(who),
        contacts.iter().map(|c| slug(c)).collect(),
    )
}

fn verdicts(plan: &Plan) -> Vec<(&str, &str, Option<&Skip>)> {
    let mut all = Vec::new();
    for recipient in &plan.recipients {
        for endpoint in &recipient.endpoints {
            let skip = match &endpoint.verdict {
                Verdict::Deliver(_) => None,
                Verdict::Skip(skip) => Some(skip),
            };
            all.push((recipient.contact.as_str(), endpoint.address.as_str(), skip));
        }
    }
    all
}

fn raise_group() -> Raise {
    Raise::group(slug("crew"), "hello")
}

fn decide(raise: &Raise, view: &TargetView) -> Plan {
    plan(raise, view, &both(), Timestamp::default()).unwrap()
}

#[test]
fn everybody_in_a_group_is_told_on_every_endpoint() {
    let view = TargetView {
        groups: vec![group("crew", &["ann", "bob"])],
        contacts: vec![
            contact("bob", &[(ChannelKind::sms(), "+2")]),
            contact(
                "ann",
                &[(ChannelKind::sms(), "+1"), (ChannelKind::email(), "a@x")],
            ),
        ],
        ..TargetView::default()
    };
    let plan = decide(&raise_group(), &view);
    assert_eq!(
        verdicts(&plan),
        [
            ("ann", "+1", None),
            ("ann", "a@x", None),
            ("bob", "+2", None)
        ]
    );
    assert_eq!((plan.queued(), plan.skipped(), plan.refusal), (3, 0, None));
    assert_eq!(plan.recipients[0].via, [slug("crew")]);
}

#[test]
fn what_is_off_is_left_out_with_its_reason() {
    let mut off = contact("ann", &[(ChannelKind::sms(), "+1")]);
    off.enabled = false;
    let mut half = contact(
        "bob",
        &[(ChannelKind::sms(), "+2"), (ChannelKind::email(), "b@x")],
    );
    half.endpoints[0].enabled = false;
    let other = contact("cyd", &[(ChannelKind::webhook(), "https://c")]);
    let bare = contact("dee", &[]);
    let view = TargetView {
        groups: vec![group("crew", &["ann", "bob", "cyd", "dee"])],
        contacts: vec![off, half, other, bare],
        ..TargetView::default()
    };
    let plan = decide(&raise_group(), &view);
    assert_eq!(
        verdicts(&plan),
        [
            ("ann", "+1", Some(&Skip::ContactOff)),
            ("bob", "+2", Some(&Skip::EndpointOff)),
            ("bob", "b@x", None),
            ("cyd", "https://c", Some(&Skip::NoGateway)),
        ]
    );
    assert_eq!(plan.recipients[3].skip, Some(Skip::NoEndpoint));
    let unreached: Vec<_> = plan.unreached().map(|r| r.contact.as_str()).collect();
    assert_eq!(unreached, ["cyd", "dee"]);
}

#[test]
fn one_address_is_told_once() {
    let view = TargetView {
        groups: vec![group("crew", &["ann", "bob"])],
        contacts: vec![
            contact("ann", &[(ChannelKind::sms(), "+1")]),
            contact("bob", &[(ChannelKind::sms(), "+1")]),
        ],
        ..TargetView::default()
    };
    let plan = decide(&raise_group(), &view);
    let duplicate = Skip::Duplicate(slug("ann"));
    assert_eq!(verdicts(&plan)[1], ("bob", "+1", Some(&duplicate)));
    assert_eq!(plan.unreached().count(), 0);
}

#[test]
fn an_event_tells_its_contacts_and_groups_in_its_own_words() {
    let mut event = Event::new(
        slug("disk"),
        name("Disk full"),
        "{{host}} is at {{percent}} %",
    );
    event.subject = Some("Disk on {{host}}\nBcc: x".into());
    event.contacts = vec![slug("ann")];
    event.groups = vec![slug("crew"), slug("asleep")];
    let mut asleep = group("asleep", &["cyd", "ann"]);
    asleep.enabled = false;
    let view = TargetView {
        event: Some(event),
        groups: vec![group("crew", &["ann", "bob"]), asleep],
        contacts: vec![
            contact("ann", &[(ChannelKind::sms(), "+1")]),
            contact("bob", &[(ChannelKind::sms(), "+2")]),
            contact("cyd", &[(ChannelKind::sms(), "+3")]),
        ],
        ..TargetView::default()
    };
    let arguments = json!({"host": "db1", "percent": 97})
        .as_object()
        .unwrap()
        .clone();
    let plan = decide(&Raise::event(slug("disk"), arguments), &view);
    assert_eq!(plan.message.body, "db1 is at 97 %");
    assert_eq!(plan.message.subject, "Disk on db1");
    let group_off = Skip::GroupOff(vec![slug("asleep")]);
    assert_eq!(
        verdicts(&plan),
        [
            ("ann", "+1", None),
            ("bob", "+2", None),
            ("cyd", "+3", Some(&group_off))
        ]
    );
    assert!(
        plan.recipients[0].via.is_empty(),
        "a direct contact depends on no group"
    );
    assert_eq!(plan.unreached().count(), 0);
}

#[test]
fn a_failing_template_gives_a_fallback_text() {
    for broken in ["{{#if x}}never closed", "{{truncate x \"many\"}}"] {
        let mut event = Event::new(slug("disk"), name("Disk full"), broken);
        event.contacts = vec![slug("ann")];
        let view = TargetView {
            event: Some(event),
            contacts: vec![contact("ann", &[(ChannelKind::sms(), "+1")])],
            ..TargetView::default()
        };
        let arguments = json!({"x": "1", "y": "two"}).as_object().unwrap().clone();
        let plan = decide(&Raise::event(slug("disk"), arguments), &view);
        assert_eq!(plan.message.body, "Disk full\nx: 1\ny: two");
        assert!(plan.message.degraded.is_some() && plan.refusal.is_none());
    }
}

/// Returns the plan for raising an event that notifies ann.
fn decide_event(event: Event, arguments: &serde_json::Value, strict: bool) -> Plan {
    let view = TargetView {
        event: Some(Event {
            contacts: vec![slug("ann")],
            ..event
        }),
        contacts: vec![contact("ann", &[(ChannelKind::sms(), "+1")])],
        ..TargetView::default()
    };
    let arguments = arguments.as_object().unwrap().clone();
    decide(&Raise::event(slug("disk"), arguments).strict(strict), &view)
}

#[test]
fn a_template_that_takes_too_long_gives_a_fallback_text() {
    let source = "{{#each list}}{{#each ../list}}{{/each}}{{/each}}";
    let mut event = Event::new(slug("disk"), name("Disk full"), source);
    event.subject = Some(source.into());
    let list: Vec<_> = (0..6_000).collect();
    let plan = decide_event(event, &json!({"list": list, "more": [list]}), false);
    assert!(
        plan.message.body.starts_with("Disk full\nlist: [0,1,2,"),
        "{:.40}",
        plan.message.body
    );
    assert!(plan.message.body.len() <= Template::MAX_OUTPUT && !plan.message.cut);
    assert!(plan.message.degraded.unwrap().contains("steps"));
    assert_eq!(plan.message.subject, "Disk full");
    assert!(plan.refusal.is_none());
}

#[test]
fn a_fallback_text_is_no_longer_than_a_message() {
    let event = Event::new(slug("disk"), name("Disk full"), "{{#if");
    let list = vec!["ä"; 50_000];
    let plan = decide_event(event, &json!({"a": "1", "list": list, "z": "2"}), false);
    assert!(plan.message.cut && plan.message.body.ends_with('…'));
    assert!(plan.message.body.len() <= Template::MAX_OUTPUT);
}

#[test]
fn a_plan_lists_missing_and_unused_arguments() {
    let mut event = Event::new(
        slug("disk"),
        name("Disk full"),
        "{{host}} is at {{percent}} %",
    );
    event.subject = Some("{{site}}: {{host}}".into());
    let arguments = json!({"host": "db1", "precent": "3"});
    for (choice, body, subject) in [
        (MissingArguments::Blank, "db1 is at  %", ": db1"),
        (
            MissingArguments::Mark,
            "db1 is at [percent?] %",
            "[site?]: db1",
        ),
    ] {
        event.missing_arguments = choice;
        let plan = decide_event(event.clone(), &arguments, false);
        assert_eq!(plan.message.body, body);
        assert_eq!(plan.message.subject, subject);
        assert_eq!(plan.missing, ["percent", "site"]);
        assert_eq!(plan.unused, ["precent"]);
        assert_eq!(plan.refusal, None);
    }
    event.missing_arguments = MissingArguments::Refuse;
    let plan = decide_event(event.clone(), &arguments, false);
    assert_eq!(plan.refusal, Some(Refusal::MissingArguments));
    let whole = json!({"host": "db1", "percent": "3", "site": "a", "more": "1"});
    let plan = decide_event(event, &whole, false);
    assert_eq!((plan.refusal, plan.missing.len()), (None, 0));
    assert_eq!(plan.unused, ["more"]);
}

#[test]
fn a_strict_raise_wants_exactly_the_arguments_that_are_used() {
    let event = Event::new(
        slug("disk"),
        name("Disk full"),
        "{{host}}{{#if note}}{{note}}{{/if}}",
    );
    for (arguments, refusal) in [
        (json!({}), Some(Refusal::MissingArguments)),
        (
            json!({"host": "db1", "hots": "db1"}),
            Some(Refusal::UnusedArguments),
        ),
        (json!({"host": "db1"}), None),
        (json!({"host": null}), Some(Refusal::EmptyMessage)),
    ] {
        let plan = decide_event(event.clone(), &arguments, true);
        assert_eq!(plan.refusal, refusal, "{arguments}");
    }
}

#[test]
fn the_names_of_arguments_are_listed_within_bounds() {
    let event = Event::new(slug("disk"), name("Disk full"), "text");
    let arguments = (0..5_000).map(|n| (format!("{n:04}\n{}", "x".repeat(500)), json!(1)));
    let arguments = arguments.collect::<serde_json::Map<_, _>>().into();
    let plan = decide_event(event, &arguments, false);
    assert_eq!(plan.unused.len(), 50);
    assert!(plan.unused.iter().all(|name| name.chars().count() <= 101));
}

#[test]
fn a_plan_stored_before_reads_back() {
    let event = Event::new(slug("disk"), name("Disk full"), "text");
    let plan = decide_event(event, &json!({}), false);
    let stored = serde_json::to_value(&plan).unwrap();
    assert!(stored.get("missing").is_none() && stored.get("unused").is_none());
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan);
}

#[test]
fn refusals_are_part_of_the_plan() {
    let mut view = TargetView {
        contacts: vec![contact("ann", &[])],
        ..TargetView::default()
    };
    let hello = Raise::contact(slug("ann"), "hello");
    assert_eq!(decide(&hello, &view).refusal, Some(Refusal::NoRecipients));
    let blank = Raise::contact(slug("ann"), " \t\n");
    assert_eq!(decide(&blank, &view).refusal, Some(Refusal::EmptyMessage));
    view.contacts[0].enabled = false;
    assert_eq!(decide(&hello, &view).refusal, Some(Refusal::Disabled));
    let unknown = Raise::contact(slug("bob"), "hello");
    assert_eq!(plan(&unknown, &view, &both(), Timestamp::default()), None);
}

#[test]
fn texts_are_literal_and_printable() {
    let view = TargetView {
        contacts: vec![contact("ann", &[(ChannelKind::sms(), "+1")])],
        ..TargetView::default()
    };
    let said = |text: &str| {
        decide(&Raise::contact(slug("ann"), text), &view)
            .message
            .body
    };
    assert_eq!(said("{{7*7}}"), "{{7*7}}");
    assert_eq!(said("\u{1b}[2Ja\0b\r\nc\td\re"), "[2Ja\u{fffd}b\nc\td\ne");
}

#[test]
fn a_switch_turned_off_later_stops_what_is_queued() {
    let ann = contact("ann", &[(ChannelKind::sms(), "+1")]);
    let endpoint = ann.endpoints[0].id;
    let view = TargetView {
        groups: vec![group("crew", &["ann"])],
        contacts: vec![ann],
        ..TargetView::default()
    };
    let target = Target::Group(slug("crew"));
    let via = [slug("crew")];
    let check =
        |view: &TargetView| cancellation_reason(view, &target, &slug("ann"), endpoint, &via);
    assert_eq!(check(&view), None);
    let changed = |change: fn(&mut TargetView)| {
        let mut view = view.clone();
        change(&mut view);
        check(&view).unwrap()
    };
    assert_eq!(
        changed(|v| v.contacts[0].enabled = false),
        "contact/ann was switched off"
    );
    assert_eq!(
        changed(|v| v.contacts[0].endpoints[0].enabled = false),
        "the endpoint was switched off"
    );
    assert_eq!(
        changed(|v| v.contacts[0].endpoints.clear()),
        "the endpoint was removed"
    );
    assert_eq!(
        changed(|v| v.groups[0].enabled = false),
        "group/crew was switched off"
    );
    assert_eq!(changed(|v| v.contacts.clear()), "contact/ann was removed");
}

const PEOPLE: usize = 6;

fn any_contact(index: usize) -> impl Strategy<Value = Contact> {
    let endpoint = (0..3_usize, 0..4_u8, any::<bool>());
    let endpoints = proptest::collection::vec(endpoint, 0..4);
    (any::<bool>(), endpoints).prop_map(move |(enabled, endpoints)| {
        let kinds = [
            ChannelKind::sms(),
            ChannelKind::email(),
            ChannelKind::webhook(),
        ];
        let mut contact = contact(&format!("c{index}"), &[]);
        contact.enabled = enabled;
        for (kind, place, on) in endpoints {
            let address = Address::new(format!("place-{place}")).unwrap();
            let id = EndpointId::new(Timestamp::default());
            contact = contact.with_endpoint(id, kinds[kind].clone(), address);
            contact.endpoints.last_mut().unwrap().enabled = on;
        }
        contact
    })
}

fn any_group(index: usize) -> impl Strategy<Value = Group> {
    let members = proptest::collection::vec(0..PEOPLE, 0..8);
    (any::<bool>(), members).prop_map(move |(enabled, members)| {
        let mut group = group(&format!("g{index}"), &[]);
        group.enabled = enabled;
        group.contacts = members
            .into_iter()
            .map(|m| slug(&format!("c{m}")))
            .collect();
        group
    })
}

proptest! {
    #[test]
    fn every_endpoint_gets_one_verdict_and_no_address_is_told_twice(
        contacts in (0..PEOPLE).map(any_contact).collect::<Vec<_>>(),
        groups in (0..3).map(any_group).collect::<Vec<_>>(),
        direct in proptest::collection::vec(0..PEOPLE, 0..4),
    ) {
        let mut event = Event::new(slug("e"), name("e"), "text");
        event.contacts = direct.iter().map(|c| slug(&format!("c{c}"))).collect();
        event.groups = groups.iter().map(|g| g.slug.clone()).collect();
        let behind: HashSet<_> = event.contacts.iter()
            .chain(groups.iter().flat_map(|g| &g.contacts)).cloned().collect();
        let expected: HashSet<_> = contacts.iter().filter(|c| behind.contains(&c.slug))
            .flat_map(|c| c.endpoints.iter().map(|e| e.id)).collect();
        let view = TargetView { event: Some(event), groups, contacts, ..TargetView::default() };
        let plan = decide(&Raise::event(slug("e"), Arguments::new()), &view);

        let planned: Vec<_> = plan.recipients.iter().flat_map(|r| &r.endpoints).collect();
        let ids: HashSet<_> = planned.iter().map(|e| e.endpoint).collect();
        prop_assert_eq!(ids.len(), planned.len());
        prop_assert_eq!(ids, expected);

        let mut told: BTreeMap<_, u32> = BTreeMap::new();
        for endpoint in &planned {
            if matches!(endpoint.verdict, Verdict::Deliver(_)) {
                *told.entry((&endpoint.channel, &endpoint.address)).or_default() += 1;
            }
        }
        prop_assert!(told.values().all(|times| *times == 1));
        prop_assert_eq!(plan.queued() + plan.skipped(), planned.len());
        prop_assert_eq!(plan.refusal.is_some(), plan.queued() == 0);
    }
}
