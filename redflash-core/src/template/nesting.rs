//! Limits on the size and nesting of a source, checked before it is parsed.
//!
//! The parser recurses for each block inside a block, and for each parenthesis, bracket or brace
//! inside another within a tag. A deep source would overflow its stack before it could report an
//! error. Blocks that follow one another do not nest, and neither does a chain of `else if`.

use std::borrow::Cow;

use super::{Template, TemplateError};

/// Checks a source, and returns it in the form that the parser needs.
///
/// The parser takes `{{elsewhere}}` for `{{else where}}`, but not `{{./elsewhere}}`.
pub(super) fn check(source: &str) -> Result<Cow<'_, str>, TemplateError> {
    if source.len() > Template::MAX_SOURCE {
        return Err(TemplateError::TooLong { size: source.len() });
    }
    let mut scanner = Scanner {
        source,
        at: 0,
        blocks: 0,
        openers: 0,
        names: Vec::new(),
    };
    while let Some(start) = scanner.next_tag() {
        scanner.tag().map_err(|TooDeep| TemplateError::TooDeep {
            line: source[..start].matches('\n').count() + 1,
        })?;
    }
    if scanner.names.is_empty() {
        return Ok(source.into());
    }
    let mut whole = source.to_owned();
    for start in scanner.names.into_iter().rev() {
        whole.insert_str(start, "./");
    }
    Ok(whole.into())
}

struct TooDeep;

/// Scans the tags of a source.
struct Scanner<'a> {
    source: &'a str,
    /// The current byte.
    at: usize,
    /// Number of open blocks.
    blocks: usize,
    /// Number of opening brackets in all tags so far.
    openers: usize,
    /// Positions of names that begin with `else`.
    names: Vec<usize>,
}

