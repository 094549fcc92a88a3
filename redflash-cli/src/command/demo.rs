//! `redflash demo`: a demonstration on a temporary store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redflash_channels::smtp::{Smtp, SmtpConfig, SmtpTls};
use redflash_channels::webhook::{Webhook, WebhookConfig};
use redflash_core::gateway::Gateway;
use redflash_core::message::Raise;
use redflash_core::model::{
    ApiKey, ChannelKind, Contact, EndpointId, Event, Group, Role, Scope, Session, User,
};
use redflash_core::store::{Entry, Save};
use redflash_core::{Engine, error_chain};
use redflash_http::hash_password;
use redflash_store::{Access, SqliteStore};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::plan_output::print_plan;
use super::serve;
use crate::backend::GatewayRoutes;
use crate::error::{CliError, Exit};
use crate::operator::operator;
use crate::output::{Output, Tone};
use crate::sanitize::one_line;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash demo
  redflash demo --once")]
pub(crate) struct Args {
    /// Exit after the first alert instead of waiting for more until Ctrl-C
    #[arg(long)]
    once: bool,
}

/// A received message: its channel, recipient and text.
type Received = (&'static str, String, String);

/// The parts of the demonstration.
struct Demo {
    engine: Engine,
    listener: TcpListener,
    secret: SecretString,
    received: mpsc::UnboundedReceiver<Received>,
    _directory: tempfile::TempDir,
}

pub(crate) async fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let mut demo = Demo::start().await?;
    let address = demo.listener.local_addr().map_err(failed)?;
    let running = demo.engine.start().await?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve::serve_until(
        demo.engine.clone(),
        demo.listener,
        stop.clone(),
    ));
    output.line(format!(
        "A server is running at http://{address} on a temporary store.\n"
    ))?;

    let arguments = json!({ "host": "db1", "percent": "97" });
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let raise = Raise::event("disk-full".parse().map_err(failed)?, arguments);
    let plan = demo.engine.explain(&raise).await?;
    output.line("$ redflash explain event disk-full host=db1 percent=97")?;
    print_plan(&output, &GatewayRoutes::of(&demo.engine).await?, &plan)?;

    output.line("\n$ curl -d … (see below)")?;
    let answer = fire(address, &demo.secret).await.map_err(failed)?;
    output.line(format!("{answer}\n"))?;
    output.line(output.paint(Tone::Strong, "Received messages:"))?;
    for _ in 0..plan.queued() {
        match timeout(Duration::from_secs(10), demo.received.recv()).await {
            Ok(Some(received)) => print_received(&output, &received)?,
            _ => {
                return Err(CliError::new(
                    Exit::Failed,
                    "not all messages arrived in time",
                ));
            }
        }
    }
    if !args.once {
        let password = create_user(&demo.engine).await?;
        print_instructions(&output, address, &demo.secret, &password)?;
        print_until_interrupted(&output, &mut demo.received).await?;
    }
    stop.cancel();
    running.shutdown(Duration::from_secs(5)).await;
    match serving.await {
        Ok(served) => served.map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

impl Demo {
    async fn start() -> Result<Self, CliError> {
        let directory = tempfile::tempdir().map_err(failed)?;
        let (sender, received) = mpsc::unbounded_channel();
        let mail = loopback().await?;
        let hooks = loopback().await?;
        let mail_port = mail.local_addr().map_err(failed)?.port();
        let hook_port = hooks.local_addr().map_err(failed)?.port();
        tokio::spawn(accept_all(mail, sender.clone(), receive_mail));
        tokio::spawn(accept_all(hooks, sender, receive_hook));
        let store = SqliteStore::open(directory.path().join("demo.db"), Access::Server)?;
        let mut smtp = SmtpConfig::new("127.0.0.1", "RedFlash <alerts@example.org>");
        smtp.port = Some(mail_port);
        smtp.tls = SmtpTls::None;
        let webhook = WebhookConfig {
            allow_networks: vec!["127.0.0.0/8".parse().map_err(failed)?],
            ..WebhookConfig::default()
        };
        let engine = Engine::builder(Arc::new(store))
            .gateway(Gateway::new(
                "mail".parse().map_err(failed)?,
                Smtp::new(smtp)?,
            ))
            .gateway(Gateway::new(
                "hooks".parse().map_err(failed)?,
                Webhook::new(webhook)?,
            ))
            .build()
            .map_err(failed)?;
        let secret = populate(&engine, hook_port).await?;
        Ok(Self {
            engine,
            listener: loopback().await?,
            secret,
            received,
            _directory: directory,
        })
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::new(Exit::Failed, error_chain(&*error.into()))
}

async fn loopback() -> Result<TcpListener, CliError> {
    TcpListener::bind("127.0.0.1:0").await.map_err(failed)
}

/// Creates three contacts, one of them off, a group, an event and a key.
async fn populate(engine: &Engine, hook_port: u16) -> Result<SecretString, CliError> {
    let address = |channel: &ChannelKind, raw: &str| {
        engine
            .gateways()
            .parse_address(channel, raw)
            .map_err(failed)
    };
    let id = || EndpointId::new(engine.now());
    let (email, webhook) = (ChannelKind::email(), ChannelKind::webhook());
    let url = format!("http://127.0.0.1:{hook_port}/ann");
    let ann = Contact::new(
        "ann".parse().map_err(failed)?,
        "Ann".parse().map_err(failed)?,
    )
    .with_endpoint(id(), email.clone(), address(&email, "ann@example.org")?)
    .with_endpoint(id(), webhook.clone(), address(&webhook, &url)?);
    let ben = Contact::new(
        "ben".parse().map_err(failed)?,
        "Ben".parse().map_err(failed)?,
    )
    .with_endpoint(id(), email.clone(), address(&email, "ben@example.org")?);
    let mut cleo = Contact::new(
        "cleo".parse().map_err(failed)?,
        "Cleo".parse().map_err(failed)?,
    )
    .with_endpoint(id(), email.clone(), address(&email, "cleo@example.org")?);
    cleo.enabled = false;
    let members = [&ann, &ben, &cleo]
        .map(|contact| contact.slug.clone())
        .to_vec();
    let group = Group::new(
        "on-call".parse().map_err(failed)?,
        "On call".parse().map_err(failed)?,
        members,
    );
    let mut event = Event::new(
        "disk-full".parse().map_err(failed)?,
        "Disk full".parse().map_err(failed)?,
        "{{upper host}} is at {{percent}} %",
    );
    event.groups.push(group.slug.clone());
    let name = "demo".parse().map_err(failed)?;
    let (key, secret) = ApiKey::generate(name, true, Scope::All, engine.now());
    let entries = [
        Entry::Contact(ann),
        Entry::Contact(ben),
        Entry::Contact(cleo),
        Entry::Group(group),
        Entry::Event(event),
        Entry::ApiKey(key),
    ];
    engine.store().save(&entries, Save::Create).await?;
    Ok(secret)
}

/// Raises the event over HTTP, as other systems do. Returns the status and the response body.
async fn fire(address: SocketAddr, secret: &SecretString) -> std::io::Result<String> {
    let body = format!("api_key={}&host=db1&percent=97", secret.expose_secret());
    let request = format!(
        "POST /event/disk-full HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or("?");
    let shown: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let field = |name: &str| shown.get(name).cloned().unwrap_or_default();
    Ok(format!(
        "{status} {{\"message\":{},\"notification_id\":{},\"queued\":{},\"skipped\":{}}}",
        field("message"),
        field("notification_id"),
        field("queued"),
        field("skipped")
    ))
}

/// Creates an admin with a random password and returns the password.
async fn create_user(engine: &Engine) -> Result<SecretString, CliError> {
    let secret = Session::secret();
    let password = SecretString::from(&secret.expose_secret()[..16]);
    let (slug, name) = ("demo".parse(), "Demo".parse());
    let (slug, name) = (slug.map_err(failed)?, name.map_err(failed)?);
    let mut user = User::new(slug, name, Role::Admin, engine.now());
    user.password = Some(hash_password(&password).await.map_err(failed)?);
    engine.create(&user, &operator()).await?;
    Ok(password)
}

fn print_instructions(
    output: &Output,
    address: SocketAddr,
    secret: &SecretString,
    password: &SecretString,
) -> Result<(), CliError> {
    let (key, password) = (secret.expose_secret(), password.expose_secret());
    output.line("\nTry it from another terminal (press Ctrl-C here to stop):\n")?;
    output.line(format!(
        "curl -d api_key={key} -d host=web2 -d percent=99 http://{address}/event/disk-full\n"
    ))?;
    output.line(format!(
        "or in a browser, as user demo with password {password}:\n\nhttp://{address}/admin\n"
    ))
}

/// Prints further messages until Ctrl-C.
async fn print_until_interrupted(
    output: &Output,
    messages: &mut mpsc::UnboundedReceiver<Received>,
) -> Result<(), CliError> {
    loop {
        tokio::select! {
            ended = tokio::signal::ctrl_c() => return ended.map_err(failed),
            Some(received) = messages.recv() => print_received(output, &received)?,
        }
    }
}

fn print_received(output: &Output, (channel, recipient, text): &Received) -> Result<(), CliError> {
    let channel = output.paint(Tone::Good, &format!("{channel:<8}"));
    output.line(format!("  {channel} {recipient}: {}", one_line(text)))
}

/// Accepts connections and passes each to a receiver.
async fn accept_all<F>(
    listener: TcpListener,
    sender: mpsc::UnboundedSender<Received>,
    receive: fn(BufReader<TcpStream>, mpsc::UnboundedSender<Received>) -> F,
) where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(receive(BufReader::new(stream), sender.clone()));
    }
}

/// A minimal mail server that receives one mail after the other (RFC 5321).
async fn receive_mail(
    mut stream: BufReader<TcpStream>,
    sender: mpsc::UnboundedSender<Received>,
) -> std::io::Result<()> {
    stream.write_all(b"220 demo\r\n").await?;
    let mut recipient = String::new();
    let mut line = String::new();
    while {
        line.clear();
        stream.read_line(&mut line).await? > 0
    } {
        let answer = match line.split([' ', '\r']).next().unwrap_or_default() {
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1);
                address.unwrap_or_default().clone_into(&mut recipient);
                "250 OK"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = read_mail(&mut stream).await?;
                // The receiver is dropped when the demonstration ends.
                let _ = sender.send(("mail", recipient.clone(), text));
                "250 queued"
            }
            _ => "250 OK",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// Reads a mail and returns its subject and the first line of its text.
async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let (mut subject, mut first) = (String::new(), String::new());
    let (mut line, mut in_text) = (String::new(), false);
    while {
        line.clear();
        stream.read_line(&mut line).await? > 0
    } {
        let content = line.trim_end();
        match content {
            "." => break,
            "" => in_text = true,
            _ if in_text && first.is_empty() => content.clone_into(&mut first),
            _ => {
                if let Some(text) = content.strip_prefix("Subject: ") {
                    text.clone_into(&mut subject);
                }
            }
        }
    }
    Ok(format!("[{subject}] {first}"))
}

/// A minimal web server that receives one webhook after the other.
async fn receive_hook(
    mut stream: BufReader<TcpStream>,
    sender: mpsc::UnboundedSender<Received>,
) -> std::io::Result<()> {
    let mut line = String::new();
    while {
        line.clear();
        stream.read_line(&mut line).await? > 0
    } {
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        while {
            line.clear();
            stream.read_line(&mut line).await? > 2
        } {
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        // Only our own webhooks arrive here, and they are small.
        let mut body = vec![0; usize::min(length, 1 << 20)];
        stream.read_exact(&mut body).await?;
        let fields = url::form_urlencoded::parse(&body);
        let text = fields
            .filter(|(name, _)| name == "message")
            .map(|(_, text)| text)
            .collect();
        // As above.
        let _ = sender.send(("webhook", path, text));
        stream
            .write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            .await?;
    }
    Ok(())
}
