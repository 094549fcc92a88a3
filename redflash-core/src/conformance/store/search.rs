//! Promises of the log where no index helps.

use std::sync::Arc;

use super::fixture::{Alert, Opened, START, alert, at, enqueue, lease, limit, sent, slug, worker};
use crate::delivery::{DeliveryState, Settlement};
use crate::model::{Address, ChannelKind, NotificationId};
use crate::store::{LogFilter, LogPage};

fn all() -> LogFilter {
    LogFilter::newest(limit(100))
}

async fn page(store: &Opened, filter: &LogFilter) -> LogPage {
    store.log(filter).await.expect("read")
}

fn ids(page: &LogPage) -> Vec<NotificationId> {
    let entries = page.entries.iter();
    entries.map(|(notification, _)| notification.id).collect()
}

async fn found(store: &Opened, filter: LogFilter) -> Vec<NotificationId> {
    ids(&page(store, &filter).await)
}

/// Enqueues an alert whose first delivery is sent through a gateway; the others wait.
async fn with_one_sent(store: &Opened, alert: &Alert, through: &str) {
    let (me, now) = (worker(), alert.notification.raised_at);
    let mut leased = alert.deliveries.clone();
    leased[0].state = DeliveryState::Sending;
    let lease = lease(me, now);
    let order = crate::store::Enqueue {
        deliveries: &leased,
        lease: Some(&lease),
        ..alert.unleased()
    };
    store.enqueue(&order).await.expect("enqueued");
    let mut settlement: Settlement = sent(&alert.deliveries[0], "m", now);
    if let Some(attempt) = &mut settlement.attempt {
        attempt.gateway = Some(slug(through));
    }
    store.settle(me, &[settlement]).await.expect("settled");
}

/// The log is filtered by channel, gateway and target.
pub async fn log_is_filtered_by_channel_gateway_and_target(store: Opened) {
    let first = alert(2, "sms", None, at(0));
    with_one_sent(&store, &first, "one").await;
    let mut second = alert(2, "sms", None, at(1));
    second.deliveries[1].channel = ChannelKind::email();
    second.notification.plan.target = "event/crew".parse().expect("a target");
    with_one_sent(&store, &second, "two").await;
    let (first, second) = (first.notification.id, second.notification.id);

    let channel = |kind| LogFilter {
        channel: Some(kind),
        ..all()
    };
    assert_eq!(
        found(&store, channel(ChannelKind::sms())).await,
        [second, first]
    );
    assert_eq!(found(&store, channel(ChannelKind::email())).await, [second]);
    assert_eq!(found(&store, channel(ChannelKind::webhook())).await, []);
    let gateway = |called| LogFilter {
        gateway: Some(slug(called)),
        ..all()
    };
    assert_eq!(found(&store, gateway("one")).await, [first]);
    assert_eq!(found(&store, gateway("two")).await, [second]);
    assert_eq!(found(&store, gateway("three")).await, []);
    let target = |text: &str| LogFilter {
        target: Some(text.parse().expect("a target")),
        ..all()
    };
    assert_eq!(found(&store, target("group/crew")).await, [first]);
    assert_eq!(found(&store, target("event/crew")).await, [second]);
    assert_eq!(found(&store, target("contact/crew")).await, []);
    let both = LogFilter {
        gateway: Some(slug("two")),
        ..target("group/crew")
    };
    assert_eq!(found(&store, both).await, []);
}

/// The log is searched for a text in names, messages and recipients, literally, ignoring the case
/// of ASCII letters.
pub async fn log_is_searched_for_texts(store: Opened) {
    let mut odd = alert(1, "sms", None, at(0));
    odd.notification.plan.message.subject = "It's \"50%\" of_all".into();
    odd.notification.plan.message.body = "Überlauf \\ 容量 \u{1f525}".into();
    let address = Address::new("ops@Example.org").expect("an address");
    odd.notification.plan.recipients[0].endpoints[0].address = address;
    enqueue(&store, &odd, None).await;
    let odd = odd.notification.id;
    let plain = alert(1, "sms", None, at(1));
    enqueue(&store, &plain, None).await;
    let plain = plain.notification.id;

    let text = |text: &str| LogFilter {
        text: Some(text.to_owned()),
        ..all()
    };
    for there in [
        "50%",
        "OF_ALL",
        "it's",
        "\"50",
        "\\",
        "Überl",
        "容量",
        "EXAMPLE.ORG",
    ] {
        assert_eq!(found(&store, text(there)).await, [odd], "{there}");
    }
    for nowhere in ["5%0", "of%all", "5_%", "ofxall", "' OR 1=1", "überl", "\0"] {
        assert_eq!(found(&store, text(nowhere)).await, [], "{nowhere}");
    }
    for both in ["the CREW", "group/crew", "C0", "somebody", ""] {
        assert_eq!(found(&store, text(both)).await, [plain, odd], "{both}");
    }
    assert_eq!(found(&store, text("the disk IS full")).await, [plain]);
}

