//! Previews of events that are being edited.

use std::collections::BTreeSet;

use crate::engine::{Engine, RaiseError};
use crate::message::Raise;
use crate::model::{Event, TargetView};
use crate::plan::{Plan, plan};
use crate::template::Arguments;

impl Engine {
    /// Returns the plan of an event as if it were saved and raised now, and records nothing.
    ///
    /// Contacts and groups that do not exist are left out.
    ///
    /// # Errors
    ///
    /// [`RaiseError::Store`].
    pub async fn preview(&self, event: &Event, arguments: Arguments) -> Result<Plan, RaiseError> {
        let store = self.store();
        let mut view = TargetView {
            version: store.version().await?,
            event: Some(event.clone()),
            ..TargetView::default()
        };
        for slug in &event.groups {
            view.groups.extend(store.group(slug).await?);
        }
        let members = view.groups.iter().flat_map(|group| &group.contacts);
        let people: BTreeSet<_> = event.contacts.iter().chain(members).cloned().collect();
        for slug in &people {
            view.contacts.extend(store.contact(slug).await?);
        }
        let raise = Raise::event(event.slug.clone(), arguments);
        let plan = plan(&raise, &view, &self.gateways(), self.now());
        plan.ok_or_else(|| RaiseError::UnknownTarget(raise.target().clone()))
    }
}
