//! Rendering.

use serde_json::json;

use super::*;

fn render(source: &str, arguments: &Value) -> String {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let template = Template::parse(source).unwrap();
    template
        .render(arguments.as_object().unwrap(), at, MissingArguments::Blank)
        .unwrap()
        .text
}

#[test]
fn arguments_fill_the_template() {
    let arguments = json!({"host": "db1", "n": 3, "disks": ["sda", "sdb"]});
    assert_eq!(render("{{host}}: {{n}}", &arguments), "db1: 3");
    assert_eq!(render("[{{missing}}]", &arguments), "[]");
    assert_eq!(
        render("{{#if host}}yes{{else}}no{{/if}}", &arguments),
        "yes"
    );
    assert_eq!(render("{{#if gone}}yes{{else}}no{{/if}}", &arguments), "no");
    assert_eq!(
        render("{{#each disks}}{{this}};{{/each}}", &arguments),
        "sda;sdb;"
    );
}

#[test]
fn name_may_begin_with_else() {
    let arguments = json!({"a": "", "elsewhere": "there", "else-2": "2"});
    let source =
        "{{elsewhere}}{{#if a}}1{{elsewhere}}{{else}}{{~else-2}}{{upper elsewhere}}{{/if}}";
    assert_eq!(render(source, &arguments), "there2THERE");
}

#[test]
fn texts_are_neither_escaped_nor_rendered_twice() {
    let arguments = json!({"x": "<b>&\"{{y}}", "y": "secret"});
    assert_eq!(render("{{x}}", &arguments), "<b>&\"{{y}}");
}

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
fn names_of_the_language_are_plain_arguments() {
    let arguments = json!({"self": "1", "loop": "2", "__class__": "4", "constructor": "5"});
    assert_eq!(
        render("{{loop}}{{__class__}}{{constructor}}", &arguments),
        "245"
    );
}

