//! What the fuzz target of `fuzz/` runs, and the test that replays its corpus. No interface for anybody else.

use crate::config::Form;
use crate::decode::checked;
use crate::{body, submission::Submission};
use axum::body::Body;
use axum::extract::Request;
use futures::FutureExt;
use http::header::CONTENT_TYPE;
use switchboard_channel::Settings;

const SETTINGS: &str = r#"
title = { en = "Contact us" }
max_parts = 20
fields = [
    { name = "name", label = { en = "Name" } },
    { name = "email", kind = "email" },
    { name = "topic", kind = "select", options = [{ value = "a", label = { en = "A" } }, "b"] },
    { name = "papers", kind = "file", max_bytes = 100, max_files = 2 },
]
"#;

/// Reads any bytes as a submission; the first one chooses the format.
///
/// # Panics
/// When reading waits for something that is not there, or the settings above are not good.
pub fn form(bytes: &[u8]) {
    let settings = Settings {
        slug: String::from("fuzz"),
        table: SETTINGS.parse().expect("the settings are TOML"),
        folder: std::path::PathBuf::from("/"),
    };
    let form = Form::read(&settings).expect("the settings are good");
    let (choice, sent) = bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest));
    let content_type = match choice % 3 {
        0 => "application/x-www-form-urlencoded",
        1 => "application/json",
        _ => "multipart/form-data; boundary=b",
    };
    let request = Request::post("/").header(CONTENT_TYPE, content_type).body(Body::from(sent.to_vec()));
    let read = body::read_whole(&form, request.expect("the request is well formed")).now_or_never();
    let submission = read.expect("all of the body is there").unwrap_or(Submission { entries: Vec::new() });
    let found = checked(&form, &submission);
    let digest = found.digest(&form);
    assert_eq!(digest, checked(&form, &submission).digest(&form), "the same submission is the same message");
}
