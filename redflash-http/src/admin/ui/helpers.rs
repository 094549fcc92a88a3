//! Template helpers, besides those of handlebars.

use handlebars::{
    Context, Handlebars, Helper, HelperResult, JsonRender, Output, PathAndJson, RenderContext,
    RenderErrorReason, html_escape,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::admin::ui::assets;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Text for a missing time.
const NEVER: &str = "–";

pub(crate) fn register(registry: &mut Handlebars<'_>) {
    registry.register_helper("time", Box::new(time));
    registry.register_helper("ago", Box::new(ago));
    registry.register_helper("plural", Box::new(plural));
    registry.register_helper("asset", Box::new(asset));
}

/// `{{time at}}`: a time to the second; `–` for `null`.
fn time(
    call: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let Some(at) = time_parameter(call)? else {
        return Ok(out.write(NEVER)?);
    };
    let (iso, text) = (iso(at), utc(at));
    Ok(out.write(&format!("<time datetime=\"{iso}\">{text}</time>"))?)
}

/// `{{ago at}}`: a time relative to the frame's `now`; `–` for `null`.
fn ago(
    call: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let Some(at) = time_parameter(call)? else {
        return Ok(out.write(NEVER)?);
    };
    let now =
        from_millis(&context.data()["now"]).ok_or_else(|| invalid("ago needs the frame's now"))?;
    let (iso, exact, text) = (iso(at), utc(at), relative(at, now));
    Ok(out.write(&format!(
        "<time datetime=\"{iso}\" title=\"{exact}\" data-ago>{text}</time>"
    ))?)
}

/// `{{plural 3 "contact"}}`: `3 contacts`. A third parameter is an irregular plural.
fn plural(
    call: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = |index| call.param(index).map(|param| param.value().render());
    let (Some(count), Some(one)) = (text(0), text(1)) else {
        return Err(invalid("plural needs a number and a word").into());
    };
    let word = match text(2) {
        _ if count == "1" => one,
        Some(many) => many,
        None => format!("{one}s"),
    };
    Ok(out.write(&html_escape(&format!("{count} {word}")))?)
}

/// `{{asset "style.css"}}`: the URL of an asset.
fn asset(
    call: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let name = call.param(0).and_then(|param| param.value().as_str());
    let url = name
        .and_then(assets::url)
        .ok_or_else(|| invalid("asset needs the name of a file in assets.rs"))?;
    Ok(out.write(&url)?)
}

fn time_parameter(call: &Helper<'_>) -> Result<Option<Timestamp>, RenderErrorReason> {
    let given = call.param(0).filter(|param| !param.is_value_missing());
    match given.map(PathAndJson::value) {
        Some(Value::Null) => Some(None),
        Some(value) => from_millis(value).map(Some),
        None => None,
    }
    .ok_or_else(|| invalid("expected a time or null"))
}

/// Reads a time of the core, which contexts have in milliseconds.
fn from_millis(value: &Value) -> Option<Timestamp> {
    let millis = value.as_i64()?;
    Some(Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX))
}

fn invalid(message: &str) -> RenderErrorReason {
    RenderErrorReason::Other(message.to_owned())
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn relative(at: Timestamp, now: Timestamp) -> String {
    let past = now.as_second() - at.as_second();
    let (count, unit) = match past.abs() {
        0 => return "just now".to_owned(),
        seconds @ 1..MINUTE => (seconds, "second"),
        seconds @ MINUTE..HOUR => (seconds / MINUTE, "minute"),
        seconds if seconds < 2 * DAY => (seconds / HOUR, "hour"),
        seconds if seconds < 60 * DAY => (seconds / DAY, "day"),
        _ => return at.strftime("%Y-%m-%d").to_string(),
    };
    let s = if count == 1 { "" } else { "s" };
    if past > 0 {
        format!("{count} {unit}{s} ago")
    } else {
        format!("in {count} {unit}{s}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(template: &str, context: &serde_json::Value) -> Result<String, String> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        register(&mut registry);
        registry
            .render_template(template, context)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn renders_times_for_machines_and_readers() {
        let page = render("{{time at}}", &json!({"at": 1_795_581_130_500_i64}));
        let expected = "<time datetime=\"2026-11-25T04:32:10Z\">2026-11-25 04:32:10 UTC</time>";
        assert_eq!(page.unwrap(), expected);
        assert_eq!(render("{{time at}}", &json!({"at": null})).unwrap(), "–");
        assert!(render("{{time at}}", &json!({"at": "<b>"})).is_err());
        assert!(render("{{time at}}", &json!({"at": i64::MAX})).is_ok());
        assert!(render("{{time at}}", &json!({})).is_err());
    }

    #[test]
    fn renders_relative_times_in_the_unit_that_fits() {
        let now: Timestamp = "2026-11-25T04:32:10Z".parse().unwrap();
        for (second, text) in [
            (0, "just now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (2 * DAY - 1, "47 hours ago"),
            (2 * DAY, "2 days ago"),
            (60 * DAY, "2026-09-26"),
            (-90, "in 1 minute"),
        ] {
            let at = Timestamp::from_second(now.as_second() - second).unwrap();
            assert_eq!(relative(at, now), text);
        }
    }

    #[test]
    fn selects_singular_or_plural() {
        let plural = |count| {
            let template = r#"{{plural n "delivery" "deliveries"}}, {{plural n "key"}}"#;
            render(template, &json!({"n": count})).unwrap()
        };
        assert_eq!(plural(0), "0 deliveries, 0 keys");
        assert_eq!(plural(1), "1 delivery, 1 key");
        assert_eq!(plural(2), "2 deliveries, 2 keys");
    }
}
