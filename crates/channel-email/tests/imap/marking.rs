//! How mail that was taken in is marked or moved, and what numbers and flags of the server mean for it.

use super::server::{self, Fault, Server};
use super::wait::until;
use super::{TAKEN, Watched, mail};

#[tokio::test]
async fn mail_is_moved_in_each_way_that_a_server_knows() {
    for (capabilities, left_behind) in
        [("IDLE MOVE UIDPLUS AUTH=PLAIN", 0), ("IDLE UIDPLUS AUTH=PLAIN", 0), ("IDLE AUTH=PLAIN", 2)]
    {
        let server = Server::start().await;
        server.state().capabilities = capabilities.into();
        server.deliver(&mail(1));
        server.deliver(&mail(2));
        let more = "after_intake = \"move\"\nmove_to = \"Støtte\"\ncreate_folder = true";
        let watched = Watched::by_password(&server, more).await;
        until("mail is moved", || server.state().folders.first().is_some_and(|(_, mails)| mails.len() == 2)).await;
        server.deliver(&mail(3));
        until("more is moved", || server.state().folders[0].1.len() == 3).await;
        until("it is gone or marked", || server.state().mails.iter().all(|mail| mail.flags.contains("\\Deleted"))).await;
        assert!(server.state().mails.len() >= left_behind);
        assert_eq!((server.state().folders[0].0.as_str(), watched.taken()), ("St&APg-tte", 3), "{capabilities}");
        watched.harness.stop().await;
    }
}

/// How often bodies of mails were asked for.
fn fetches(server: &Server) -> usize {
    server.state().commands.iter().filter(|command| command.contains("BODY.PEEK")).count()
}

#[tokio::test]
async fn r12_1_mail_that_may_not_be_marked_or_moved_holds_nothing_up_and_is_settled_when_it_may() {
    let moving = "after_intake = \"move\"\nmove_to = \"Done\"\ncreate_folder = true\nmax_messages_per_fetch = 2";
    for (command, capabilities, more, words) in [
        ("STORE", "IDLE MOVE UIDPLUS AUTH=PLAIN", "max_messages_per_fetch = 2", "the server refused to flag mail (OVERQUOTA)"),
        ("MOVE", "IDLE MOVE UIDPLUS AUTH=PLAIN", moving, "the server refused to move mail (OVERQUOTA)"),
        ("COPY", "IDLE UIDPLUS AUTH=PLAIN", moving, "the server refused to copy mail (OVERQUOTA)"),
        ("STORE", "IDLE UIDPLUS AUTH=PLAIN", moving, "the server refused to delete mail that was copied (OVERQUOTA)"),
    ] {
        let server = Server::start().await;
        server.state().capabilities = capabilities.into();
        server.state().refuses = Some((command, "OVERQUOTA"));
        for number in 1..=6 {
            server.deliver(&mail(number));
        }
        let watched = Watched::by_password(&server, more).await;
        until("all is taken in", || watched.taken() == 6).await;
        until("it is shown, and shown again", || watched.errors().len() > 1).await;
        assert!(watched.errors().iter().all(|error| error.ends_with(words)), "{:?}", watched.errors());
        server.deliver(&mail(7));
        until("what comes later is taken in too", || watched.taken() == 7).await;
        assert_eq!((fetches(&server), watched.harness.inbox.pushes()), (4, 7), "nothing is fetched twice");
        server.state().refuses = None;
        let is_settled = |mail: &server::Stored| mail.flags.contains(TAKEN) || mail.flags.contains("\\Deleted");
        until("it is settled", || server.state().mails.iter().all(is_settled)).await;
        let moved = server.state().folders.first().map(|(_, mails)| mails.len());
        assert_eq!(moved, (more == moving).then_some(7), "each is moved once: {words}");
        watched.harness.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_says_that_a_flag_is_kept_and_keeps_none_is_named_and_not_asked_for_ever() {
    let server = Server::start().await;
    server.state().forgets_flags = true;
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "").await;
    until("it is named", || !watched.errors().is_empty()).await;
    let words = "the server says that mail is flagged, and shows it as before, beginning with UID 1; see `imap.after_intake`";
    assert!(watched.errors()[0].ends_with(words), "{:?}", watched.errors());
    server.deliver(&mail(2));
    until("what comes later is taken in", || watched.taken() == 2).await;
    assert_eq!((fetches(&server), watched.harness.inbox.pushes()), (2, 2));
    watched.harness.stop().await;
}

#[tokio::test]
async fn what_another_host_has_moved_meanwhile_is_not_copied_again() {
    let server = Server::start().await;
    {
        let mut state = server.state();
        state.capabilities = "IDLE AUTH=PLAIN".into();
        state.folders.push(("Done".into(), Vec::new()));
        state.is_shared = true;
    }
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "after_intake = \"move\"\nmove_to = \"Done\"").await;
    until("it waits for more", || server.state().commands.iter().any(|command| command == "IDLE")).await;
    assert_eq!((server.state().folders[0].1.len(), watched.taken(), watched.errors()), (1, 1, vec![]));
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_only_read_is_looked_through_again_after_a_start_and_nothing_is_new() {
    let server = Server::start().await;
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "after_intake = \"nothing\"").await;
    until("the first is taken in", || watched.taken() == 1).await;
    server.deliver(&mail(2));
    until("the second is taken in", || watched.taken() == 2).await;
    assert_eq!(watched.harness.inbox.pushes(), 2, "what was seen is not asked for again");
    server.fail("SEARCH", 1, Fault::Close);
    until("it connects again", || server.state().connections == 2).await;
    server.deliver(&mail(3));
    until("the third is taken in", || watched.taken() == 3).await;
    assert_eq!(watched.harness.inbox.pushes(), 3, "nor after a new connection");
    {
        let mut state = server.state();
        state.uid_validity = 2;
        state.fault = Some(("SEARCH".into(), 1, Fault::Close));
    }
    until("all of it is looked at again", || watched.harness.inbox.pushes() == 6).await;
    assert_eq!((watched.taken(), server.flagged(TAKEN)), (3, 0));
    let commands = server.state().commands.clone();
    assert!(!commands.iter().any(|command| command.starts_with("SELECT") || command.contains("STORE")), "{commands:?}");
    watched.harness.stop().await;
}

#[tokio::test]
async fn r12_1_new_numbers_and_lost_flags_make_nothing_twice() {
    let server = Server::start().await;
    for number in 0..20 {
        server.deliver(&mail(number));
    }
    let watched = Watched::by_password(&server, "").await;
    until("all is flagged", || server.flagged(TAKEN) == 20).await;
    {
        let mut state = server.state();
        state.uid_validity = 77;
        state.mails.iter_mut().zip(500..).for_each(|(mail, uid)| {
            mail.uid = uid;
            mail.flags.clear();
        });
        state.next_uid = 900;
        state.fault = Some(("SEARCH".into(), 1, Fault::Close));
    }
    until("all is flagged again", || server.flagged(TAKEN) == 20).await;
    assert_eq!((watched.taken(), watched.harness.inbox.pushes()), (20, 40));
    watched.harness.stop().await;
}
