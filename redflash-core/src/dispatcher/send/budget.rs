//! Reserving a gateway's budget for a message, and refunding it.

use tracing::warn;

use crate::clock::Timestamp;
use crate::delivery::Job;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::alarm::{AlarmEvent, BudgetAlarm};
use crate::error_chain;
use crate::gateway::{Budget, Gateway};
use crate::store::{Allowance, Spent, StoreError};

/// A message's share of its gateway's budget.
#[derive(Default)]
pub(crate) struct Reservation {
    allowances: Vec<Allowance>,
    /// The amount used of each allowance.
    used: Vec<u32>,
}

/// Reason why a message gets no budget.
pub(crate) enum BudgetError {
    /// The gateway's budget is used up.
    Gateway(String),
    /// The address's budget is used up.
    Address(String),
    /// The store did not answer.
    Unknown(StoreError),
}

impl Dispatcher {
    /// Reserves the budget for a message.
    pub(crate) async fn reserve_budget(
        &self,
        gateway: &Gateway,
        job: &Job,
        now: Timestamp,
    ) -> Result<Reservation, BudgetError> {
        let budget = &gateway.budget;
        let allowances = budget.allowances(&gateway.name, &job.delivery.address);
        if allowances.is_empty() {
            return Ok(Reservation::default());
        }
        let spent = self.store.spend(&allowances, now).await;
        let position = match spent.map_err(BudgetError::Unknown)? {
            Spent::Counted(used) => return Ok(Reservation { allowances, used }),
            Spent::UsedUp(position) => position,
        };
        let (name, limit) = (&gateway.name, allowances[position].limit);
        let each = allowances[position].window.each();
        Err(if is_of_gateway(&allowances[position], gateway) {
            BudgetError::Gateway(format!(
                "the budget of {name} is used up: {limit} messages {each}"
            ))
        } else {
            BudgetError::Address(format!(
                "the budget of this address is used up: {limit} messages {each} through {name}"
            ))
        })
    }

    /// Refunds the budget of a message that certainly did not go out.
    pub(crate) async fn refund_budget(&self, reservation: &Reservation, reserved_at: Timestamp) {
        if reservation.allowances.is_empty() {
            return;
        }
        if let Err(error) = self
            .store
            .refund(&reservation.allowances, reserved_at)
            .await
        {
            warn!(error = error_chain(&error), "could not refund a budget");
        }
    }

    /// Raises an alarm if a gateway's budget is nearly used up, once this message has gone out.
    pub(crate) fn check_budget_alarm(
        &self,
        gateway: &Gateway,
        reservation: &Reservation,
        now: Timestamp,
    ) {
        let counted = reservation.allowances.iter().zip(&reservation.used);
        for (allowance, &used) in counted.filter(|(one, _)| is_of_gateway(one, gateway)) {
            let nearly = used >= gateway.budget.alarm_at(allowance.limit);
            let alarm = BudgetAlarm {
                gateway: gateway.name.clone(),
                window: allowance.window,
                starts_at: allowance.window.start(now),
                is_used_up: used >= allowance.limit,
            };
            if nearly && self.alarms.is_new(&alarm) {
                let limit = allowance.limit;
                self.alarms.push(AlarmEvent::Budget { alarm, used, limit });
            }
        }
    }
}

fn is_of_gateway(allowance: &Allowance, gateway: &Gateway) -> bool {
    allowance.meter == Budget::meter(&gateway.name)
}
