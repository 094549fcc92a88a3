//! The promises of a [`Store`](crate::Store), as tests.
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
            entities_read_back_as_they_were_saved
            an_endpoint_keeps_its_id
            a_taken_slug_is_a_conflict
            changing_what_is_not_there_is_refused
            what_names_something_unknown_is_refused
            saving_is_all_or_nothing
            removing_leaves_no_trace_in_groups_and_events
            every_change_changes_the_version
            an_address_is_opted_out_and_in_again
            a_view_holds_everybody_behind_a_target
            keys_are_found_by_their_hash
            an_outdated_edit_changes_nothing
            of_many_edits_for_one_version_one_is_done
            an_edit_is_all_or_nothing
            steps_are_done_in_their_order
            removing_what_is_not_there_is_refused
            an_enqueued_notification_reads_back
            arguments_are_stored_once_and_claimed
            an_address_reads_back_with_its_password
            equal_requests_are_recorded_once
            idempotency_keys_belong_to_an_api_key
            what_was_promised_is_found_without_recording_anything
            idempotency_keys_are_forgotten_after_a_day
            of_many_equal_requests_one_is_new
            an_outdated_plan_is_not_recorded
            some_may_be_born_leased
            a_notification_is_recorded_in_pieces
            of_two_who_go_on_one_records_a_piece
            pruning_keeps_what_is_recorded_in_part
            an_equal_request_finds_what_is_recorded_in_part
            an_outdated_plan_leaves_nothing_to_be_recorded
            claims_are_exclusive
            claims_keep_to_time_order_and_limit
            claims_keep_to_their_queue
            due_queues_say_when_their_first_is_due
            what_is_born_leased_is_not_claimed
            an_ended_lease_returns_the_delivery
            another_workers_leases_are_taken_back
            what_never_has_an_outcome_is_quarantined
            an_earlier_grants_settlement_is_lost
            a_renewed_lease_lasts_longer
            renewing_reports_what_was_lost
            what_still_runs_is_not_taken_back
            a_success_is_recorded
            an_arrival_is_recorded
            a_failure_waits_for_its_time
            an_unknown_outcome_is_remembered
            giving_up_and_cancelling_are_final
            what_a_gateway_cannot_reach_goes_elsewhere
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
            an_early_receipt_counts_after_any_outcome
            a_receipt_settles_what_was_taken_back
            what_was_taken_back_says_so_until_it_is_tried_again
            a_late_arrival_ends_what_waited_in_vain
            a_receipt_for_one_part_speaks_for_no_other
            a_message_in_parts_arrives_when_all_have
            a_message_with_a_failed_part_has_failed
            a_missing_receipt_sends_elsewhere
            a_receipt_in_time_ends_the_waiting
            what_was_attempted_is_given_up_in_time
            what_was_never_attempted_is_given_up_in_time
            only_what_waits_is_given_up
            an_end_without_an_attempt_has_its_time
            what_was_not_due_yet_follows_the_clock
            leases_follow_the_clock_of_their_worker
            receipts_follow_the_clock
            what_lies_too_far_ahead_is_brought_forward
            what_waits_is_counted_by_lane
            what_ended_badly_can_be_resent
            one_delivery_can_be_resent_alone
            the_log_is_newest_first_and_pages
            the_log_filters
            the_log_finds_channels_gateways_and_targets
            the_log_finds_texts
            a_search_keeps_to_its_time
            a_search_goes_on_where_it_stopped
            a_search_stops_after_so_many
            what_was_raised_lately_is_counted
            what_a_crash_left_behind_is_counted
            only_the_newest_deliveries_are_counted
            only_the_newest_attempts_are_counted
            the_backlog_counts_what_waits
            pruning_keeps_what_is_not_finished
            a_probe_commits
            an_inbound_message_reads_back
            a_repeated_inbound_message_is_stored_once
            inbound_messages_are_newest_first_and_page
            a_delivery_is_found_by_what_its_gateway_calls_it
            a_meter_counts_up_to_its_limit
            what_is_used_can_be_read
            what_is_refunded_can_be_spent_again
            meters_begin_anew_in_each_window
            pruning_keeps_the_count_of_running_windows
            of_many_at_once_as_many_are_counted_as_there_is_room_for
            an_alarm_starts_once_and_ends_once
            an_alarm_says_when_the_next_try_is
            users_read_back_as_they_were_saved
            a_session_lasts_until_it_is_ended
            a_session_needs_its_user
            sessions_end_with_what_they_rest_on
            a_refused_edit_ends_no_session
            the_other_sessions_of_a_user_are_ended
            old_and_idle_sessions_are_pruned
            changes_are_newest_first_and_page
            changes_are_found_by_subject_and_actor
            odd_changes_are_recorded
            old_changes_are_pruned_oldest_first
            the_last_use_of_a_key_only_moves_forward
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
