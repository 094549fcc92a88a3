//! Rows of attempts.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Attempt;
use redflash_core::model::DeliveryId;

use super::{parse, parse_some, storable};
use crate::error::QueryError;
use crate::schema::attempts;

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub(crate) struct AttemptRow {
    pub(crate) delivery: String,
    pub(crate) number: i32,
    pub(crate) gateway: Option<String>,
    pub(crate) started_at: i64,
    pub(crate) ended_at: i64,
    pub(crate) outcome: String,
    pub(crate) detail: String,
    pub(crate) may_repeat: bool,
}

impl AttemptRow {
    pub(crate) fn new(delivery: DeliveryId, attempt: &Attempt) -> Self {
        Self {
            delivery: delivery.to_string(),
            number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
            gateway: attempt.gateway.as_ref().map(ToString::to_string),
            started_at: attempt.started_at.as_millis(),
            ended_at: attempt.ended_at.as_millis(),
            outcome: attempt.outcome.as_str().to_owned(),
            detail: storable(&attempt.detail),
            may_repeat: attempt.may_repeat,
        }
    }

    pub(crate) fn into_attempt(self) -> Result<Attempt, QueryError> {
        let id = &self.delivery;
        Ok(Attempt {
            number: u32::try_from(self.number).unwrap_or(0),
            gateway: parse_some(self.gateway.as_deref(), "attempts", "gateway", id)?,
            started_at: Timestamp::from_millis(self.started_at),
            ended_at: Timestamp::from_millis(self.ended_at),
            outcome: parse(&self.outcome, "attempts", "outcome", id)?,
            detail: self.detail,
            may_repeat: self.may_repeat,
        })
    }
}