/// Maximum number of opening brackets in a source, nested or not. The parser can take that many
/// nested ones, so nothing depends on the scanner finding each closing one.
const MAX_OPENERS: usize = 512;

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn skip_past(&mut self, end: &str) {
        self.at = self
            .rest()
            .find(end)
            .map_or(self.source.len(), |found| self.at + found + end.len());
    }

    /// Moves behind the next `{{` that opens a tag, and returns its start.
    fn next_tag(&mut self) -> Option<usize> {
        loop {
            let start = self.at + self.rest().find("{{")?;
            let text = &self.source[self.at..start];
            self.at = start + "{{".len();
            let backslashes = text.len() - text.trim_end_matches('\\').len();
            if backslashes == 1 {
                // Escaped: text.
                if self.rest().starts_with("{{") {
                    self.at += "{{".len();
                }
                continue;
            }
            if self.rest().starts_with("!--") {
                self.skip_past("--}}");
            } else if self.rest().starts_with('!') {
                self.skip_past("}}");
            } else {
                return Some(start);
            }
        }
    }

    /// Moves to the end of a tag.
    fn tag(&mut self) -> Result<(), TooDeep> {
        let head = self.source[self.at..].trim_start_matches(['{', '~', ' ', '\t', '\r', '\n']);
        self.at = self.source.len() - head.len();
        if head.starts_with('#') {
            self.blocks += 1;
            if self.blocks > Template::MAX_NESTING {
                return Err(TooDeep);
            }
        } else if head.starts_with('/') {
            self.blocks = self.blocks.saturating_sub(1);
        } else if head.strip_prefix("else").is_some_and(continues_name) {
            self.names.push(self.at);
        }
        let mut open = Vec::new();
        let mut quote = None;
        let mut escaped = false;
        while let Some(character) = self.rest().chars().next() {
            if quote.is_none() && open.is_empty() && self.rest().starts_with("}}") {
                self.at += "}}".len();
                return Ok(());
            }
            self.at += character.len_utf8();
            match (quote, character) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(mark), _) if mark == character => quote = None,
                (None, '"' | '\'') => quote = Some(character),
                (None, '(' | '[' | '{') => {
                    open.push(character);
                    self.openers += 1;
                    if open.len() > Template::MAX_NESTING || self.openers > MAX_OPENERS {
                        return Err(TooDeep);
                    }
                }
                (None, ')' | ']' | '}') => close(&mut open, character),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns true if `rest` continues a name.
fn continues_name(rest: &str) -> bool {
    rest.starts_with(|next: char| {
        next.is_ascii_alphanumeric() || "-_$:".contains(next) || !next.is_ascii()
    })
}

/// Removes the bracket that a closing one closes. Between `[` and `]`, others are part of a name.
fn close(open: &mut Vec<char>, closing: char) {
    let opening = match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    };
    if closing == ']' {
        if let Some(index) = open.iter().rposition(|&one| one == opening) {
            open.truncate(index);
        }
    } else if open.last() == Some(&opening) {
        open.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_too_deep(source: &str) -> bool {
        matches!(Template::parse(source), Err(TemplateError::TooDeep { .. }))
    }

    fn nested(open: &str, inside: &str, close: &str, depth: usize) -> String {
        format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn rejects_long_sources() {
        assert!(Template::parse(&"x".repeat(4096)).is_ok());
        assert_eq!(
            Template::parse(&"x".repeat(4097)).unwrap_err(),
            TemplateError::TooLong { size: 4097 }
        );
    }

    #[test]
    fn accepts_nesting_up_to_the_limit() {
        let most = Template::MAX_NESTING;
        let blocks = |depth| nested("{{#if a}}", "x", "{{/if}}", depth);
        let calls = |depth| format!("{{{{upper {}}}}}", nested("(upper ", "a", ")", depth));
        let lists = |depth| format!("{{{{upper {}}}}}", nested("[", "1", "]", depth));
        for source in [blocks, calls, lists].map(|make: fn(usize) -> String| make(most)) {
            assert!(Template::parse(&source).is_ok(), "{source}");
        }
        for source in [blocks, calls, lists].map(|make: fn(usize) -> String| make(most + 1)) {
            assert!(is_too_deep(&source), "{source}");
        }
    }

    #[test]
    fn sequences_are_not_nested() {
        for source in [
            "{{#if a}}1{{else}}2{{/if}}".repeat(100),
            "{{#if a}}1{{^}}2{{/if}}".repeat(100),
            "{{elsewhere}} ".repeat(100),
            "{{#if a}}{{else2}}{{else}}{{ else-3 }}{{/if}}".repeat(50),
            "{{upper (lower a)}}".repeat(100),
            "{{[a]}}".repeat(100),
            "((((((((((".repeat(100),
            ":-[ { ".repeat(100),
            "{{! {{#if a}} }}".repeat(100),
            "{{!-- {{#if a}} (( --}}".repeat(100),
            r"\{{#if a}}".repeat(100),
            r#"{{default a "{{#if ((((("}}"#.repeat(100),
            format!("{{{{#if a}}}}0{}{{{{/if}}}}", "{{else if b}}1".repeat(250)),
        ] {
            if let Err(error) = Template::parse(&source) {
                panic!("{}…: {error}", &source[..30]);
            }
        }
    }

    #[test]
    fn rejects_deep_sources_before_parsing() {
        for source in [
            nested("(", "", "", 2000),
            nested("[", "", "", 2000),
            nested("(upper ", "", "", 500),
            "(a [)))))]".repeat(300),
            "[\"] (".repeat(700),
        ] {
            let source = format!("\n{{{{upper {source}");
            let refused = Template::parse(&source).expect_err(&source[..20]);
            assert_eq!(refused, TemplateError::TooDeep { line: 2 }, "{source}");
        }
        assert!(is_too_deep(&"{{#if a}}".repeat(400)));
        assert!(is_too_deep(&"{{~ # if a}}".repeat(300)));
        let chain = format!(
            "{{{{#each a}}}}{}{{{{/each}}}}",
            "{{else with b}}".repeat(200)
        );
        assert!(is_too_deep(&chain));
    }

    /// If the scanner is ever misled, the parser still has to fit on the stack of a small thread.
    #[test]
    fn parser_survives_the_deepest_accepted_source() {
        let parse = || {
            let blocks = nested("{{#if a}}", "", "{{/if}}", 240);
            let calls = format!("{{{{upper {}", "(a ".repeat(MAX_OPENERS));
            let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(300));
            for source in [blocks, calls, chain] {
                let _ = handlebars::Template::compile(&source);
            }
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        thread.spawn(parse).unwrap().join().unwrap();
    }
}
