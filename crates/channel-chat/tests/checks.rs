//! What files go through before anybody is shown them.

mod clamd;
mod client;

use clamd::{Clamd, Mood, VIRUS};
use client::{Client, Site, fetch, pass_of, post, send_file};
use image::{DynamicImage, GenericImageView, ImageFormat, RgbImage};
use serde_json::{Value, json};
use std::io::Cursor;
use switchboard_channel::ErrorKind;
use switchboard_channel_testkit::contract;
use switchboard_model::ConversationId;
use tokio_util::sync::CancellationToken;

const NOTE: &[(&str, &str)] = &[("content-type", "text/plain"), ("x-file-name", "note.txt")];

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(30, 20, image::Rgb([200, 30, 40])));
    image.write_to(&mut Cursor::new(&mut bytes), format).expect("the picture can be written");
    bytes
}

async fn visit(site: &Site) -> (Client, String) {
    let (mut client, _) = site.visit(json!({})).await;
    let pass = pass_of(&mut client).await;
    (client, pass)
}

async fn posted(site: &Site, pass: &str, name: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
    post(site, pass, &[("content-type", content_type), ("x-file-name", name)], body).await
}

#[tokio::test]
async fn a_picture_is_written_anew_before_it_is_kept() {
    let site = Site::with(&[("bytes = 1000", "bytes = 4000")]).await;
    let (mut client, pass) = visit(&site).await;
    let sent = [picture(ImageFormat::WebP), b"<script>alert(1)</script>".to_vec()].concat();
    // A sender can be wrong about the kind of picture.
    let (status, kept) = posted(&site, &pass, "a.jpg", "image/jpeg", sent).await;
    assert_eq!((status, &kept["name"], &kept["content_type"]), (201, &json!("a.webp"), &json!("image/webp")));
    let accepted = send_file(&mut client, "message-1", &kept["id"]).await;
    let (status, headers, bytes) = fetch(&site, &pass, &format!("{}/{}/0", accepted["conversation"], accepted["message"])).await;
    assert_eq!(
        (status, &headers["content-type"], json!(bytes.len())),
        (200, &"image/webp".parse().expect("a header"), kept["size_bytes"].clone())
    );
    assert!(!bytes.windows(8).any(|part| part == b"<script>"));
    let shown = image::load_from_memory_with_format(&bytes, ImageFormat::WebP).expect("a picture");
    assert_eq!(shown.dimensions(), (30, 20));
    site.stop().await;
}

