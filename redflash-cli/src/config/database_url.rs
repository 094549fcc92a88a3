//! URLs of databases.

use std::path::PathBuf;

use redflash_store::{OpenError, SqliteStore};

/// The database that a URL refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatabaseLocation {
    /// An SQLite file.
    File(PathBuf),
    /// A Postgres database, by its URL.
    Postgres,
}

const EXPECTED: &str = "expected sqlite:PATH or postgres://user:password@host/database";

/// Parses `sqlite:PATH`, `sqlite://PATH`, `file:PATH`, a path alone, or the URL of a Postgres database.
///
/// # Errors
///
/// Returns an error without the URL, which may contain a password.
pub(crate) fn parse(url: &str) -> Result<DatabaseLocation, String> {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return file(url);
    };
    match &*scheme.to_ascii_lowercase() {
        "sqlite" => {
            // As in other programs: two slashes before a relative path, three before an absolute one.
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.contains('?') {
                return Err("parameters after ? are not supported: expected sqlite:PATH".into());
            }
            file(path)
        }
        "postgres" | "postgresql" if rest.starts_with("//") => Ok(DatabaseLocation::Postgres),
        "file" => file(&format!("file:{rest}")),
        "" => file(url),
        other => Err(format!("{other}: is not supported: {EXPECTED}")),
    }
}

fn file(path: &str) -> Result<DatabaseLocation, String> {
    if path.trim_start_matches('/').is_empty() {
        return Err(EXPECTED.into());
    }
    match SqliteStore::path_of(path) {
        Ok(path) => Ok(DatabaseLocation::File(path)),
        Err(OpenError::Memory { .. }) => Err(
            "an in-memory database would be empty for every command: use a file, or try \
             `redflash demo`"
                .into(),
        ),
        Err(OpenError::Unnamed) => Err(EXPECTED.into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns true if `text` can be the scheme of a URL. A single letter counts as part of a file name.
fn is_scheme(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_');
    text.is_empty() || text.len() > 1 && text.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_usual_forms_of_paths() {
        for (url, path) in [
            ("sqlite:b.db", "b.db"),
            ("sqlite://b.db", "b.db"),
            ("sqlite://data/b.db", "data/b.db"),
            ("sqlite:///var/lib/b.db", "/var/lib/b.db"),
            ("sqlite:/var/lib/b.db", "/var/lib/b.db"),
            ("SQLite:b.db", "b.db"),
            ("b.db", "b.db"),
            ("file:b.db", "b.db"),
            ("FILE:///var/lib/b.db", "/var/lib/b.db"),
            ("sqlite:file:b%20c.db", "b c.db"),
            ("./a:b.db", "./a:b.db"),
            ("/var/lib/b.db", "/var/lib/b.db"),
        ] {
            assert_eq!(parse(url), Ok(DatabaseLocation::File(path.into())), "{url}");
        }
        for url in ["postgres://a:b@c/d", "postgresql://c/d", "Postgres://c/d"] {
            assert_eq!(parse(url), Ok(DatabaseLocation::Postgres), "{url}");
        }
    }

    #[test]
    fn rejects_other_forms() {
        for (url, wanted) in [
            ("", "expected sqlite:PATH"),
            ("sqlite:", "expected sqlite:PATH"),
            ("sqlite://", "expected sqlite:PATH"),
            ("sqlite::memory:", "redflash demo"),
            ("sqlite://:memory:", "redflash demo"),
            (":memory:", "redflash demo"),
            ("file::memory:", "redflash demo"),
            ("file:b.db?mode=memory&cache=shared", "redflash demo"),
            ("file:b.db?mode=ro", "mode=ro is not supported"),
            ("file:", "expected sqlite:PATH"),
            ("sqlite:b.db?mode=ro", "parameters"),
            ("mysql://root:canary@c/d", "mysql: is not supported"),
            ("sqlite3:b.db", "sqlite3: is not supported"),
            ("postgres:d", "postgres: is not supported"),
        ] {
            let refused = parse(url).unwrap_err();
            assert!(refused.contains(wanted), "{url}: {refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
