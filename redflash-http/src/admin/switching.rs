//! What a switch sends.

use super::desk::Said;
use super::form::Form;
use super::oops::Oops;

/// The state that a switch is to have.
pub(super) fn wanted(form: &Form) -> Result<bool, Oops> {
    match form.get("enabled") {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Oops::unreadable(
            "A switch sends enabled=true or enabled=false.",
        )),
    }
}

/// What is said once it has that state.
pub(super) const fn said(on: bool) -> Said {
    if on {
        Said::SwitchedOn
    } else {
        Said::SwitchedOff
    }
}
