//! The stores: the suite on each, and what is particular to them.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

#[cfg(feature = "sqlite")]
mod child;
#[cfg(feature = "sqlite")]
mod closing;
#[cfg(feature = "postgres")]
mod dispatcher;
mod fan_out;
#[cfg(feature = "sqlite")]
mod file;
#[cfg(feature = "sqlite")]
mod fork;
#[cfg(feature = "sqlite")]
mod lock;
#[cfg(feature = "postgres")]
mod server;
mod stored_words;
mod unreadable;

/// Checks that the rows of `first.sql` can be read and used.
async fn keeps_rows_of_the_first_version(store: &impl redflash_core::store::Store) {
    use redflash_core::clock::Timestamp;
    use redflash_core::delivery::DeliveryState;
    use redflash_core::model::Slug;

    let contact = store.contact(&Slug::parse("ann").unwrap()).await.unwrap();
    let endpoint = contact.unwrap().endpoints.remove(0);
    assert!(endpoint.enabled && endpoint.opted_out.is_none());
    let gateway = Slug::parse("gw").unwrap();
    let of_gateway = async || {
        let found = store.delivery_of(&gateway, None, Some("m1")).await;
        found.unwrap().unwrap()
    };
    let delivery = of_gateway().await;
    assert!(delivery.refused_by.is_empty() && delivery.receipt_due_at.is_none());
    let now = Timestamp::from_millis(1);
    assert_eq!(
        store
            .resend(delivery.notification, None, now)
            .await
            .unwrap(),
        1
    );
    assert_eq!(of_gateway().await.state, DeliveryState::Queued);
}
