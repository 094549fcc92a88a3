//! What forms are made of: fields, lists to tick, switches, confirmations.

use serde::Serialize;

/// A control with its label, hint and error: `{{> partials/field page.slug}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Field {
    name: &'static str,
    label: &'static str,
    kind: Kind,
    value: String,
    hint: Option<String>,
    error: Option<String>,
    /// The browser puts the cursor here: the first field with an error.
    focus: bool,
    required: bool,
    autocomplete: &'static str,
    options: Vec<Choice>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Input(&'static str),
    Textarea,
    Select,
    Checkbox,
}

/// One of several to choose from, in a [`Field`] or [`Checklist`].
#[derive(Clone, Serialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    /// What else there is to say of it, in a list to tick.
    pub(crate) detail: Option<String>,
    pub(crate) chosen: bool,
}

impl Field {
    fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self {
            name,
            label,
            kind,
            value: String::new(),
            hint: None,
            error: None,
            focus: false,
            required: false,
            autocomplete: "off",
            options: Vec::new(),
        }
    }

    /// A line of text.
    pub(crate) fn text(name: &'static str, label: &'static str) -> Self {
        Self::input(name, label, "text")
    }

    /// An `<input>` of another type: `email`, `tel`, `url`, `number`, `search`.
    pub(crate) fn input(name: &'static str, label: &'static str, kind: &'static str) -> Self {
        Self::new(name, label, Kind::Input(kind))
    }

    /// A password or another secret. It has no value: what is stored is never shown.
    pub(crate) fn password(name: &'static str, label: &'static str) -> Self {
        Self::input(name, label, "password")
    }

    /// Several lines of text.
    pub(crate) fn area(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::Textarea)
    }

    /// One of several.
    pub(crate) fn select(name: &'static str, label: &'static str, options: Vec<Choice>) -> Self {
        Self {
            options,
            ..Self::new(name, label, Kind::Select)
        }
    }

    /// Yes or no; `name=true` is sent for yes, nothing for no.
    pub(crate) fn checkbox(name: &'static str, label: &'static str, ticked: bool) -> Self {
        let value = if ticked { "true" } else { "" };
        Self::new(name, label, Kind::Checkbox).value(value)
    }

    /// What stands in it. A password keeps none.
    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        if !matches!(self.kind, Kind::Input("password")) {
            self.value = value.into();
        }
        self
    }

    /// What to write, in a sentence below the label.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error of the value.
    pub(crate) fn error(mut self, error: Option<impl Into<FieldError>>) -> Self {
        let error = error.map(Into::into);
        self.focus = error.as_ref().is_some_and(|error| error.focus);
        self.error = error.map(|error| error.text);
        self
    }

    /// The form cannot be sent without it.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What a browser may fill in, as `username`.
    pub(crate) fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }
}

/// The error of a field, and whether it is the first of its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) text: String,
    pub(crate) focus: bool,
}

/// The only error of a form.
impl<T: Into<String>> From<T> for FieldError {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            focus: true,
        }
    }
}

/// A list to tick, with a line that filters it: `{{> partials/checklist page.members}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Checklist {
    pub(crate) name: &'static str,
    pub(crate) legend: String,
    pub(crate) options: Vec<Choice>,
    pub(crate) error: Option<FieldError>,
}

/// A switch that is a form of its own: `{{> partials/switch page.enabled}}`. It sends `enabled=true` or
/// `enabled=false`, the state wanted.
#[derive(Clone, Serialize)]
pub(crate) struct Switch {
    /// Where it is sent.
    pub(crate) action: String,
    /// What is switched, for those who cannot see where it stands: `Contact Ops`.
    pub(crate) label: String,
    pub(crate) on: bool,
    /// Shown, but not to be moved by this user.
    pub(crate) locked: bool,
}

/// A button that asks again before it does what cannot be undone: `{{> partials/confirm page.remove}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Confirm {
    /// Where it is sent.
    pub(crate) action: String,
    /// What the button that asks says: `Remove contact…`.
    pub(crate) ask: String,
    /// What will happen.
    pub(crate) text: String,
    /// What the button that does it says: `Remove Ops`.
    pub(crate) button: String,
    /// Whether the question stands open at once, as on a page of its own.
    pub(crate) open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_again() {
        let field = Field::password("password", "Password").value("hunter2");
        let sent = serde_json::to_string(&field).unwrap();
        assert!(!sent.contains("hunter2"), "{sent}");
    }
}
