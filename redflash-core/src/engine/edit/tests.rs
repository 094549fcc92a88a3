//! Edits on the memory store.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::model::{
    Address, ChannelKind, Contact, EndpointId, Event, Name, PasswordHash, Role, User,
};
use crate::store::{AuditFilter, MemoryStore};

fn engine() -> Engine {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000)));
    let built = Engine::builder(Arc::new(MemoryStore::new()))
        .clock(clock)
        .address_rules(|_, raw| Address::new(raw))
        .build();
    built.unwrap()
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn by() -> Actor {
    Actor::User("boss".into())
}

fn ann() -> Contact {
    let address = Address::new("+447700900123").unwrap();
    Contact::new(slug("ann"), Name::parse("Ann").unwrap()).with_endpoint(
        EndpointId::new(Timestamp::from_millis(1)),
        ChannelKind::sms(),
        address,
    )
}

pub(super) async fn audit_log(engine: &Engine) -> Vec<(Action, String, String)> {
    let filter = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: NonZeroU32::new(50).unwrap(),
    };
    let changes = engine.store().audit_entries(&filter).await.unwrap();
    let parts = |change: AuditEntry| (change.action, change.subject, change.detail);
    changes.into_iter().map(parts).collect()
}

#[tokio::test]
async fn records_every_edit_in_audit_log() {
    let engine = engine();
    engine.create(&ann(), &by()).await.unwrap();
    let off = |contact: &mut Contact| {
        contact.endpoints[0].enabled = false;
        Ok(())
    };
    engine.change(&slug("ann"), &by(), None, off).await.unwrap();
    let rename = |contact: &mut Contact| {
        contact.name = Name::parse("Anna").unwrap();
        contact.enabled = false;
        Ok(())
    };
    engine
        .change(&slug("ann"), &by(), None, rename)
        .await
        .unwrap();
    engine
        .remove::<Contact>(&slug("ann"), &by(), None)
        .await
        .unwrap();
    let log = audit_log(&engine).await;
    let subject = || "contact/ann".to_owned();
    let expected = [
        (Action::Removed, subject(), "Anna: sms +447700900123".into()),
        (
            Action::Changed,
            subject(),
            "name: “Ann” → “Anna”; switched off".into(),
        ),
        (Action::SwitchedOff, subject(), "sms +447700900123".into()),
        (
            Action::Added,
            subject(),
            "Ann: sms +447700900123".to_owned(),
        ),
    ];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn rejects_edits_of_an_outdated_revision() {
    let engine = engine();
    let contact = ann();
    engine.create(&contact, &by()).await.unwrap();
    let seen = Revision::of(&contact);
    let rename = |name: &'static str| {
        move |contact: &mut Contact| {
            contact.name = Name::parse(name).unwrap();
            Ok(())
        }
    };
    let (ann, by) = (slug("ann"), by());
    let first = engine.change(&ann, &by, Some(&seen), rename("Anna"));
    assert_eq!(first.await.unwrap().name.as_str(), "Anna");
    let second = engine.change(&ann, &by, Some(&seen), rename("Annie"));
    assert!(matches!(second.await, Err(EditError::Outdated(_))));
    let gone = engine.remove::<Contact>(&ann, &by, Some(&seen));
    assert!(matches!(gone.await, Err(EditError::Outdated(_))));
}

#[tokio::test]
async fn edit_without_a_change_is_not_recorded() {
    let engine = engine();
    engine.create(&ann(), &by()).await.unwrap();
    let version = engine.store().version().await.unwrap();
    let nothing = |_: &mut Contact| Ok(());
    engine
        .change(&slug("ann"), &by(), None, nothing)
        .await
        .unwrap();
    assert_eq!(engine.store().version().await.unwrap(), version);
    assert_eq!(audit_log(&engine).await.len(), 1);
}

#[tokio::test]
async fn rejects_broken_template_with_its_line() {
    let engine = engine();
    let name = Name::parse("Disk full").unwrap();
    let event = Event::new(slug("disk"), name, "fine\n{{#if x}}");
    let Err(EditError::Invalid(errors)) = engine.create(&event, &by()).await else {
        panic!("it was accepted");
    };
    assert_eq!((&*errors[0].field, errors[0].line), ("message", Some(2)));
}

#[tokio::test]
async fn rejects_new_tags_of_the_old_template_language() {
    let engine = engine();
    let name = Name::parse("Disk full").unwrap();
    let event = Event::new(slug("disk"), name, "fine\n{% include '/etc/passwd' %}");
    let Err(EditError::Invalid(errors)) = engine.create(&event, &by()).await else {
        panic!("it was accepted");
    };
    assert_eq!((&*errors[0].field, errors[0].line), ("message", Some(2)));
    let old = [event.clone().into()];
    engine
        .load(&old, Save::Create, "a.json", &by())
        .await
        .unwrap();
    let off = |event: &mut Event| {
        event.enabled = false;
        Ok(())
    };
    let changed = engine.change(&event.slug, &by(), None, off).await.unwrap();
    assert!(!changed.enabled);
}

#[tokio::test]
async fn rejects_switching_on_an_invalid_address() {
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .address_rules(|_, raw| match raw {
            "12" => Err(crate::model::AddressError::new("too short")),
            raw => Address::new(raw),
        })
        .build()
        .unwrap();
    let mut contact = ann();
    contact.endpoints[0].address = Address::new("12").unwrap();
    contact.endpoints[0].enabled = false;
    contact.endpoints[0].opted_out = Some("not a valid address: too short".into());
    let entries = [contact.into()];
    let person = by();
    let imported = engine.load(&entries, Save::Upsert, "dump.json", &person);
    imported.await.unwrap();
    assert_eq!(audit_log(&engine).await[0].2, "imported from dump.json");
    let rename = |contact: &mut Contact| {
        contact.name = Name::parse("Anna").unwrap();
        Ok(())
    };
    let ann = slug("ann");
    engine.change(&ann, &by(), None, rename).await.unwrap();
    let on = |contact: &mut Contact| {
        contact.endpoints[0].enabled = true;
        Ok(())
    };
    let refused = engine.change(&ann, &by(), None, on).await;
    let Err(EditError::Invalid(errors)) = refused else {
        panic!("it was switched on: {refused:?}");
    };
    assert_eq!(errors[0].to_string(), "endpoints[0].address: too short");
}

#[tokio::test]
async fn rejects_removal_of_the_last_admin() {
    let engine = engine();
    let admin = |name: &str| {
        let called = Name::parse(name).unwrap();
        User::new(slug(name), called, Role::Admin, Timestamp::default())
    };
    engine.create(&admin("ann"), &by()).await.unwrap();
    let off = |user: &mut User| {
        user.enabled = false;
        Ok(())
    };
    let refused = engine.change(&slug("ann"), &by(), None, off).await;
    assert!(matches!(refused, Err(EditError::LastAdmin(_))));
    let refused = engine.remove::<User>(&slug("ann"), &by(), None).await;
    assert!(matches!(refused, Err(EditError::LastAdmin(_))));
    engine.create(&admin("bob"), &by()).await.unwrap();
    engine.change(&slug("ann"), &by(), None, off).await.unwrap();
    let password = |user: &mut User| {
        user.password = Some(PasswordHash::new("$argon2id$canary"));
        Ok(())
    };
    engine
        .change(&slug("bob"), &by(), None, password)
        .await
        .unwrap();
    let log = audit_log(&engine).await;
    assert_eq!(log[0].0, Action::PasswordSet);
    assert!(!format!("{log:?}").contains("canary"));
}
