//! The helpers of the template language.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, Output, RenderContext,
    RenderErrorReason,
};
use jiff::tz::TimeZone;

use crate::Timestamp;

/// Every helper that a template may call, in the order they are shown.
pub(super) const NAMES: [&str; 8] = [
    "if", "unless", "each", "upper", "lower", "truncate", "default", "date",
];

/// The helpers of the language itself that templates here do not have.
const WITHHELD: [&str; 14] = [
    "with", "lookup", "raw", "log", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len",
];

pub(super) fn register(registry: &mut Handlebars<'_>) {
    for name in WITHHELD {
        registry.unregister_helper(name);
    }
    registry.register_helper(
        "upper",
        text_helper(|call| Ok(text(call, 0).to_uppercase())),
    );
    registry.register_helper(
        "lower",
        text_helper(|call| Ok(text(call, 0).to_lowercase())),
    );
    registry.register_helper("truncate", text_helper(truncate));
    registry.register_helper(
        "default",
        text_helper(|call| {
            let texts = (0..call.params().len()).map(|index| text(call, index));
            Ok(texts
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default())
        }),
    );
}

type Call<'a, 'rc> = &'a Helper<'rc>;

fn text_helper(
    make: impl Fn(Call<'_, '_>) -> Result<String, RenderErrorReason> + Send + Sync + 'static,
) -> Box<dyn HelperDef + Send + Sync> {
    Box::new(
        move |call: &Helper<'_>,
              _: &Handlebars<'_>,
              _: &Context,
              _: &mut RenderContext<'_, '_>,
              output: &mut dyn Output|
              -> HelperResult { Ok(output.write(&make(call)?)?) },
    )
}

fn text(call: Call<'_, '_>, index: usize) -> String {
    call.param(index)
        .map_or_else(String::new, |param| param.value().render())
}

fn truncate(call: Call<'_, '_>) -> Result<String, RenderErrorReason> {
    let wanted = text(call, 1);
    let limit: usize = wanted.parse().map_err(|_| {
        RenderErrorReason::Other(format!(
            "truncate wants a number of characters, as in {{{{truncate text 20}}}}, not {wanted:?}"
        ))
    })?;
    let whole = text(call, 0);
    if whole.chars().count() <= limit {
        return Ok(whole);
    }
    let kept = whole.chars().take(limit.saturating_sub(1));
    Ok(kept.chain((limit > 0).then_some('…')).collect())
}

/// `date`: when the alert was raised, in a format and a time zone.
pub(super) struct Date(pub(super) Timestamp);

impl HelperDef for Date {
    fn call<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        output: &mut dyn Output,
    ) -> HelperResult {
        let or = |given: String, usual: &str| {
            if given.is_empty() {
                usual.to_owned()
            } else {
                given
            }
        };
        let format = or(text(call, 0), "%Y-%m-%d %H:%M %Z");
        let zone = or(text(call, 1), "UTC");
        let fail = |error: jiff::Error| RenderErrorReason::Other(format!("date: {error}"));
        let instant = jiff::Timestamp::from_millisecond(self.0.as_millis()).map_err(fail)?;
        let zoned = instant.to_zoned_datetime(TimeZone::get(&zone).map_err(fail)?);
        let text = jiff::fmt::strtime::format(&format, &zoned).map_err(fail)?;
        Ok(output.write(&text)?)
    }
}
