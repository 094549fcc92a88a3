//! Secrets never leave the place where they are kept.

use std::fs;
use std::path::Path;

use redflash_tests::{
    Authority, Config, MailSink, Reply, Server, Site, SmtpTls, Vonage, WebhookSink, until,
};
use serde_json::Value;

use crate::world::{CALLBACK_SECRET, SIGNING_SECRET, hooks};

const SMTP_PASSWORD: &str = "canary-smtp-Zq81xT";
const OLD_KEY: &str = "canary0oldkey0abcdef";

/// Something that a run wrote: its name and its bytes.
type Writing = (String, Vec<u8>);

/// Every file below a directory, but for those that the test itself put there.
fn files(directory: &Path, ours: &[&str], found: &mut Vec<Writing>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), ours, found);
        } else if !ours.contains(&&*name) {
            found.push((name, fs::read(entry.path()).unwrap()));
        }
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|part| part == secret.as_bytes())
}

/// An installation of which every secret is known, at its most talkative, and what it has written.
struct Talkative {
    site: Site,
    config: Config,
    key: String,
    mail: MailSink,
    vonage: Vonage,
    webhook: WebhookSink,
    written: Vec<Writing>,
}

impl Talkative {
    async fn start() -> Self {
        let authority = Authority::new();
        let strict = Some(("alerts", "another password"));
        let mail = MailSink::start(SmtpTls::Implicit, Some(&authority), strict).await;
        let vonage = Vonage::start().await;
        let login = format!("username = \"alerts\"\npassword = \"{SMTP_PASSWORD}\"");
        let texts = vonage.gateway("vonage-uk");
        let config = Config::new()
            .gateway(&hooks())
            .gateway(&mail.gateway("office-mail", &login))
            .gateway(&format!("{texts}\ncallback_secret = \"{CALLBACK_SECRET}\""));
        let site = Site::new(&config);
        let trusted = site.path().join("authority.pem");
        fs::write(&trusted, &authority.certificate).unwrap();
        let site = site
            .with_variable("SSL_CERT_FILE", trusted.to_str().unwrap())
            .with_variable("REDFLASH_LOG", "trace")
            .with_variable("RUST_LOG", "trace")
            .with_variable("RUST_BACKTRACE", "1");
        Self {
            key: site.key("monitor", &["--inspect"]).await,
            site,
            config,
            mail,
            vonage,
            webhook: WebhookSink::start().await,
            written: Vec::new(),
        }
    }

    /// Runs a command and keeps what it prints, however it ends.
    async fn say(&mut self, command: &[&str]) {
        let output = self.site.cli(command).run().await;
        let name = command.join(" ");
        self.written
            .push((name.clone(), output.stdout.into_bytes()));
        self.written.push((name, output.stderr.into_bytes()));
    }

    /// Raises alerts that every gateway fails with, and asks the server whatever it answers.
    async fn fail(&mut self, server: &Server) -> String {
        let (client, key) = (server.client(), &*self.key);
        let mut answers = Vec::new();
        let fields = [("message", "hi")];
        for reply in [Reply::status(500), Reply::Drop, Reply::body(200, "x")] {
            self.webhook.once(reply.clone());
            self.vonage.once(reply);
            answers.push(client.raise("contact/ada", key, &fields).await);
            answers.push(client.raise("contact/ada", OLD_KEY, &fields).await);
        }
        let id = answers[0].notification();
        let path = format!("/api/v1/notifications/{id}");
        until("every channel was tried", async || {
            let shown = client.get_as(&path, key).await.json();
            let deliveries = shown["deliveries"].as_array().unwrap();
            let tried = |d: &Value| !d["attempts_made"].as_array().unwrap().is_empty();
            deliveries.iter().all(tried).then_some(())
        })
        .await;
        assert!(self.mail.refused_logins() > 0, "the password was tried");
        answers.push(client.get_as(&path, key).await);
        answers.push(client.get_as("/metrics", key).await);
        answers.push(client.raise("contact/nobody", key, &fields).await);
        for path in [
            format!("/contact/ada/?api_key={key}"),
            format!("/nowhere?api_key={key}"),
            format!("/ack/vonage-uk/{CALLBACK_SECRET}?messageId=x"),
            format!("/ack/hooks/{CALLBACK_SECRET}"),
        ] {
            answers.push(client.get(&path).await);
        }
        let answers = answers
            .iter()
            .map(|answer| format!("{answer:?}").into_bytes());
        let answers = answers.map(|answer| ("an answer".to_owned(), answer));
        self.written.extend(answers);
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_no_secret_anywhere() {
    let mut run = Talkative::start().await;
    let hook = run.webhook.url("/ada");
    run.say(&["key", "add", "old", "--value", OLD_KEY]).await;
    run.say(&[
        "contact",
        "add",
        "ada",
        "--name",
        "Ada",
        "--webhook",
        &hook,
        "--email",
        "a@example.org",
        "--sms",
        "+447700900001",
    ])
    .await;
    let server = run.site.serve().await;
    let id = run.fail(&server).await;
    for command in [
        &["log", "--json"][..],
        &["log", &id],
        &["key", "list", "--json"],
        &["contact", "show", "ada", "--json"],
        &["config", "check"],
        &["doctor"],
        &["export", "-"],
    ] {
        run.say(command).await;
    }
    let broken = "name = \"x\"\ntype = \"vonage\"\nfrom = 5";
    run.site.configure(&run.config.clone().gateway(broken));
    run.say(&["config", "check"]).await;

    let log = server.log();
    assert!(log.len() > 1000, "the log is at its most talkative");
    run.written
        .push(("the server's log".to_owned(), log.into_bytes()));
    let ours = ["redflash.toml", "authority.pem"];
    files(run.site.path(), &ours, &mut run.written);
    server.kill().await;
    let secrets = [
        &*run.key,
        OLD_KEY,
        SMTP_PASSWORD,
        Vonage::API_SECRET,
        SIGNING_SECRET,
        &SIGNING_SECRET["whsec_".len()..],
        "canary-webhook-signing-key",
        CALLBACK_SECRET,
    ];
    for (name, bytes) in &run.written {
        let text = String::from_utf8_lossy(bytes);
        for secret in secrets {
            assert!(!holds(bytes, secret), "{name} holds {secret}:\n{text}");
        }
    }
}
