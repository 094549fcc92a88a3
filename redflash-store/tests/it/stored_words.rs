//! Words in stored rows, which must stay readable in every later version: the same on both stores.
//!
//! The rows here are literal text. Types name their own words in the errors of serde, so that a new or
//! renamed variant fails these tests until its word is added here.

use redflash_core::clock::Timestamp;
use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::message::Idempotency;
use redflash_core::model::{Action, NotificationId, Role, Slug};
use redflash_core::plan::{Refusal, Skip, Verdict};
use redflash_core::store::{AuditFilter, Enqueued, LogFilter, Store};
use serde::de::DeserializeOwned;
use serde_json::Value;

const STATES: [&str; 8] = [
    "queued",
    "sending",
    "sent",
    "delivered",
    "failed",
    "cancelled",
    "suppressed",
    "quarantined",
];
const OUTCOMES: [&str; 4] = ["ok", "retry", "unknown", "permanent"];
const ACTIONS: [&str; 10] = [
    "added",
    "changed",
    "removed",
    "switched_on",
    "switched_off",
    "password_set",
    "logged_in",
    "raised",
    "resent",
    "tested",
];
const ACTORS: [&str; 4] = ["user/ann", "key/ci", "operator/root", "contact/bob"];
const ROLES: [&str; 2] = ["viewer", "admin"];
const REFUSALS: [&str; 5] = [
    "disabled",
    "missing_arguments",
    "unused_arguments",
    "empty_message",
    "no_recipients",
];
const SKIPS: [&str; 9] = [
    "contact_off",
    "group_off",
    "no_endpoint",
    "endpoint_off",
    "no_gateway",
    "no_route",
    "not_chosen",
    "troubled",
    "duplicate",
];
const VERDICTS: [&str; 2] = ["deliver", "skip"];

/// A plan with every verdict and every reason to skip an endpoint or a contact.
const PLAN: &str = r#"{
    "target": "event/disk-full",
    "name": "Disk full",
    "message": {
        "subject": "Disk full", "body": "disk-full: host = db1", "sender": "Backups",
        "degraded": "the template failed", "cut": true
    },
    "recipients": [
        {"contact": "ann", "name": "Ann", "via": ["on-call"], "endpoints": [
            {"endpoint": "0123456789abcdef0123456789abcde0", "channel": "sms",
             "address": "+447700900001", "verdict": {"deliver": "sms"}},
            {"endpoint": "0123456789abcdef0123456789abcde1", "channel": "webhook",
             "address": "https://a.example/", "verdict": {"deliver": "webhook:a.example"}},
            {"endpoint": "0123456789abcdef0123456789abcde2", "channel": "sms",
             "address": "+447700900002", "verdict": {"skip": "endpoint_off"}},
            {"endpoint": "0123456789abcdef0123456789abcde3", "channel": "sms",
             "address": "+447700900003", "verdict": {"skip": "no_gateway"}},
            {"endpoint": "0123456789abcdef0123456789abcde4", "channel": "sms",
             "address": "+447700900004", "verdict": {"skip": "no_route"}},
            {"endpoint": "0123456789abcdef0123456789abcde5", "channel": "sms",
             "address": "+447700900005", "verdict": {"skip": "not_chosen"}},
            {"endpoint": "0123456789abcdef0123456789abcde6", "channel": "sms",
             "address": "+447700900006", "verdict": {"skip": "troubled"}},
            {"endpoint": "0123456789abcdef0123456789abcde7", "channel": "sms",
             "address": "+447700900007", "verdict": {"skip": {"duplicate": "bob"}}}
        ]},
        {"contact": "bob", "name": "Bob", "endpoints": [], "skip": "contact_off"},
        {"contact": "eve", "name": "Eve", "endpoints": [], "skip": {"group_off": ["night", "day"]}},
        {"contact": "joe", "name": "Joe", "endpoints": [], "skip": "no_endpoint"}
    ],
    "missing": ["host"],
    "unused": ["port"]
}"#;

/// The targets of refused raises, of every kind.
const TARGETS: [&str; 5] = [
    "contact/ann",
    "group/on-call",
    "event/disk-full",
    "contact/bob",
    "group/night",
];

/// A plan that refuses a raise.
fn refused(target: &str, refusal: &str) -> String {
    format!(
        r#"{{"target": "{target}", "name": "A name", "message": {{"subject": "", "body": ""}},
            "recipients": [], "refusal": "{refusal}"}}"#
    )
}

/// The id of a notification of this test. The last six digits number its deliveries.
fn id(number: usize) -> String {
    format!("019f4a2b6c007d3e8f5061{number:04}000000")
}

