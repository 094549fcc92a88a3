//! The harness of the whole-system tests: the real `redflash` binary, and peers for it to talk to.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`Config`] | the configuration of one installation |
//! | [`Site`] | one installation: a directory with a configuration and a database |
//! | [`Server`] | `redflash serve` of a site, killed when dropped |
//! | [`Cli`] | any other command, run beside the server or without one |
//! | [`Terminal`] | a command at a terminal, with a user who types |
//! | [`Client`] | a raising system |
//! | [`WebhookSink`] | a receiver of webhooks with programmable answers |
//! | [`ConnectProxy`] | an HTTP proxy that opens tunnels |
//! | [`TlsFront`] | TLS in front of a peer that speaks without |
//! | [`Simulator`] | a vendor's cloud that checks each request by its rules |
//! | [`Vonage`] | an SMS gateway that checks each request against the vendor's rules |
//! | [`MailSink`] | a mail server with TLS, logins and faults |
//! | [`Nginx`] | a real nginx in front of a server |
//! | [`Postfix`] | a real Postfix with mailboxes and restrictions |
//! | [`Kannel`] | a real Kannel, with an SMS centre that the test plays |
//! | [`Postgres`] | a PostgreSQL cluster that can be killed, stopped and paused |
//! | [`Browser`] | a real Chromium, which also judges how accessible a page is |
//! | [`IdentityProvider`] | a real OpenID provider with users to log in as |
//! | [`Schemathesis`] | a real tester of APIs by their description |
//! | [`HookedStore`] | a store that hangs or panics where the test says |
//! | [`Load`] | raising systems that never pause |
//! | [`Ledger`] | what was accepted, against what arrived |
//!
//! Everything listens on loopback, on a port of its own, so tests run side by side. What is waited
//! for is an event, with a bound: see [`until()`].
//!
//! The binary is the one of this workspace, built for this run: see [`binary`].

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a harness fails a test by panicking"
)]

mod authority;
mod axe;
pub mod binary;
mod browser;
mod chromedriver;
mod cli;
mod client;
mod config;
mod connect_proxy;
mod database;
mod fetched;
mod hooked_store;
mod identity_provider;
mod kannel;
mod ledger;
mod load;
mod mail;
mod mail_sink;
mod missing;
mod nginx;
mod peer;
mod port;
mod postfix;
mod postgres;
mod promtool;
pub mod raw;
mod schemathesis;
mod server;
mod simulator;
mod site;
mod smtp;
mod terminal;
mod text;
mod tls_front;
mod until;
mod vonage;
mod webhook_sink;

pub use authority::Authority;
pub use axe::Violation;
pub use browser::Browser;
pub use cli::{Cli, Output};
pub use client::{Answer, Client, http_client};
pub use config::Config;
pub use connect_proxy::{ConnectProxy, TunnelRequest};
pub use hooked_store::HookedStore;
pub use identity_provider::IdentityProvider;
pub use kannel::Kannel;
pub use ledger::{Balance, Ledger};
pub use load::Load;
pub use mail::Mail;
pub use mail_sink::MailSink;
pub use missing::missing;
pub use nginx::Nginx;
pub use peer::{Received, Reply};
pub use port::Port;
pub use postfix::Postfix;
pub use postgres::Postgres;
pub use promtool::promtool;
pub use rustix::process::Signal;
pub use schemathesis::{Examination, Schemathesis};
pub use server::Server;
pub use simulator::{Check, Rules, Simulator};
pub use site::Site;
pub use smtp::{SmtpFault, SmtpTls};
pub use terminal::Terminal;
pub use text::{Coding, Text};
pub use tls_front::TlsFront;
pub use until::{PATIENCE, until};
pub use vonage::{VONAGE, Vonage};
pub use webhook_sink::WebhookSink;
