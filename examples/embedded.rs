//! Raises a durable alert in-process: an SQLite file, one webhook, no server.
#![expect(clippy::print_stdout, reason = "it says what came of it")]
use std::{env, error::Error, sync::Arc, time::Duration};

use redflash_channels::webhook::{Webhook, WebhookConfig};
use redflash_core::Engine;
use redflash_core::gateway::Gateway;
use redflash_core::message::Raise;
use redflash_core::model::{Actor, ChannelKind, Contact, EndpointId};
use redflash_store::{Access, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).ok_or("usage: embedded URL")?;
    let hooks = Webhook::new(WebhookConfig {
        allow_networks: vec!["127.0.0.0/8".parse()?], // to try it on one machine
        ..WebhookConfig::default()
    })?;
    let store = Arc::new(SqliteStore::open("alerts.db", Access::Server)?);
    let hooks = Gateway::new("hooks".parse()?, hooks);
    let engine = Engine::builder(store).gateway(hooks).build()?;

    let (channel, id) = (ChannelKind::webhook(), EndpointId::new(engine.now()));
    let address = engine.gateways().parse_address(&channel, &url)?;
    let ann = Contact::new("ann".parse()?, "Ann".parse()?);
    let ann = ann.with_endpoint(id, channel, address);
    let by = Actor::Operator("embedded".into()); // as the audit log names it
    engine.ensure_contact(&ann, &by).await?; // does nothing the next time

    let running = engine.start().await?;
    let alert = Raise::contact("ann".parse()?, "The disk is full.");
    let raised = engine.raise(alert).await?;
    let limit = Duration::from_secs(10);
    for record in engine.wait(raised.notification, limit).await? {
        let delivery = record.delivery;
        println!(
            "{} {} {}",
            delivery.contact, delivery.state, delivery.detail
        );
    }
    running.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
