//! Promises of the directory.

use super::fixture::{Opened, contact, name, save, slug};
use crate::clock::Timestamp;
use crate::model::{Address, ApiKey, ChannelKind, Event, Group, MissingArguments, Scope, Target};
use crate::store::{Entry, EntryRef, Save, StoreError};

fn crew(contacts: &[&str]) -> Group {
    Group::new(
        slug("crew"),
        name("The crew"),
        contacts.iter().map(|c| slug(c)).collect(),
    )
}

fn disk(contacts: &[&str], groups: &[&str]) -> Event {
    let mut event = Event::new(slug("disk"), name("Disk full"), "{{host}}");
    event.contacts = contacts.iter().map(|c| slug(c)).collect();
    event.groups = groups.iter().map(|g| slug(g)).collect();
    event
}

fn key(called: &str, scope: Scope) -> ApiKey {
    ApiKey::generate(slug(called), true, scope, Timestamp::from_millis(5)).0
}

async fn with_crew(store: &Opened) {
    save(
        store,
        [
            Entry::Contact(contact("ann", "+1")),
            Entry::Contact(contact("bob", "+2")),
            Entry::Group(crew(&["bob", "ann"])),
            Entry::Event(disk(&["ann"], &["crew"])),
        ],
    )
    .await;
}

/// An endpoint that is saved again with the same channel and address keeps its id. One that is
/// moved to another address keeps it too, so the address that it leaves gets a new one.
pub async fn endpoint_keeps_its_id(store: Opened) {
    let read = async || store.contact(&slug("ann")).await.expect("read");
    let endpoints = async || read().await.expect("a contact").endpoints;
    let again = async |contact| {
        let entry = [Entry::Contact(contact)];
        store.save(&entry, Save::Upsert).await.expect("saved");
    };
    let first = contact("ann", "+1");
    again(first.clone()).await;
    let two = contact("ann", "+2").with_endpoint(
        crate::model::EndpointId::new(Timestamp::from_millis(9)),
        ChannelKind::sms(),
        first.endpoints[0].address.clone(),
    );
    again(two.clone()).await;
    let ids: Vec<_> = endpoints().await.iter().map(|one| one.id).collect();
    assert_eq!(ids, [two.endpoints[0].id, first.endpoints[0].id]);

    let mut moved = first.clone();
    moved.endpoints[0].address = crate::model::Address::new("+3").expect("an address");
    let moved = moved.with_endpoint(
        crate::model::EndpointId::new(Timestamp::from_millis(10)),
        ChannelKind::sms(),
        first.endpoints[0].address.clone(),
    );
    again(moved.clone()).await;
    assert_eq!(read().await, Some(moved));
}

/// Saved entries read back equal, alone and in lists sorted by slug.
pub async fn saved_entries_read_back_equal(store: Opened) {
    let mut ann = contact("ann", "+1");
    ann.endpoints[0].enabled = false;
    ann = ann.with_endpoint(
        crate::model::EndpointId::new(Timestamp::from_millis(9)),
        ChannelKind::email(),
        crate::model::Address::new("ann@example.org").expect("an address"),
    );
    let mut bob = contact("bob", "+2");
    bob.enabled = false;
    let mut event = disk(&["bob", "ann"], &["crew"]);
    event.subject = Some("Disk on {{host}}".into());
    event.sender = Some("Ops".into());
    event.description = "two\nlines".into();
    let group = crew(&["bob", "ann"]);
    let all = key("all", Scope::All).with_admin();
    let only = key(
        "only",
        Scope::Only(["event/disk".parse().expect("a target")].into()),
    );
    let entries = [
        Entry::Contact(bob.clone()),
        Entry::Contact(ann.clone()),
        Entry::Group(group.clone()),
        Entry::Event(event.clone()),
        Entry::ApiKey(only.clone()),
        Entry::ApiKey(all.clone()),
    ];
    save(&store, entries).await;
    assert_eq!(
        store.contact(&ann.slug).await.expect("read"),
        Some(ann.clone())
    );
    assert_eq!(store.contacts().await.expect("read"), [ann.clone(), bob]);
    assert_eq!(
        store.group(&group.slug).await.expect("read"),
        Some(group.clone())
    );
    assert_eq!(store.groups().await.expect("read"), [group]);
    assert_eq!(
        store.event(&event.slug).await.expect("read"),
        Some(event.clone())
    );
    assert_eq!(store.events().await.expect("read"), [event.clone()]);
    for choice in MissingArguments::ALL {
        event.missing_arguments = choice;
        store
            .save(&[Entry::Event(event.clone())], Save::Update)
            .await
            .expect("saved");
        assert_eq!(
            store.event(&event.slug).await.expect("read"),
            Some(event.clone())
        );
    }
    assert_eq!(
        store.api_key(&all.slug).await.expect("read"),
        Some(all.clone())
    );
    assert_eq!(store.api_keys().await.expect("read"), [all, only]);
    assert_eq!(store.contact(&slug("nobody")).await.expect("read"), None);

    ann.endpoints.remove(0);
    ann.enabled = false;
    store
        .save(&[Entry::Contact(ann.clone())], Save::Update)
        .await
        .expect("saved");
    assert_eq!(store.contact(&ann.slug).await.expect("read"), Some(ann));
}

