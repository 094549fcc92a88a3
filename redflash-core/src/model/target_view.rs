//! The part of the directory that concerns one target.

use crate::model::{Contact, Event, Group, Slug};

/// A target with every group and contact it reaches, on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetView {
    /// [Version](crate::store::Directory::version) of the directory when this was read.
    pub version: u64,
    /// The event, if it is the target.
    pub event: Option<Event>,
    /// The group that is the target, or the event's groups in their order.
    pub groups: Vec<Group>,
    /// The contact that is the target, or all contacts of the event and the groups. Look-ups are
    /// faster if they are sorted by slug.
    pub contacts: Vec<Contact>,
}

impl TargetView {
    /// Returns the contact with this slug.
    pub(crate) fn contact(&self, slug: &Slug) -> Option<&Contact> {
        match self.contacts.binary_search_by(|one| one.slug.cmp(slug)) {
            Ok(index) => self.contacts.get(index),
            Err(_) => self.contacts.iter().find(|one| one.slug == *slug),
        }
    }
}
