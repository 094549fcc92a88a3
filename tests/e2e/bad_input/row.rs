//! One row of a table of bad inputs.

/// One row: what is done, and what must come of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Which part of RedFlash is tried, such as `raise-key`.
    pub(crate) surface: String,
    /// The error in the input.
    pub(crate) name: String,
    /// The HTTP method, or the command line, or `RAW` for bytes on a bare connection.
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    /// The headers, split by ` | `.
    pub(crate) headers: String,
    /// The body, the bytes, or a file's text.
    pub(crate) body: String,
    /// The status, or `exit` and the exit code, or `closed`, or `-`; alternatives with ` or `.
    pub(crate) expected: String,
    /// Further expectations: clauses separated by `;`. Unrecognized clauses are notes for people.
    pub(crate) effect: String,
}

impl Row {
    /// Every row of a table: tab-separated columns under a line with their names. A column without
    /// anything in it holds `-`.
    pub(crate) fn table(text: &str) -> Vec<Self> {
        text.lines().skip(1).map(Self::parse).collect()
    }

    fn parse(line: &str) -> Self {
        let columns: Vec<&str> = line.split('\t').collect();
        let [surface, name, method, path, headers, body, expected, effect] = columns[..] else {
            panic!(
                "this row has {} columns instead of 8: {line}",
                columns.len()
            );
        };
        let text = |column: &str| if column == "-" { "" } else { column }.to_owned();
        Self {
            surface: text(surface),
            name: text(name),
            method: text(method),
            path: text(path),
            headers: text(headers),
            body: text(body),
            expected: text(expected),
            effect: text(effect),
        }
    }

    /// The headers as names and values.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.split(" | ");
        headers.filter_map(|header| header.split_once(": "))
    }

    /// The clauses of the effect.
    pub(crate) fn effects(&self) -> impl Iterator<Item = &str> {
        self.effect.split(';').map(str::trim)
    }

    /// Whether an outcome (a status, an exit code) is one of those expected.
    pub(crate) fn expects(&self, outcome: &str) -> bool {
        let mut expected = self.expected.split(" or ");
        expected.any(|expected| expected.is_empty() || expected == outcome)
    }
}
