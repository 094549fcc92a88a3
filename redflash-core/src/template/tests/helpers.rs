//! The helpers.

use serde_json::json;

use super::super::*;
use super::render;

#[test]
fn helpers_transform_text() {
    let arguments = json!({"a": "Straße", "empty": ""});
    assert_eq!(
        render("{{upper a}} {{lower a}}", &arguments),
        "STRASSE straße"
    );
    assert_eq!(
        render("{{truncate a 4}} {{truncate a 6}}", &arguments),
        "Str… Straße"
    );
    assert_eq!(
        render("[{{truncate a 0}}{{truncate a 1}}]", &arguments),
        "[…]"
    );
    assert_eq!(render("{{default empty a \"x\"}}", &arguments), "Straße");
    assert_eq!(render("{{default gone \"x\"}}", &arguments), "x");
    assert_eq!(render("{{upper (truncate a 2)}}", &arguments), "S…");
}

#[test]
fn date_is_the_time_of_the_raise() {
    assert_eq!(render("{{date}}", &json!({})), "2023-11-14 22:13 UTC");
    let zoned = render("{{date \"%H:%M\" \"Asia/Tokyo\"}}", &json!({}));
    assert_eq!(zoned, "07:13");
    // An argument of the same name does not hide the helper from a call with parameters.
    assert_eq!(render("{{date \"%Y\"}}", &json!({"date": "x"})), "2023");
}

#[test]
fn failing_helper_is_an_error_with_its_reason() {
    let template = Template::parse("{{truncate x n}}").unwrap();
    let arguments = json!({"x": "abc", "n": "many"});
    let error = template
        .render(
            arguments.as_object().unwrap(),
            Timestamp::default(),
            MissingArguments::Blank,
        )
        .unwrap_err();
    assert!(error.to_string().contains("truncate"), "{error}");
}

#[test]
fn argument_takes_precedence_over_a_helper() {
    let arguments = json!({"lower": "1", "date": "2", "default": "3", "if": "4", "length": "5"});
    assert_eq!(
        render("{{lower}}{{date}}{{default}}{{if}}{{length}}", &arguments),
        "12345"
    );
    assert_eq!(render("{{upper lower}}{{lower \"A\"}}", &arguments), "1a");
    let names = |source| {
        let template = Template::parse(source).unwrap();
        let names: Vec<_> = template.helper_names().map(str::to_owned).collect();
        names
    };
    assert_eq!(names("{{lower}} {{date}} {{upper level}}"), ["lower"]);
    assert_eq!(names("{{upper level}} {{#if a}}{{/if}}"), [""; 0]);
}

#[test]
fn values_are_compared_and_looked_up() {
    let arguments = json!({
        "status": "resolved", "n": 3, "text": "3", "list": ["a", "b"], "same": ["a", "b"],
        "labels": {"sev": "high", "a.b": "dotted"}, "key": "sev",
    });
    for (source, text) in [
        (
            "{{#if (eq status \"resolved\")}}over{{else}}on{{/if}}",
            "over",
        ),
        (
            "{{#if (ne status \"resolved\")}}on{{else}}over{{/if}}",
            "over",
        ),
        (
            "{{eq n 3}} {{eq n text}} {{eq list same}} {{eq list n}} {{ne n 4}}",
            "true true true false true",
        ),
        (
            "{{length list}} {{length status}} {{length labels}} {{length gone}}",
            "2 8 2 0",
        ),
        (
            "{{lookup labels key}} {{lookup list 1}} {{lookup list 7}}{{lookup n 1}}.",
            "high b .",
        ),
        (
            "{{#with labels}}{{sev}} {{../status}}{{/with}}",
            "high resolved",
        ),
        (
            "{{#with labels as |l|}}{{l.sev}} {{l.[a.b]}}{{else}}none{{/with}}",
            "high dotted",
        ),
        ("{{#with gone}}1{{else}}none{{/with}}", "none"),
        (
            "{{#each labels as |value key|}}{{key}}={{value}}{{#unless @last}}, {{/unless}}{{/each}}",
            "a.b=dotted, sev=high",
        ),
        (
            "{{#each labels}}{{@key}}{{@index}}{{@first}} {{/each}}",
            "a.b0true sev1false ",
        ),
        (
            "{{#each list}}{{#each ../same}}{{@../index}}{{@index}} {{/each}}{{/each}}",
            "00 01 10 11 ",
        ),
        (
            "{{#if n includeZero=true}}1{{/if}}{{list.1}}{{list}}{{labels}}",
            "1b[a, b][object]",
        ),
        (
            "{{lookup this key}} {{lookup @root \"text\"}} {{length this}}",
            " 3 7",
        ),
        (
            "{{#with this}}{{n}}{{#each @root}}{{@key}},{{/each}}{{/with}}",
            "3key,labels,list,n,same,status,text,",
        ),
        ("{{#each (default gone list)}}{{this}}{{/each}}", "ab"),
    ] {
        assert_eq!(render(source, &arguments), text, "{source}");
    }
}

#[test]
fn given_times_are_formatted() {
    let arguments = json!({
        "rfc": "2023-11-14T23:13:20+01:00", "seconds": 1_700_000_000, "text": "1700000000",
        "millis": 1_700_000_000_000_i64, "fraction": 1_700_000_000.25, "never": null, "bad": "soon",
    });
    for name in ["rfc", "seconds", "text", "millis", "fraction"] {
        let source = format!("{{{{format_date {name} \"%H:%M %Z\" \"Europe/Berlin\"}}}}");
        assert_eq!(render(&source, &arguments), "23:13 CET", "{name}");
        let usual = format!("{{{{format_date {name}}}}}");
        assert_eq!(render(&usual, &arguments), "2023-11-14 22:13 UTC");
    }
    assert_eq!(render("[{{format_date never}}]", &arguments), "[]");
    let template = Template::parse("{{format_date bad}}").unwrap();
    let given = arguments.as_object().unwrap();
    let error = template
        .render(given, Timestamp::default(), MissingArguments::Blank)
        .unwrap_err();
    assert!(error.to_string().contains("\"soon\""), "{error}");
}

#[test]
fn rejects_misused_helpers_with_their_position() {
    for (source, wanted) in [
        (
            "a\n{{date \"%H:%M\" \"Europe/Berln\"}}",
            "line 2, column 1: date: there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        ),
        (
            "{{format_date at \"%H\" \"Mars\"}}",
            "line 1, column 1: date: there is no time zone \"Mars\"; write one such as \"Europe/London\"",
        ),
        (
            "{{date \"%\"}}",
            "line 1, column 1: date: the format \"%\" cannot be used",
        ),
        (
            "{{truncate text}}",
            "line 1, column 1: truncate needs more values: write {{truncate text 20}}",
        ),
        (
            "{{truncate text \"x\"}}",
            "line 1, column 1: truncate needs a number of characters",
        ),
        ("{{eq a}}", "line 1, column 1: eq needs more values"),
        (
            "{{#if}}x{{/if}}",
            "line 1, column 1: if needs a value: write {{#if value}}…{{/if}}",
        ),
        (
            "{{if a}}",
            "line 1, column 1: if is a block: write {{#if value}}…{{/if}}",
        ),
        (
            "{{#upper a}}x{{/upper}}",
            "line 1, column 1: upper is not a block: write {{upper value}}",
        ),
    ] {
        let error = Template::parse(source).expect_err(source).to_string();
        assert!(error.starts_with(wanted), "{source}: {error}");
    }
}