/// Creating an entry with a taken slug is refused.
pub async fn taken_slug_is_a_conflict(store: Opened) {
    with_crew(&store).await;
    let entries = [
        Entry::Contact(contact("ann", "+9")),
        Entry::Group(crew(&[])),
        Entry::Event(disk(&[], &[])),
    ];
    for entry in entries {
        let refused = store.save(std::slice::from_ref(&entry), Save::Create).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict { .. })),
            "{entry:?}"
        );
        store.save(&[entry], Save::Upsert).await.expect("saved");
    }
}

/// Changing an entry that does not exist is refused.
pub async fn rejects_changes_of_missing_entries(store: Opened) {
    let entries = [
        Entry::Contact(contact("ann", "+9")),
        Entry::Group(crew(&[])),
        Entry::Event(disk(&[], &[])),
        Entry::ApiKey(key("app", Scope::All)),
    ];
    for entry in entries {
        let refused = store.save(std::slice::from_ref(&entry), Save::Update).await;
        assert!(
            matches!(refused, Err(StoreError::Missing { .. })),
            "{entry:?}"
        );
    }
}

/// A group or event that refers to an unknown entry is refused, with its name.
pub async fn rejects_dangling_references(store: Opened) {
    save(&store, [Entry::Contact(contact("ann", "+1"))]).await;
    let entries = [
        (Entry::Group(crew(&["ann", "bob"])), "contact/bob"),
        (Entry::Event(disk(&["bob"], &[])), "contact/bob"),
        (Entry::Event(disk(&[], &["crew"])), "group/crew"),
    ];
    for (entry, unknown) in entries {
        match store.save(&[entry], Save::Create).await {
            Err(StoreError::Dangling { reference, .. }) => assert_eq!(reference, unknown),
            other => panic!("{other:?}"),
        }
    }
}

/// When one entry is refused, none is saved.
pub async fn saving_is_all_or_nothing(store: Opened) {
    let entries = [
        Entry::Contact(contact("ann", "+1")),
        Entry::Group(crew(&["bob"])),
    ];
    let version = store.version().await.expect("a version");
    assert!(store.save(&entries, Save::Create).await.is_err());
    assert_eq!(store.contacts().await.expect("read"), []);
    assert_eq!(store.version().await.expect("a version"), version);
}

/// A removed entry disappears from groups and events too.
pub async fn removal_clears_groups_and_events(store: Opened) {
    with_crew(&store).await;
    let remove = async |target: &str| {
        let target: Target = target.parse().expect("a target");
        store.remove(&target.into()).await.expect("removed")
    };
    assert!(remove("contact/ann").await);
    assert!(!remove("contact/ann").await);
    assert_eq!(store.groups().await.expect("read"), [crew(&["bob"])]);
    assert_eq!(store.events().await.expect("read"), [disk(&[], &["crew"])]);
    assert!(remove("group/crew").await);
    assert_eq!(store.events().await.expect("read"), [disk(&[], &[])]);
    assert!(remove("event/disk").await);
    assert_eq!(store.events().await.expect("read"), []);
}

/// The version changes with every change, and only then.
pub async fn every_change_changes_the_version(store: Opened) {
    let mut last = store.version().await.expect("a version");
    let mut changed = async || {
        let version = store.version().await.expect("a version");
        let changed = version != last;
        last = version;
        changed
    };
    let app = key("app", Scope::All);
    with_crew(&store).await;
    assert!(changed().await);
    save(&store, [Entry::ApiKey(app.clone())]).await;
    assert!(changed().await);
    store.contacts().await.expect("read");
    super::fixture::one(&store).await;
    assert!(!changed().await);
    assert!(
        store
            .remove(&Target::Contact(slug("ann")).into())
            .await
            .expect("removed")
    );
    assert!(changed().await);
    assert!(
        !store
            .remove(&Target::Contact(slug("ann")).into())
            .await
            .expect("removed")
    );
    assert!(!changed().await);
    assert!(
        store
            .remove(&EntryRef::ApiKey(app.slug.clone()))
            .await
            .expect("removed")
    );
    assert!(
        !store
            .remove(&EntryRef::ApiKey(app.slug.clone()))
            .await
            .expect("removed")
    );
    assert!(changed().await);
}

