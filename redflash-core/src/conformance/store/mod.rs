//! The promises of a [`Store`](crate::Store), as tests.
//!
//! ```ignore
//! async fn open() -> Arc<dyn Store> { Arc::new(MyStore::open()) }
//! redflash_core::store_conformance!(open);
//! ```
//!
//! Each promise gets a store of its own. A store that needs a directory may leak it, or keep it in
//! itself.

mod claim;
mod directory;
mod enqueue;
mod fixture;
mod log;
mod receipt;
mod settle;

pub use claim::*;
pub use directory::*;
pub use enqueue::*;
pub use fixture::{alert_of, sent_of};
pub use log::*;
pub use receipt::*;
pub use settle::*;

/// Makes one test of every promise of a store.
///
/// * `open` - the path of an `async fn() -> Arc<dyn Store>` that opens an empty store.
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance! { $open =>
            entities_read_back_as_they_were_saved
            a_taken_slug_is_a_conflict
            changing_what_is_not_there_is_refused
            what_names_something_unknown_is_refused
            saving_is_all_or_nothing
            removing_leaves_no_trace_in_groups_and_events
            every_change_changes_the_version
            a_view_holds_everybody_behind_a_target
            keys_are_found_by_their_hash
            an_enqueued_notification_reads_back
            equal_requests_are_recorded_once
            idempotency_keys_belong_to_an_api_key
            idempotency_keys_are_forgotten_after_a_day
            of_many_equal_requests_one_is_new
            an_outdated_plan_is_not_recorded
            some_may_be_born_leased
            claims_are_exclusive
            claims_keep_to_time_order_and_limit
            claims_keep_to_their_queue
            due_queues_say_when_their_first_is_due
            what_is_born_leased_is_not_claimed
            an_ended_lease_returns_the_delivery
            another_workers_leases_are_taken_back
            what_never_has_an_outcome_is_quarantined
            a_success_is_recorded
            an_arrival_is_recorded
            a_failure_waits_for_its_time
            an_unknown_outcome_is_remembered
            giving_up_and_cancelling_are_final
            a_lease_given_back_uses_up_no_attempt
            a_lost_lease_changes_nothing_but_the_log
            a_late_success_cancels_the_repeat
            a_strange_answer_is_recorded
            a_repeated_settlement_changes_nothing
            many_are_settled_in_order
            a_receipt_moves_a_delivery_forward_only
            a_receipt_may_come_before_the_outcome
            a_receipt_may_name_only_the_gateways_id
            a_receipt_of_another_gateway_changes_nothing
            a_receipt_cancels_the_repeat
            what_ended_badly_can_be_resent
            the_log_is_newest_first_and_pages
            the_log_filters
            the_backlog_counts_what_waits
            pruning_keeps_what_is_not_finished
            a_probe_commits
        }
    };
    ($open:path => $($case:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::store::$case($open().await).await;
            }
        )+
    };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{MemoryStore, Store};

    async fn open() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    crate::store_conformance!(open);

    #[test]
    fn every_promise_is_a_line_of_the_macro() {
        let files = [
            include_str!("claim.rs"),
            include_str!("directory.rs"),
            include_str!("enqueue.rs"),
            include_str!("log.rs"),
            include_str!("receipt.rs"),
            include_str!("settle.rs"),
        ];
        let macro_lines = include_str!("mod.rs");
        let promises = files
            .iter()
            .flat_map(|file| file.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        for promise in promises {
            let line = format!("            {promise}\n");
            assert!(macro_lines.contains(&line), "{promise} is not in the macro");
        }
    }
}
