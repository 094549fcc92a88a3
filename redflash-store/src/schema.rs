//! The tables, as every back end has them.

diesel::table! {
    directory (id) { id -> Integer, version -> BigInt, }
}
diesel::table! {
    contacts (slug) { slug -> Text, name -> Text, enabled -> Bool, }
}
diesel::table! {
    endpoints (id) {
        id -> Text, contact -> Text, place -> Integer, channel -> Text, address -> Text, enabled -> Bool,
        opted_out -> Nullable<Text>,
    }
}
diesel::table! {
    groups (slug) { slug -> Text, name -> Text, enabled -> Bool, }
}
diesel::table! {
    group_contacts (group_slug, place) { group_slug -> Text, place -> Integer, contact -> Text, }
}
diesel::table! {
    events (slug) {
        slug -> Text, name -> Text, description -> Text, enabled -> Bool, subject -> Nullable<Text>,
        message -> Text, sender -> Nullable<Text>, missing_arguments -> Text,
    }
}
diesel::table! {
    event_contacts (event, place) { event -> Text, place -> Integer, contact -> Text, }
}
diesel::table! {
    event_groups (event, place) { event -> Text, place -> Integer, group_slug -> Text, }
}
diesel::table! {
    api_keys (slug) {
        slug -> Text, enabled -> Bool, inspect -> Bool, scope -> Text, hash -> Text, hint -> Text,
        created_at -> BigInt, admin -> Bool,
    }
}
diesel::table! {
    key_uses (key) { key -> Text, used_at -> BigInt, }
}
diesel::table! {
    users (slug) {
        slug -> Text, name -> Text, role -> Text, enabled -> Bool, subject -> Nullable<Text>,
        password -> Nullable<Text>, created_at -> BigInt, issuer -> Nullable<Text>,
    }
}
diesel::table! {
    sessions (hash) { hash -> Text, user_slug -> Text, started_at -> BigInt, seen_at -> BigInt, }
}
diesel::table! {
    changes (id) {
        id -> Text, made_at -> BigInt, actor -> Text, action -> Text, subject -> Text, detail -> Text,
    }
}
diesel::table! {
    notifications (id) {
        id -> Text, raised_at -> BigInt, raised_by -> Nullable<Text>, plan -> Text,
        arguments -> Nullable<Text>,
    }
}
diesel::table! {
    idempotency (raised_by, key) {
        raised_by -> Text, key -> Text, digest -> Text, notification -> Text, raised_at -> BigInt,
    }
}
diesel::table! {
    fan_outs (notification) { notification -> Text, unqueued -> Integer, }
}
diesel::table! {
    deliveries (id) {
        id -> Text, notification -> Text, contact -> Text, endpoint -> Text,
        channel -> Text, address -> Text, via -> Text, lane -> Text, raised_by -> Text,
        state -> Text, attempts -> Integer, due_at -> BigInt, first_attempt_at -> Nullable<BigInt>,
        gateway -> Nullable<Text>, message_id -> Nullable<Text>, parts -> Nullable<Integer>,
        price -> Nullable<Text>, detail -> Text, may_repeat -> Bool, worker -> Nullable<Text>,
        leased_until -> Nullable<BigInt>, claims -> Integer, refused_by -> Text,
        receipt_due_at -> Nullable<BigInt>, parts_delivered -> Text, lease_token -> Nullable<BigInt>,
    }
}
diesel::table! {
    attempts (delivery, number) {
        delivery -> Text, number -> Integer, gateway -> Nullable<Text>, started_at -> BigInt,
        ended_at -> BigInt, outcome -> Text, detail -> Text, may_repeat -> Bool,
    }
}
diesel::table! {
    early_receipts (id) {
        id -> Integer, gateway -> Text, delivery -> Nullable<Text>, message_id -> Nullable<Text>,
        state -> Text, of_part -> Bool, price -> Nullable<Text>, detail -> Text, received_at -> BigInt,
    }
}
diesel::table! {
    inbound (id) {
        id -> Text, gateway -> Text, channel -> Text, message_id -> Nullable<Text>, sender -> Text,
        body -> Text, received_at -> BigInt, answers -> Nullable<Text>, effect -> Text,
    }
}
diesel::table! {
    inbound_contacts (contact, inbound) { contact -> Text, inbound -> Text, }
}
diesel::table! {
    meters (meter, period) { meter -> Text, period -> Text, starts_at -> BigInt, used -> Integer, }
}
diesel::table! {
    alarms (subject) {
        subject -> Text, since -> BigInt, reason -> Text, next_try_at -> Nullable<BigInt>,
    }
}
diesel::table! {
    probe (id) { id -> Integer, probed_at -> BigInt, }
}

// Postgres only: what the nodes tell each other.
#[cfg(feature = "postgres")]
diesel::table! {
    closed_lanes (worker, gateway, lane) {
        worker -> Text, gateway -> Text, lane -> Text, closed_until -> BigInt,
    }
}

diesel::joinable!(event_contacts -> contacts (contact));
diesel::joinable!(event_groups -> groups (group_slug));
diesel::joinable!(group_contacts -> contacts (contact));
diesel::joinable!(inbound_contacts -> inbound (inbound));
diesel::allow_tables_to_appear_in_same_query!(api_keys, key_uses);
diesel::allow_tables_to_appear_in_same_query!(inbound, inbound_contacts);
diesel::allow_tables_to_appear_in_same_query!(attempts, deliveries, fan_outs, notifications);
diesel::allow_tables_to_appear_in_same_query!(
    contacts,
    event_contacts,
    event_groups,
    group_contacts,
    groups
);
