//! Named sets of contacts.

use serde::{Deserialize, Serialize};

use crate::model::{Name, Slug};

/// A named set of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Identifier in URLs and commands.
    pub slug: Slug,
    /// Display name.
    pub name: Name,
    /// True if the group can be raised and its members are notified through it.
    #[serde(default = "super::on")]
    pub enabled: bool,
    /// Members, in the order they were added.
    #[serde(default)]
    pub contacts: Vec<Slug>,
}

impl Group {
    /// Creates a group that is on.
    pub const fn new(slug: Slug, name: Name, contacts: Vec<Slug>) -> Self {
        Self {
            slug,
            name,
            enabled: true,
            contacts,
        }
    }
}