/// Returns the words of a type that serde knows.
fn words<T: DeserializeOwned>() -> Vec<String> {
    let error = serde_json::from_str::<T>("\"no such word\"").err().unwrap();
    let error = error.to_string();
    let (_, expected) = error.split_once("expected ").unwrap();
    let quoted = expected.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Every variant has its word in this file.
#[test]
fn covers_every_stored_word() {
    assert_eq!(words::<DeliveryState>(), STATES);
    assert_eq!(words::<AttemptOutcome>(), OUTCOMES);
    assert_eq!(words::<Action>(), ACTIONS);
    assert_eq!(words::<Role>(), ROLES);
    assert_eq!(words::<Refusal>(), REFUSALS);
    assert_eq!(words::<Skip>(), SKIPS);
    assert_eq!(words::<Verdict>(), VERDICTS);
    for skip in SKIPS {
        assert!(PLAN.contains(&format!("\"{skip}\"")), "{skip}");
    }
}

/// Inserts rows with every stored word.
///
/// * `sql` - runs a statement in the store's database.
pub(crate) async fn insert(sql: impl AsyncFn(&str) -> Vec<String>) {
    let mut plans = vec![PLAN.to_owned()];
    plans.extend(
        TARGETS
            .iter()
            .zip(REFUSALS)
            .map(|(target, refusal)| refused(target, refusal)),
    );
    for (number, plan) in plans.iter().enumerate() {
        let id = id(number);
        sql(&format!(
            "INSERT INTO notifications (id, raised_at, raised_by, plan, arguments)
             VALUES ('{id}', {number}, NULL, '{plan}', '{{\"host\": \"db1\"}}')"
        ))
        .await;
    }
    let notification = id(0);
    for (number, state) in (1..).zip(STATES) {
        let delivery = format!("{}{number:06}", &notification[..26]);
        sql(&format!(
            "INSERT INTO deliveries (
                id, notification, contact, endpoint, channel, address, via, lane, raised_by, state,
                attempts, due_at, detail, may_repeat, claims, refused_by, parts_delivered
             ) VALUES (
                '{delivery}', '{notification}', 'ann', '0123456789abcdef0123456789abcde0', 'sms',
                '+447700900001', '[\"on-call\"]', 'sms', '', '{state}', 4, 0, 'a detail', FALSE, 0,
                '', ''
             )"
        ))
        .await;
    }
    for (number, outcome) in (1..).zip(OUTCOMES) {
        sql(&format!(
            "INSERT INTO attempts VALUES (
                '{}000001', {number}, 'gw', 1, 2, '{outcome}', 'a detail', FALSE
             )",
            &notification[..26]
        ))
        .await;
    }
    for (number, action) in ACTIONS.iter().enumerate() {
        let actor = ACTORS[number % ACTORS.len()];
        sql(&format!(
            "INSERT INTO changes VALUES (
                '019f4a2b6c007d3e8f506172830000{number:02}', {number}, '{actor}', '{action}',
                'contact/ann', 'a detail'
             )"
        ))
        .await;
    }
    for role in ROLES {
        sql(&format!(
            "INSERT INTO users (slug, name, role, enabled, created_at)
             VALUES ('{role}', 'A name', '{role}', TRUE, 0)"
        ))
        .await;
    }
    sql(&format!(
        "INSERT INTO idempotency VALUES ('', 'a-key', 'a-digest', '{notification}', 0)"
    ))
    .await;
}

/// Returns the word of a value, as it is stored.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap();
    value.as_str().unwrap().to_owned()
}

/// Reads every word through the log, idempotency keys, the audit log, users and a claim.
pub(crate) async fn are_read(store: &impl Store) {
    let many = 100.try_into().unwrap();
    let log = store.log(&LogFilter::newest(many)).await.unwrap().entries;
    assert_eq!(log.len(), 1 + REFUSALS.len());
    for ((notification, _), (target, refusal)) in
        log.iter().rev().skip(1).zip(TARGETS.iter().zip(REFUSALS))
    {
        let plan: Value = serde_json::from_str(&refused(target, refusal)).unwrap();
        assert_eq!(serde_json::to_value(&notification.plan).unwrap(), plan);
    }
    let plan: Value = serde_json::from_str(PLAN).unwrap();
    let (notification, deliveries) = log.last().unwrap();
    assert_eq!(serde_json::to_value(&notification.plan).unwrap(), plan);
    let states: Vec<_> = deliveries
        .iter()
        .map(|delivery| word(&delivery.state))
        .collect();
    assert_eq!(states, STATES);

    let id: NotificationId = id(0).parse().unwrap();
    let (_, records) = store.notification(id).await.unwrap().unwrap();
    let attempts = records[0].attempts_made.iter();
    let outcomes: Vec<_> = attempts.map(|attempt| word(&attempt.outcome)).collect();
    assert_eq!(outcomes, OUTCOMES);

    let promise = Idempotency {
        key: "a-key".to_owned(),
        digest: "a-digest".to_owned(),
    };
    let promised = store
        .find_repeat(None, &promise, Timestamp::default())
        .await;
    let Some(Enqueued::Repeat(repeat)) = promised.unwrap() else {
        panic!("the idempotency key is unknown");
    };
    assert_eq!(serde_json::to_value(&repeat.plan).unwrap(), plan);

    let filter = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: many,
    };
    let mut entries = store.audit_entries(&filter).await.unwrap();
    entries.sort_by_key(|entry| entry.at);
    let actions: Vec<_> = entries.iter().map(|entry| word(&entry.action)).collect();
    assert_eq!(actions, ACTIONS);
    let actors = entries.iter().map(|entry| entry.by.to_string());
    assert_eq!(actors.take(ACTORS.len()).collect::<Vec<_>>(), ACTORS);
    for role in ROLES {
        let user = store.user(&Slug::parse(role).unwrap()).await.unwrap();
        assert_eq!(word(&user.unwrap().role), role);
    }
}

/// Claims the queued delivery, whose message comes from the stored plan.
pub(crate) async fn are_claimed(store: &impl Store) {
    let lease = crate::unreadable::lease();
    let wants = [crate::unreadable::want(10)];
    let jobs = store.claim_due(&lease, &wants).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(
        jobs[0].message.degraded.as_deref(),
        Some("the template failed")
    );
    assert_eq!(jobs[0].message.sender.as_deref(), Some("Backups"));
}
