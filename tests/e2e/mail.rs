//! Mail over real SMTP: TLS, logins, refusals and lost connections.

use std::fs;
use std::time::{Duration, Instant};

use redflash_tests::{
    Authority, Client, Config, MailSink, Server, Site, SmtpFault, SmtpTls, until,
};
use serde_json::Value;

use crate::world::{World, detail, outcomes, state};

const LOGIN: (&str, &str) = ("alerts", "canary-smtp-p4ss");

/// A running installation with one mail gateway, and the contact `ada` behind it.
struct Post {
    site: Site,
    _server: Server,
    client: Client,
    key: String,
}

impl Post {
    /// * `authority` - whom the server trusts.
    async fn start(gateway: &str, authority: &Authority) -> Self {
        let site = Site::new(&Config::new().gateway(gateway));
        let trusted = site.path().join("authority.pem");
        fs::write(&trusted, &authority.certificate).unwrap();
        let site = site.with_variable("SSL_CERT_FILE", trusted.to_str().unwrap());
        site.run([
            "contact",
            "add",
            "ada",
            "--name",
            "Ada",
            "--email",
            "ada@example.org",
        ])
        .await;
        let key = site.key("monitor", &["--inspect"]).await;
        let server = site.serve().await;
        Self {
            client: server.client(),
            site,
            _server: server,
            key,
        }
    }

    /// Raises an alert and waits for the first attempt at the mail.
    async fn first_attempt(&self) -> Value {
        let answer = self
            .client
            .raise("contact/ada", &self.key, &[("message", "hi")])
            .await;
        let path = format!(
            "/api/v1/notifications/{}",
            answer.expect(201).notification()
        );
        until("the mail was attempted", async || {
            let shown = self.client.get_as(&path, &self.key).await.json();
            let delivery = shown["deliveries"][0].clone();
            let attempts = delivery["attempts_made"].as_array().unwrap().len();
            (attempts > 0).then_some(delivery)
        })
        .await
    }
}

