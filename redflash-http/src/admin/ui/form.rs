//! Submitted forms.

use url::form_urlencoded;

/// Maximum number of fields of a form.
const MAX_FIELDS: usize = 5_000;

/// The fields of a form, in their order. Queries are forms too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Parses a form; `None` if it has too many fields. Invalid UTF-8 becomes U+FFFD.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let pairs = form_urlencoded::parse(body).into_owned();
        let fields: Vec<_> = pairs.take(MAX_FIELDS + 1).collect();
        (fields.len() <= MAX_FIELDS).then_some(Self(fields))
    }

    /// Returns the last value of a field, or `""` without one.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut fields = self.0.iter().rev();
        let found = fields.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns the trimmed value of a field; `None` if it is empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        let value = self.get(name).trim();
        (!value.is_empty()).then_some(value)
    }

    /// Returns all values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(known, _)| known == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Returns true if the form has a field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns true if a checkbox is ticked or a switch is to be on.
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

    /// Returns the fields with a prefix, by the rest of their names.
    pub(crate) fn with_prefix<'a>(
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
    fn finds_fields_by_name() {
        let form = Form::parse(b"a=1&b=+x+&a=2&on=1&arg.host=db1&bad=%FF").unwrap();
        assert_eq!((form.get("a"), form.get("none")), ("2", ""));
        assert_eq!(form.given("b"), Some("x"));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(form.is_on("on") && !form.is_on("a") && form.has("b"));
        assert_eq!(
            form.with_prefix("arg.").collect::<Vec<_>>(),
            [("host", "db1")]
        );
        assert_eq!(form.get("bad"), "\u{fffd}");
        assert!(Form::parse("a=1&".repeat(MAX_FIELDS + 1).as_bytes()).is_none());
    }
}
