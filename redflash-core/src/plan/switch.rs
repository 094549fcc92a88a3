//! The one check that is repeated later: whether a planned delivery may still be handed over.

use std::collections::HashSet;
use std::fmt;

use crate::model::{EndpointId, Slug, Target, TargetView};

/// Returns the reason why a planned delivery must no longer be handed over, by the present
/// directory: something was switched off or removed.
///
/// * `via` - groups that the contact is notified through; empty if directly.
pub fn cancellation_reason(
    view: &TargetView,
    target: &Target,
    contact: &Slug,
    endpoint: EndpointId,
    via: &[Slug],
) -> Option<String> {
    let off = |what: &dyn fmt::Display| Some(format!("{what} was switched off"));
    let gone = |what: &dyn fmt::Display| Some(format!("{what} was removed"));
    match &view.event {
        Some(event) if !event.enabled => return off(target),
        None if matches!(target, Target::Event(_)) => return gone(target),
        _ => {}
    }
    let Some(contact) = view.contact(contact) else {
        return gone(&format_args!("contact/{contact}"));
    };
    if !contact.enabled {
        return off(&format_args!("contact/{}", contact.slug));
    }
    match contact.endpoints.iter().find(|known| known.id == endpoint) {
        None => return gone(&"the endpoint"),
        Some(known) if !known.enabled => return off(&"the endpoint"),
        Some(_) => {}
    }
    let on: HashSet<_> = view
        .groups
        .iter()
        .filter(|group| group.enabled)
        .map(|group| &group.slug)
        .collect();
    if !via.is_empty() && !via.iter().any(|group| on.contains(group)) {
        let groups: Vec<_> = via.iter().map(|group| format!("group/{group}")).collect();
        return off(&groups.join(", "));
    }
    None
}
