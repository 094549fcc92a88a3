//! Promises of users and their sessions.

use super::fixture::{Opened, START, at, name, save, slug};
use crate::store::{Entry, EntryRef, Save};
use crate::{KeyHash, PasswordHash, Role, Session, StoreError, User};

fn user(who: &str) -> User {
    User {
        password: Some(PasswordHash::new(
            "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA",
        )),
        subject: Some(format!("{who}|1")),
        ..User::new(slug(who), name("Ann Ünï"), Role::Admin, START)
    }
}

fn session(who: &str, secret: &str) -> Session {
    Session {
        hash: KeyHash::of(secret),
        user: slug(who),
        started_at: at(1),
        seen_at: at(2),
    }
}

async fn started(store: &Opened, who: &str, secret: &str) -> Session {
    let session = session(who, secret);
    store.start_session(&session).await.expect("started");
    session
}

/// Something that is done to a user.
type Deed = fn(&mut User);

/// A user reads back as saved, with and without what may be left out.
pub async fn a_user_reads_back(store: Opened) {
    let (ann, bob) = (
        user("ann"),
        User::new(slug("bob"), name("Bob"), Role::Viewer, at(1)),
    );
    save(&store, [Entry::User(bob.clone()), Entry::User(ann.clone())]).await;
    assert_eq!(
        store.user(&slug("ann")).await.expect("read"),
        Some(ann.clone())
    );
    assert_eq!(store.users().await.expect("read"), [ann.clone(), bob]);
    let off = User {
        enabled: false,
        ..ann
    };
    let saved = store.save(&[Entry::User(off.clone())], Save::Update).await;
    saved.expect("saved");
    assert_eq!(store.user(&slug("ann")).await.expect("read"), Some(off));
    assert_eq!(store.user(&slug("eve")).await.expect("read"), None);
}

/// A session is found by its hash, remembers when it was used, and can be ended.
pub async fn a_session_reads_back_until_it_is_ended(store: Opened) {
    save(&store, [Entry::User(user("ann"))]).await;
    let mut session = started(&store, "ann", "one").await;
    let found = async |hash: &KeyHash| store.session(hash).await.expect("read");
    assert_eq!(found(&session.hash).await, Some(session.clone()));
    store
        .touch_session(&session.hash, at(9))
        .await
        .expect("touched");
    session.seen_at = at(9);
    assert_eq!(found(&session.hash).await, Some(session.clone()));
    assert!(store.end_session(&session.hash).await.expect("ended"));
    assert!(!store.end_session(&session.hash).await.expect("ended"));
    assert_eq!(found(&session.hash).await, None);
    let nobody = store.start_session(&self::session("eve", "two")).await;
    assert!(
        matches!(nobody, Err(StoreError::Dangling { .. })),
        "{nobody:?}"
    );
}

/// Another password or role, a switch turned off and a removal end a user's sessions; another name
/// does not.
pub async fn what_changes_a_users_rights_ends_the_sessions(store: Opened) {
    save(&store, [Entry::User(user("ann")), Entry::User(user("bob"))]).await;
    let of_bob = started(&store, "bob", "bob").await;
    let changes: [(Deed, bool); 4] = [
        (|user| user.name = name("Anna"), true),
        (|user| user.role = Role::Viewer, false),
        (
            |user| user.password = Some(PasswordHash::new("$argon2id$other")),
            false,
        ),
        (|user| user.enabled = false, false),
    ];
    let mut ann = user("ann");
    for (number, (change, stays)) in changes.into_iter().enumerate() {
        let session = started(&store, "ann", &format!("ann {number}")).await;
        change(&mut ann);
        let saved = store.save(&[Entry::User(ann.clone())], Save::Update).await;
        saved.expect("saved");
        let found = store.session(&session.hash).await.expect("read");
        assert_eq!(found.is_some(), stays, "change {number}");
    }
    let last = started(&store, "ann", "last").await;
    let removed = store.remove(&EntryRef::User(slug("ann"))).await;
    assert!(removed.expect("removed"));
    assert_eq!(store.session(&last.hash).await.expect("read"), None);
    let found = store.session(&of_bob.hash).await.expect("read");
    assert_eq!(found, Some(of_bob));
}

/// All sessions of a user but one can be ended, and those that are too old.
pub async fn sessions_are_ended_together(store: Opened) {
    save(&store, [Entry::User(user("ann")), Entry::User(user("bob"))]).await;
    let mine = started(&store, "ann", "mine").await;
    let other = started(&store, "ann", "other").await;
    let of_bob = started(&store, "bob", "bob").await;
    let ended = store.end_sessions(&slug("ann"), Some(&mine.hash)).await;
    assert_eq!(ended.expect("ended"), 1);
    let there = async |session: &Session| {
        let found = store.session(&session.hash).await;
        found.expect("read").is_some()
    };
    assert!(there(&mine).await && !there(&other).await && there(&of_bob).await);
    store
        .touch_session(&mine.hash, at(20))
        .await
        .expect("touched");
    assert_eq!(
        store.prune_sessions(at(1), at(10)).await.expect("pruned"),
        1
    );
    assert!(there(&mine).await && !there(&of_bob).await);
    assert_eq!(
        store.prune_sessions(at(2), at(10)).await.expect("pruned"),
        1
    );
    assert!(!there(&mine).await);
}
