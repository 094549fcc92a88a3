//! The store on a Postgres server.

use std::collections::BTreeSet;
use std::sync::Arc;

use redflash_core::store::Store;
use redflash_store::{PostgresConfig, PostgresStore};
use redflash_tests::Postgres;

/// An empty store on a cluster that runs for as long as the test.
async fn open() -> Arc<dyn Store> {
    let cluster: &Postgres = Box::leak(Box::new(Postgres::start().await));
    let mut config =
        PostgresConfig::new(format!("{}?sslmode=verify-full", cluster.database().await));
    config.ca_file = Some(cluster.ca_file().to_owned());
    Arc::new(PostgresStore::open(&config).await.unwrap())
}

redflash_core::store_conformance!(open);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_alert_does_not_delay_small_ones() {
    crate::fan_out::lets_small_ones_pass(open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_finish_an_interrupted_alert() {
    crate::fan_out::is_finished_by_others(open().await, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrates_a_database_of_the_first_version() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let tables = include_str!("../../migrations/postgres/2026-11-24-000000_first/up.sql");
    cluster.sql(&url, tables).await;
    cluster.sql(&url, include_str!("first.sql")).await;
    let config = PostgresConfig::new(&*url);
    let store = PostgresStore::open(&config).await.unwrap();
    crate::keeps_rows_of_the_first_version(&store).await;
}

/// Runs a statement in a database, and returns the lines of its answer.
async fn sql(cluster: &Postgres, url: &str, statement: &str) -> Vec<String> {
    let answer = cluster.sql(url, statement).await;
    let lines = answer.lines().filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_every_stored_word() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let store = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    crate::stored_words::insert(async |text: &str| sql(&cluster, &url, text).await).await;
    crate::stored_words::are_read(&store).await;
    crate::stored_words::are_claimed(&store).await;
}

/// A copy of a file keeps every stored word.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn copy_keeps_every_stored_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let from = redflash_store::SqliteStore::open(&path, redflash_store::Access::Server).unwrap();
    crate::stored_words::insert(async |text: &str| crate::file::sql(&path, text)).await;
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let to = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    redflash_store::copy(&from, &to).await.unwrap();
    crate::stored_words::are_read(&to).await;
    crate::stored_words::are_claimed(&to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_aside_unreadable_rows_alone() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let store = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    let sql = async |text: &str| sql(&cluster, &url, text).await;
    crate::unreadable::is_set_aside(&store, sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_a_large_plan_once() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let store = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    let sql = async |text: &str| sql(&cluster, &url, text).await;
    crate::unreadable::is_not_read_again(&store, sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_claim_leases_nothing() {
    use redflash_core::store::Outbox;

    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let store = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    crate::unreadable::enqueue(&store, 3).await;
    let rename = async |from: &str, to: &str| {
        let statement = format!("ALTER TABLE {from} RENAME TO {to}");
        cluster.sql(&url, &statement).await;
    };
    let (lease, wants) = (crate::unreadable::lease(), [crate::unreadable::want(10)]);
    rename("notifications", "elsewhere").await;
    store.claim_due(&lease, &wants).await.unwrap_err();
    rename("elsewhere", "notifications").await;
    let leased = "SELECT id FROM deliveries WHERE state <> 'queued' OR claims > 0";
    assert_eq!(sql(&cluster, &url, leased).await, Vec::<String>::new());
    assert_eq!(store.claim_due(&lease, &wants).await.unwrap().len(), 3);
}

/// Deliveries still to be queued in the file are still to be queued in the database.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn copy_keeps_unqueued_deliveries() {
    use redflash_core::conformance::store::alert_of;
    use redflash_core::store::{Enqueue, Outbox};

    let file = tempfile::NamedTempFile::new().unwrap();
    let from = redflash_store::SqliteStore::open(file.path(), redflash_store::Access::Server);
    let from = from.unwrap();
    let (notification, deliveries) = alert_of(3, "sms", redflash_core::clock::Timestamp::default());
    let order = Enqueue {
        notification: &notification,
        deliveries: &deliveries[..1],
        unqueued: 2,
        lease: None,
        idempotency: None,
        planned_at: None,
    };
    from.enqueue(&order).await.unwrap();
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let to = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    redflash_store::copy(&from, &to).await.unwrap();
    let left = from.unfinished().await.unwrap();
    assert_eq!((left.len(), left[0].unqueued), (1, 2));
    assert_eq!(to.unfinished().await.unwrap(), left);
}

/// The tables and columns of both back ends are the same, but for what only nodes need.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn tables_match_those_of_sqlite() {
    use diesel::prelude::*;

    #[derive(diesel::QueryableByName)]
    struct Column {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }

    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public'";
    let there: BTreeSet<String> = cluster
        .sql(&url, columns)
        .await
        .lines()
        .map(str::to_owned)
        .filter(|name| !name.starts_with("closed_lanes."))
        .collect();

    let file = tempfile::NamedTempFile::new().unwrap();
    redflash_store::SqliteStore::open(file.path(), redflash_store::Access::Shared).unwrap();
    let mut conn = SqliteConnection::establish(file.path().to_str().unwrap()).unwrap();
    let columns = "SELECT tables.name || '.' || columns.name AS name
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'";
    let here: Vec<Column> = diesel::sql_query(columns).load(&mut conn).unwrap();
    let here: BTreeSet<String> = here.into_iter().map(|column| column.name).collect();

    assert_eq!(here, there);
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn users_and_the_audit_log_are_copied_and_sessions_are_not() {
    use redflash_core::clock::Timestamp;
    use redflash_core::model::{
        Action, Actor, ApiKey, AuditEntry, Name, PasswordHash, Role, Scope, Session, Slug, User,
    };
    use redflash_core::store::{Audit, AuditFilter, Directory, Edit, Entry, Save, Sessions, Step};

    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let to = PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let access = redflash_store::Access::Shared;
    let from = redflash_store::SqliteStore::open(file.path(), access).unwrap();

    let slug = |text| Slug::parse(text).unwrap();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let mut ann = User::new(slug("ann"), Name::parse("Ann").unwrap(), Role::Admin, now);
    ann.password = Some(PasswordHash::new("$argon2id$v=19$hash"));
    let key = ApiKey::generate(slug("app"), true, Scope::All, now).0;
    let entries = [
        Entry::User(ann.clone()),
        Entry::ApiKey(key.clone().with_admin()),
    ];
    // More than are copied at once.
    let change = |number| {
        let by = Actor::User("ann".into());
        AuditEntry::new(now, by, Action::Changed, format!("contact/c{number}"), "")
    };
    let changes: Vec<_> = (0..450).map(change).collect();
    let edit = Edit {
        steps: &entries.map(|entry| Step::Save(entry, Save::Create)),
        version: None,
        changes: &changes,
    };
    from.edit(&edit).await.unwrap();
    from.record_key_usage(&[(slug("app"), now)]).await.unwrap();
    let (session, _) = Session::start(slug("ann"), now);
    from.start_session(&session).await.unwrap();

    redflash_store::copy(&from, &to).await.unwrap();
    assert_eq!(to.users().await.unwrap(), [ann]);
    assert_eq!(to.api_keys().await.unwrap(), [key.with_admin()]);
    assert_eq!(to.key_usage().await.unwrap(), [(slug("app"), now)].into());
    let all = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: std::num::NonZeroU32::MAX,
    };
    let copied = to.audit_entries(&all).await.unwrap();
    assert!(copied.iter().eq(changes.iter().rev()));
    let counts = to.counts().await.unwrap();
    assert_eq!(counts, from.counts().await.unwrap());
    assert_eq!((counts.users, counts.changes), (1, 450));
    assert_eq!(to.session(&session.hash).await.unwrap(), None);
}
