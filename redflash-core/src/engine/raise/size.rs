//! Limits on the size of an alert.

use crate::engine::{Engine, RaiseError};
use crate::message::{Content, Idempotency, Raise};

impl Engine {
    /// Checks the size of an alert, by the same limits as over HTTP.
    ///
    /// # Errors
    ///
    /// [`RaiseError::TooLarge`].
    pub(crate) fn check_size(&self, raise: &Raise) -> Result<(), RaiseError> {
        let key = raise.idempotency.as_ref().map(|one| &*one.key);
        let key = key.map_or(0, |key| key.chars().count());
        is_at_most(
            "characters of an idempotency key",
            key,
            Idempotency::MAX_KEY,
        )?;
        let what = match raise.content() {
            Content::Message(_) => "bytes of text",
            Content::Arguments(arguments) => {
                is_at_most("arguments", arguments.len(), Raise::MAX_ARGUMENTS)?;
                "bytes of arguments"
            }
        };
        is_at_most(what, raise.content().size(), self.max_content)
    }
}

const fn is_at_most(what: &'static str, size: usize, most: usize) -> Result<(), RaiseError> {
    if size > most {
        return Err(RaiseError::TooLarge { what, size, most });
    }
    Ok(())
}
