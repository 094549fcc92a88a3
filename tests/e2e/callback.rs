//! Receipts and replies, signed by the vendor.

mod installation;

use redflash_tests::Vonage;
use serde_json::json;

use self::installation::SECRET;
pub(crate) use self::installation::{OURS, Signed, seconds, signature};
use crate::world::state;

#[tokio::test(flavor = "multi_thread")]
async fn accepts_only_valid_signature() {
    let world = Signed::start().await;
    let delivery = world.sent().await;
    let (id, of) = (
        delivery["id"].as_str().unwrap(),
        delivery["notification"].as_str().unwrap(),
    );
    let fields = [
        ("client-ref", id),
        ("status", "delivered"),
        ("err-code", "0"),
    ];
    let ahead = seconds(3600).to_string();
    let late: Vec<_> = fields.into_iter().chain([("timestamp", &*ahead)]).collect();
    let late_signature = signature(&late);
    let wrong: [Vec<(&str, &str)>; 4] = [
        fields.to_vec(),
        fields.into_iter().chain([("sig", "v1,")]).collect(),
        fields
            .into_iter()
            .chain([("sig", "0123456789abcdef0123456789abcdef")])
            .collect(),
        late.into_iter()
            .chain([("sig", &*late_signature)])
            .collect(),
    ];
    for fields in wrong {
        for path in [
            "/ack/",
            "/ack",
            "/ack/vonage-uk",
            "/ack/vonage-uk/0123456789abcdef",
        ] {
            let answer = world.post(path, &fields).await;
            assert!(
                matches!(answer.status, 403 | 429),
                "{path} {fields:?} {answer:?}"
            );
        }
        assert_eq!(state(&world.delivery(of).await), "sent");
    }
    let answer = world.signed("/ack/", &fields).await.expect(200);
    assert_eq!(answer.body, "");
    let after = world.delivery(of).await;
    assert_eq!(state(&after), "delivered", "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_receipts_are_taken_and_change_nothing() {
    let world = Signed::start().await;
    let delivery = world.sent().await;
    let (id, of) = (
        delivery["id"].as_str().unwrap(),
        delivery["notification"].as_str().unwrap(),
    );
    let strange: [&[(&str, &str)]; 5] = [
        &[("client-ref", "abc"), ("err-code", "0")],
        &[("client-ref", id), ("err-code", "77"), ("status", "x")],
        &[
            ("client-ref", id),
            ("status", "accepted"),
            ("message-timestamp", "99999-01-01 00:00:00"),
        ],
        &[("client-ref", id), ("status", "accepted"), ("price", "NaN")],
        &[("client-ref", id), ("status", "accepted"), ("price", "-5")],
    ];
    for fields in strange {
        world.signed("/ack/", fields).await.expect(200);
        let after = world.delivery(of).await;
        assert_eq!(
            (state(&after), &after["price"]),
            ("sent", &delivery["price"])
        );
    }
    let arrived = [("client-ref", id), ("status", "delivered")];
    world.signed("/ack/vonage-two", &arrived).await.expect(200);
    assert_eq!(
        state(&world.delivery(of).await),
        "sent",
        "bound to its gateway"
    );
    let long = "a".repeat(1_048_576);
    let answer = world
        .signed("/ack/", &[("client-ref", id), ("x", &long)])
        .await;
    assert_eq!(answer.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn slows_down_forgeries_without_delaying_others() {
    let world = Signed::start().await;
    let mut seen = Vec::new();
    for _ in 0..200 {
        seen.push(world.post("/ack/", &[("status", "delivered")]).await.status);
    }
    assert_eq!(seen[0], 403);
    assert!(seen.contains(&429), "{seen:?}");
    assert!(seen.iter().all(|status| matches!(status, 403 | 429)));
    world.sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_kept_and_raise_the_event() {
    let world = Signed::start().await;
    let script = "<img src=x onerror=alert(1)>";
    let hi = [
        ("msisdn", "447900000001"),
        ("text", script),
        ("messageId", "m1"),
    ];
    for _ in 0..2 {
        let answer = world.signed("/inbound/", &hi).await.expect(200);
        assert_eq!(answer.body, "");
    }
    let alarm = world.hook.expect(1).await.remove(0);
    assert_eq!(
        alarm.form()["message"],
        format!("Ada (+447900000001) says {script}")
    );
    let inbound = world.inbound().await;
    assert_eq!(inbound.len(), 1, "the second is a repeat");
    assert_eq!(
        (&inbound[0]["text"], &inbound[0]["contacts"]),
        (&json!(script), &json!(["ada"]))
    );
    let table = world.site.run(["inbound", "--contact", "ada"]).await.stdout;
    assert!(
        table.contains(script) && table.contains("raised event/reply"),
        "{table}"
    );
    let long = "a".repeat(100_000);
    let strange: [&[(&str, &str)]; 6] = [
        &[("msisdn", "15005550006"), ("text", "hi")],
        &[("msisdn", "447900000001")],
        &[("msisdn", OURS), ("text", "hi")],
        &[("msisdn", "'; DROP TABLE contact;--"), ("text", "hi")],
        &[
            ("msisdn", "447900000001"),
            ("text", "b"),
            ("concat-ref", "7"),
            ("concat-part", "1"),
            ("concat-total", "1000000"),
        ],
        &[("msisdn", "447900000001"), ("text", &long)],
    ];
    for fields in strange {
        world.signed("/inbound/", fields).await.expect(200);
    }
    let inbound = world.inbound().await;
    let effect = |from: &str| {
        let found = inbound.iter().find(|message| message["from"] == from);
        found.unwrap_or_else(|| panic!("nothing of {from} in {inbound:?}"))["effect"].clone()
    };
    assert_eq!(
        effect("+15005550006"),
        "nothing: no contact has this address"
    );
    assert_eq!(
        effect("'; DROP TABLE contact;--"),
        "nothing: no contact has this address"
    );
    assert_eq!(
        effect(&format!("+{OURS}")),
        "nothing: the message came from our own number"
    );
    let text = inbound[0]["text"].as_str().unwrap();
    assert!(
        text.len() <= 4096 && text.ends_with("a […]"),
        "{}",
        text.len()
    );
    // Unsigned, none of it would have come.
    world.post("/inbound/", &hi).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_switches_address_off_and_raises_alarm() {
    let world = Signed::start().await;
    let stop = [("msisdn", "447900000001"), ("text", "Stop")];
    world.signed("/inbound/vonage-uk", &stop).await.expect(200);
    let shown = world.site.run(["contact", "show", "ada"]).await.stdout;
    assert!(shown.contains("off: answered Stop to vonage-uk"), "{shown}");
    let alarm = world.hook.expect(1).await.remove(0).form()["message"].clone();
    assert!(
        alarm.starts_with("RedFlash: ada opted out of messages to +447900000001"),
        "{alarm}"
    );
    let refused = world
        .client
        .raise("contact/ada", &world.key, &[("message", "hi")])
        .await;
    assert_eq!((refused.status, &*refused.code()), (500, "no_recipients"));
    let start = [("msisdn", "447900000001"), ("text", "START")];
    world.signed("/inbound/vonage-uk", &start).await.expect(200);
    world.sent().await;
    assert_eq!(world.sms.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn falls_back_and_raises_alarm_without_credit() {
    let world = Signed::start().await;
    world.sms.once(Vonage::status(9));
    let delivery = world.sent().await;
    assert_eq!(delivery["gateway"], "vonage-two");
    let attempts = delivery["attempts_made"].as_array().unwrap();
    assert!(
        attempts[0]["detail"].as_str().unwrap().contains("status 9"),
        "{delivery}"
    );
    assert_eq!(world.other.received().len(), 1);
    let alarm = world.hook.expect(1).await.remove(0).form()["message"].clone();
    assert!(
        alarm.starts_with("RedFlash: gateway vonage-uk has stopped:"),
        "{alarm}"
    );
    assert!(
        alarm.ends_with("Its messages go through vonage-two."),
        "{alarm}"
    );
    let list = world.site.run(["gateway", "list"]).await.stdout;
    let line = list
        .lines()
        .find(|line| line.contains("vonage-uk"))
        .unwrap();
    assert!(line.contains("stopped"), "{list}");
    let doctor = world.site.run(["doctor"]).await.stdout;
    assert!(doctor.contains("vonage-uk is stopped"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_gateway_and_waits_for_receipt() {
    let world = Signed::start().await;
    let to = [
        "gateway",
        "test",
        "vonage-two",
        "--to",
        "+447900000002",
        "--json",
    ];
    let trial = world.site.cli(to).argument("--wait").argument("20s");
    let receive = async {
        let sent = world.other.expect(1).await.remove(0).form();
        assert_eq!(sent["to"], "447900000002");
        let fields = [
            ("client-ref", &*sent["client-ref"]),
            ("status", "delivered"),
        ];
        world.signed("/ack/vonage-two", &fields).await.expect(200);
    };
    let (output, ()) = tokio::join!(trial.run(), receive);
    let trial = output.succeeded().json();
    assert_eq!(trial["class"], "accepted");
    assert_eq!(trial["receipt"], "delivered: delivered");
    let shown = world
        .site
        .run(["log", trial["notification"].as_str().unwrap()])
        .await
        .stdout;
    assert!(shown.contains("Test of vonage-two"), "{shown}");

    world.other.once(Vonage::status(4));
    let output = world.site.cli(to).run().await.exited(1);
    assert_eq!(output.json()["class"], "account refused");
    let output = world
        .site
        .cli(["gateway", "test", "nobody", "--to", "x"])
        .run()
        .await;
    assert!(output.exited(4).stderr.contains("redflash gateway list"));
    let show = world
        .site
        .run(["gateway", "show", "vonage-two"])
        .await
        .stdout;
    assert!(
        show.contains("/ack/vonage-two") && !show.contains(SECRET),
        "{show}"
    );
}
