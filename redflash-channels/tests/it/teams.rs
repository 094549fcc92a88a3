//! Microsoft Teams against a simulated workflow.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, Vendor, class, refused_key};

/// The path and the query, with escapes that must stay as they are.
const HOOK: &str = "/workflows/4711/triggers/manual/paths/invoke\
    ?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=canary-teams_sig";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| json!({"type": "teams", "rooms": {"ops": format!("{base_url}{HOOK}")}}),
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let attachment = &body["attachments"][0];
            let card = &attachment["content"];
            let blocks = card["body"].as_array().map_or(&[][..], Vec::as_slice);
            let is_block = |block: &Value| {
                let runs = block["inlines"].as_array().map_or(&[][..], Vec::as_slice);
                let legal = |run: &Value| {
                    run["type"] == "TextRun" && run["text"].as_str().is_some_and(|t| !t.is_empty())
                };
                block["type"] == "RichTextBlock" && !runs.is_empty() && runs.iter().all(legal)
            };
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(request.path == HOOK, "the URL is called as it was given")
                .rule(
                    request.header("content-type") == "application/json",
                    "the body is JSON",
                )
                .rule(body["type"] == "message", "it is a message")
                .rule(
                    attachment["contentType"] == "application/vnd.microsoft.card.adaptive",
                    "it holds a card",
                )
                .rule(card["type"] == "AdaptiveCard", "the card is adaptive")
                .rule(
                    !blocks.is_empty() && blocks.iter().all(is_block),
                    "the card is of blocks of text that is no Markdown",
                )
                .rule(request.body.len() <= 28 * 1024, "the card has up to 28 KB")
                .faults()
        },
        refuse: |reason| error_reply(400, "TriggerInputSchemaMismatch", reason),
        accept: |_, _| Reply::status(202),
    },
    address: ("ops", " OPS "),
    not_addresses: &["#ops", "https://prod-1.westeurope.logic.azure.com/x", "a b"],
    secrets: &["canary-teams_sig"],
    reply: |behaviour| match behaviour {
        Behaviour::RefuseAccount => Some(Some(error_reply(
            401,
            "DirectApiAuthorizationRequired",
            "x",
        ))),
        _ => None,
    },
};

fn error_reply(status: u16, code: &str, message: &str) -> Reply {
    let answer = json!({"error": {"code": code, "message": message}});
    Reply::body(status, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("**Größe**\n\n[5](x)").await.unwrap();
    assert!(!accepted.delivered && accepted.message_id.is_none());
    assert_eq!(
        account.last().written(),
        "POST /workflows/4711/triggers/manual/paths/invoke\
         ?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=canary-teams_sig\n\
         content-type: application/json\n\n\
         {\"attachments\":[{\"content\":{\
         \"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\",\"body\":[\
         {\"inlines\":[{\"text\":\"Disk full\",\"type\":\"TextRun\",\"weight\":\"Bolder\"}],\
         \"spacing\":\"None\",\"type\":\"RichTextBlock\"},\
         {\"inlines\":[{\"text\":\"**Größe**\",\"type\":\"TextRun\",\"weight\":\"Default\"}],\
         \"spacing\":\"None\",\"type\":\"RichTextBlock\"},\
         {\"inlines\":[{\"text\":\" \",\"type\":\"TextRun\",\"weight\":\"Default\"}],\
         \"spacing\":\"None\",\"type\":\"RichTextBlock\"},\
         {\"inlines\":[{\"text\":\"[5](x)\",\"type\":\"TextRun\",\"weight\":\"Default\"}],\
         \"spacing\":\"None\",\"type\":\"RichTextBlock\"}],\
         \"type\":\"AdaptiveCard\",\"version\":\"1.4\"},\
         \"contentType\":\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null}],\
         \"type\":\"message\"}"
    );
    let mut message = account.message("hi");
    message.subject = String::new();
    account.channel().send(&message).await.unwrap();
    let body = account.last().json()["attachments"][0]["content"]["body"].clone();
    assert_eq!(body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn longest_text_fits_into_a_card() {
    let account = open().await;
    for text in [
        "丠".repeat(9000),
        "\"\n".repeat(5000),
        "\t\"\\\n".repeat(3000),
    ] {
        let accepted = account.send(&text).await.unwrap();
        assert!(accepted.detail.contains(", cut to"), "{}", accepted.detail);
        assert_eq!(account.simulator.faults(), [""; 0]);
    }
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, code, expected) in [
        (400, "TriggerInputSchemaMismatch", "rejected"),
        (400, "WorkflowTriggerIsNotEnabled", "unauthorized"),
        (401, "DirectApiAuthorizationRequired", "unauthorized"),
        (403, "AuthorizationFailed", "unauthorized"),
        (404, "WorkflowNotFound", "unauthorized"),
        (410, "", "unauthorized"),
        (413, "RequestEntityTooLarge", "rejected"),
        (429, "WorkflowRunActionThrottled", "recipient later"),
        (500, "InternalServerError", "message later"),
        (502, "NoResponse", "unknown"),
        (200, "", "unknown"),
    ] {
        let error = account.answered(error_reply(status, code, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status} {code}");
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"rooms": {}}), "rooms"),
        (json!({"rooms": {"ops": ""}}), "rooms.ops"),
        (json!({"rooms": {"ops": "mailto:canary"}}), "rooms.ops"),
    ] {
        assert_eq!(refused_key("teams", table.clone()), key, "{table}");
    }
}
