//! Form elements: fields, lists to tick, switches and confirmations.

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
    /// True for the first field with an error, which gets the focus.
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
    /// A short description, in a list to tick.
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

    /// Creates a field for a line of text.
    pub(crate) fn text(name: &'static str, label: &'static str) -> Self {
        Self::input(name, label, "text")
    }

    /// Creates an `<input>` of another type: `email`, `tel`, `url`, `number`, `search`.
    pub(crate) fn input(name: &'static str, label: &'static str, kind: &'static str) -> Self {
        Self::new(name, label, Kind::Input(kind))
    }

    /// Creates a field for a password or another secret. Its value is never shown.
    pub(crate) fn password(name: &'static str, label: &'static str) -> Self {
        Self::input(name, label, "password")
    }

    /// Creates a field for several lines of text.
    pub(crate) fn area(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::Textarea)
    }

    /// Creates a select.
    pub(crate) fn select(name: &'static str, label: &'static str, options: Vec<Choice>) -> Self {
        Self {
            options,
            ..Self::new(name, label, Kind::Select)
        }
    }

    /// Creates a checkbox, which sends `name=true` if it is ticked.
    pub(crate) fn checkbox(name: &'static str, label: &'static str, ticked: bool) -> Self {
        let value = if ticked { "true" } else { "" };
        Self::new(name, label, Kind::Checkbox).value(value)
    }

    /// Sets the value. A password keeps none.
    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        if !matches!(self.kind, Kind::Input("password")) {
            self.value = value.into();
        }
        self
    }

    /// Sets the hint below the label.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the error of the value.
    pub(crate) fn error(mut self, error: Option<impl Into<FieldError>>) -> Self {
        let error = error.map(Into::into);
        self.focus = error.as_ref().is_some_and(|error| error.focus);
        self.error = error.map(|error| error.text);
        self
    }

    /// Marks the field as required.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the `autocomplete` attribute, such as `username`.
    pub(crate) fn autocomplete(mut self, value: &'static str) -> Self {
        self.autocomplete = value;
        self
    }
}

/// The error of a field. The first one of its form has the focus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) text: String,
    pub(crate) focus: bool,
}

/// Creates the only error of a form.
impl<T: Into<String>> From<T> for FieldError {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            focus: true,
        }
    }
}

/// A list to tick, with a filter: `{{> partials/checklist page.members}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Checklist {
    pub(crate) name: &'static str,
    pub(crate) legend: String,
    pub(crate) options: Vec<Choice>,
    pub(crate) error: Option<FieldError>,
}

/// A switch that is a form of its own: `{{> partials/switch page.enabled}}`. It sends the requested
/// state, `enabled=true` or `enabled=false`.
#[derive(Clone, Serialize)]
pub(crate) struct Switch {
    /// URL of the form.
    pub(crate) action: String,
    /// Accessible name, such as `Contact Ops`.
    pub(crate) label: String,
    pub(crate) on: bool,
    /// True if the user may not use it.
    pub(crate) locked: bool,
}

/// A button with a confirmation before an irreversible action: `{{> partials/confirm page.remove}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Confirm {
    /// URL of the form.
    pub(crate) action: String,
    /// Label of the first button, such as `Remove contact…`.
    pub(crate) ask: String,
    /// Description of the consequences.
    pub(crate) text: String,
    /// Label of the button that acts, such as `Remove Ops`.
    pub(crate) button: String,
    /// True if the confirmation is expanded.
    pub(crate) open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_a_password() {
        let field = Field::password("password", "Password").value("hunter2");
        let sent = serde_json::to_string(&field).unwrap();
        assert!(!sent.contains("hunter2"), "{sent}");
    }
}
