//! The fields for a new password, which is entered twice.

use redflash_core::model::PasswordHash;
use secrecy::SecretString;
use serde::Serialize;

use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors};
use crate::auth::password::hash_password;

const RULE: &str = "At least 8 characters. Use a phrase of several words.";

/// The fields `new_password` and `repeat_password`.
#[derive(Serialize)]
pub(crate) struct Fields {
    new: Field,
    repeat: Field,
}

impl Fields {
    pub(crate) fn new(label: &'static str, errors: Option<&FormErrors>) -> Self {
        let error = |field| errors.and_then(|errors| errors.error(field));
        Self {
            new: Field::password("new_password", label)
                .autocomplete("new-password")
                .hint(RULE)
                .error(error("new_password")),
            repeat: Field::password("repeat_password", "Repeat password")
                .autocomplete("new-password")
                .error(error("repeat_password")),
        }
    }

    pub(crate) fn required(self) -> Self {
        Self {
            new: self.new.required(),
            repeat: self.repeat.required(),
        }
    }
}

/// Returns true if one of the fields is filled in.
pub(crate) fn is_given(form: &Form) -> bool {
    !form.get("new_password").is_empty() || !form.get("repeat_password").is_empty()
}

/// Returns the hash of the password, or `None` and an error if it is invalid.
pub(crate) async fn hash(form: &Form, errors: &mut FieldErrors) -> Option<PasswordHash> {
    if form.get("new_password") != form.get("repeat_password") {
        errors.add("repeat_password", "the passwords do not match");
        return None;
    }
    let password: SecretString = form.get("new_password").into();
    errors.take("new_password", hash_password(&password).await)
}
