//! Warnings about groups and events that a change leaves without recipients.

use std::collections::BTreeSet;

use redflash_core::model::{Contact, Event, Group, Slug};

use crate::backend::Backend;
use crate::error::CliError;

/// The entries that decide who is reached.
pub(super) struct Directory {
    pub(super) contacts: Vec<Contact>,
    pub(super) groups: Vec<Group>,
    pub(super) events: Vec<Event>,
}

/// Makes a change and warns about groups and events that it leaves without recipients.
///
/// * `effect` - the same change, applied to a copy of the directory.
pub(super) async fn warn_if_unreachable(
    backend: &Backend,
    change: impl Future<Output = Result<(), CliError>>,
    effect: impl FnOnce(&mut Directory),
) -> Result<(), CliError> {
    if backend.output.json {
        return change.await;
    }
    let mut directory = Directory {
        contacts: backend.list().await?,
        groups: backend.list().await?,
        events: backend.list().await?,
    };
    change.await?;
    let before = directory.unreachable();
    effect(&mut directory);
    let lost: Vec<_> = directory
        .unreachable()
        .difference(&before)
        .cloned()
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let verb = if lost.len() == 1 { "has" } else { "have" };
    let warning = format!("warning: {} now {verb} no recipients", lost.join(", "));
    backend.output.remark(warning)
}

impl Directory {
    /// Applies a change to one contact.
    pub(super) fn contact(&mut self, slug: &Slug, change: impl Fn(&mut Contact)) {
        let contacts = self.contacts.iter_mut();
        contacts.filter(|one| one.slug == *slug).for_each(change);
    }

    /// Applies a change to one group.
    pub(super) fn group(&mut self, slug: &Slug, change: impl Fn(&mut Group)) {
        let groups = self.groups.iter_mut();
        groups.filter(|one| one.slug == *slug).for_each(change);
    }

    /// Applies a change to one event.
    pub(super) fn event(&mut self, slug: &Slug, change: impl Fn(&mut Event)) {
        let events = self.events.iter_mut();
        events.filter(|one| one.slug == *slug).for_each(change);
    }

    /// Returns the groups and events that reach nobody.
    fn unreachable(&self) -> BTreeSet<String> {
        let is_reached = |contact: &&Contact| {
            contact.enabled && contact.endpoints.iter().any(|endpoint| endpoint.enabled)
        };
        let reached = self.contacts.iter().filter(is_reached);
        let reached: BTreeSet<_> = reached.map(|contact| &contact.slug).collect();
        let has_reached = |slugs: &[Slug]| slugs.iter().any(|slug| reached.contains(slug));
        let groups = self.groups.iter();
        let reaching: BTreeSet<_> = groups
            .filter(|group| group.enabled && has_reached(&group.contacts))
            .map(|group| &group.slug)
            .collect();
        let groups = self
            .groups
            .iter()
            .filter(|group| !has_reached(&group.contacts));
        let events = self.events.iter().filter(|event| {
            let has_group = event.groups.iter().any(|slug| reaching.contains(slug));
            !has_group && !has_reached(&event.contacts)
        });
        let groups = groups.map(|group| format!("group/{}", group.slug));
        let events = events.map(|event| format!("event/{}", event.slug));
        groups.chain(events).collect()
    }
}