#[tokio::test]
async fn what_calls_itself_a_picture_and_is_none_is_refused() {
    let site = Site::with(&[("bytes = 1000", "bytes = 4000, image_pixels = 10000")]).await;
    let (_client, pass) = visit(&site).await;
    let mut large = Vec::new();
    DynamicImage::new_luma8(101, 100).write_to(&mut Cursor::new(&mut large), ImageFormat::Png).expect("a picture");
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    for (name, content_type, body, status, code) in [
        ("a.png", "image/png", b"hello".to_vec(), 415, "file_type"),
        ("a.png", "image/png", picture(ImageFormat::Png)[..40].to_vec(), 415, "file_type"),
        ("a.txt", "image/tiff", b"II*\0".to_vec(), 415, "file_type"),
        ("a.svg", "image/svg+xml", svg, 415, "file_type"),
        ("a.png", "image/png", large, 413, "too_many_pixels"),
        // It begins like a picture.
        ("a.txt", "text/plain", vec![0xff, 0xd8, 0xff, 0xe0], 415, "file_type"),
    ] {
        let (found, problem) = posted(&site, &pass, name, content_type, body).await;
        assert_eq!((found, &problem["code"]), (status, &json!(code)), "{name} {content_type}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_picture_that_says_it_is_something_else_is_taken_as_the_picture_that_it_is_or_not_at_all() {
    let both = Site::with(&[("bytes = 1000", "bytes = 4000")]).await;
    let (_client, pass) = visit(&both).await;
    let (status, kept) = posted(&both, &pass, "note.txt", "text/plain", picture(ImageFormat::Png)).await;
    assert_eq!((status, &kept["name"], &kept["content_type"]), (201, &json!("note.txt.png"), &json!("image/png")));
    both.stop().await;
    let notes = Site::with(&[("bytes = 1000", "bytes = 4000"), ("\"image/*\", \".txt\"", "\"text/plain\"")]).await;
    let (_client, pass) = visit(&notes).await;
    let (status, problem) = posted(&notes, &pass, "note.txt", "text/plain", picture(ImageFormat::Png)).await;
    assert_eq!((status, &problem["code"]), (415, &json!("file_type")));
    notes.stop().await;
}

#[tokio::test]
async fn svg_is_taken_by_its_own_name_only_and_is_never_a_picture() {
    for settings in ["", ", reencode_images = false"] {
        let types = format!("types = [\"image/*\", \".svg\"]{settings}");
        let site = Site::with(&[("types = [\"image/*\", \".txt\"]", &types)]).await;
        let (_client, pass) = visit(&site).await;
        let (status, kept) = posted(&site, &pass, "a.svg", "image/svg+xml", b"<svg/>".to_vec()).await;
        assert_eq!((status, &kept["content_type"]), (201, &json!("application/octet-stream")));
        let (status, _) = posted(&site, &pass, "a", "image/svg+xml", b"<svg/>".to_vec()).await;
        assert_eq!(status, 415, "all pictures are no documents");
        site.stop().await;
    }
}

#[tokio::test]
async fn pictures_stay_as_they_came_when_that_is_asked_for() {
    let site = Site::with(&[("count = 2", "count = 2, reencode_images = false")]).await;
    let (_client, pass) = visit(&site).await;
    let (status, kept) = posted(&site, &pass, "a.png", "image/png", vec![7; 10]).await;
    assert_eq!((status, &kept["size_bytes"]), (201, &json!(10)));
    site.stop().await;
}

#[tokio::test]
async fn pictures_of_many_visitors_come_out_while_others_talk() {
    let site = Site::with(&[("bytes = 1000", "bytes = 100000")]).await;
    let (_one, pass) = visit(&site).await;
    let (mut other, _) = visit(&site).await;
    let mut large = Vec::new();
    DynamicImage::new_rgb8(300, 300).write_to(&mut Cursor::new(&mut large), ImageFormat::Png).expect("a picture");
    let uploads = futures::future::join_all((0..6).map(|_| posted(&site, &pass, "a.png", "image/png", large.clone())));
    let talk = other.begin("message-1", "Hei");
    let (uploads, talk) = tokio::join!(uploads, talk);
    assert_eq!(talk["type"], "accepted");
    assert!(uploads.iter().all(|(status, _)| *status == 201), "{uploads:?}");
    site.stop().await;
}

/// A chat with a scanner.
async fn scanned(settings: &str) -> (Site, Clamd, CancellationToken) {
    let (listener, address) = Clamd::listener().await;
    let scanner = format!("count = 2, scanner = \"clamd:{address}\"{settings}");
    let site = Site::with(&[("bytes = 1000", "bytes = 200000"), ("count = 2", &scanner)]).await;
    let (clamd, until) = (Clamd::new(), site.harness.context.runtime.shutdown.child_token());
    clamd.listen(&site.harness, listener, until.clone());
    (site, clamd, until)
}

#[tokio::test]
async fn every_file_is_shown_to_the_scanner_as_it_came() {
    let watch = contract::LogWatch::start(&[], &["a-virus-for-tests", "marked-name-of-a-picture"]);
    let (site, clamd, _until) = scanned("").await;
    let (_client, pass) = visit(&site).await;
    let note = b"hello ".repeat(25_000);
    assert_eq!(post(&site, &pass, NOTE, note.clone()).await.0, 201);
    let infected = [b"hello ", VIRUS, b" goodbye"].concat();
    let (status, problem) = post(&site, &pass, NOTE, infected.clone()).await;
    assert_eq!((status, &problem["code"]), (422, &json!("infected")));
    let hidden = [picture(ImageFormat::Jpeg), VIRUS.to_vec()].concat();
    let (status, problem) = posted(&site, &pass, "marked-name-of-a-picture.jpg", "image/jpeg", hidden.clone()).await;
    assert_eq!((status, &problem["code"]), (422, &json!("infected")), "also where writing it anew would have removed it");
    assert_eq!(post(&site, &pass, NOTE, Vec::new()).await.0, 201);
    assert_eq!(clamd.files(), [note, infected, hidden, Vec::new()]);
    watch.assert_said(&["the virus scanner refuses a file"]);
    watch.assert_hidden();
    site.stop().await;
}

#[tokio::test]
async fn no_file_is_taken_that_was_not_looked_at() {
    let (site, clamd, until) = scanned(", scan_timeout_seconds = 4").await;
    let (_client, pass) = visit(&site).await;
    for mood in [Mood::Silent, Mood::Closes, Mood::Garbage, Mood::Limited] {
        clamd.becomes(mood);
        let (status, problem) = post(&site, &pass, NOTE, b"hello".to_vec()).await;
        assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{mood:?}");
    }
    clamd.becomes(Mood::Well);
    assert_eq!(post(&site, &pass, NOTE, b"hello".to_vec()).await.0, 201, "as soon as it is well");
    until.cancel();
    let (status, _) = post(&site, &pass, NOTE, b"hello".to_vec()).await;
    assert_eq!(status, 503, "nobody listens");
    site.stop().await;
}

#[tokio::test]
async fn a_scanner_listens_on_a_socket_in_the_file_system_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clamd.ctl");
    let scanner = format!("count = 2, scanner = \"clamd:{}\"", path.display());
    let site = Site::with(&[("count = 2", &scanner)]).await;
    let (_client, pass) = visit(&site).await;
    assert_eq!(post(&site, &pass, NOTE, VIRUS.to_vec()).await.0, 503, "it is not there yet");
    Clamd::new().listen_at(&site.harness, &path, site.harness.context.runtime.shutdown.child_token());
    assert_eq!(post(&site, &pass, NOTE, VIRUS.to_vec()).await.0, 422);
    assert_eq!(post(&site, &pass, NOTE, b"hello".to_vec()).await.0, 201);
    site.stop().await;
}

#[tokio::test]
async fn a_scanner_that_fails_is_the_channels_error_and_visitors_are_served_all_the_same() {
    let (listener, address) = Clamd::listener().await;
    let scanner = format!("count = 2, scanner = \"clamd:{address}\"");
    let site = Site::quiet(&[("count = 2", &scanner)]).await;
    let (clamd, until) = (Clamd::new(), site.harness.context.runtime.shutdown.child_token());
    clamd.listen(&site.harness, listener, until.clone());
    let run = || site.harness.channel.run(site.harness.context.clone());
    let (mut client, pass) = visit(&site).await;
    let accepted = client.begin("message-1", "Hei").await;
    clamd.becomes(Mood::Limited);
    let (failed, (status, _)) = tokio::join!(run(), post(&site, &pass, NOTE, b"hello".to_vec()));
    let error = failed.expect_err("a file could not be looked at");
    let shown = format!("asking the virus scanner at {address}; no files are taken without it");
    assert_eq!((status, error.kind, error.attempt), (503, ErrorKind::Rejected, shown));
    assert!(error.message.contains("INSTREAM size limit exceeded"), "{}", error.message);
    clamd.becomes(Mood::Closes);
    assert_eq!(run().await.expect_err("it is not there").kind, ErrorKind::Unreachable);
    let id = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    site.harness.threads.reply(id, "Pia", "Hei til deg");
    assert_eq!(client.until("message").await["text"], "Hei til deg", "nobody runs the channel, and it is told");
    clamd.becomes(Mood::Well);
    site.harness.run();
    assert_eq!(post(&site, &pass, NOTE, b"hello".to_vec()).await.0, 201);
    site.harness.threads.reply(id, "Pia", "Og igjen");
    assert_eq!(client.until("message").await["text"], "Og igjen");
    site.stop().await;
}
