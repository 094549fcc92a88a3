//! Rendering.

mod helpers;

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
