//! The names under which a database file can be opened.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::open_error::OpenError;

/// Returns the path of a name: a path, or a `file:` URI without parameters.
///
/// # Errors
///
/// [`OpenError::Unnamed`], [`OpenError::Memory`] and [`OpenError::Uri`].
pub(super) fn path_of(name: &Path) -> Result<PathBuf, OpenError> {
    if name.as_os_str().is_empty() {
        return Err(OpenError::Unnamed);
    }
    let Some(text) = name.to_str() else {
        return Ok(name.to_owned());
    };
    if text == ":memory:" {
        return Err(OpenError::Memory { path: name.into() });
    }
    match text.strip_prefix("file:") {
        Some(uri) => path_of_uri(name, uri),
        None => Ok(name.to_owned()),
    }
}

/// Returns the path in a `file:` URI.
///
/// * `name` - the whole URI, for errors.
/// * `uri` - its part after the scheme.
fn path_of_uri(name: &Path, uri: &str) -> Result<PathBuf, OpenError> {
    let refused = |reason: String| OpenError::Uri {
        path: name.to_owned(),
        reason,
    };
    let (uri, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    let (encoded, query) = uri.split_once('?').unwrap_or((uri, ""));
    let encoded = match encoded.strip_prefix("//") {
        None => encoded,
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !matches!(host, "" | "localhost") {
                let reason = format!("{host} is taken for the name of a machine");
                return Err(refused(reason));
            }
            path
        }
    };
    let path = decoded(encoded).ok_or_else(|| refused("% must precede two hex digits".into()))?;
    let is_memory = |parameter: &str| parameter == "mode=memory";
    if path.as_os_str() == ":memory:" || query.split('&').any(is_memory) {
        return Err(OpenError::Memory { path: name.into() });
    }
    if !query.is_empty() {
        return Err(refused(format!("the parameter {query} is not supported")));
    }
    if !fragment.is_empty() {
        return Err(refused(format!("the fragment {fragment} has no meaning")));
    }
    if path.as_os_str().is_empty() {
        return Err(OpenError::Unnamed);
    }
    Ok(path)
}

/// Decodes `%` and two hex digits to a byte; none of them may be zero.
fn decoded(text: &str) -> Option<PathBuf> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
        let byte = u8::from_str_radix(digits, 16).ok();
        bytes.push(byte.filter(|&byte| byte != 0)?);
        rest = after;
    }
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_paths_and_plain_file_uris() {
        for (name, path) in [
            ("a.db", "a.db"),
            ("./:memory:", "./:memory:"),
            ("50%25.db", "50%25.db"),
            ("a?mode=memory", "a?mode=memory"),
            ("file:a.db", "a.db"),
            ("file:/var/a.db", "/var/a.db"),
            ("file:///var/a.db", "/var/a.db"),
            ("file://localhost/var/a.db", "/var/a.db"),
            ("file:50%25%20b.db?", "50% b.db"),
            ("file:a%3Fmode=memory", "a?mode=memory"),
        ] {
            assert_eq!(path_of(Path::new(name)).unwrap(), Path::new(path), "{name}");
        }
    }

    #[test]
    fn refuses_memory_and_names_the_store_for_it() {
        for name in [
            ":memory:",
            "file::memory:",
            "file::memory:?cache=shared",
            "file:a?mode=memory",
            "file:a?cache=shared&mode=memory",
        ] {
            let refused = path_of(Path::new(name)).unwrap_err();
            assert!(matches!(refused, OpenError::Memory { .. }), "{refused}");
            assert!(refused.to_string().contains("MemoryStore"), "{refused}");
        }
    }

    #[test]
    fn refuses_other_uris_by_what_is_wrong() {
        for (name, wanted) in [
            ("file:a.db?mode=ro", "mode=ro"),
            ("file:a.db?vfs=unix-none&mode=rw", "vfs=unix-none&mode=rw"),
            ("file://server/a.db", "server"),
            ("file:a%zz", "hex digits"),
            ("file:a%+1", "hex digits"),
            ("file:a%2", "hex digits"),
            ("file:a%00b", "hex digits"),
            ("file:a#b", "the fragment b"),
            ("", "no database file"),
            ("file:", "no database file"),
            ("file:?cache=shared", "cache=shared"),
        ] {
            let refused = path_of(Path::new(name)).unwrap_err().to_string();
            assert!(refused.contains(wanted), "{name}: {refused}");
        }
    }
}
