//! A user at a terminal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{PATIENCE, until};

/// A command at a terminal of its own, with a user who types.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    /// The end at which the person sits.
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let name = OsStr::from_bytes(name.to_bytes());
        let line = File::options().read(true).write(true).open(name).unwrap();
        let end = || line.try_clone().unwrap();
        command.stdin(end()).stdout(end()).stderr(end());
        let keyboard = File::from(keyboard);
        let screen = Arc::default();
        thread::spawn({
            let (screen, keyboard) = (Arc::clone(&screen), keyboard.try_clone().unwrap());
            move || show(keyboard, &screen)
        });
        Self {
            child: command.spawn().unwrap(),
            keyboard,
            screen,
        }
    }

    /// Everything on the screen so far.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until a text is on the screen.
    pub async fn sees(&self, text: &str) {
        until(&format!("{text:?} is on the screen"), async || {
            self.screen().contains(text).then_some(())
        })
        .await;
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Whether what is typed is shown.
    pub fn shows_what_is_typed(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    }

    /// Does what Ctrl-C does.
    pub fn interrupts(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    }

    /// Waits until the command ends. Returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await;
        status.expect("the command ends").unwrap().code()
    }
}

/// Puts on the screen whatever the command writes, until nobody can write any more.
fn show(mut line: File, screen: &Mutex<Vec<u8>>) {
    let mut some = [0; 1024];
    while let Ok(count @ 1..) = line.read(&mut some) {
        screen.lock().unwrap().extend(&some[..count]);
    }
}
