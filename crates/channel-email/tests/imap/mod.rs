//! Mail from a mailbox over IMAP, against a server that fails where it is told.

mod faults;
mod intake;
mod marking;
mod operator;
pub mod server;
mod signing_in;
pub mod tokens;
pub mod wait;
mod waiting;

use server::Server;
use std::sync::{Arc, Mutex};
use switchboard_channel::ChannelError;
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::Harness;

/// The keyword that mail gets by default.
const TAKEN: &str = "$Switchboard";

fn mail(number: usize) -> Vec<u8> {
    format!(
        "Message-ID: <{number}@eksempel.test>\r\nFrom: Kari <kari@eksempel.test>\r\nTo: help@shop.test\r\nSubject: Pakke {number}\r\n\r\n\
         Hvor er pakke {number}?\r\n"
    )
    .into_bytes()
}

fn settings(port: u16, more: &str) -> String {
    format!(
        "address = \"help@shop.test\"\n[imap]\nhost = \"localhost\"\nport = {port}\nsecurity = \"none\"\nusername = \"kari\"\n\
         command_timeout_seconds = 30\nidle_seconds = 1\npoll_seconds = 1\nmax_backoff_seconds = 1\n{more}\n"
    )
}

/// The same for a client that soon takes a silent server for dead.
fn impatient(port: u16) -> String {
    settings(port, "password = \"right\"").replace("timeout_seconds = 30", "timeout_seconds = 1")
}

/// The same for a client that waits until the server says something.
fn patient(port: u16, more: &str) -> String {
    settings(port, &format!("password = \"right\"\n{more}")).replace("idle_seconds = 1", "idle_seconds = 300")
}

/// A mailbox that is run again after each error, as the host does.
pub struct Watched {
    /// The mailbox.
    pub harness: Harness,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    /// A mailbox of this slug, running.
    pub async fn start_as(slug: &str, toml: &str) -> Self {
        let harness = Harness::start(&REGISTRATION, slug, toml).await;
        let errors: Arc<Mutex<Vec<String>>> = Arc::default();
        let (channel, context, shown) = (harness.channel.clone(), harness.context.clone(), Arc::clone(&errors));
        harness.context.runtime.spawn(async move {
            while let Err(error) = channel.run(context.clone()).await {
                shown.lock().expect("not poisoned").push(error.to_string());
            }
        });
        Self { harness, errors }
    }

    async fn start(toml: &str) -> Self {
        Self::start_as("mail", toml).await
    }

    async fn by_password(server: &Server, more: &str) -> Self {
        Self::start(&settings(server.port, &format!("password = \"right\"\n{more}"))).await
    }

    /// How many messages there are.
    pub fn taken(&self) -> usize {
        self.harness.inbox.messages().len()
    }

    /// What was shown on the channel so far.
    pub fn errors(&self) -> Vec<String> {
        self.errors.lock().expect("not poisoned").clone()
    }
}

/// The first error of a mailbox that cannot work.
async fn first_error(toml: &str) -> ChannelError {
    let harness = Harness::start(&REGISTRATION, "mail", toml).await;
    harness.channel.run(harness.context.clone()).await.expect_err("the mailbox cannot work")
}
