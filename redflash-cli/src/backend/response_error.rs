//! Errors from a server, with the messages and exit codes of the local store.

use redflash_core::engine::InvalidField;
use redflash_core::error_chain;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::error::{CliError, Exit};

/// The problem document of an error response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
    code: String,
    errors: Vec<InvalidField>,
}

/// Converts an error response.
pub(super) async fn error_from(response: Response) -> CliError {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER);
    let after = after.and_then(|after| after.to_str().ok());
    let after = after.and_then(|after| after.parse::<u64>().ok());
    let body = response.bytes().await.unwrap_or_default();
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let exit = exit(status, &problem.code);
    let mut message = message(status, &problem);
    if let Some(after) = after.filter(|_| exit == Exit::TryAgain) {
        message = format!("{message}: try again in {after} s");
    }
    CliError::new(exit, message)
}

fn exit(status: StatusCode, code: &str) -> Exit {
    match (status, code) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Exit::NotAllowed,
        (
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT,
            _,
        ) => Exit::TryAgain,
        (StatusCode::CONFLICT, "exists") => Exit::Failed,
        // The rules of users forbid it.
        (_, "last_admin") => Exit::Usage,
        (
            _,
            "empty_message"
            | "missing_arguments"
            | "unused_arguments"
            | "no_recipients"
            | "too_many_recipients",
        )
        | (StatusCode::NOT_FOUND | StatusCode::CONFLICT, _) => Exit::Refused,
        (StatusCode::UNPROCESSABLE_ENTITY, _) => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn message(status: StatusCode, problem: &Problem) -> String {
    match (status, &*problem.errors, &*problem.detail) {
        (StatusCode::UNAUTHORIZED, ..) => {
            "the server rejected the API key: set REDFLASH_API_KEY to a valid one".into()
        }
        (StatusCode::FORBIDDEN, _, detail) if !detail.is_empty() => format!(
            "{detail}: set REDFLASH_API_KEY to a key with the permission, or create one on the server \
             (`redflash key add`)"
        ),
        (StatusCode::UNPROCESSABLE_ENTITY, errors @ [_, ..], _) => {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            errors.join("; ")
        }
        (.., "") => format!("the server answers {status}, and does not say why"),
        (.., detail) => detail.to_owned(),
    }
}

/// Returns the error of a response that cannot be parsed.
pub(super) fn unreadable(error: &(dyn std::error::Error + 'static)) -> CliError {
    let message = format!(
        "cannot read the server's response ({}): check that it runs a compatible version of RedFlash",
        error_chain(error)
    );
    CliError::new(Exit::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_errors_to_exit_codes_of_the_store() {
        for (status, code, expected) in [
            (401, "invalid_key", Exit::NotAllowed),
            (403, "not_allowed", Exit::NotAllowed),
            (404, "unknown_target", Exit::Refused),
            (409, "exists", Exit::Failed),
            (409, "disabled", Exit::Refused),
            (422, "invalid", Exit::Usage),
            (422, "no_recipients", Exit::Refused),
            (422, "missing_arguments", Exit::Refused),
            (422, "unused_arguments", Exit::Refused),
            (429, "rate_limited", Exit::TryAgain),
            (503, "store_unavailable", Exit::TryAgain),
            (500, "internal", Exit::Failed),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(exit(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn lists_every_invalid_field() {
        let problem = Problem {
            detail: "two fields are invalid".into(),
            code: "invalid".into(),
            errors: vec![
                InvalidField::new("slug", "no"),
                InvalidField::new("name", "nor this"),
            ],
        };
        let text = message(StatusCode::UNPROCESSABLE_ENTITY, &problem);
        assert_eq!(text, "slug: no; name: nor this");
    }
}
