//! Promises of edits.

use std::sync::Arc;

use super::fixture::{Opened, START, contact, limit, name, save, slug};
use crate::clock::Timestamp;
use crate::model::{Action, Actor, AuditEntry, Contact, Group, Role, Slug, Target, User};
use crate::store::{AuditFilter, Edit, Entry, EntryRef, Save, Step, StoreError};

fn change(subject: &str) -> AuditEntry {
    let by = Actor::User("ann".into());
    AuditEntry::new(START, by, Action::Changed, subject, "what is different")
}

async fn recorded(store: &Opened) -> Vec<AuditEntry> {
    let all = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: limit(100),
    };
    store.audit_entries(&all).await.expect("read")
}

fn create(entry: Entry) -> Step {
    Step::Save(entry, Save::Create)
}

/// An edit for another version changes nothing.
pub async fn outdated_edit_changes_nothing(store: Opened) {
    let before = store.version().await.expect("a version");
    save(&store, [Entry::Contact(contact("ann", "+1"))]).await;
    let version = store.version().await.expect("a version");
    let steps = [create(Entry::Contact(contact("bob", "+2")))];
    let changes = [change("contact/bob")];
    let made_for = |version| Edit {
        steps: &steps,
        version: Some(version),
        changes: &changes,
    };
    for other in [before, version + 1] {
        let refused = store.edit(&made_for(other)).await;
        assert!(matches!(refused, Err(StoreError::Outdated)), "{refused:?}");
    }
    assert_eq!(store.contact(&slug("bob")).await.expect("read"), None);
    assert_eq!(store.version().await.expect("a version"), version);
    assert_eq!(recorded(&store).await, []);
    store.edit(&made_for(version)).await.expect("edited");
    assert!(store.contact(&slug("bob")).await.expect("read").is_some());
    assert!(store.version().await.expect("a version") > version);
    assert_eq!(recorded(&store).await, changes);
}

/// Of many edits for one version, exactly one is applied, every time.
pub async fn one_of_many_edits_for_one_version_is_applied(store: Opened) {
    for round in 1..=10 {
        let version = store.version().await.expect("a version");
        let edits = (0..10).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let who = contact(&format!("c{round}-{number}"), "+1");
                let edit = Edit {
                    steps: &[create(Entry::Contact(who))],
                    version: Some(version),
                    changes: &[change("contact/c")],
                };
                store.edit(&edit).await
            })
        });
        let mut done = 0;
        for edit in edits.collect::<Vec<_>>() {
            match edit.await.expect("no panic") {
                Ok(()) => done += 1,
                Err(StoreError::Outdated) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(done, 1);
        assert_eq!(store.contacts().await.expect("read").len(), round);
        assert_eq!(recorded(&store).await.len(), round);
    }
}

/// When one step is refused, none is applied, and the audit log has no entry of it.
pub async fn edit_is_all_or_nothing(store: Opened) {
    save(&store, [Entry::Contact(contact("ann", "+1"))]).await;
    let version = store.version().await.expect("a version");
    let nobody = Step::Remove(Target::Contact(slug("nobody")).into());
    let taken = create(Entry::Contact(contact("ann", "+9")));
    for refused in [nobody, taken] {
        let steps = [
            create(Entry::Contact(contact("bob", "+2"))),
            Step::Remove(Target::Contact(slug("ann")).into()),
            create(Entry::Contact(contact("ann", "+3"))),
            refused,
        ];
        let edit = Edit {
            steps: &steps,
            version: Some(version),
            changes: &[change("contact/ann"), change("contact/bob")],
        };
        store.edit(&edit).await.expect_err("the last is refused");
        let left = store.contacts().await.expect("read");
        let addresses = left.iter().map(|left| left.endpoints[0].address.as_str());
        assert_eq!(addresses.collect::<Vec<_>>(), ["+1"]);
        assert_eq!(store.version().await.expect("a version"), version);
        assert_eq!(recorded(&store).await, []);
    }
}

/// Steps are applied in order, and each sees the effects of those before it.
pub async fn steps_are_applied_in_order(store: Opened) {
    let crew = |contacts: &[Slug]| Group::new(slug("crew"), name("The crew"), contacts.to_vec());
    let steps = [
        create(Entry::Contact(Contact::new(slug("ann"), name("Ann")))),
        create(Entry::Group(crew(&[slug("ann")]))),
        Step::Remove(Target::Contact(slug("ann")).into()),
        create(Entry::Contact(Contact::new(slug("ann"), name("Anna")))),
    ];
    let edit = Edit {
        steps: &steps,
        version: None,
        changes: &[],
    };
    store.edit(&edit).await.expect("edited");
    let ann = store.contact(&slug("ann")).await.expect("read");
    assert_eq!(ann.map(|ann| ann.name), Some(name("Anna")));
    assert_eq!(store.groups().await.expect("read"), [crew(&[])]);
}

/// Removing an entry that does not exist is refused, with its name; one that exists is removed
/// once.
pub async fn rejects_removal_of_missing_entries(store: Opened) {
    let ann = User::new(slug("ann"), name("Ann"), Role::Admin, Timestamp::default());
    save(&store, [Entry::User(ann)]).await;
    assert!(
        store
            .remove(&EntryRef::User(slug("ann")))
            .await
            .expect("removed")
    );
    let target = |text: &str| EntryRef::Target(text.parse().expect("a target"));
    for what in [
        target("contact/ann"),
        target("group/ann"),
        target("event/ann"),
        EntryRef::ApiKey(slug("ann")),
        EntryRef::User(slug("ann")),
    ] {
        let edit = Edit {
            steps: &[Step::Remove(what.clone())],
            version: None,
            changes: &[],
        };
        match store.edit(&edit).await {
            Err(StoreError::Missing { what: named }) => assert_eq!(named, what.to_string()),
            other => panic!("{other:?}"),
        }
        assert!(!store.remove(&what).await.expect("looked for"));
    }
}
