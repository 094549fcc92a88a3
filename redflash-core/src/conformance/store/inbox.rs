//! Promises of inbound messages.

use super::fixture::{Opened, START, at, claim, limit, one, sent, slug, worker};
use crate::inbound::Inbound;
use crate::model::{Address, ChannelKind, InboundId};
use crate::store::InboundFilter;

fn inbound(message_id: Option<&str>, seconds: u64) -> Inbound {
    Inbound {
        id: InboundId::new(at(seconds)),
        gateway: slug("gw"),
        channel: ChannelKind::sms(),
        message_id: message_id.map(str::to_owned),
        from: Address::new("+447700900001").expect("an address"),
        text: "on my way \u{1f525} '); DROP TABLE inbound;--".into(),
        received_at: at(seconds),
        contacts: vec![slug("ann"), slug("bob")],
        answers: None,
        effect: "kept".into(),
    }
}

async fn record(store: &Opened, inbound: &Inbound) -> bool {
    store.record_inbound(inbound).await.expect("recorded")
}

fn all() -> InboundFilter {
    InboundFilter {
        contact: None,
        before: None,
        limit: limit(100),
    }
}

async fn list(store: &Opened, filter: &InboundFilter) -> Vec<Inbound> {
    store.inbound(filter).await.expect("it can be read")
}

/// An inbound message reads back as it was recorded.
pub async fn inbound_message_reads_back(store: Opened) {
    let message = inbound(Some("m1"), 0);
    let nobodys = Inbound {
        contacts: Vec::new(),
        ..inbound(None, 1)
    };
    assert!(record(&store, &message).await && record(&store, &nobodys).await);
    assert_eq!(list(&store, &all()).await, [nobodys, message]);
}

/// A message with an id is stored once, however often it comes. One without an id is stored each
/// time.
pub async fn repeated_inbound_message_is_stored_once(store: Opened) {
    assert!(!store.has_inbound(&slug("gw"), "m1").await.expect("read"));
    assert!(record(&store, &inbound(Some("m1"), 0)).await);
    assert!(!record(&store, &inbound(Some("m1"), 1)).await);
    assert!(store.has_inbound(&slug("gw"), "m1").await.expect("read"));
    let of_another = Inbound {
        gateway: slug("gw2"),
        ..inbound(Some("m1"), 2)
    };
    assert!(record(&store, &of_another).await);
    for seconds in [3, 4] {
        assert!(record(&store, &inbound(None, seconds)).await);
    }
    assert_eq!(list(&store, &all()).await.len(), 4);
}

/// Inbound messages are listed newest first, page by page, of all contacts or of one.
pub async fn inbound_messages_are_newest_first_and_paged(store: Opened) {
    let mut recorded = Vec::new();
    for seconds in 0..5 {
        let mut message = inbound(None, seconds);
        if seconds % 2 == 0 {
            message.contacts = vec![slug("cid")];
        }
        assert!(record(&store, &message).await);
        recorded.push(message);
    }
    recorded.reverse();
    let page = |before: Option<&Inbound>| InboundFilter {
        before: before.map(|inbound| inbound.id),
        limit: limit(3),
        ..all()
    };
    assert_eq!(list(&store, &page(None)).await, recorded[..3]);
    assert_eq!(list(&store, &page(recorded.get(2))).await, recorded[3..]);
    let of_cid = InboundFilter {
        contact: Some(slug("cid")),
        ..all()
    };
    let theirs: Vec<_> = recorded.iter().step_by(2).cloned().collect();
    assert_eq!(list(&store, &of_cid).await, theirs);
}

/// A delivery is found by its own id or by its gateway's id, and through no other gateway.
pub async fn delivery_is_found_by_its_gateways_id(store: Opened) {
    let alert = one(&store).await;
    let id = alert.deliveries[0].id;
    let me = worker();
    claim(&store, me, START, 1).await;
    let settlement = sent(&alert.deliveries[0], "m1", START);
    store.settle(me, &[settlement]).await.expect("settled");
    for (gateway, delivery, message_id, found) in [
        ("gw", Some(id), None, true),
        ("gw", None, Some("m1"), true),
        ("gw", None, Some("m2"), false),
        ("gw2", Some(id), None, false),
        ("gw2", None, Some("m1"), false),
        ("gw", None, None, false),
    ] {
        let known = store
            .delivery_of(&slug(gateway), delivery, message_id)
            .await;
        let known = known.expect("it can be read").map(|delivery| delivery.id);
        assert_eq!(
            known,
            found.then_some(id),
            "{gateway} {delivery:?} {message_id:?}"
        );
    }
}
