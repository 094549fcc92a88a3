//! Mail against a scripted server.

use std::net::TcpListener;
use std::sync::Mutex;

use async_trait::async_trait;
use redflash_channels::smtp::{Smtp, SmtpConfig, SmtpTls as Tls};
use redflash_core::conformance::channel::{Behaviour, Fixture, message};
use redflash_core::gateway::Channel;
use redflash_core::message::{Deferral, SendError};
use redflash_tests::{Authority, MailSink, SmtpFault, SmtpTls};

const LOGIN: (&str, &str) = ("alerts", "canary-smtp-p4ss");

struct Post {
    sink: MailSink,
    /// With the right password, with a wrong one, and to where nothing listens.
    channels: [Smtp; 3],
    chosen: Mutex<usize>,
}

fn smtp(port: u16, password: &str) -> Smtp {
    let mut config = SmtpConfig::new("127.0.0.1", "RedFlash <alerts@example.org>");
    config.port = Some(port);
    config.tls = Tls::None;
    config.username = Some(LOGIN.0.into());
    config.password = Some(password.into());
    config.timeout = std::time::Duration::from_secs(2);
    Smtp::new(config).unwrap()
}

async fn open() -> Post {
    let sink = MailSink::start(SmtpTls::None, None, Some(LOGIN)).await;
    let nowhere = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let channels = [
        smtp(sink.port(), LOGIN.1),
        smtp(sink.port(), "canary-wrong"),
        smtp(nowhere.port(), LOGIN.1),
    ];
    Post {
        sink,
        channels,
        chosen: Mutex::new(0),
    }
}

#[async_trait]
impl Fixture for Post {
    fn channel(&self) -> &dyn Channel {
        &self.channels[*self.chosen.lock().unwrap()]
    }

    fn address(&self) -> (String, String) {
        ("ann@example.org".into(), " ann@EXAMPLE.org ".into())
    }

    fn not_addresses(&self) -> Vec<String> {
        ["ann", "a@x.org,b@y.org", "a@x.org\r\nBcc: e@x.org"]
            .map(str::to_owned)
            .to_vec()
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        match behaviour {
            Behaviour::Accept => {}
            Behaviour::Reject => self
                .sink
                .once(SmtpFault::Recipient("550 5.1.1 no such user")),
            Behaviour::RefuseAccount => *self.chosen.lock().unwrap() = 1,
            // SMTP knows no such answer.
            Behaviour::Throttle(_) | Behaviour::Endless => return false,
            Behaviour::Fail => self.sink.once(SmtpFault::Data("451 4.3.0 try later")),
            Behaviour::Hang => self.sink.once(SmtpFault::HangAfterData),
            Behaviour::Drop => self.sink.once(SmtpFault::DropAfterData),
            Behaviour::Garbage => self.sink.once(SmtpFault::Data("HTTP/1.1 200 OK")),
            Behaviour::Gone => *self.chosen.lock().unwrap() = 2,
        }
        true
    }

    async fn messages(&self) -> usize {
        self.sink.mails().len()
    }

    fn secrets(&self) -> Vec<String> {
        vec![LOGIN.1.into(), "canary-wrong".into()]
    }
}

redflash_core::channel_conformance!(open);

/// Sends one mail to a server with a scripted failure.
async fn after(error: SmtpFault) -> Result<(), SendError> {
    let post = open().await;
    post.sink.once(error);
    send(&post.channels[0]).await
}

async fn send(smtp: &Smtp) -> Result<(), SendError> {
    smtp.send(&message(smtp, "ann@example.org")).await.map(drop)
}

