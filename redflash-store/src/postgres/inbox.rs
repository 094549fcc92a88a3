//! Inbound messages, budgets and alarms, on Postgres.

use async_trait::async_trait;
use diesel_async::AsyncConnection;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Delivery;
use redflash_core::inbound::Inbound;
use redflash_core::model::{DeliveryId, Slug};
use redflash_core::store::{Alarm, Allowance, InboundFilter, Inbox, Meter, Spent, StoreError};

use super::PostgresStore;
use super::query::{inbox, meter};
use super::run::{ask, run, snapshot, transact};

#[async_trait]
impl Inbox for PostgresStore {
    async fn record_inbound(&self, message: &Inbound) -> Result<bool, StoreError> {
        transact!(self, |conn| inbox::record(conn, message).await)
    }

    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Result<bool, StoreError> {
        ask!(self, |conn| inbox::knows(conn, gateway, message_id))
    }

    async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, StoreError> {
        snapshot!(self, |conn| inbox::list(conn, filter).await)
    }

    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Result<Option<Delivery>, StoreError> {
        transact!(self, |conn| {
            inbox::delivery_of(conn, gateway, delivery, message_id).await
        })
    }
}

#[async_trait]
impl Meter for PostgresStore {
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Result<Spent, StoreError> {
        transact!(self, |conn| meter::spend(conn, allowances, now).await)
    }

    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Result<(), StoreError> {
        transact!(self, |conn| meter::refund(conn, allowances, at).await)
    }

    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        ask!(self, |conn| meter::used(conn, allowances, now))
    }

    async fn start_alarm(&self, alarm: &Alarm) -> Result<bool, StoreError> {
        run!(wrote, self, |conn| meter::start_alarm(conn, alarm))
    }

    async fn end_alarm(&self, subject: &str) -> Result<bool, StoreError> {
        run!(wrote, self, |conn| meter::end_alarm(conn, subject))
    }

    async fn alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        ask!(self, |conn| meter::alarms(conn))
    }
}
