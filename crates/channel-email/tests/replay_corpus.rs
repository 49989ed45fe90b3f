//! Replays the corpora of the fuzz targets on any compiler.

use switchboard_channel_email::fuzzing;
use switchboard_channel_testkit::replay_corpus;

#[test]
fn any_bytes_are_read_as_a_mail() {
    replay_corpus(env!("CARGO_MANIFEST_DIR"), "mail", fuzzing::mail);
}

#[test]
fn any_bytes_are_unpacked_as_tnef() {
    replay_corpus(env!("CARGO_MANIFEST_DIR"), "tnef", fuzzing::tnef);
}
