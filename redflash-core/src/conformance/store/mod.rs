//! The promises of a [`Store`](crate::store::Store), as tests.
//!
//! ```ignore
//! async fn open() -> Arc<dyn Store> { Arc::new(MyStore::open()) }
//! redflash_core::store_conformance!(open);
//! ```
//!
//! Each promise gets a store of its own. A store that needs a directory may leak it, or keep it in
//! itself.

mod audit;
mod claim;
mod directory;
mod edit;
mod enqueue;
mod fan_out;
mod fixture;
mod inbox;
mod lease;
mod log;
mod meter;
mod overdue;
mod receipt;
mod recent;
mod search;
mod session;
mod settle;

pub use audit::*;
pub use claim::*;
pub use directory::*;
pub use edit::*;
pub use enqueue::*;
pub use fan_out::*;
pub use fixture::{alert_of, sent_of};
pub use inbox::*;
pub use lease::*;
pub use log::*;
pub use meter::*;
pub use overdue::*;
pub use receipt::*;
pub use recent::*;
pub use search::*;
pub use session::*;
pub use settle::*;

/// Generates one test of every promise of a store.
///
/// * `open` - the path of an `async fn() -> Arc<dyn Store>` that opens an empty store.
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance! { $open =>
            saved_entries_read_back_equal
            endpoint_keeps_its_id
            taken_slug_is_a_conflict
            rejects_changes_of_missing_entries
            rejects_dangling_references
            saving_is_all_or_nothing
            removal_clears_groups_and_events
            every_change_changes_the_version
            address_is_opted_out_and_in_again
            view_holds_all_contacts_of_a_target
            keys_are_found_by_their_hash
            outdated_edit_changes_nothing
            one_of_many_edits_for_one_version_is_applied
            edit_is_all_or_nothing
            steps_are_applied_in_order
            rejects_removal_of_missing_entries
            enqueued_notification_reads_back
            arguments_are_stored_once_and_claimed
            address_reads_back_with_its_password
            equal_requests_are_recorded_once
            idempotency_keys_belong_to_an_api_key
            idempotency_key_is_found_without_recording
            idempotency_keys_are_forgotten_after_a_day
            one_of_many_equal_requests_is_new
            outdated_plan_is_not_recorded
            some_deliveries_are_leased_at_birth
            notification_is_recorded_in_pieces
            one_of_two_processes_records_a_piece
            pruning_keeps_partly_recorded_notifications
            equal_request_finds_a_partly_recorded_alert
            outdated_plan_leaves_nothing_to_record
            claims_are_exclusive
            claims_respect_time_order_and_limit
            claims_respect_their_queue
            due_queues_have_their_earliest_time
            delivery_leased_at_birth_is_not_claimed
            expired_lease_returns_the_delivery
            leases_of_other_workers_are_taken_back
            delivery_without_any_outcome_is_quarantined
            settlement_of_an_earlier_grant_is_lost
            renewed_lease_lasts_longer
            renewal_reports_lost_leases
            running_delivery_is_not_taken_back
            success_is_recorded
            arrival_is_recorded
            failure_waits_for_its_time
            unknown_outcome_is_remembered
            giving_up_and_cancelling_are_final
            unroutable_delivery_tries_another_gateway
            returned_lease_uses_up_no_attempt
            lost_lease_changes_only_the_log
            late_success_cancels_the_repeat
            answer_with_odd_characters_is_recorded
            repeated_settlement_changes_nothing
            many_settlements_are_answered_in_order
            receipt_only_moves_a_delivery_forward
            receipt_may_precede_the_outcome
            receipt_may_have_only_the_gateways_id
            receipt_of_another_gateway_changes_nothing
            receipt_cancels_the_repeat
            early_receipt_counts_after_any_outcome
            receipt_settles_a_delivery_taken_back
            delivery_taken_back_is_marked_until_its_next_attempt
            late_arrival_ends_a_cancelled_delivery
            receipt_for_one_part_counts_for_no_other
            message_arrives_when_all_its_parts_have
            message_with_a_failed_part_has_failed
            missing_receipt_tries_another_gateway
            receipt_in_time_ends_the_wait
            attempted_delivery_is_given_up_in_time
            unattempted_delivery_is_given_up_in_time
            only_queued_deliveries_are_given_up
            end_without_an_attempt_has_a_time
            future_deliveries_follow_the_clock
            leases_follow_the_clock_of_their_worker
            receipts_follow_the_clock
            deliveries_too_far_ahead_are_brought_forward
            queued_deliveries_are_counted_by_lane
            failed_deliveries_can_be_resent
            one_delivery_can_be_resent_alone
            log_is_newest_first_and_paged
            log_is_filtered
            log_is_filtered_by_channel_gateway_and_target
            log_is_searched_for_texts
            search_respects_its_time_range
            search_continues_where_it_stopped
            search_stops_after_a_bounded_number
            recent_alerts_are_counted
            attempts_cut_off_by_a_crash_are_counted
            only_the_newest_deliveries_are_counted
            only_the_newest_attempts_are_counted
            backlog_counts_waiting_deliveries
            pruning_keeps_unfinished_notifications
            probe_commits
            inbound_message_reads_back
            repeated_inbound_message_is_stored_once
            inbound_messages_are_newest_first_and_paged
            delivery_is_found_by_its_gateways_id
            meter_counts_up_to_its_limit
            usage_can_be_read
            refund_can_be_spent_again
            meters_reset_in_each_window
            pruning_keeps_counts_of_running_windows
            concurrent_spending_stops_at_the_limit
            alarm_starts_once_and_ends_once
            alarm_has_the_time_of_the_next_try
            saved_users_read_back_equal
            session_lasts_until_it_is_ended
            session_needs_its_user
            sessions_end_with_their_credentials
            refused_edit_ends_no_session
            other_sessions_of_a_user_are_ended
            old_and_idle_sessions_are_pruned
            audit_entries_are_newest_first_and_paged
            audit_entries_are_found_by_subject_and_actor
            audit_entries_keep_odd_characters
            old_audit_entries_are_pruned_oldest_first
            last_use_of_a_key_only_moves_forward
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

    use crate::store::{MemoryStore, Store};

    async fn open() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    crate::store_conformance!(open);

    #[test]
    fn macro_lists_every_promise() {
        let files = [
            include_str!("audit.rs"),
            include_str!("claim.rs"),
            include_str!("directory.rs"),
            include_str!("edit.rs"),
            include_str!("enqueue.rs"),
            include_str!("fan_out.rs"),
            include_str!("inbox.rs"),
            include_str!("lease.rs"),
            include_str!("log.rs"),
            include_str!("meter.rs"),
            include_str!("overdue.rs"),
            include_str!("receipt.rs"),
            include_str!("recent.rs"),
            include_str!("search.rs"),
            include_str!("session.rs"),
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
