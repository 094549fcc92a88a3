//! Errors with their causes.

use std::error::Error;

/// Any error, boxed.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// Returns an error with the chain of its causes on one line. A cause that the line already ends
/// with is not repeated.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("connection error: {0}")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("refused")]
        struct Inner;
        assert_eq!(error_chain(&Outer(Inner)), "connection error: refused");
    }
}
