//! The errors of an OpenID login.

use std::fmt;

/// The error of an OpenID login, by the reader's next action. No message holds a secret, code or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OidcError {
    /// The settings here or at the provider are wrong: correct them.
    Misconfigured(String),
    /// The provider gave no usable response: try again later.
    Unreachable(String),
    /// The provider refused: ask its administrator.
    Denied(String),
    /// The response belongs to no login of this browser, or arrived too late: start again.
    Stale(&'static str),
    /// The provider's statements about the user are invalid: check the provider, and both clocks.
    Untrusted(String),
    /// The user claim is missing: choose one of the claims that are present.
    Nameless {
        /// The missing claim.
        claim: &'static str,
        /// The names of the present claims.
        present: Vec<String>,
    },
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misconfigured(reason) => {
                write!(f, "OpenID login is misconfigured: {reason}")
            }
            Self::Unreachable(reason) => {
                write!(f, "the OpenID provider gave no usable response: {reason}")
            }
            Self::Denied(reason) => write!(f, "the OpenID provider refused the login: {reason}"),
            Self::Stale(reason) => write!(f, "{reason}: start the login again"),
            Self::Untrusted(reason) => {
                write!(
                    f,
                    "the response of the OpenID provider is not valid: {reason}"
                )
            }
            Self::Nameless { claim, present } => write!(
                f,
                "the OpenID provider sent no claim {claim}, which is the user claim; it sent {}: \
                 choose another user_claim, or add a scope",
                present.join(", ")
            ),
        }
    }
}

impl std::error::Error for OidcError {}
