//! Vonage against a simulated account that checks each request by the vendor's rules.

use std::net::TcpListener;
use std::sync::Mutex;

use async_trait::async_trait;
use redflash_channels::configure;
use redflash_core::conformance::channel::{Behaviour, Fixture, message};
use redflash_core::{Accepted, Channel, Gateway};
use redflash_tests::{Reply, Vonage};
use serde_json::json;

struct Account {
    vonage: Vonage,
    gateway: Gateway,
    gone: Gateway,
    is_gone: Mutex<bool>,
}

fn gateway(base_url: &str) -> Gateway {
    let serde_json::Value::Object(settings) = json!({
        "name": "vonage-uk", "type": "nexmo", "base_url": base_url, "timeout": "2s",
        "api_key": Vonage::API_KEY, "api_secret": Vonage::API_SECRET, "from": "RedFlash",
    }) else {
        unreachable!("it is an object")
    };
    configure(settings).unwrap().gateway
}

async fn open() -> Account {
    let vonage = Vonage::start().await;
    let nowhere = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    Account {
        gateway: gateway(&format!("http://{}", vonage.address())),
        gone: gateway(&format!("http://{nowhere}")),
        is_gone: Mutex::new(false),
        vonage,
    }
}

#[async_trait]
impl Fixture for Account {
    fn channel(&self) -> &dyn Channel {
        let gone = *self.is_gone.lock().unwrap();
        if gone {
            &*self.gone.channel
        } else {
            &*self.gateway.channel
        }
    }

    fn address(&self) -> (String, String) {
        ("+447700900001".into(), "0044 7700 900-001".into())
    }

    fn not_addresses(&self) -> Vec<String> {
        ["07700900001", "+44", "ann", "+44770090000112345"]
            .map(str::to_owned)
            .to_vec()
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        match behaviour {
            Behaviour::Accept => {}
            Behaviour::Reject => self.vonage.once_status(15),
            Behaviour::RefuseAccount => self.vonage.once_status(4),
            Behaviour::Throttle(None) => self.vonage.once_status(1),
            Behaviour::Throttle(Some(seconds)) => {
                let busy = Reply::status(429).with("Retry-After", &seconds.to_string());
                self.vonage.once(busy);
            }
            Behaviour::Fail => self.vonage.once_status(5),
            Behaviour::Hang => self.vonage.once(Reply::Hang),
            Behaviour::Drop => self.vonage.once(Reply::Drop),
            Behaviour::Garbage => self.vonage.once(Reply::body(200, "<html>welcome</html>")),
            Behaviour::Endless => self.vonage.once(Reply::Endless(200)),
            Behaviour::Gone => *self.is_gone.lock().unwrap() = true,
        }
        true
    }

    async fn messages(&self) -> usize {
        self.vonage.received().len()
    }

    fn secrets(&self) -> Vec<String> {
        vec![Vonage::API_SECRET.into()]
    }
}

redflash_core::channel_conformance!(open);

async fn send(account: &Account, body: &str, sender: Option<&str>) -> Accepted {
    let channel = &*account.gateway.channel;
    let mut message = message(channel, "+447700900001");
    message.body = body.into();
    message.sender = sender.map(str::to_owned);
    channel.send(&message).await.unwrap()
}

#[tokio::test]
async fn the_request_keeps_to_the_vendors_rules() {
    let account = open().await;
    let accepted = send(&account, "Größe > 5 €", None).await;
    assert_eq!(account.vonage.faults(), [""; 0]);
    assert_eq!(accepted.price.unwrap().as_str(), Vonage::PRICE);
    assert!(accepted.message_id.is_some() && !accepted.delivered);
    let form = account.vonage.received().remove(0).form();
    assert_eq!(form["to"], "447700900001");
    assert_eq!(form["from"], "RedFlash");
    assert_eq!(form["text"], "Größe > 5 €");
    assert_eq!(form["type"], "text");
    assert_eq!(form["client-ref"].len(), 32);
}

#[tokio::test]
async fn a_sender_that_cannot_be_is_not_asked_for() {
    let account = open().await;
    for (wanted, used) in [
        ("Backups", "Backups"),
        ("+44", "RedFlash"),
        ("447700900999", "447700900999"),
    ] {
        send(&account, "hi", Some(wanted)).await;
        let form = account.vonage.received().pop().unwrap().form();
        assert_eq!(form["from"], used);
    }
}

#[tokio::test]
async fn a_very_long_text_loses_its_end_and_says_so() {
    let account = open().await;
    let accepted = send(&account, &"a".repeat(2000), None).await;
    assert_eq!(accepted.parts, 6);
    assert_eq!(accepted.detail, "cut to 6 of 14 parts");
    assert_eq!(account.vonage.faults(), [""; 0]);
}
