//! Servers that stall, break off or talk nonsense at any step.

use super::server::{Fault, Server};
use super::wait::until;
use super::{TAKEN, Watched, impatient, mail, patient, settings};
use std::time::Duration;
use switchboard_channel_testkit::Stopwatch;

/// Steps of a session, each of which can go wrong.
const STEPS: [&str; 9] = ["GREETING", "CAPABILITY", "AUTHENTICATE", "SELECT", "SEARCH", "SIZES", "BODIES", "STORE", "IDLE"];

/// Something goes wrong once at each step, and the mail comes all the same, once.
async fn survives_at_each_step(fault: &Fault) {
    futures::future::join_all(STEPS.map(|step| survives(step, fault))).await;
}

async fn survives(step: &str, fault: &Fault) {
    let server = Server::start().await;
    server.deliver(&mail(1));
    server.fail(step, 1, fault.clone());
    let watched = Watched::start(&impatient(server.port)).await;
    until(&format!("the mail comes after {fault:?} at {step}"), || server.flagged(TAKEN) == 1).await;
    server.deliver(&mail(2));
    until(&format!("and the next after {fault:?} at {step}"), || server.flagged(TAKEN) == 2).await;
    assert_eq!(watched.taken(), 2, "{step}");
    assert!(watched.errors().iter().all(|error| error.lines().count() == 1 && !error.contains("eksempel")), "{step}");
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_server_that_stalls_at_any_step_is_noticed_and_left() {
    survives_at_each_step(&Fault::Stall).await;
}

#[tokio::test]
async fn a_connection_that_ends_at_any_step_is_made_again() {
    survives_at_each_step(&Fault::Close).await;
}

#[tokio::test]
async fn nonsense_at_any_step_is_answered_by_a_new_connection() {
    for garbage in [
        &b"\xff\xfe\x00 kari@eksempel.test\r\n"[..],
        b"* 1 FETCH (((((((((((((((((((((((((((((((((((((((\r\nTAG OK\r\n* BYE\r\n",
        b"+ go on\r\n+ go on\r\n+ go on\r\n+ go on\r\n+ go on\r\n",
        b"TAG9 OK not yours\r\n",
        b"* {99999999999}\r\n",
    ] {
        survives_at_each_step(&Fault::Say(garbage.to_vec())).await;
    }
}

#[tokio::test]
async fn a_server_that_stops_while_idle_is_noticed() {
    let server = Server::start().await;
    server.fail("DONE", 1, Fault::Stall);
    let watched = Watched::start(&impatient(server.port)).await;
    until("the silent server is left", || server.state().connections == 2).await;
    server.deliver(&mail(1));
    until("the mail comes", || server.flagged(TAKEN) == 1).await;
    assert_eq!(watched.errors(), [""; 0], "what passes by itself is not shown");
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_mail_at_which_the_connection_always_breaks_is_left_and_named_and_the_others_come() {
    let server = Server::start().await;
    for number in 1..=6 {
        server.deliver(&mail(number));
    }
    server.state().breaks_at = Some(4);
    let watched = Watched::by_password(&server, "").await;
    until("the others come", || server.flagged(TAKEN) == 5).await;
    until("it is named", || watched.errors().iter().any(|error| error.ends_with("beginning with UID 4"))).await;
    assert_eq!(watched.taken(), 5);
    watched.harness.stop().await;
}

#[tokio::test]
async fn of_many_mailboxes_those_that_fail_or_stall_delay_no_other() {
    let (server, stalled) = (Server::start().await, Server::start().await);
    stalled.fail("GREETING", usize::MAX, Fault::Stall);
    let mut all = Vec::new();
    for number in 0..30 {
        let more = match number % 3 {
            0 => impatient(stalled.port),
            1 => settings(server.port, "password = \"wrong\""),
            _ => patient(server.port, "after_intake = \"nothing\""),
        };
        all.push(Watched::start(&more).await);
    }
    let waiting = || server.state().commands.iter().filter(|command| *command == "IDLE").count();
    until("the others wait for mail", || waiting() >= 10).await;
    let delivered = Stopwatch::start();
    server.deliver(&mail(1));
    for watched in all.iter().skip(2).step_by(3) {
        until("the mail comes", || watched.taken() == 1).await;
    }
    delivered.assert_within(Duration::from_secs(3), "reading ten mailboxes beside twenty others");
    until("the others say why", || all.iter().enumerate().all(|(number, one)| number % 3 == 2 || !one.errors().is_empty())).await;
    for watched in all {
        watched.harness.stop().await;
    }
}
