//! Why nobody was logged in.

use std::fmt;

/// Why nobody was logged in, by what the reader does. No message holds a secret, a code or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OidcError {
    /// Our settings, or what the provider knows of us, are wrong: change them.
    Misconfigured(String),
    /// The provider did not answer, or not in a way that can be used: try again later.
    Unreachable(String),
    /// The provider refused: ask its administrator.
    Denied(String),
    /// The answer belongs to no login that was begun here, or comes too late: begin again.
    Stale(&'static str),
    /// What the provider says of the user cannot be believed: look at the provider, and at both clocks.
    Untrusted(String),
    /// The claim that names the user is missing: choose one of those that are there.
    Nameless {
        /// The claim that is missing.
        claim: &'static str,
        /// The names of those that are there.
        present: Vec<String>,
    },
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misconfigured(reason) => {
                write!(f, "the login is not set up rightly: {reason}")
            }
            Self::Unreachable(reason) => {
                write!(f, "the OpenID provider gave no usable answer: {reason}")
            }
            Self::Denied(reason) => write!(f, "the OpenID provider refused the login: {reason}"),
            Self::Stale(reason) => write!(f, "{reason}: begin the login again"),
            Self::Untrusted(reason) => {
                write!(f, "what the OpenID provider says is not believed: {reason}")
            }
            Self::Nameless { claim, present } => write!(
                f,
                "the OpenID provider says no {claim}, which names the user; it says {}: choose \
                 another user_claim, or ask for another scope",
                present.join(", ")
            ),
        }
    }
}

impl std::error::Error for OidcError {}
