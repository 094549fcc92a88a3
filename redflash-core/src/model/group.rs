//! Sets of contacts that are told together.

use serde::{Deserialize, Serialize};

use crate::{Name, Slug};

/// A named set of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// How the group is called in URLs and commands.
    pub slug: Slug,
    /// How the group is called among people.
    pub name: Name,
    /// Off: raising it is refused, and nobody is told through it.
    #[serde(default = "super::on")]
    pub enabled: bool,
    /// The members, in the order they were added.
    #[serde(default)]
    pub contacts: Vec<Slug>,
}

impl Group {
    /// A group that is on.
    pub const fn new(slug: Slug, name: Name, contacts: Vec<Slug>) -> Self {
        Self {
            slug,
            name,
            enabled: true,
            contacts,
        }
    }
}