/// A view holds the target and all its contacts and groups, on or off, at one version.
pub async fn view_holds_all_contacts_of_a_target(store: Opened) {
    with_crew(&store).await;
    let mut off = crew(&["bob", "ann"]);
    off.enabled = false;
    store
        .save(&[Entry::Group(off.clone())], Save::Update)
        .await
        .expect("saved");
    let view = async |target: &str| {
        let target: Target = target.parse().expect("a target");
        store.view(&target).await.expect("read")
    };
    let slugs = |view: &crate::model::TargetView| {
        let mut slugs: Vec<_> = view.contacts.iter().map(|c| c.slug.to_string()).collect();
        slugs.sort();
        slugs
    };
    let alone = view("contact/ann").await.expect("a view");
    assert_eq!(
        (slugs(&alone), alone.groups.len(), alone.event),
        (vec!["ann".into()], 0, None)
    );
    let group = view("group/crew").await.expect("a view");
    assert_eq!(group.groups, [off.clone()]);
    assert_eq!(slugs(&group), ["ann", "bob"]);
    let event = view("event/disk").await.expect("a view");
    assert_eq!(event.event, Some(disk(&["ann"], &["crew"])));
    assert_eq!(event.groups, [off]);
    assert_eq!(slugs(&event), ["ann", "bob"]);
    assert_eq!(event.version, store.version().await.expect("a version"));
    for unknown in ["contact/crew", "group/ann", "event/crew"] {
        assert_eq!(view(unknown).await, None);
    }
}

/// Keys are found by the hash of their secret, on or off; two keys cannot have one secret.
pub async fn keys_are_found_by_their_hash(store: Opened) {
    let mut app = key("app", Scope::All);
    app.enabled = false;
    save(
        &store,
        [
            Entry::ApiKey(app.clone()),
            Entry::ApiKey(key("other", Scope::All)),
        ],
    )
    .await;
    let found = store.api_key_by_hash(&app.hash).await.expect("read");
    assert_eq!(found, Some(app.clone()));
    let unknown = key("unknown", Scope::All).hash;
    assert_eq!(store.api_key_by_hash(&unknown).await.expect("read"), None);
    let twin = ApiKey {
        slug: slug("twin"),
        ..app
    };
    let refused = store.save(&[Entry::ApiKey(twin)], Save::Create).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
}

/// An address is switched off with a reason and on again, for all contacts that have it. A manual
/// switch-off stays.
pub async fn address_is_opted_out_and_in_again(store: Opened) {
    let number = "+447700900001";
    let mut cid = contact("cid", number);
    cid.endpoints[0].enabled = false;
    let people = [contact("bob", number), contact("ann", number), cid];
    let entries = people.map(Entry::Contact);
    save(
        &store,
        entries
            .into_iter()
            .chain([Entry::Contact(contact("dan", "+447700900002"))]),
    )
    .await;
    let (sms, address) = (
        ChannelKind::sms(),
        Address::new(number).expect("an address"),
    );
    let there = store.contacts_at(&sms, &address).await.expect("read");
    let there: Vec<_> = there.iter().map(|contact| contact.slug.as_str()).collect();
    assert_eq!(there, ["ann", "bob", "cid"]);
    let elsewhere = store.contacts_at(&ChannelKind::email(), &address).await;
    assert!(elsewhere.expect("read").is_empty());

    let opt = async |reason| {
        store
            .set_opt_out(&sms, &address, reason)
            .await
            .expect("changed")
    };
    let endpoint = async |who| {
        let contact = store.contact(&slug(who)).await.expect("read");
        contact.expect("it is there").endpoints.remove(0)
    };
    let before = store.version().await.expect("a version");
    assert_eq!(opt(Some("answered STOP")).await, [slug("ann"), slug("bob")]);
    assert!(store.version().await.expect("a version") > before);
    let off = endpoint("ann").await;
    assert!(!off.enabled);
    assert_eq!(off.opted_out.as_deref(), Some("answered STOP"));
    assert!(opt(Some("again")).await.is_empty());
    let version = store.version().await.expect("a version");
    assert_eq!(opt(None).await, [slug("ann"), slug("bob")]);
    assert!(store.version().await.expect("a version") > version);
    let on = endpoint("ann").await;
    assert!(on.enabled && on.opted_out.is_none());
    assert!(!endpoint("cid").await.enabled);
    assert!(endpoint("dan").await.enabled);
}
