//! What the end-to-end tests and measurements share: the real program on databases of its own, real mail in and out,
//! a real browser, and one way to wait.
//!
//! Nothing here reaches into the program: it is started as a user starts it, spoken to over its own ports, and judged
//! by what it answers, sends and stores. Only where engines are to race, freeze and live through months in seconds, the
//! engine runs in this process ([`Running`]). Build it first: `cargo build --package switchboard-host`, which
//! `cargo xtask test` does; pages of the desk need `npm run build` in `crates/web` as well.

mod api;
mod browser;
mod database;
mod events;
mod host;
mod mail;
mod mail_server;
mod postgres;
mod race;
mod random;
mod running;
mod site;
mod traffic;
mod visitor;
mod wait;
mod wire;

pub use api::{Answer, Client};
pub use browser::{Browser, Element, Look};
pub use database::{Database, Row};
pub use events::Events;
pub use host::{Ended, Host, program};
pub use mail::{Mail, Reply, Session, deliver, swaks};
pub use mail_server::{Delivered, MailServer};
pub use race::{Outcome, race};
pub use random::Random;
pub use running::{Running, SetClock, SystemClock, letter};
pub use site::{DIRECTORY, Site};
pub use traffic::{Lived, live};
pub use visitor::{Visitor, signed_id, signed_token};
pub use wait::eventually;
pub use wire::Wire;

/// Runs a test on a fresh SQLite file and on a fresh PostgreSQL database.
#[macro_export]
macro_rules! on_both {
    ($(async fn $name:ident($($site:tt)+) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything that its file imports")]
            use super::*;

            async fn test($($site)+: $crate::Site) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                test($crate::Site::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                test($crate::Site::postgres().await).await;
            }
        }
    )+};
}
