use serde_json::json;

use super::*;

#[test]
fn delivers_to_every_endpoint_of_a_group() {
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
fn skips_what_is_off_with_its_reason() {
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
fn delivers_once_to_each_address() {
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
fn event_notifies_its_contacts_and_groups_with_its_template() {
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
fn plan_states_its_refusal() {
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
