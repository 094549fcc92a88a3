//! The kinds of targets in the URLs of the old contract.

use redflash_core::model::{Slug, Target};

/// The kind of a target in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    Contact,
    Group,
    Event,
}

impl TargetKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Group => "group",
            Self::Event => "event",
        }
    }

    pub(crate) const fn target(self, slug: Slug) -> Target {
        match self {
            Self::Contact => Target::Contact(slug),
            Self::Group => Target::Group(slug),
            Self::Event => Target::Event(slug),
        }
    }
}
