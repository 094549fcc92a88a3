//! Promises of the audit log.

use std::collections::BTreeMap;

use super::fixture::{Opened, START, at, limit, save, slug};
use crate::model::{Action, Actor, ApiKey, AuditEntry, Scope};
use crate::store::{AuditFilter, Entry, EntryRef, Save};

fn all() -> AuditFilter {
    AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: limit(100),
    }
}

fn ann() -> Actor {
    Actor::User("ann".into())
}

fn change(seconds: u64, by: Actor, subject: &str) -> AuditEntry {
    let detail = format!("the change at {seconds}");
    AuditEntry::new(at(seconds), by, Action::Changed, subject, detail)
}

async fn record(store: &Opened, changes: &[AuditEntry]) {
    store.record_audit(changes).await.expect("noted");
}

async fn read(store: &Opened, filter: AuditFilter) -> Vec<AuditEntry> {
    store.audit_entries(&filter).await.expect("read")
}

/// Entries read back as they were recorded, newest first, and each page continues where the last
/// ended.
pub async fn audit_entries_are_newest_first_and_paged(store: Opened) {
    let mut expected = Vec::new();
    for (seconds, action) in (0..).zip(Action::ALL) {
        let mut change = change(seconds, ann(), "contact/bob");
        change.action = action;
        expected.insert(0, change);
    }
    record(&store, &expected[5..]).await;
    record(&store, &expected[..5]).await;
    record(&store, &[]).await;
    assert_eq!(read(&store, all()).await, expected);
    let mut page = AuditFilter {
        limit: limit(4),
        ..all()
    };
    for wanted in expected.chunks(4) {
        let found = read(&store, page.clone()).await;
        assert_eq!(found, wanted);
        page.before = found.last().map(|last| last.id);
    }
    assert_eq!(read(&store, page).await, []);
}

/// Pruning removes the oldest entries before a time, no more than the limit; the others stay.
pub async fn old_audit_entries_are_pruned_oldest_first(store: Opened) {
    let made: Vec<_> = (0..5)
        .map(|seconds| change(seconds, ann(), "contact/bob"))
        .collect();
    record(&store, &made).await;
    let prune = async |seconds, most| {
        let pruned = store.prune_audit(at(seconds), limit(most)).await;
        pruned.expect("pruned")
    };
    assert_eq!(prune(0, 10).await, 0);
    assert_eq!(prune(3, 2).await, 2);
    let left = read(&store, all()).await;
    assert_eq!(left, [&made[4], &made[3], &made[2]].map(Clone::clone));
    assert_eq!(prune(3, 2).await, 1);
    assert_eq!(prune(3, 2).await, 0);
    assert_eq!(read(&store, all()).await.len(), 2);
}

/// Entries are found by subject, by author, and by both, exactly.
pub async fn audit_entries_are_found_by_subject_and_actor(store: Opened) {
    let key = || Actor::Key("ann".into());
    let changes = [
        change(0, ann(), "contact/bob"),
        change(1, key(), "contact/bob"),
        change(2, ann(), "contact/bobby"),
        change(3, ann(), "contact/bob"),
    ];
    record(&store, &changes).await;
    let found = async |subject: Option<&str>, by: Option<Actor>, before: Option<usize>| {
        let filter = AuditFilter {
            subject: subject.map(str::to_owned),
            by,
            before: before.map(|place| changes[place].id),
            ..all()
        };
        let found = read(&store, filter).await;
        let places = found
            .iter()
            .map(|found| changes.iter().position(|c| c == found));
        places
            .map(|place| place.expect("noted"))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(Some("contact/bob"), None, None).await, [3, 1, 0]);
    assert_eq!(found(None, Some(ann()), None).await, [3, 2, 0]);
    assert_eq!(found(None, Some(key()), None).await, [1]);
    assert_eq!(found(Some("contact/bob"), Some(ann()), None).await, [3, 0]);
    assert_eq!(found(Some("contact/bob"), None, Some(3)).await, [1, 0]);
    for pattern in ["contact/bob_", "contact/%"] {
        assert!(found(Some(pattern), None, None).await.is_empty());
    }
}

/// Entries are recorded with any characters, in any script; only NUL may be replaced.
pub async fn audit_entries_keep_odd_characters(store: Opened) {
    let odd = "a'b\"c\\d%_\n\t\u{202e}\u{1f525}\u{fffd}é e\u{301}";
    let plain = AuditEntry::new(START, Actor::Operator(odd.into()), Action::Tested, odd, odd);
    record(&store, std::slice::from_ref(&plain)).await;
    let by_it = AuditFilter {
        subject: Some(odd.into()),
        by: Some(plain.by.clone()),
        ..all()
    };
    assert_eq!(read(&store, by_it).await, [plain]);

    let nul = AuditEntry::new(
        at(1),
        Actor::Contact("n\0".into()),
        Action::Tested,
        "n\0",
        "before\0after",
    );
    record(&store, std::slice::from_ref(&nul)).await;
    let by_it = AuditFilter {
        subject: Some(nul.subject.clone()),
        by: Some(nul.by.clone()),
        ..all()
    };
    let found = read(&store, by_it).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, nul.id);
    assert!(found[0].detail.starts_with("before") && found[0].detail.ends_with("after"));
}

/// The last use of a key only moves forward, outlives a change of the key and ends with it.
pub async fn last_use_of_a_key_only_moves_forward(store: Opened) {
    let key = |called| ApiKey::generate(slug(called), false, Scope::All, START).0;
    let (app, idle) = (key("app"), key("idle"));
    save(&store, [Entry::ApiKey(app.clone()), Entry::ApiKey(idle)]).await;
    let used = async |uses: &[(&str, u64)]| {
        let uses: Vec<_> = uses
            .iter()
            .map(|(key, seconds)| (slug(key), at(*seconds)))
            .collect();
        store.record_key_usage(&uses).await.expect("noted");
        store.key_usage().await.expect("read")
    };
    let version = store.version().await.expect("a version");
    assert_eq!(used(&[]).await, BTreeMap::new());
    let at_20 = BTreeMap::from([(slug("app"), at(20))]);
    assert_eq!(used(&[("nobody", 90), ("app", 20)]).await, at_20);
    assert_eq!(used(&[("app", 10)]).await, at_20);
    let at_40 = BTreeMap::from([(slug("app"), at(40))]);
    assert_eq!(used(&[("app", 40), ("app", 30)]).await, at_40);
    assert_eq!(store.version().await.expect("a version"), version);

    let off = ApiKey {
        enabled: false,
        ..app.clone()
    };
    let saved = store.save(&[Entry::ApiKey(off)], Save::Update).await;
    saved.expect("saved");
    assert_eq!(used(&[]).await, at_40);
    let removed = store.remove(&EntryRef::ApiKey(slug("app"))).await;
    assert!(removed.expect("removed"));
    assert_eq!(used(&[("app", 50)]).await, BTreeMap::new());
    save(&store, [Entry::ApiKey(app)]).await;
    assert_eq!(used(&[]).await, BTreeMap::new());
}
