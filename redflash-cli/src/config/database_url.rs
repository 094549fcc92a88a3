//! The forms in which a database is named.

use std::path::PathBuf;

use redflash_store::{OpenError, SqliteStore};

/// The database that a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An SQLite file.
    File(PathBuf),
    /// A Postgres database, by its URL.
    Postgres,
}

const RIGHT: &str =
    "write sqlite: and the path of a file, or postgres://user:password@host/database";

/// Reads `sqlite:PATH`, `sqlite://PATH`, `file:PATH`, a path alone, or the URL of a Postgres database.
///
/// # Errors
///
/// Says what is wrong, without the URL, which may hold a password.
pub(crate) fn parse(url: &str) -> Result<Named, String> {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return file(url);
    };
    match &*scheme.to_ascii_lowercase() {
        "sqlite" => {
            // As in other programs: two slashes before a relative path, three before an absolute one.
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.contains('?') {
                return Err(
                    "parameters after ? are not supported: write sqlite: and the path of a file"
                        .into(),
                );
            }
            file(path)
        }
        "postgres" | "postgresql" if rest.starts_with("//") => Ok(Named::Postgres),
        "file" => file(&format!("file:{rest}")),
        "" => file(url),
        other => Err(format!("{other}: is not supported: {RIGHT}")),
    }
}

fn file(path: &str) -> Result<Named, String> {
    if path.trim_start_matches('/').is_empty() {
        return Err(RIGHT.into());
    }
    match SqliteStore::path_of(path) {
        Ok(path) => Ok(Named::File(path)),
        Err(OpenError::Memory { .. }) => Err(
            "a database in memory would be another one for every command: name a file, or try \
             `redflash demo`"
                .into(),
        ),
        Err(OpenError::Unnamed) => Err(RIGHT.into()),
        Err(refused) => Err(refused.to_string()),
    }
}

/// Returns true if `text` can be the scheme of a URL. A single letter counts as part of a file's name.
fn is_scheme(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_');
    text.is_empty() || text.len() > 1 && text.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_paths_in_every_usual_form() {
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
            assert_eq!(parse(url), Ok(Named::File(path.into())), "{url}");
        }
        for url in ["postgres://a:b@c/d", "postgresql://c/d", "Postgres://c/d"] {
            assert_eq!(parse(url), Ok(Named::Postgres), "{url}");
        }
    }

    #[test]
    fn refuses_other_forms_with_words() {
        for (url, wanted) in [
            ("", "the path of a file"),
            ("sqlite:", "the path of a file"),
            ("sqlite://", "the path of a file"),
            ("sqlite::memory:", "redflash demo"),
            ("sqlite://:memory:", "redflash demo"),
            (":memory:", "redflash demo"),
            ("file::memory:", "redflash demo"),
            ("file:b.db?mode=memory&cache=shared", "redflash demo"),
            ("file:b.db?mode=ro", "mode=ro is not supported"),
            ("file:", "the path of a file"),
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
