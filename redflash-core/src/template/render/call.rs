//! The helpers' implementations.

use serde_json::Value;

use super::super::helper::{self, Helper};
use super::{NULL, Renderer, Stop, Val};
use crate::clock::Timestamp;

/// Number of steps that formatting a date takes.
const DATE_STEPS: usize = 20;

impl<'a> Renderer<'a> {
    pub(super) fn call(&mut self, helper: Helper, values: &[Val<'a>]) -> Result<Val<'a>, Stop> {
        if let Some(missing) = values.iter().find(|value| matches!(value, Val::Missing(_))) {
            return Ok(missing.clone());
        }
        let null = Val::Of(&NULL);
        let value = |index: usize| values.get(index).unwrap_or(&null);
        Ok(match helper {
            Helper::Upper => {
                let text = self.text(value(0))?;
                self.work(text.len())?;
                Val::Made(text.to_uppercase().into())
            }
            Helper::Lower => {
                let text = self.text(value(0))?;
                self.work(text.len())?;
                Val::Made(text.to_lowercase().into())
            }
            Helper::Truncate => {
                let limit = helper::characters(&self.text(value(1))?).map_err(Stop::failed)?;
                let text = self.text(value(0))?;
                self.work(text.len().min(limit))?;
                Val::Made(helper::truncate(&text, limit).into())
            }
            Helper::Default => {
                let mut given = values.iter();
                let given = given
                    .find(|value| !matches!(value.value(), Value::Null) && *value.value() != "");
                given.cloned().unwrap_or(Val::Of(&NULL))
            }
            Helper::Eq => Val::Made(self.is_equal(value(0).value(), value(1).value())?.into()),
            Helper::Ne => {
                let is_equal = self.is_equal(value(0).value(), value(1).value())?;
                Val::Made((!is_equal).into())
            }
            Helper::Length => Val::Made(self.length(value(0))?.into()),
            Helper::Lookup => self.lookup(value(0), value(1))?,
            Helper::Date => self.date(self.raised_at, value(0), value(1))?,
            Helper::FormatDate => {
                let text = self.text(value(0))?;
                if text.trim().is_empty() {
                    return Ok(null);
                }
                let at = helper::parse_time(&text).map_err(Stop::failed)?;
                self.date(at, value(1), value(2))?
            }
        })
    }

    fn date(&mut self, at: Timestamp, format: &Val<'_>, zone: &Val<'_>) -> Result<Val<'a>, Stop> {
        let (format, zone) = (self.text(format)?, self.text(zone)?);
        self.step(DATE_STEPS)?;
        self.work(format.len().saturating_add(zone.len()).saturating_mul(4))?;
        let text = helper::format_time(at, &format, &zone).map_err(Stop::failed)?;
        self.work(text.len())?;
        Ok(Val::Made(text.into()))
    }

    fn lookup(&mut self, from: &Val<'a>, name: &Val<'_>) -> Result<Val<'a>, Stop> {
        let name = self.text(name)?;
        self.work(name.len())?;
        let found = match from {
            Val::All => self.arguments.get(&*name),
            Val::Of(Value::Object(object)) => object.get(&*name),
            Val::Of(Value::Array(entries)) => name
                .parse()
                .ok()
                .and_then(|position: usize| entries.get(position)),
            _ => None,
        };
        Ok(Val::Of(found.unwrap_or(&NULL)))
    }

    fn length(&mut self, value: &Val<'_>) -> Result<usize, Stop> {
        Ok(match value.value() {
            _ if matches!(value, Val::All) => self.arguments.len(),
            Value::Array(entries) => entries.len(),
            Value::Object(object) => object.len(),
            value => {
                let text = self.text_of(value)?;
                self.work(text.len())?;
                text.chars().count()
            }
        })
    }

    /// Returns true if two values are equal. Texts and numbers are equal if they print the same.
    fn is_equal(&mut self, one: &Value, other: &Value) -> Result<bool, Stop> {
        self.step(1)?;
        match (one, other) {
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (one, other) in one.iter().zip(other) {
                    if !self.is_equal(one, other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
                for (name, one) in one {
                    self.work(name.len())?;
                    let Some(other) = other.get(name) else {
                        return Ok(false);
                    };
                    if !self.is_equal(one, other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
                Ok(false)
            }
            (one, other) => {
                let (one, other) = (self.text_of(one)?, self.text_of(other)?);
                self.work(one.len().min(other.len()))?;
                Ok(one == other)
            }
        }
    }
}
