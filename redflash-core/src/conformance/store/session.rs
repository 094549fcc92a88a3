//! Promises of users and their sessions.

use super::fixture::{Opened, START, at, name, save, slug};
use crate::model::{KeyHash, PasswordHash, Role, Session, User};
use crate::store::{Entry, EntryRef, Save, StoreError};

fn user(who: &str) -> User {
    let mut user = User::new(slug(who), name(who), Role::Viewer, START);
    user.password = Some(PasswordHash::new("$argon2id$v=19$first"));
    user
}

async fn start(store: &Opened, who: &str, seconds: u64) -> Session {
    let (session, _) = Session::start(slug(who), at(seconds));
    store.start_session(&session).await.expect("started");
    session
}

async fn lives(store: &Opened, hash: &KeyHash) -> bool {
    store.session(hash).await.expect("read").is_some()
}

async fn change(store: &Opened, user: &User) {
    let entry = Entry::User(user.clone());
    store.save(&[entry], Save::Update).await.expect("saved");
}

/// Saved users read back equal, alone and in the list.
pub async fn saved_users_read_back_equal(store: Opened) {
    let mut ann = user("ann");
    ann.role = Role::Admin;
    ann.subject = Some("https://id.example/|42 'ü%_".into());
    ann.issuer = Some("https://id.example/'ü%_".into());
    let mut bob = user("bob");
    bob.enabled = false;
    bob.password = None;
    let entries = [Entry::User(bob.clone()), Entry::User(ann.clone())];
    let version = store.version().await.expect("a version");
    save(&store, entries).await;
    assert!(store.version().await.expect("a version") > version);
    assert_eq!(
        store.user(&ann.slug).await.expect("read"),
        Some(ann.clone())
    );
    assert_eq!(store.user(&slug("cid")).await.expect("read"), None);
    assert_eq!(store.users().await.expect("read"), [ann.clone(), bob]);

    let refused = store.save(&[Entry::User(ann.clone())], Save::Create).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    let refused = store.save(&[Entry::User(user("cid"))], Save::Update).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })));
    (ann.subject, ann.issuer, ann.password) = (None, None, None);
    change(&store, &ann).await;
    assert_eq!(store.user(&ann.slug).await.expect("read"), Some(ann));
}

/// A session reads back until it is ended; its last use only moves forward.
pub async fn session_lasts_until_it_is_ended(store: Opened) {
    save(&store, [Entry::User(user("ann"))]).await;
    let mut session = start(&store, "ann", 0).await;
    let other = start(&store, "ann", 1).await;
    for (seconds, seen) in [(60, 60), (30, 60)] {
        let touched = store.touch_session(&session.hash, at(seconds)).await;
        touched.expect("touched");
        session.seen_at = at(seen);
        let found = store.session(&session.hash).await.expect("read");
        assert_eq!(found.as_ref(), Some(&session));
    }
    assert!(store.end_session(&session.hash).await.expect("ended"));
    assert!(!store.end_session(&session.hash).await.expect("looked for"));
    assert!(!lives(&store, &session.hash).await);
    let gone = store.touch_session(&session.hash, at(90)).await;
    gone.expect("nothing to be touched");
    assert!(!lives(&store, &session.hash).await);
    let found = store.session(&other.hash).await.expect("read");
    assert_eq!(found, Some(other));
}

/// A session of an unknown user is refused, with the name.
pub async fn session_needs_its_user(store: Opened) {
    let (session, _) = Session::start(slug("nobody"), START);
    match store.start_session(&session).await {
        Err(StoreError::Dangling { reference, .. }) => assert_eq!(reference, "user/nobody"),
        other => panic!("{other:?}"),
    }
    assert!(!lives(&store, &session.hash).await);
}

/// A new password or role, being switched off and being removed end all sessions of that user, and
/// of no other. A new name or subject ends none.
pub async fn sessions_end_with_their_credentials(store: Opened) {
    save(&store, ["ann", "bob"].map(|who| Entry::User(user(who)))).await;
    let bobs = start(&store, "bob", 0).await;
    let mut ann = user("ann");

    let session = start(&store, "ann", 0).await;
    (ann.name, ann.subject) = (name("Anna"), Some("42".into()));
    change(&store, &ann).await;
    assert!(lives(&store, &session.hash).await);

    let steps: [fn(&mut User); 5] = [
        |ann| ann.password = Some(PasswordHash::new("$argon2id$v=19$second")),
        |ann| ann.password = None,
        |ann| ann.role = Role::Admin,
        |ann| ann.role = Role::Viewer,
        |ann| ann.enabled = false,
    ];
    for (place, step) in steps.iter().enumerate() {
        let sessions = [start(&store, "ann", 1).await, start(&store, "ann", 2).await];
        step(&mut ann);
        change(&store, &ann).await;
        for session in sessions {
            assert!(!lives(&store, &session.hash).await, "step {place}");
        }
    }

    ann.enabled = true;
    change(&store, &ann).await;
    let session = start(&store, "ann", 3).await;
    let removed = store.remove(&EntryRef::User(slug("ann"))).await;
    assert!(removed.expect("removed"));
    save(&store, [Entry::User(ann)]).await;
    assert!(!lives(&store, &session.hash).await);
    assert!(lives(&store, &bobs.hash).await);
}

/// A refused edit ends no sessions.
pub async fn refused_edit_ends_no_session(store: Opened) {
    save(&store, [Entry::User(user("ann"))]).await;
    let session = start(&store, "ann", 0).await;
    let mut ann = user("ann");
    ann.enabled = false;
    let entries = [Entry::User(ann), Entry::User(user("nobody"))];
    let refused = store.save(&entries, Save::Update).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })));
    assert!(lives(&store, &session.hash).await);
}

/// All sessions of a user are ended at once, or all but one.
pub async fn other_sessions_of_a_user_are_ended(store: Opened) {
    save(&store, ["ann", "bob"].map(|who| Entry::User(user(who)))).await;
    let bobs = start(&store, "bob", 0).await;
    let mine = start(&store, "ann", 0).await;
    let others = [start(&store, "ann", 1).await, start(&store, "ann", 2).await];
    let ann = slug("ann");
    let ended = store.end_sessions(&ann, Some(&mine.hash)).await;
    assert_eq!(ended.expect("ended"), 2);
    for other in others {
        assert!(!lives(&store, &other.hash).await);
    }
    assert!(lives(&store, &mine.hash).await);
    let ended = store.end_sessions(&ann, Some(&bobs.hash)).await;
    assert_eq!(ended.expect("ended"), 1);
    assert_eq!(store.end_sessions(&ann, None).await.expect("ended"), 0);
    assert!(lives(&store, &bobs.hash).await);
}

/// Sessions that were started or last used too long ago are removed, and no others.
pub async fn old_and_idle_sessions_are_pruned(store: Opened) {
    save(&store, [Entry::User(user("ann"))]).await;
    let old = start(&store, "ann", 9).await;
    let idle = start(&store, "ann", 10).await;
    let lively = start(&store, "ann", 10).await;
    for (session, seconds) in [(&old, 90), (&idle, 49), (&lively, 50)] {
        let touched = store.touch_session(&session.hash, at(seconds)).await;
        touched.expect("touched");
    }
    let prune = async || store.prune_sessions(at(10), at(50)).await.expect("pruned");
    assert_eq!(prune().await, 2);
    assert_eq!(prune().await, 0);
    assert!(!lives(&store, &old.hash).await);
    assert!(!lives(&store, &idle.hash).await);
    assert!(lives(&store, &lively.hash).await);
}
