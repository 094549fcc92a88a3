//! What a message takes of its gateway's budget, and what is given back.

use tracing::warn;

use crate::dispatcher::Dispatcher;
use crate::dispatcher::alarm::{BudgetAlarm, Trouble};
use crate::store::{Allowance, Spent};
use crate::{Budget, Gateway, Job, StoreError, Timestamp, error_chain};

/// What a message took of its gateway's budget.
#[derive(Default)]
pub(crate) struct Taken {
    allowances: Vec<Allowance>,
    /// How much of each is used by now.
    used: Vec<u32>,
}

/// Why a message gets nothing of its gateway's budget.
pub(crate) enum Short {
    /// The gateway's is used up.
    Gateway(String),
    /// That of the address is used up.
    Address(String),
    /// The store did not say.
    Unknown(StoreError),
}

impl Dispatcher {
    /// Takes what a message needs of its gateway's budget.
    pub(crate) async fn take(
        &self,
        gateway: &Gateway,
        job: &Job,
        now: Timestamp,
    ) -> Result<Taken, Short> {
        let budget = &gateway.budget;
        let allowances = budget.allowances(&gateway.name, &job.delivery.address);
        if allowances.is_empty() {
            return Ok(Taken::default());
        }
        let spent = self.store.spend(&allowances, now).await;
        let place = match spent.map_err(Short::Unknown)? {
            Spent::Counted(used) => return Ok(Taken { allowances, used }),
            Spent::UsedUp(place) => place,
        };
        let (name, limit) = (&gateway.name, allowances[place].limit);
        let each = allowances[place].window.each();
        Err(if is_of_gateway(&allowances[place], gateway) {
            Short::Gateway(format!(
                "the budget of {name} is used up: {limit} messages {each}"
            ))
        } else {
            Short::Address(format!(
                "the budget of this address is used up: {limit} messages {each} through {name}"
            ))
        })
    }

    /// Gives back what a message took that certainly did not go out.
    pub(crate) async fn give_back(&self, taken: &Taken, taken_at: Timestamp) {
        if taken.allowances.is_empty() {
            return;
        }
        if let Err(fault) = self.store.refund(&taken.allowances, taken_at).await {
            warn!(error = error_chain(&fault), "a budget was not given back");
        }
    }

    /// Tells of a gateway's budget that is nearly used up, once this message has gone out.
    pub(crate) fn watch_budget(&self, gateway: &Gateway, taken: &Taken, now: Timestamp) {
        let counted = taken.allowances.iter().zip(&taken.used);
        for (allowance, &used) in counted.filter(|(one, _)| is_of_gateway(one, gateway)) {
            let nearly = used >= gateway.budget.alarm_at(allowance.limit);
            let alarm = BudgetAlarm {
                gateway: gateway.name.clone(),
                window: allowance.window,
                starts_at: allowance.window.start(now),
                is_used_up: used >= allowance.limit,
            };
            if nearly && self.troubles.is_new(&alarm) {
                let limit = allowance.limit;
                self.troubles.push(Trouble::Budget { alarm, used, limit });
            }
        }
    }
}

fn is_of_gateway(allowance: &Allowance, gateway: &Gateway) -> bool {
    allowance.meter == Budget::meter(&gateway.name)
}
