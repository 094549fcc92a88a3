//! Paths to values: `host`, `disk.name`, `../site`, `@index`.

use super::Template;

/// A path to a value, as in a template.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) base: Base,
    /// The names after the base; empty for the base itself.
    pub(super) segments: Vec<String>,
    /// The segments joined by dots.
    pub(super) name: String,
}

/// The value that a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// All arguments: `@root`.
    Root,
    /// The entry of a surrounding `each` or `with`, this many levels further out.
    Scope(usize),
    /// A variable of a surrounding `each`, such as `@index`, this many levels further out.
    Local(usize),
}

impl Path {
    /// Parses a path that the parser has accepted. Returns `None` if it is too long.
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let mut rest = ["this.", "this/", "./"]
            .iter()
            .find_map(|current| raw.strip_prefix(current))
            .unwrap_or(raw);
        let mut base = Base::Scope(0);
        if rest == "@root" {
            base = Base::Root;
            rest = "";
        } else if let Some(inner) = ["@root.", "@root/"]
            .iter()
            .find_map(|root| rest.strip_prefix(root))
        {
            base = Base::Root;
            rest = inner;
        } else if let Some(local) = rest.strip_prefix('@') {
            base = Base::Local(0);
            rest = local;
        }
        while let Some(outer) = rest.strip_prefix("../").or(rest.strip_prefix("...")) {
            base = match base {
                Base::Root => Base::Root,
                Base::Scope(up) => Base::Scope(up + 1),
                Base::Local(up) => Base::Local(up + 1),
            };
            rest = outer;
        }
        let segments = segments(rest);
        let name = segments.join(".");
        (segments.len() <= Template::MAX_NESTING).then_some(Self {
            base,
            segments,
            name,
        })
    }
}

/// Splits a path at dots and slashes. A name in brackets is taken as it is.
fn segments(mut rest: &str) -> Vec<String> {
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let (segment, after) = if let Some(inner) = rest.strip_prefix('[') {
            inner.split_once(']').unwrap_or((inner, ""))
        } else {
            let end = rest.find(['.', '/']).unwrap_or(rest.len());
            rest.split_at(end)
        };
        if segment != "this" {
            segments.push(segment.to_owned());
        }
        rest = after.strip_prefix(['.', '/']).unwrap_or(after);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_paths_of_the_language() {
        for (raw, base, name) in [
            ("host", Base::Scope(0), "host"),
            ("disk.name", Base::Scope(0), "disk.name"),
            ("disk/0/name", Base::Scope(0), "disk.0.name"),
            ("this", Base::Scope(0), ""),
            ("this.host", Base::Scope(0), "host"),
            ("./host", Base::Scope(0), "host"),
            ("../host", Base::Scope(1), "host"),
            ("../../this", Base::Scope(2), ""),
            ("@root", Base::Root, ""),
            ("@root.host", Base::Root, "host"),
            ("@index", Base::Local(0), "index"),
            ("@../index", Base::Local(1), "index"),
            ("labels.[a.b/c]", Base::Scope(0), "labels.a.b/c"),
        ] {
            let path = Path::parse(raw).unwrap();
            assert_eq!((path.base, &*path.name), (base, name), "{raw}");
        }
        assert_eq!(Path::parse("labels.[a.b/c]").unwrap().segments.len(), 2);
        assert!(Path::parse(&"a.".repeat(40)).is_none());
    }
}