fn login(password: &str) -> String {
    format!("username = \"{}\"\npassword = \"{password}\"", LOGIN.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_under_tls_with_a_login() {
    for tls in [SmtpTls::Implicit, SmtpTls::StartTls] {
        let authority = Authority::new();
        let sink = MailSink::start(tls, Some(&authority), Some(LOGIN)).await;
        let post = Post::start(&sink.gateway("mail", &login(LOGIN.1)), &authority).await;

        let delivery = post.first_attempt().await;

        assert_eq!(state(&delivery), "sent", "{tls:?} {delivery}");
        let mails = sink.expect(1).await;
        assert!(mails[0].tls);
        assert_eq!(mails[0].login.as_deref(), Some(LOGIN.0));
        assert_eq!(mails[0].to, ["ada@example.org"]);
        assert_eq!(mails[0].from, "alerts@example.org");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_nothing_without_starttls() {
    let authority = Authority::new();
    let sink = MailSink::plain().await;
    let gateway = sink
        .gateway("mail", &login(LOGIN.1))
        .replace("\"none\"", "\"starttls\"");
    let post = Post::start(&gateway, &authority).await;

    let delivery = post.first_attempt().await;

    assert_ne!(outcomes(&delivery)[0], "ok", "{delivery}");
    assert!(
        delivery.to_string().to_uppercase().contains("TLS"),
        "{delivery}"
    );
    assert!(sink.mails().is_empty());
    assert_eq!(
        sink.refused_logins(),
        0,
        "no password went over the bare line"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_certificate_of_unknown_authority() {
    let sink = MailSink::start(SmtpTls::Implicit, Some(&Authority::new()), None).await;
    let post = Post::start(&sink.gateway("mail", ""), &Authority::new()).await;

    let delivery = post.first_attempt().await;

    assert_ne!(outcomes(&delivery)[0], "ok", "{delivery}");
    assert!(delivery.to_string().contains("certificate"), "{delivery}");
    assert!(sink.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_stops_gateway_and_keeps_alert() {
    let authority = Authority::new();
    let sink = MailSink::start(SmtpTls::Implicit, Some(&authority), Some(LOGIN)).await;
    let post = Post::start(&sink.gateway("mail", &login("wrong")), &authority).await;

    let delivery = post.first_attempt().await;

    assert_eq!(state(&delivery), "queued", "{delivery}");
    assert!(delivery.to_string().contains("535"), "{delivery}");
    let again = post
        .client
        .raise("contact/ada", &post.key, &[("message", "hi")])
        .await;
    let path = format!("/api/v1/notifications/{}", again.expect(201).notification());
    let shown = post.client.get_as(&path, &post.key).await.json();
    assert_eq!(state(&shown["deliveries"][0]), "queued");
    assert_eq!(sink.refused_logins(), 1, "the gateway is stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_next_try_of_stopped_gateway() {
    let authority = Authority::new();
    let sink = MailSink::start(SmtpTls::Implicit, Some(&authority), Some(LOGIN)).await;
    let post = Post::start(&sink.gateway("mail", &login("wrong")), &authority).await;
    post.first_attempt().await;

    for command in [&["gateway", "list"][..], &["doctor"]] {
        until("the next try is known", async || {
            let output = post.site.run(command).await.stdout;
            (output.contains("535") && output.contains("next attempt 2")).then_some(())
        })
        .await;
    }
    // The next try comes later than anybody waits, so that nobody does.
    let begun = Instant::now();
    let command = ["send", "contact", "ada", "hi", "--wait"];
    let sent = post.site.cli(command).run().await.exited(1).stdout;
    assert!(begun.elapsed() < Duration::from_secs(30), "{sent}");
    for part in [
        "waiting for gateway mail: stopped: ",
        "535",
        "next attempt 2",
    ] {
        assert!(sent.contains(part), "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_deferred_mail() {
    for fault in [
        SmtpFault::Greeting("421 4.3.2 try later"),
        SmtpFault::Recipient("450 4.2.1 mailbox busy"),
        SmtpFault::Data("451 4.3.0 try later"),
    ] {
        let world = World::start().await;
        world.contact("ada", &["--email", "ada@example.org"]).await;
        world.mail.once(fault.clone());

        let id = world.raise("contact/ada", "hi").await;

        let delivery = world.settled(&id).await.remove(0);
        assert_eq!(outcomes(&delivery), ["retry", "ok"], "{fault:?} {delivery}");
        assert_eq!(world.mail.mails().len(), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_mail_fails_for_its_recipient_only() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    world
        .mail
        .once(SmtpFault::Recipient("550 5.1.1 no such user"));
    let id = world.raise("contact/ada", "hi").await;
    let refused = world.settled(&id).await.remove(0);

    world.contact("bob", &["--email", "bob@example.org"]).await;
    world
        .site
        .run([
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "ada",
            "--contact",
            "bob",
        ])
        .await;
    let id = world.raise("group/ops", "hi").await;

    assert_eq!(state(&refused), "failed");
    assert_eq!(outcomes(&refused), ["permanent"]);
    assert!(detail(&refused).contains("550"), "{refused}");
    assert!(world.settled(&id).await.iter().all(|d| state(d) == "sent"));
    let mails = world.mail.expect(2).await;
    assert!(
        mails.iter().all(|mail| mail.to.len() == 1),
        "one recipient a mail"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_unknown_outcome_when_connection_is_lost_after_message() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    world.mail.once(SmtpFault::DropAfterData);

    let id = world.raise("contact/ada", "hi").await;

    let mails = world.mail.expect(2).await;
    assert!(!mails[0].header("Message-ID").is_empty());
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(outcomes(&delivery), ["unknown", "ok"]);
    assert_eq!(delivery["attempts_made"][1]["may_repeat"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_mail_server_delays_no_other_channel() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    world.hooked("bob").await;
    world.mail.once(SmtpFault::Hang);
    world.raise("contact/ada", "hi").await;

    let id = world.raise("contact/bob", "hi").await;

    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_cannot_add_mail_headers() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    world
        .site
        .run([
            "event",
            "add",
            "disk",
            "--name",
            "Disk",
            "--message",
            "{{x}}",
            "--subject",
            "about {{x}}",
            "--contact",
            "ada",
        ])
        .await;

    world
        .fire("disk", &[("x", "a\r\nBcc: eve@example.org\r\n\r\nbody")])
        .await;

    let mail = world.mail.expect(1).await.remove(0);
    assert_eq!(mail.to, ["ada@example.org"]);
    assert!(
        !mail.header_names().contains(&"bcc".to_owned()),
        "{}",
        mail.source
    );
    assert_eq!(mail.header("Subject"), "about a");
    assert!(mail.text().contains("Bcc: eve@example.org"), "it is text");
}

#[tokio::test(flavor = "multi_thread")]
async fn escapes_line_with_single_dot() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    let message = "a\n.\nMAIL FROM:<x@y>\n..b\n";

    world.raise("contact/ada", message).await;

    let mails = world.mail.expect(1).await;
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].text().contains(message.trim_end()),
        "{}",
        mails[0].source
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_letters_survive_in_subject_and_text() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;

    world.raise("contact/ada", "Größe überschritten 🔥").await;

    let mail = world.mail.expect(1).await.remove(0);
    assert!(
        mail.text().contains("Größe überschritten 🔥"),
        "{}",
        mail.source
    );
    let subject = mail.header("Subject");
    assert!(
        subject.is_ascii() && subject.contains("=?utf-8?"),
        "{subject}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_links_to_page_of_its_notification() {
    let config = Config::new().server("public_url = \"https://alerts.example.org/\"");
    let world = World::with(config).await;
    world.contact("ada", &["--email", "ada@example.org"]).await;

    let id = world.raise("contact/ada", "hi").await;

    let mail = world.mail.expect(1).await.remove(0);
    let link = format!("https://alerts.example.org/admin/log/{id}");
    let text = mail.text();
    assert!(text.trim_end().ends_with(&format!("\n{link}")), "{text}");
    assert_eq!(mail.header("MIME-Version"), "1.0");
    let page = world.client.get(&format!("/admin/log/{id}")).await;
    page.expect(303);

    let command = ["gateway", "test", "office-mail", "--to", "bob@example.org"];
    world.site.run(command).await;
    let mail = world.mail.expect(2).await.remove(1);
    assert!(
        mail.text()
            .contains("https://alerts.example.org/admin/log/"),
        "{}",
        mail.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn folds_long_subject() {
    let world = World::start().await;
    world.contact("ada", &["--email", "ada@example.org"]).await;
    let event = [
        "event",
        "add",
        "disk",
        "--name",
        "Disk",
        "--message",
        "full",
    ];
    let more = ["--subject", "about {{x}}", "--contact", "ada"];
    world.site.run(event.into_iter().chain(more)).await;
    let long = "a word ".repeat(25);

    world.fire("disk", &[("x", long.trim_end())]).await;
    world.fire("disk", &[("x", "=?utf-8?q?=41=42?=")]).await;

    let mails = world.mail.expect(2).await;
    let subject = |mail: &redflash_tests::Mail| mail.header("Subject");
    let long = format!("about {}", long.trim_end());
    assert!(mails.iter().any(|mail| subject(mail) == long), "{mails:?}");
    for mail in &mails {
        assert!(
            mail.source.lines().all(|line| line.len() <= 78),
            "{}",
            mail.source
        );
        assert!(!mail.source.contains("=?utf-8?q?"), "{}", mail.source);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_shows_ehlo_name() {
    let sink = MailSink::plain().await;
    let site = Site::new(&Config::new().gateway(&sink.gateway("mail", "")));
    site.run(["migrate"]).await;
    let doctor = site.run(["doctor"]).await.stdout;
    assert!(doctor.contains("mail: the EHLO name is "), "{doctor}");
    let named = sink.gateway("mail", "ehlo_name = \"alerts.example.org\"");
    site.configure(&Config::new().gateway(&named));
    let doctor = site.run(["doctor"]).await.stdout;
    assert!(!doctor.contains("the EHLO name"), "{doctor}");
}
