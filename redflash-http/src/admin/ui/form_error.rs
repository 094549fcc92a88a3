//! Errors of forms, and their notices.

use std::fmt::Display;

use axum::http::StatusCode;
use redflash_core::engine::{EditError, InvalidField};
use redflash_core::store::StoreError;
use serde::Serialize;

use crate::admin::ui::field::FieldError;
use crate::admin::ui::page_error::PageError;

/// The error of a submitted form.
pub(crate) enum FormError {
    /// The form is shown again with its errors.
    Form(FormErrors),
    /// An error page is shown.
    Page(PageError),
}

/// The errors of a form that is shown again.
pub(crate) struct FormErrors {
    pub(crate) status: StatusCode,
    pub(crate) errors: Vec<InvalidField>,
}

/// The errors of fields, collected while a form is read.
#[derive(Default)]
pub(crate) struct FieldErrors(Vec<InvalidField>);

/// The notice above a form that is shown again: `{{> partials/notice page.notice}}`.
#[derive(Serialize)]
pub(crate) struct Notice {
    title: &'static str,
    text: String,
    /// The saved values, if another user has changed them.
    items: Vec<String>,
}

impl FieldErrors {
    /// Returns the parsed value, or `None` and records the error of the field.
    pub(crate) fn take<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        let record = |error: E| self.0.push(InvalidField::new(field, error.to_string()));
        parsed.map_err(record).ok()
    }

    pub(crate) fn add(&mut self, field: &str, message: &str) {
        self.0.push(InvalidField::new(field, message));
    }

    pub(crate) fn extend(&mut self, errors: Vec<InvalidField>) {
        self.0.extend(errors);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FormErrors {
    fn of_field(field: &str, message: String) -> Self {
        Self::invalid(vec![InvalidField::new(field, message)])
    }

    fn invalid(errors: Vec<InvalidField>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            errors,
        }
    }

    /// Returns the error of a field, or of the entries of a list.
    pub(crate) fn error(&self, field: &str) -> Option<FieldError> {
        let is_of = |error: &&InvalidField| {
            let (name, rest) = error.field.split_once('[').unwrap_or((&error.field, ""));
            match rest.split_once('.') {
                Some((_, part)) => part == field,
                None => name == field,
            }
        };
        let errors = self.errors.iter().filter(is_of);
        let errors: Vec<_> = errors.map(|error| sentence(&error.message)).collect();
        (!errors.is_empty()).then(|| FieldError {
            text: errors.join("; "),
            focus: self.errors.first().as_ref().is_some_and(is_of),
        })
    }

    /// Returns the notice above the form.
    ///
    /// * `now` - the saved values, shown if another user has changed them.
    pub(crate) fn notice(&self, now: Vec<String>) -> Notice {
        if self.status == StatusCode::CONFLICT {
            let text = "Nothing was saved. Your changes are still in the form; save again to \
                overwrite the current version:";
            return Notice {
                title: "Someone else changed this while you were editing.",
                text: text.into(),
                items: now,
            };
        }
        let text = match self.errors.len() {
            1 => "Fix the error marked below.".to_owned(),
            count => format!("Fix the {count} errors marked below."),
        };
        Notice {
            title: "Nothing was saved.",
            text,
            items: Vec::new(),
        }
    }
}

impl FormError {
    /// Returns the errors to show in the form.
    ///
    /// # Errors
    ///
    /// [`PageError`] if an error page is shown instead.
    pub(crate) fn form(self) -> Result<FormErrors, PageError> {
        match self {
            Self::Form(errors) => Ok(errors),
            Self::Page(error) => Err(error),
        }
    }
}

impl From<FieldErrors> for FormError {
    fn from(FieldErrors(errors): FieldErrors) -> Self {
        Self::Form(FormErrors::invalid(errors))
    }
}

impl From<FieldErrors> for EditError {
    fn from(FieldErrors(errors): FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<EditError> for FormError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Invalid(errors) => Self::Form(FormErrors::invalid(errors)),
            EditError::Outdated(_) => Self::Form(FormErrors {
                status: StatusCode::CONFLICT,
                errors: Vec::new(),
            }),
            EditError::LastAdmin(_) => Self::Form(FormErrors::of_field("user", error.to_string())),
            EditError::Store(StoreError::Conflict { what }) => {
                let message = format!("{what} already exists; choose another slug");
                Self::Form(FormErrors::of_field("slug", message))
            }
            EditError::Store(StoreError::Dangling { reference, .. }) => {
                let (kind, _) = reference.split_once('/').unwrap_or((&reference, ""));
                let message = format!("{reference} no longer exists");
                Self::Form(FormErrors::of_field(&format!("{kind}s"), message))
            }
            error => Self::Page(error.into()),
        }
    }
}

impl From<StoreError> for FormError {
    fn from(error: StoreError) -> Self {
        Self::Page(error.into())
    }
}

impl From<PageError> for FormError {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

/// Capitalizes the first letter of a text.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_errors_by_field() {
        let errors = ["name", "endpoints[2].address", "contacts[0]", "contacts[3]"];
        let errors = errors.map(|field| InvalidField::new(field, format!("wrong {field}")));
        let errors = FormErrors::invalid(errors.to_vec());
        let error = |text: &str, focus| {
            let text = text.to_owned();
            Some(FieldError { text, focus })
        };
        assert_eq!(errors.error("name"), error("Wrong name", true));
        let address = error("Wrong endpoints[2].address", false);
        assert_eq!(errors.error("address"), address);
        let contacts = error("Wrong contacts[0]; Wrong contacts[3]", false);
        assert_eq!(errors.error("contacts"), contacts);
        assert_eq!(errors.error("slug"), None);
    }
}
