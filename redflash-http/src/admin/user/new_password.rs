//! A new password, typed twice.

use redflash_core::PasswordHash;
use secrecy::SecretString;
use serde::Serialize;

use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Rejection};
use crate::auth::password::hash_password;

const RULE: &str = "At least 8 characters. Use a phrase of several words.";

/// Where it is typed: `new` and `again`.
#[derive(Serialize)]
pub(crate) struct Fields {
    new: Field,
    again: Field,
}

impl Fields {
    pub(crate) fn new(label: &'static str, rejection: Option<&Rejection>) -> Self {
        let error = |field| rejection.and_then(|rejection| rejection.error(field));
        Self {
            new: Field::password("new", label)
                .autocomplete("new-password")
                .hint(RULE)
                .error(error("new")),
            again: Field::password("again", "Repeat password")
                .autocomplete("new-password")
                .error(error("again")),
        }
    }

    pub(crate) fn required(self) -> Self {
        Self {
            new: self.new.required(),
            again: self.again.required(),
        }
    }
}

/// Whether one was typed at all.
pub(crate) fn is_typed(form: &Form) -> bool {
    !form.get("new").is_empty() || !form.get("again").is_empty()
}

/// Its hash; `None` and a fault when it cannot be one.
pub(crate) async fn hash(form: &Form, faults: &mut Faults) -> Option<PasswordHash> {
    if form.get("new") != form.get("again") {
        faults.add("again", "the passwords do not match");
        return None;
    }
    let password: SecretString = form.get("new").into();
    faults.take("new", hash_password(&password).await)
}