#[tokio::test]
async fn maps_failures_by_stage() {
    for early in [SmtpFault::Greeting("421 4.3.2 try later"), SmtpFault::Hang] {
        let result = after(early.clone()).await;
        assert!(
            matches!(result, Err(SendError::Unreachable(_))),
            "{early:?} {result:?}"
        );
    }
    let result = after(SmtpFault::Greeting("554 5.7.1 not from you")).await;
    assert!(
        matches!(result, Err(SendError::Unauthorized { .. })),
        "{result:?}"
    );
    let result = after(SmtpFault::Recipient("452 4.2.2 mailbox full")).await;
    let Err(SendError::Deferred { scope, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(scope, Deferral::Recipient);
    let result = after(SmtpFault::Recipient("554 5.7.1 blocked")).await;
    assert!(
        matches!(result, Err(SendError::Refused { .. })),
        "{result:?}"
    );
    let result = after(SmtpFault::Data("552 5.2.3 too large")).await;
    assert!(
        matches!(result, Err(SendError::Rejected { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn sends_mail_over_tls_with_the_configured_ca_file() {
    let authority = Authority::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &authority.certificate).unwrap();
    for (theirs, ours) in [
        (SmtpTls::Implicit, Tls::Tls),
        (SmtpTls::StartTls, Tls::Starttls),
    ] {
        let sink = MailSink::start(theirs, Some(&authority), Some(LOGIN)).await;
        let mut config = SmtpConfig::new("localhost", "alerts@example.org");
        config.port = Some(sink.port());
        config.tls = ours;
        config.username = Some(LOGIN.0.into());
        config.password = Some(LOGIN.1.into());
        config.ca_file = Some(file.path().into());
        let trusting = Smtp::new(config.clone()).unwrap();
        config.ca_file = None;
        let wary = Smtp::new(config).unwrap();

        let refused = send(&wary).await.unwrap_err();
        assert!(matches!(refused, SendError::Unreachable(_)), "{refused:?}");
        assert!(
            refused.detail().contains("certificate"),
            "{}",
            refused.detail()
        );
        send(&trusting).await.unwrap();
        let mail = sink.mails().remove(0);
        assert!(mail.tls);
        assert_eq!(mail.to, ["ann@example.org"]);
    }
}

#[tokio::test]
async fn reuses_connections_and_replaces_closed_ones() {
    let post = open().await;
    for _ in 0..3 {
        send(&post.channels[0]).await.unwrap();
    }
    assert_eq!(post.sink.connections(), 1);
    post.sink.disconnect();
    send(&post.channels[0]).await.unwrap();
    assert_eq!(post.sink.mails().len(), 4);
    assert_eq!(post.sink.connections(), 2);
}

#[tokio::test]
async fn replaces_sessions_that_ended_while_idle() {
    for command in ["MAIL", "RCPT", "DATA"] {
        for answer in ["421 4.4.2 idle for too long", ""] {
            let post = open().await;
            post.sink.once(SmtpFault::Later(command, answer));
            for _ in 0..2 {
                let sent = send(&post.channels[0]).await;
                sent.unwrap_or_else(|error| panic!("{command} {answer:?}: {error:?}"));
            }
            assert_eq!(post.sink.mails().len(), 2, "{command} {answer:?}");
            assert_eq!(post.sink.connections(), 2, "{command} {answer:?}");
        }
    }
}

#[tokio::test]
async fn renews_sessions_once_and_only_before_the_text() {
    let idle = "421 4.4.2 idle for too long";
    let post = open().await;
    post.sink.once(SmtpFault::Later("MAIL", idle));
    post.sink.once(SmtpFault::Greeting("421 4.3.2 try later"));
    send(&post.channels[0]).await.unwrap();
    let second = send(&post.channels[0]).await;
    assert!(
        matches!(second, Err(SendError::Unreachable(_))),
        "{second:?}"
    );
    assert_eq!(post.sink.connections(), 2);

    let post = open().await;
    post.sink.once(SmtpFault::Later(".", ""));
    send(&post.channels[0]).await.unwrap();
    let second = send(&post.channels[0]).await;
    assert!(matches!(second, Err(SendError::Unknown(_))), "{second:?}");
    assert_eq!(post.sink.connections(), 1);

    let post = open().await;
    let refused = "550 5.1.1 no such user";
    post.sink.once(SmtpFault::Later("RCPT", refused));
    send(&post.channels[0]).await.unwrap();
    let second = send(&post.channels[0]).await;
    assert!(
        matches!(second, Err(SendError::InvalidAddress { .. })),
        "{second:?}"
    );
    assert_eq!(post.sink.connections(), 1);
}
