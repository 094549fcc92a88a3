//! Why a form was not done, and what its page then says.

use std::fmt::Display;

use axum::http::StatusCode;
use redflash_core::{EditError, FieldFault, StoreError};
use serde::Serialize;

use crate::admin::ui::field::FieldError;
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;

/// Why a form was not done.
pub(crate) enum Refused {
    /// The form is shown again.
    Form(Rejection),
    /// Another page says it.
    Page(PageError),
}

/// Why a form is shown again.
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    pub(crate) faults: Vec<FieldFault>,
}

/// What is wrong with the fields of a form, found one by one.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldFault>);

/// What stands above a form that is shown again: `{{> partials/notice page.notice}}`.
#[derive(Serialize)]
pub(crate) struct Notice {
    title: &'static str,
    text: String,
    /// What is there now, where somebody else has changed it.
    items: Vec<String>,
}

/// Whether a form was made to be done once, however often it is sent.
pub(crate) fn is_once(form: &Form) -> bool {
    form.given("once").is_some()
}

impl Faults {
    /// What a field says, or else `None` and a fault.
    pub(crate) fn take<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        let fault = |error: E| self.0.push(FieldFault::new(field, error.to_string()));
        parsed.map_err(fault).ok()
    }

    pub(crate) fn add(&mut self, field: &str, message: &str) {
        self.0.push(FieldFault::new(field, message));
    }

    pub(crate) fn extend(&mut self, faults: Vec<FieldFault>) {
        self.0.extend(faults);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rejection {
    fn of_field(field: &str, message: String) -> Self {
        Self::invalid(vec![FieldFault::new(field, message)])
    }

    fn invalid(faults: Vec<FieldFault>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            faults,
        }
    }

    /// The error of a field: of the whole of it, or of an entry of the list that it is.
    pub(crate) fn error(&self, field: &str) -> Option<FieldError> {
        let is_of = |fault: &&FieldFault| {
            let (name, rest) = fault.field.split_once('[').unwrap_or((&fault.field, ""));
            match rest.split_once('.') {
                Some((_, part)) => part == field,
                None => name == field,
            }
        };
        let errors = self.faults.iter().filter(is_of);
        let errors: Vec<_> = errors.map(|fault| sentence(&fault.message)).collect();
        (!errors.is_empty()).then(|| FieldError {
            text: errors.join("; "),
            focus: self.faults.first().as_ref().is_some_and(is_of),
        })
    }

    /// What stands above the form.
    ///
    /// * `now` - what is there, said where somebody else has changed it.
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
        let text = match self.faults.len() {
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

impl Refused {
    /// Why the form is to be shown again.
    ///
    /// # Errors
    ///
    /// The page that says something else.
    pub(crate) fn form(self) -> Result<Rejection, PageError> {
        match self {
            Self::Form(rejection) => Ok(rejection),
            Self::Page(oops) => Err(oops),
        }
    }
}

impl From<Faults> for Refused {
    fn from(Faults(faults): Faults) -> Self {
        Self::Form(Rejection::invalid(faults))
    }
}

impl From<Faults> for EditError {
    fn from(Faults(faults): Faults) -> Self {
        Self::Invalid(faults)
    }
}

impl From<EditError> for Refused {
    fn from(fault: EditError) -> Self {
        match fault {
            EditError::Invalid(faults) => Self::Form(Rejection::invalid(faults)),
            EditError::Outdated(_) => Self::Form(Rejection {
                status: StatusCode::CONFLICT,
                faults: Vec::new(),
            }),
            EditError::LastAdmin(_) => Self::Form(Rejection::of_field("user", fault.to_string())),
            EditError::Store(StoreError::Conflict { what }) => {
                let message = format!("{what} already exists; choose another slug");
                Self::Form(Rejection::of_field("slug", message))
            }
            EditError::Store(StoreError::Dangling { reference, .. }) => {
                let (kind, _) = reference.split_once('/').unwrap_or((&reference, ""));
                let message = format!("{reference} no longer exists");
                Self::Form(Rejection::of_field(&format!("{kind}s"), message))
            }
            fault => Self::Page(fault.into()),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(fault: StoreError) -> Self {
        Self::Page(fault.into())
    }
}

impl From<PageError> for Refused {
    fn from(oops: PageError) -> Self {
        Self::Page(oops)
    }
}

/// A text that begins as a sentence does.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_at_its_field() {
        let faults = ["name", "endpoints[2].address", "contacts[0]", "contacts[3]"];
        let faults = faults.map(|field| FieldFault::new(field, format!("wrong {field}")));
        let rejection = Rejection::invalid(faults.to_vec());
        let error = |text: &str, focus| {
            let text = text.to_owned();
            Some(FieldError { text, focus })
        };
        assert_eq!(rejection.error("name"), error("Wrong name", true));
        let address = error("Wrong endpoints[2].address", false);
        assert_eq!(rejection.error("address"), address);
        let contacts = error("Wrong contacts[0]; Wrong contacts[3]", false);
        assert_eq!(rejection.error("contacts"), contacts);
        assert_eq!(rejection.error("slug"), None);
    }
}
