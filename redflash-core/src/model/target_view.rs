//! What the directory says about a target.

use crate::{Contact, Event, Group, Slug};

/// What the directory says about a target: the target itself and everybody behind it, on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetView {
    /// The [directory's version](crate::store::Directory::version) at which this was read.
    pub version: u64,
    /// The event, when that is the target.
    pub event: Option<Event>,
    /// The group that is the target, or the event's groups in their order.
    pub groups: Vec<Group>,
    /// Every contact that is the target, or that the event or one of the groups names. They are found
    /// faster in the order of their slugs.
    pub contacts: Vec<Contact>,
}

impl TargetView {
    /// The contact of this slug.
    pub(crate) fn contact(&self, slug: &Slug) -> Option<&Contact> {
        match self.contacts.binary_search_by(|one| one.slug.cmp(slug)) {
            Ok(place) => self.contacts.get(place),
            Err(_) => self.contacts.iter().find(|one| one.slug == *slug),
        }
    }
}
