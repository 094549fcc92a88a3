//! Vonage against a simulated account that checks each request by the vendor's rules.

use redflash_core::Accepted;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{VONAGE, Vonage};
use serde_json::json;

use crate::vendor::{Account, Vendor};

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "nexmo", "base_url": base_url, "from": "RedFlash",
            "api_key": Vonage::API_KEY, "api_secret": Vonage::API_SECRET,
        })
    },
    rules: VONAGE,
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+44770090000112345"],
    secrets: &[Vonage::API_SECRET],
    reply: |behaviour| {
        Some(Some(Vonage::status(match behaviour {
            Behaviour::Reject => 3,
            Behaviour::RefuseAccount => 4,
            Behaviour::Throttle(None) => 1,
            Behaviour::Fail => 5,
            _ => return None,
        })))
    },
};

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

async fn send(account: &Account, body: &str) -> Accepted {
    account.send(body).await.unwrap()
}

#[tokio::test]
async fn the_request_keeps_to_the_vendors_rules() {
    let account = open().await;
    let accepted = send(&account, "Größe > 5 €").await;
    assert_eq!(accepted.price.unwrap().as_str(), Vonage::PRICE);
    assert!(accepted.message_id.is_some() && !accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /sms/json\n\
         content-type: application/x-www-form-urlencoded\n\n\
         api_key=a1b2c3d4&api_secret=canary-vonage-5EcRe7&from=RedFlash&to=447700900001\
         &text=Gr%C3%B6%C3%9Fe+%3E+5+%E2%82%AC&type=text\
         &client-ref=019f4a2b6c007d3e8f50617283000001"
    );
}

#[tokio::test]
async fn an_event_may_name_its_own_sender() {
    let account = open().await;
    for sender in ["Backups", "447700900999"] {
        account.channel().check_sender(sender).unwrap();
        let mut message = account.message("hi");
        message.sender = Some(sender.into());
        account.channel().send(&message).await.unwrap();
        assert_eq!(account.last().form()["from"], sender);
    }
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn a_very_long_text_loses_its_end_and_says_so() {
    let account = open().await;
    let accepted = send(&account, &"a".repeat(2000)).await;
    assert_eq!(accepted.parts, 6);
    assert_eq!(accepted.detail, "cut to 6 of 14 parts");
    assert_eq!(account.simulator.faults(), [""; 0]);
}
