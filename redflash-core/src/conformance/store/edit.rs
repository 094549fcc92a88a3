//! Promises of edits: of their version, their steps and what the audit log says of them.

use super::fixture::{Opened, START, at, contact, limit, name, save, slug};
use crate::store::{ChangeFilter, Edit, Entry, EntryRef, Save, Step};
use crate::{Action, Actor, Change, Group, StoreError, Target, Timestamp};

fn change(seconds: u64, by: &str, subject: &str) -> Change {
    let by: Actor = by.parse().expect("an actor");
    Change::new(
        at(seconds),
        by,
        Action::Changed,
        subject,
        "name: “%_'\"” → “Ünï”",
    )
}

fn all() -> ChangeFilter {
    ChangeFilter {
        subject: None,
        by: None,
        before: None,
        limit: limit(100),
    }
}

fn rename(to: &str) -> Step {
    let mut ann = contact("ann", "+447700900123");
    ann.name = name(to);
    Step::Save(Entry::Contact(ann), Save::Upsert)
}

/// An edit for another version than the directory's changes nothing, and says so.
pub async fn an_edit_for_an_old_version_changes_nothing(store: Opened) {
    save(&store, [Entry::Contact(contact("ann", "+447700900123"))]).await;
    let version = store.version().await.expect("read");
    let changes = [change(1, "user/boss", "contact/ann")];
    let edit = async |to: &str, version| {
        let edit = Edit {
            steps: &[rename(to)],
            version: Some(version),
            changes: &changes,
        };
        store.edit(&edit).await
    };
    edit("Anna", version).await.expect("it is the version");
    let refused = edit("Annie", version).await;
    assert!(matches!(refused, Err(StoreError::Outdated)), "{refused:?}");
    let ann = store.contact(&slug("ann")).await.expect("read");
    assert_eq!(ann.expect("there").name, name("Anna"));
    assert_eq!(store.changes(&all()).await.expect("read"), changes);
}

/// Of many edits for one version exactly one is made.
pub async fn of_many_edits_for_one_version_one_is_made(store: Opened) {
    save(&store, [Entry::Contact(contact("ann", "+447700900123"))]).await;
    let version = store.version().await.expect("read");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let edit = Edit {
                steps: &[rename(&format!("Ann {number}"))],
                version: Some(version),
                changes: &[],
            };
            store.edit(&edit).await
        });
    }
    let ended = tasks.join_all().await;
    let made = ended.iter().filter(|ended| ended.is_ok()).count();
    assert_eq!(made, 1, "{ended:?}");
    let outdated = |ended: &&Result<_, _>| matches!(ended, Err(StoreError::Outdated));
    assert_eq!(ended.iter().filter(outdated).count(), 7, "{ended:?}");
}

/// All steps of an edit are made and told, or none is.
pub async fn an_edit_is_made_whole_or_not_at_all(store: Opened) {
    let gone = EntryRef::Target(Target::Group(slug("crew")));
    let edit = Edit {
        steps: &[rename("Ann"), Step::Remove(gone.clone())],
        version: None,
        changes: &[change(1, "operator/root", "contact/ann")],
    };
    let refused = store.edit(&edit).await;
    assert!(
        matches!(refused, Err(StoreError::Missing { .. })),
        "{refused:?}"
    );
    assert_eq!(store.contacts().await.expect("read"), []);
    assert_eq!(store.changes(&all()).await.expect("read"), []);
    let crew = Group::new(slug("crew"), name("Crew"), vec![slug("ann")]);
    let steps = [rename("Ann"), Step::Save(Entry::Group(crew), Save::Create)];
    store
        .edit(&Edit {
            steps: &steps,
            ..edit
        })
        .await
        .expect("made");
    store.edit(&edit).await.expect("the group is there now");
    assert_eq!(store.groups().await.expect("read"), []);
    assert_eq!(store.changes(&all()).await.expect("read").len(), 1);
}

/// Changes are listed newest first, by what was changed and by whom, page after page.
pub async fn changes_are_newest_first_and_page(store: Opened) {
    let subject = |number: u64| {
        if number.is_multiple_of(2) {
            "contact/ann"
        } else {
            "key/app"
        }
    };
    let by = |number: u64| {
        if number < 3 {
            "user/boss"
        } else {
            "key/deploy"
        }
    };
    let mut expected: Vec<_> = (0..5)
        .map(|number| change(number, by(number), subject(number)))
        .collect();
    store.note(&expected).await.expect("noted");
    expected.reverse();
    assert_eq!(store.changes(&all()).await.expect("read"), expected);
    let page = ChangeFilter {
        before: Some(expected[1].id),
        limit: limit(2),
        ..all()
    };
    assert_eq!(store.changes(&page).await.expect("read"), expected[2..4]);
    let of_key = ChangeFilter {
        subject: Some("key/app".into()),
        ..all()
    };
    let found = store.changes(&of_key).await.expect("read");
    assert_eq!(found, [expected[1].clone(), expected[3].clone()]);
    let of_boss = ChangeFilter {
        by: Some(Actor::User("boss".into())),
        ..all()
    };
    assert_eq!(store.changes(&of_boss).await.expect("read"), expected[2..]);
}

/// When a key was used only goes forward, and is forgotten with the key.
pub async fn the_last_use_of_a_key_goes_forward_only(store: Opened) {
    let (key, _) = crate::ApiKey::generate(slug("app"), false, crate::Scope::All, START);
    let key = key.with_admin();
    save(&store, [Entry::ApiKey(key.clone())]).await;
    let found = store.api_key(&slug("app")).await.expect("read");
    assert_eq!(found, Some(key), "with all of its rights");
    let note = async |who: &str, when: Timestamp| {
        let noted = store.note_key_uses(&[(slug(who), when)]).await;
        noted.expect("noted");
    };
    note("app", at(5)).await;
    note("app", at(3)).await;
    note("stranger", at(9)).await;
    let uses = store.key_uses().await.expect("read");
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(slug("app"), at(5))]);
    let gone = store.remove(&EntryRef::ApiKey(slug("app"))).await;
    assert!(gone.expect("removed"));
    assert!(store.key_uses().await.expect("read").is_empty());
}
