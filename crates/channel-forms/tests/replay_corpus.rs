//! Replays the corpora of the fuzz targets on any compiler.

use switchboard_channel_forms::fuzzing;
use switchboard_channel_testkit::replay_corpus;

#[test]
fn any_bytes_are_read_as_a_submission() {
    replay_corpus(env!("CARGO_MANIFEST_DIR"), "form", fuzzing::form);
}
