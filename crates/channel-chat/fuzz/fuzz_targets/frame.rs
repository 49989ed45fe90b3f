//! See `src/fuzzing.rs` of the channel.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchboard_channel_chat::fuzzing::frame(bytes));
