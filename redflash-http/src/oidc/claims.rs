//! What the provider says of a user.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims that OpenID knows nothing of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OtherClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

/// Everything that the provider says of a user.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Value);

impl Claims {
    pub(crate) fn new(all: Map<String, Value>) -> Self {
        Self(Value::Object(all))
    }

    /// A claim, by its name or by a pointer to it.
    pub(crate) fn get(&self, claim: &str) -> Option<&Value> {
        self.0.get(claim).or_else(|| self.0.pointer(claim))
    }

    /// A claim that is a text, and not an empty one.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        let text = self.get(claim)?.as_str()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The names of all claims.
    pub(crate) fn names(&self) -> Vec<String> {
        let all = self.0.as_object().into_iter().flatten();
        all.map(|(name, _)| name.clone()).collect()
    }

    /// Adds what is said elsewhere, where nothing is said here.
    pub(crate) fn complete(&mut self, others: Map<String, Value>) {
        let Some(all) = self.0.as_object_mut() else {
            return;
        };
        for (name, value) in others {
            all.entry(name).or_insert(value);
        }
    }
}
