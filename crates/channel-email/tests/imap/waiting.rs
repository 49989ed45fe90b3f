//! Waiting for mail, with IDLE and without.

use super::server::Server;
use super::wait::until;
use super::{TAKEN, Watched, mail, patient};
use std::time::Duration;
use switchboard_channel_testkit::Stopwatch;

#[tokio::test]
async fn the_server_wakes_us_within_a_second() {
    let server = Server::start().await;
    let watched = Watched::start(&patient(server.port, "")).await;
    until("it waits", || server.state().commands.iter().any(|command| command == "IDLE")).await;
    for number in 1..=3 {
        let delivered = Stopwatch::start();
        server.deliver(&mail(number));
        until("the mail is there", || watched.taken() == number).await;
        delivered.assert_within(Duration::from_secs(1), "waking");
    }
    watched.harness.stop().await;
}

#[tokio::test]
async fn without_idle_the_folder_is_looked_at_every_so_often() {
    for refusing in [false, true] {
        let server = Server::start().await;
        if refusing {
            server.state().refuses_idle = true;
        } else {
            server.state().capabilities = "AUTH=PLAIN".into();
        }
        let watched = Watched::by_password(&server, "").await;
        for number in 1..=2 {
            server.deliver(&mail(number));
            until("the mail is found", || server.flagged(TAKEN) == number).await;
        }
        assert_eq!((server.state().connections, watched.errors()), (1, vec![]));
        watched.harness.stop().await;
    }
}
