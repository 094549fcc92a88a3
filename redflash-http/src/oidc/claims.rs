//! The claims of the provider about a user.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims outside of OpenID Connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OtherClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

/// All claims of the provider about a user.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Value);

impl Claims {
    pub(crate) fn new(all: Map<String, Value>) -> Self {
        Self(Value::Object(all))
    }

    /// Returns a claim by its name or a JSON pointer.
    pub(crate) fn get(&self, claim: &str) -> Option<&Value> {
        self.0.get(claim).or_else(|| self.0.pointer(claim))
    }

    /// Returns a claim that is a non-empty string.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        let text = self.get(claim)?.as_str()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// Returns the names of all claims.
    pub(crate) fn names(&self) -> Vec<String> {
        let all = self.0.as_object().into_iter().flatten();
        all.map(|(name, _)| name.clone()).collect()
    }

    /// Adds the claims of another source that are missing here.
    pub(crate) fn complete(&mut self, others: Map<String, Value>) {
        let Some(all) = self.0.as_object_mut() else {
            return;
        };
        for (name, value) in others {
            all.entry(name).or_insert(value);
        }
    }
}