#[test]
fn output_is_bounded() {
    let arguments = json!({"x": "é".repeat(30_000)});
    let template = Template::parse(&"{{x}}".repeat(50)).unwrap();
    let rendered = template
        .render(
            arguments.as_object().unwrap(),
            Timestamp::default(),
            MissingArguments::Blank,
        )
        .unwrap();
    assert!(rendered.cut && rendered.text.ends_with('…'));
    assert!(rendered.text.len() <= Template::MAX_OUTPUT);
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
fn work_is_limited_however_little_is_printed() {
    let words: Vec<_> = (0..6_000).map(|_| "ab").collect();
    let long = "é".repeat(30_000);
    let arguments = json!({
        "list": words, "object": {"k": words}, "pairs": vec![[1, 2]; 6_000], "long": long,
        "deep": {"a": {"b": {"c": {"d": words}}}},
    });
    for source in [
        "{{#each list}}{{#each ../list}}{{/each}}{{/each}}",
        "{{#each pairs}}{{#each ../pairs}}{{#if x}}{{/if}}{{/each}}{{/each}}",
        "{{#each list}}{{#each @root.object.k as |x|}}{{#if x}}{{/if}}{{/each}}{{/each}}",
        "{{#each list}}{{#if (eq @root.list @root.object.k)}}{{/if}}{{/each}}",
        "{{#each list}}{{#if (upper @root.long)}}{{/if}}{{/each}}",
        "{{#each list}}{{#if (length @root.long)}}{{/if}}{{/each}}",
        "{{#each list}}{{#if (lookup @root.object @root.long)}}{{/if}}{{/each}}",
        "{{#each list}}{{#if @root.deep.a.b.c.d.e.f.g.h.i.j.k.l.m.n}}{{/if}}{{/each}}",
        "{{#with (upper long)}}{{#each @root.list}}{{#if ../this}}{{/if}}{{/each}}{{/with}}",
        "{{#with (upper long) as |t|}}{{#each @root.list}}{{#if t}}{{/if}}{{/each}}{{/with}}",
        "{{#each list}}{{#if (truncate @root.list 1)}}{{/if}}{{/each}}",
        "{{#each list}}{{#if (date \"%H\" \"Europe/London\")}}{{/if}}{{/each}}",
    ] {
        let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let given = arguments.as_object().unwrap();
        let error = template.render(given, Timestamp::default(), MissingArguments::Mark);
        assert_eq!(error, Err(TemplateError::TooMuchWork), "{source}");
    }
}

#[test]
fn usual_work_stays_far_below_the_limit() {
    let alert = json!({
        "status": "firing", "labels": {"alertname": "DiskFull", "instance": "db1:9100"},
        "annotations": {"summary": "The disk of db1 is nearly full"}, "startsAt": "2026-01-31T12:00:00Z",
    });
    let arguments = json!({"status": "firing", "alerts": vec![alert; 300]});
    let source = "{{#each alerts}}{{upper status}} {{labels.alertname}} on {{labels.instance}}: \
        {{annotations.summary}} since {{format_date startsAt \"%H:%M\"}}\n{{/each}}";
    let template = Template::parse(source).unwrap();
    let given = arguments.as_object().unwrap();
    let rendered = template
        .render(given, Timestamp::default(), MissingArguments::Mark)
        .unwrap();
    assert!(rendered.steps < Template::MAX_STEPS, "{}", rendered.steps);
    assert!(
        rendered
            .text
            .starts_with("FIRING DiskFull on db1:9100: The disk"),
        "{}",
        rendered.text
    );
    assert!(rendered.text.lines().count() == 300 && rendered.missing.is_empty());
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
fn names_with_dots_are_found() {
    let flat = json!({"host.name": "db1", "a.b.c": "deep"});
    assert_eq!(
        render("{{host.name}} {{a.b.c}} {{#if host.name}}y{{/if}}", &flat),
        "db1 deep y"
    );
    let both =
        json!({"host": {"name": "inner", "x.y": "xy"}, "host.name": "outer", "host.other": "o"});
    assert_eq!(
        render(
            "{{host.name}} {{[host.name]}} {{host.other}} {{host.x.y}}",
            &both
        ),
        "inner outer o xy"
    );
}

#[test]
fn missing_arguments_are_marked_and_listed() {
    let arguments = json!({"host": "db1", "empty": "", "null": null, "list": [{"a": 1}, {}]});
    let rendered = |source: &str, choice| {
        let template = Template::parse(source).unwrap();
        let rendered =
            template.render(arguments.as_object().unwrap(), Timestamp::default(), choice);
        let rendered = rendered.unwrap();
        (rendered.text, rendered.missing.join(" "))
    };
    for (source, blank, marked, missing) in [
        ("{{host}} {{hots}}.", "db1 .", "db1 [hots?].", "hots"),
        ("{{empty}}{{null}}.", ".", ".", ""),
        (
            "{{disk.name}} {{host.name}}.",
            " .",
            "[disk.name?] [host.name?].",
            "disk.name host.name",
        ),
        (
            "{{#if gone}}1{{else}}2{{/if}}{{#unless gone}}3{{/unless}}",
            "23",
            "23",
            "",
        ),
        (
            "{{#if (eq gone \"x\")}}1{{/if}}{{default gone \"d\"}}{{default gone}}",
            "d",
            "d",
            "",
        ),
        (
            "{{upper gone}} {{truncate (upper gone) 3}}.",
            " .",
            "[gone?] [gone?].",
            "gone",
        ),
        (
            "{{#each gone}}x{{/each}}{{#with gone}}x{{/with}}",
            "",
            "[gone?][gone?]",
            "gone",
        ),
        ("{{#each gone}}x{{else}}none{{/each}}", "none", "none", ""),
        (
            "{{#each list}}{{a}}{{b}}{{../gone}},{{/each}}",
            "1,,",
            "1[gone?],[gone?],",
            "gone",
        ),
        ("{{#if host}}{{gone}}{{/if}}", "", "[gone?]", "gone"),
        (
            "{{format_date gone}}{{lookup gone host}}",
            "",
            "[gone?][gone?]",
            "gone",
        ),
        ("{{@root.gone}} {{@index}}.", " .", "[gone?] .", "gone"),
        ("{{b}}{{a}}{{b}}", "", "[b?][a?][b?]", "a b"),
    ] {
        let with = |text: &str| (text.to_owned(), missing.to_owned());
        assert_eq!(
            rendered(source, MissingArguments::Blank),
            with(blank),
            "{source}"
        );
        assert_eq!(
            rendered(source, MissingArguments::Refuse),
            with(blank),
            "{source}"
        );
        assert_eq!(
            rendered(source, MissingArguments::Mark),
            with(marked),
            "{source}"
        );
    }
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

#[test]
fn rejects_unlisted_constructs() {
    for source in [
        "{{> header}}",
        "{{#*inline \"x\"}}y{{/inline}}",
        "{{log x}}",
        "{{#raw}}x{{/raw}}",
        "{{{{raw}}}}x{{{{/raw}}}}",
        "{{include \"/etc/passwd\"}}",
        "{{upper (include a b)}}",
        "{{#each a}}{{#each b}}{{#each c}}x{{/each}}{{/each}}{{/each}}",
    ] {
        let error = Template::parse(source).expect_err(source);
        assert!(
            matches!(error, TemplateError::Unavailable { .. }),
            "{source}: {error}"
        );
    }
}

#[test]
fn errors_have_line_and_column() {
    let error = Template::parse("first\n{{#if x}}open").unwrap_err();
    assert!(matches!(error, TemplateError::Syntax { .. }), "{error}");
    assert!(error.to_string().contains("line"), "{error}");
    for (source, wanted) in [
        ("Disk {{host", "line 1, column 12: this is not valid"),
        (
            "a\n{{#if x}}y{{/each}}",
            "line 2, column 11: {{#if}} is open here, and {{/each}} does not close it",
        ),
    ] {
        let error = Template::parse(source).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}
