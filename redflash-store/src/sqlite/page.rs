//! Everything of a file in pages, to be copied into another store.

use diesel::prelude::{ExpressionMethods, QueryDsl, SelectableHelper};
use redflash_core::model::NotificationId;
use redflash_core::store::StoreError;

use super::query::outbox::{first, last, of_notification};
use super::run::now;
use super::{Conn, RunQueryDsl, SqliteStore};
use crate::copy::Page;
use crate::error::QueryError;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::DeliveryRow;
use crate::row::notification::{IdempotencyRow, NotificationRow};
use crate::row::parse;
use crate::schema::{attempts, deliveries, fan_outs, idempotency, notifications};

impl SqliteStore {
    /// The next notifications in the order of their ids, with all that belongs to them.
    pub(crate) async fn page(&self, after: String, limit: i64) -> Result<Page, StoreError> {
        let page = move |conn: &mut _| now(page(conn, &after, limit));
        self.readers.long(page).await
    }
}

async fn page(conn: &mut Conn, after: &str, limit: i64) -> Result<Page, QueryError> {
    let mut page = Page {
        notifications: notifications::table
            .filter(notifications::id.gt(after))
            .order(notifications::id)
            .limit(limit)
            .select(NotificationRow::as_select())
            .load(conn)
            .await?,
        ..Page::default()
    };
    for row in &page.notifications {
        let id: NotificationId = parse(&row.id, "notifications", "id", &row.id)?;
        let rows: Vec<DeliveryRow> = deliveries::table
            .filter(of_notification(id))
            .select(DeliveryRow::as_select())
            .load(conn)
            .await?;
        page.deliveries.extend(rows);
        let unqueued: Vec<i32> = fan_outs::table
            .find(&row.id)
            .select(fan_outs::unqueued)
            .load(conn)
            .await?;
        let fan_out = |unqueued: i32| (row.id.clone(), unqueued.unsigned_abs());
        page.fan_outs.extend(unqueued.into_iter().map(fan_out));
        let rows: Vec<AttemptRow> = attempts::table
            .filter(attempts::delivery.between(first(id), last(id)))
            .select(AttemptRow::as_select())
            .load(conn)
            .await?;
        page.attempts.extend(rows);
        let rows: Vec<IdempotencyRow> = idempotency::table
            .filter(idempotency::notification.eq(&row.id))
            .select(IdempotencyRow::as_select())
            .load(conn)
            .await?;
        page.idempotency.extend(rows);
    }
    Ok(page)
}
