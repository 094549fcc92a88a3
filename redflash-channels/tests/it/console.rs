//! The console prints what would be sent.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redflash_channels::console::{Console, ConsoleConfig};
use redflash_core::conformance::channel::{Behaviour, Fixture};
use redflash_core::gateway::Channel;

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Terminal {
    console: Console,
    screen: Screen,
}

async fn open() -> Terminal {
    let screen = Screen::default();
    let console = Console::printing_to(ConsoleConfig::default(), screen.clone());
    Terminal { console, screen }
}

#[async_trait]
impl Fixture for Terminal {
    fn channel(&self) -> &dyn Channel {
        &self.console
    }

    fn address(&self) -> (String, String) {
        ("ann".into(), " ann ".into())
    }

    fn not_addresses(&self) -> Vec<String> {
        vec![" ".into(), "a\nb".into()]
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        behaviour == Behaviour::Accept
    }

    async fn messages(&self) -> usize {
        self.screen.text().matches("--- notification ").count()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn prints_recipient_and_message() {
    let terminal = open().await;
    redflash_core::conformance::channel::accepted_message_is_accepted(&terminal).await;
    let text = terminal.screen.text();
    assert!(
        text.contains("console to ann: Disk full\nThe disk of db1 is full: 100 %.\n"),
        "{text}"
    );
}