/// A search keeps to its time, from its beginning to just before its end.
pub async fn search_respects_its_time_range(store: Opened) {
    let mut raised = Vec::new();
    for seconds in 0..4 {
        let alert = alert(1, "sms", None, at(seconds));
        enqueue(&store, &alert, None).await;
        raised.push(alert.notification.id);
    }
    for text in [None, Some("disk".to_owned())] {
        let between = |since, until| LogFilter {
            since,
            until,
            text: text.clone(),
            ..all()
        };
        let middle = between(Some(at(1)), Some(at(3)));
        assert_eq!(found(&store, middle).await, [raised[2], raised[1]]);
        let early = between(None, Some(at(1)));
        assert_eq!(found(&store, early).await, [raised[0]]);
        assert_eq!(found(&store, between(None, Some(START))).await, []);
        assert_eq!(found(&store, between(Some(at(3)), Some(at(3)))).await, []);
        let until = between(None, Some(at(3)));
        let rest = LogFilter {
            before: Some(raised[2]),
            ..until
        };
        assert_eq!(found(&store, rest).await, [raised[1], raised[0]]);
    }
}

/// A search with pages of any size finds each entry once, in order, and ends.
pub async fn search_continues_where_it_stopped(store: Opened) {
    for seconds in 0..9 {
        let count = if seconds % 2 == 0 { 2 } else { 1 };
        let mut alert = alert(count, "sms", None, at(seconds));
        if seconds == 4 {
            alert.deliveries[1].contact = slug("c0");
        }
        if seconds % 3 == 0 {
            alert.notification.plan.message.body = "the fan is loud".into();
            with_one_sent(&store, &alert, "gw").await;
        } else {
            enqueue(&store, &alert, None).await;
        }
    }
    let filters = [
        all(),
        LogFilter {
            state: Some(DeliveryState::Sent),
            ..all()
        },
        LogFilter {
            state: Some(DeliveryState::Queued),
            text: Some("fan".into()),
            ..all()
        },
        LogFilter {
            contact: Some(slug("c0")),
            ..all()
        },
        LogFilter {
            state: Some(DeliveryState::Queued),
            contact: Some(slug("c1")),
            ..all()
        },
        LogFilter {
            contact: Some(slug("c1")),
            gateway: Some(slug("gw")),
            ..all()
        },
        LogFilter {
            text: Some("disk is".into()),
            since: Some(at(2)),
            until: Some(at(8)),
            ..all()
        },
    ];
    for (filter, expected) in filters.into_iter().zip([9, 3, 2, 9, 4, 2, 4]) {
        let whole = page(&store, &filter).await;
        assert_eq!(whole.next, None);
        assert_eq!(whole.entries.len(), expected, "{filter:?}");
        for size in [1, 2] {
            let mut rest = LogFilter {
                limit: limit(size),
                ..filter.clone()
            };
            let mut entries = Vec::new();
            for _ in 0..10 {
                let part = page(&store, &rest).await;
                assert!(part.entries.len() <= size as usize);
                entries.extend(part.entries);
                rest.before = part.next;
                if part.next.is_none() {
                    break;
                }
            }
            assert_eq!(rest.before, None, "{filter:?} does not end");
            assert_eq!(entries, whole.entries, "{filter:?}");
        }
    }
}

/// A search stops after a number of entries, whatever it has found, and continues from there.
pub async fn search_stops_after_a_bounded_number(store: Opened) {
    let most = LogFilter::LOOKED_THROUGH as usize;
    let mut alerts: Vec<_> = (0..=LogFilter::LOOKED_THROUGH)
        .map(|millis| {
            let now = START.plus(std::time::Duration::from_millis(millis.into()));
            alert(1, "sms", None, now)
        })
        .collect();
    alerts[0].notification.plan.message.body = "the fan is loud".into();
    let made: Vec<_> = alerts.iter().map(|alert| alert.notification.id).collect();
    let enqueued = alerts.into_iter().map(|alert| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { enqueue(&store, &alert, None).await })
    });
    for enqueued in enqueued.collect::<Vec<_>>() {
        enqueued.await.expect("enqueued");
    }
    for contact in [None, Some(slug("c0"))] {
        let fan = LogFilter {
            contact,
            text: Some("fan".into()),
            ..all()
        };
        let first = page(&store, &fan).await;
        assert_eq!(first.entries, []);
        assert_eq!(first.next, Some(made[1]));
        let rest = LogFilter {
            before: first.next,
            ..fan
        };
        let rest = page(&store, &rest).await;
        assert_eq!((ids(&rest), rest.next), (vec![made[0]], None));
    }
    // A filter with an index finds its entries at once.
    let waiting = LogFilter {
        state: Some(DeliveryState::Queued),
        limit: limit(u32::MAX),
        ..all()
    };
    assert_eq!(found(&store, waiting).await.len(), most + 1);
}
