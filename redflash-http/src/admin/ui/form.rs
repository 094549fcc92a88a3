//! The fields of a form that was sent.

use url::form_urlencoded;

/// The most fields of a form.
const MAX_FIELDS: usize = 5_000;

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form; `None` when it has too many fields. Bad UTF-8 becomes U+FFFD.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let pairs = form_urlencoded::parse(body).into_owned();
        let fields: Vec<_> = pairs.take(MAX_FIELDS + 1).collect();
        (fields.len() <= MAX_FIELDS).then_some(Self(fields))
    }

    /// The last value of a field; `""` when it was not sent.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut fields = self.0.iter().rev();
        let found = fields.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The same without the white space around it, and `None` when nothing is left.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        let value = self.get(name).trim();
        (!value.is_empty()).then_some(value)
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(known, _)| known == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Whether a field was sent at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Whether a box was ticked, or a switch is to be on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "1" | "on" | "true" | "yes")
    }

    /// Returns true if the form carries a token that makes repeated submissions count once.
    pub(crate) fn is_once(&self) -> bool {
        self.given("once").is_some()
    }

    /// Returns the form's token, or a new one: it tells a form that is sent twice from two forms.
    pub(crate) fn once(&self) -> String {
        self.given("once").map_or_else(once_token, str::to_owned)
    }

    /// Every field whose name begins so, with the rest of the name.
    pub(crate) fn beginning<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let rest = move |(name, value): &'a (String, String)| {
            Some((name.strip_prefix(prefix)?, value.as_str()))
        };
        self.0.iter().filter_map(rest)
    }
}

/// Returns a new token for the hidden field `once`.
pub(crate) fn once_token() -> String {
    format!("{:032x}", fastrand::u128(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let form = Form::parse(b"a=1&b=+x+&a=2&on=1&arg.host=db1&bad=%FF").unwrap();
        assert_eq!((form.get("a"), form.get("none")), ("2", ""));
        assert_eq!(form.given("b"), Some("x"));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(form.is_on("on") && !form.is_on("a") && form.has("b"));
        assert_eq!(
            form.beginning("arg.").collect::<Vec<_>>(),
            [("host", "db1")]
        );
        assert_eq!(form.get("bad"), "\u{fffd}");
        assert!(Form::parse("a=1&".repeat(MAX_FIELDS + 1).as_bytes()).is_none());
    }
}
