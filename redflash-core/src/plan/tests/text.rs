use serde_json::json;

use super::*;
use crate::template::Template;

#[test]
fn falls_back_when_a_template_fails() {
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

#[test]
fn falls_back_when_a_template_exceeds_its_steps() {
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
fn cuts_a_fallback_text_at_the_message_limit() {
    let event = Event::new(slug("disk"), name("Disk full"), "{{#if");
    let list = vec!["ä"; 50_000];
    let plan = decide_event(event, &json!({"a": "1", "list": list, "z": "2"}), false);
    assert!(plan.message.cut && plan.message.body.ends_with('…'));
    assert!(plan.message.body.len() <= Template::MAX_OUTPUT);
}

#[test]
fn lists_missing_and_unused_arguments() {
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
fn strict_raise_requires_exactly_the_used_arguments() {
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
fn bounds_the_listed_argument_names() {
    let event = Event::new(slug("disk"), name("Disk full"), "text");
    let arguments = (0..5_000).map(|n| (format!("{n:04}\n{}", "x".repeat(500)), json!(1)));
    let arguments = arguments.collect::<serde_json::Map<_, _>>().into();
    let plan = decide_event(event, &arguments, false);
    assert_eq!(plan.unused.len(), 50);
    assert!(plan.unused.iter().all(|name| name.chars().count() <= 101));
}

#[test]
fn reads_a_plan_stored_before() {
    let event = Event::new(slug("disk"), name("Disk full"), "text");
    let plan = decide_event(event, &json!({}), false);
    let stored = serde_json::to_value(&plan).unwrap();
    assert!(stored.get("missing").is_none() && stored.get("unused").is_none());
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan);
}

#[test]
fn renders_texts_literally_without_control_characters() {
    let view = TargetView {
        contacts: vec![contact("ann", &[(ChannelKind::sms(), "+1")])],
        ..TargetView::default()
    };
    let body = |text: &str| {
        decide(&Raise::contact(slug("ann"), text), &view)
            .message
            .body
    };
    assert_eq!(body("{{7*7}}"), "{{7*7}}");
    assert_eq!(body("\u{1b}[2Ja\0b\r\nc\td\re"), "[2Ja\u{fffd}b\nc\td\ne");
}
