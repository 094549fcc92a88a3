//! Mail against a real Postfix: its refusals, its patience and its mailboxes.

use std::time::Duration;

use redflash_channels::smtp::{Smtp, SmtpConfig, SmtpTls};
use redflash_core::conformance::channel::message;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, Deferral, SendError};
use redflash_tests::Postfix;

/// The answers to RCPT, by recipient.
const ACCESS: &str = "smtpd_recipient_restrictions = check_recipient_access inline:{ \
    { full@example.org = 452 4.2.2 Mailbox full }, \
    { grey@example.org = 450 4.7.1 Greylisted }, \
    { busy@example.org = 421 4.3.2 Try later }, \
    { gone@example.org = 550 5.1.1 User unknown }, \
    { disabled@example.org = 550 5.2.1 Mailbox disabled }, \
    { blocked@example.org = 554 5.7.1 Blocked }, \
    { quota@example.org = 550 5.4.5 Daily quota exceeded }, \
    { ascii@example.org = 550 5.6.7 Needs SMTPUTF8 } }";

fn smtp(postfix: &Postfix, change: impl FnOnce(&mut SmtpConfig)) -> Smtp {
    let mut config = SmtpConfig::new("127.0.0.1", "RedFlash <alerts@example.net>");
    config.port = Some(postfix.port());
    config.tls = SmtpTls::None;
    config.timeout = Duration::from_secs(20);
    change(&mut config);
    Smtp::new(config).unwrap()
}

async fn send(smtp: &Smtp, to: &str) -> Result<Accepted, SendError> {
    smtp.send(&message(smtp, to)).await
}

/// The class of a failure, with the scope of a deferral.
fn class(result: &Result<Accepted, SendError>) -> String {
    match result {
        Ok(_) => "accepted".into(),
        Err(SendError::Deferred { scope, .. }) => match scope {
            Deferral::Recipient => "deferred recipient".into(),
            _ => "deferred message".into(),
        },
        Err(error) => error.class().into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn distinguishes_refused_recipients_from_refused_accounts() {
    let postfix = Postfix::start(&["ann"], &[ACCESS]).await;
    let smtp = smtp(&postfix, |_| {});
    for (to, expected, answer) in [
        ("full@example.org", "deferred recipient", "452 4.2.2"),
        ("grey@example.org", "deferred recipient", "450 4.7.1"),
        ("busy@example.org", "not handed over", "421 4.3.2"),
        ("gone@example.org", "invalid address", "550 5.1.1"),
        ("nobody@example.org", "invalid address", "550 5.1.1"),
        ("disabled@example.org", "invalid address", "550 5.2.1"),
        ("blocked@example.org", "refused", "554 5.7.1"),
        ("quota@example.org", "refused", "550 5.4.5"),
        ("elsewhere@example.com", "refused", "554 5.7.1"),
        ("ascii@example.org", "rejected", "550 5.6.7"),
        ("ann@example.org", "accepted", ""),
    ] {
        let result = send(&smtp, to).await;
        assert_eq!(class(&result), expected, "{to} {result:?}");
        if let Err(error) = result {
            assert!(error.detail().contains(answer), "{}", error.detail());
        }
    }
    let mails = postfix.expect("ann", 1).await;
    assert_eq!(mails[0].to, ["ann@example.org"]);
    assert_eq!(mails[0].from, "alerts@example.net");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_the_sender_stops_the_gateway_only_for_its_own_address() {
    let senders = "smtpd_sender_restrictions = check_sender_access inline:{ \
        { alerts@example.net = 553 5.7.1 Not your address }, \
        { backup@example.net = 550 5.1.8 Unknown domain } }";
    let postfix = Postfix::start(&["ann"], &["smtpd_delay_reject = no", senders]).await;
    let own = smtp(&postfix, |_| {});
    let result = send(&own, "ann@example.org").await;
    assert_eq!(class(&result), "account refused", "{result:?}");

    let other = smtp(&postfix, |config| config.from = "ops@example.net".into());
    let mut foreign = message(&other, "ann@example.org");
    foreign.sender = Some("Backups <backup@example.net>".into());
    let result = other.send(&foreign).await;
    assert_eq!(class(&result), "refused", "{result:?}");
    let result = send(&other, "ann@example.org").await;
    assert_eq!(class(&result), "accepted", "{result:?}");

    // By default Postfix puts off what it has against the sender until RCPT.
    let postfix = Postfix::start(&["ann"], &[senders]).await;
    for sender in ["alerts@example.net", "backup@example.net"] {
        let late = smtp(&postfix, |config| config.from = sender.into());
        let result = send(&late, "ann@example.org").await;
        assert_eq!(class(&result), "refused", "{sender} {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_accept_mail_by_ehlo_name() {
    let helo = "smtpd_helo_restrictions = reject_non_fqdn_helo_hostname";
    let postfix = Postfix::start(&["ann"], &[helo]).await;
    let short = smtp(&postfix, |config| config.ehlo_name = Some("box".into()));
    let result = send(&short, "ann@example.org").await;
    assert_eq!(class(&result), "refused", "{result:?}");
    assert!(result.unwrap_err().detail().contains("504 5.5.2"));

    let named = smtp(&postfix, |config| {
        config.ehlo_name = Some("alerts.example.net".into());
    });
    send(&named, "ann@example.org").await.unwrap();
    let mail = postfix.expect("ann", 1).await.remove(0);
    let received = mail.header("Received");
    assert!(
        received.starts_with("from alerts.example.net"),
        "{received}"
    );

    // Whatever this machine is called, the name that is derived has a dot.
    let derived = smtp(&postfix, |_| {});
    send(&derived, "ann@example.org").await.unwrap();
    let reason = derived.derived_settings().remove(0);
    assert!(reason.starts_with("the EHLO name is "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_errors_by_their_text() {
    let limits = [
        "message_size_limit = 4000",
        "header_checks = static:{REJECT Spam}",
    ];
    let postfix = Postfix::start(&["ann"], &limits[..1]).await;
    let small = smtp(&postfix, |_| {});
    let mut long = message(&small, "ann@example.org");
    long.body = "x".repeat(10_000);
    let result = small.send(&long).await;
    assert_eq!(class(&result), "rejected", "{result:?}");
    assert!(result.unwrap_err().detail().contains("552 5.3.4"));

    let postfix = Postfix::start(&["ann"], &limits[1..]).await;
    let result = send(&smtp(&postfix, |_| {}), "ann@example.org").await;
    assert_eq!(class(&result), "refused", "{result:?}");
    assert!(result.unwrap_err().detail().contains("550 5.7.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn renews_sessions_that_postfix_ends() {
    let postfix = Postfix::start(&["ann"], &["smtpd_timeout = 1s"]).await;
    let smtp = smtp(&postfix, |_| {});
    send(&smtp, "ann@example.org").await.unwrap();
    // It has sent `421 4.4.2 Error: timeout exceeded` on the idle connection.
    postfix.logs("timeout after").await;
    send(&smtp, "ann@example.org").await.unwrap();
    postfix.expect("ann", 2).await;
    assert_eq!(postfix.logged(": connect from"), 2);
}
