//! What comes out of pictures that went in.

use super::{Picture, Refusal, Rules, is_picture, is_svg, renamed, rewritten};
use flate2::{Compress, Compression, Crc, FlushCompress};
use image::{DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

const RULES: Rules = Rules { pixels: 1_000_000, bytes: 1_000_000 };
const RED: [u8; 3] = [220, 20, 30];
const BLUE: [u8; 3] = [20, 30, 220];

/// 64 by 32, red on the left and blue on the right.
fn sample() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(64, 32, |x, _| Rgb(if x < 32 { RED } else { BLUE })))
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).expect("the picture can be written");
    bytes
}

fn read(picture: &Picture) -> DynamicImage {
    image::load_from_memory_with_format(&picture.bytes, picture.format).expect("what comes out can be read")
}

/// Whether the pixel has about this colour.
fn is_like(image: &DynamicImage, x: u32, y: u32, [red, green, blue]: [u8; 3]) -> bool {
    let found = image.get_pixel(x, y).0;
    [red, green, blue].iter().zip(found).all(|(wanted, found)| wanted.abs_diff(found) < 25)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn refused(bytes: &[u8]) -> Option<Refusal> {
    rewritten(bytes, RULES).err()
}

/// EXIF of a camera that was held upright (orientation 6), at 59° north, with a comment.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let main = [entry(0x0112, 3, 1, 6), entry(0x8825, 4, 1, 38)].concat();
    let place = [entry(1, 2, 2, u32::from(b'N')), entry(2, 5, 3, 68)].concat();
    let degrees: Vec<u8> = [59_u32, 1, 54, 1, 46, 1].iter().flat_map(|number| number.to_le_bytes()).collect();
    [b"Exif\0\0II*\0\x08\0\0\0", &[2, 0][..], &main, &[0; 4], &[2, 0], &place, &[0; 4], &degrees, b"Secret-Camera-4711"].concat()
}

/// A JPEG with these segments behind its beginning.
fn jpeg_with(segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let plain = written(&sample(), ImageFormat::Jpeg);
    let segments = segments.iter().flat_map(|(marker, data)| {
        let length = u16::try_from(data.len() + 2).expect("a short segment").to_be_bytes();
        [&[0xff, *marker][..], &length, data].concat()
    });
    [&plain[..2], &segments.collect::<Vec<u8>>(), &plain[2..]].concat()
}

#[test]
fn a_jpeg_comes_out_upright_and_without_place_and_comments() {
    let sent = jpeg_with(&[(0xe1, exif()), (0xed, b"Photoshop 3.0\0 4711".to_vec()), (0xfe, b"taken at home".to_vec())]);
    assert!(contains(&sent, b"Secret-Camera-4711") && contains(&sent, b"Exif"));
    let picture = rewritten(&sent, RULES).expect("it is taken");
    assert_eq!(picture.format, ImageFormat::Jpeg);
    for part in [b"Exif".as_slice(), b"Secret-Camera-4711", b"Photoshop", b"taken at home"] {
        assert!(!contains(&picture.bytes, part));
    }
    let image = read(&picture);
    assert_eq!(image.dimensions(), (32, 64), "turned");
    assert!(is_like(&image, 16, 5, RED) && is_like(&image, 16, 60, BLUE), "what was on the left is above");
}

#[test]
fn nothing_behind_the_picture_comes_along() {
    let tail = b"<html><script>alert(1)</script></html>PK\x03\x04zip";
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let sent = [&written(&sample(), format)[..], tail].concat();
        let picture = rewritten(&sent, RULES).expect("it is taken");
        assert_eq!(picture.format, format);
        assert!(!contains(&picture.bytes, b"<script>") && !contains(&picture.bytes, b"PK\x03\x04"), "{format:?}");
        let image = read(&picture);
        assert!(is_like(&image, 5, 5, RED) && is_like(&image, 60, 5, BLUE), "{format:?}");
    }
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    let length = u32::try_from(data.len()).expect("a short chunk").to_be_bytes();
    [&length, &name[..], data, &crc.sum().to_be_bytes()].concat()
}

/// A PNG of grey in one bit a pixel, of one colour, 30,000 by 30,000: few bytes, and 900 million pixels. Its data is one
/// block of 1,000 lines, thirty times, so that the test need not pack all of them.
fn bomb() -> Vec<u8> {
    const LINES: usize = 30_000;
    const LINE_BYTES: usize = LINES / 8 + 1;
    let mut packer = Compress::new(Compression::fast(), false);
    let (lines, mut block) = (vec![0; 1_000 * LINE_BYTES], Vec::with_capacity(100_000));
    packer.compress_vec(&lines, &mut block, FlushCompress::Full).expect("memory takes it");
    assert_eq!(packer.total_in(), u64::try_from(lines.len()).expect("few bytes"));
    // The checksum of so many zeros (RFC 1950, section 9).
    let sum = u32::try_from(LINES * LINE_BYTES % 65_521).expect("two bytes") << 16 | 1;
    let end = [&[1, 0, 0, 0xff, 0xff][..], &sum.to_be_bytes()].concat();
    let data = [&[0x78, 0x01], &block.repeat(LINES / 1_000)[..], &end].concat();
    let side = u32::try_from(LINES).expect("four bytes").to_be_bytes();
    let head = [&side[..], &side, &[1, 0, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &head), chunk(b"IDAT", &data), chunk(b"IEND", &[])].concat()
}

/// The most memory that this process ever had, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn a_bomb_is_refused_by_its_size_and_never_unpacked() {
    let bomb = bomb();
    assert!(bomb.len() < 2_000_000, "{}", bomb.len());
    let generous = Rules { pixels: 40_000_000, bytes: 10_000_000 };
    let before = peak_kib();
    for _ in 0..100 {
        assert_eq!(rewritten(&bomb, generous).err(), Some(Refusal::Pixels));
    }
    if let Some((before, after)) = before.zip(peak_kib()) {
        assert!(after - before < 20_000, "unpacked it has 900 MB, and it took {} kB", after - before);
    }
}

#[test]
fn more_pixels_than_allowed_are_too_many_in_every_format() {
    let large = DynamicImage::ImageRgb8(RgbImage::new(1_001, 1_000));
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        assert_eq!(refused(&written(&large, format)), Some(Refusal::Pixels), "{format:?}");
    }
    let long = DynamicImage::ImageLuma8(image::GrayImage::new(20_001, 1));
    assert_eq!(refused(&written(&long, ImageFormat::Png)), Some(Refusal::Pixels));
}

#[test]
fn sixteen_bits_a_channel_count_as_more_memory() {
    let deep = |side| written(&DynamicImage::new_rgba16(side, side), ImageFormat::Png);
    assert_eq!(refused(&deep(900)), Some(Refusal::Pixels));
    let picture = rewritten(&deep(300), RULES).expect("it is taken");
    assert_eq!(read(&picture).color(), image::ColorType::Rgba8);
}

#[test]
fn a_webp_frame_cannot_be_larger_than_its_picture_says() {
    let small = written(&sample(), ImageFormat::WebP);
    let frame = [&[0, 0, 0, 0x9d, 0x01, 0x2a][..], &16_383_u16.to_le_bytes(), &16_383_u16.to_le_bytes(), &[0; 40]].concat();
    let riff = |chunks: &[(&[u8; 4], &[u8])]| {
        let chunks = chunks
            .iter()
            .flat_map(|(name, data)| [&name[..], &u32::try_from(data.len()).expect("short").to_le_bytes(), data].concat());
        let body = [b"WEBP".to_vec(), chunks.collect()].concat();
        [b"RIFF", &u32::try_from(body.len()).expect("short").to_le_bytes()[..], &body].concat()
    };
    let canvas = [0, 0, 0, 0, 63, 0, 0, 31, 0, 0];
    assert_eq!(refused(&riff(&[(b"VP8X", &canvas), (b"VP8 ", &frame)])), Some(Refusal::Pixels));
    let moving = [&[0; 16][..], b"VP8 ", &[50, 0, 0, 0], &frame].concat();
    assert_eq!(refused(&riff(&[(b"VP8X", &canvas), (b"ANMF", &moving)])), Some(Refusal::Pixels));
    assert_eq!(refused(&riff(&[(b"VP8 ", &frame[..7])])), Some(Refusal::Undecodable));
    assert_eq!(refused(&riff(&vec![(b"JUNK", b"".as_slice()); 20_000])), Some(Refusal::Undecodable));
    assert!(rewritten(&small, RULES).is_ok());
}

#[test]
fn cut_and_damaged_pictures_are_refused_or_come_out_whole() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = written(&sample(), format);
        for end in 0..whole.len() {
            if let Ok(picture) = rewritten(&whole[..end], RULES) {
                assert_eq!(read(&picture).dimensions(), (64, 32), "{format:?} cut at {end}");
            }
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x5a;
            if let Ok(picture) = rewritten(&damaged, RULES) {
                read(&picture);
            }
        }
        assert_eq!(refused(&whole[..whole.len().min(20)]), Some(Refusal::Undecodable), "{format:?}");
    }
    for garbage in [b"".as_slice(), b"GIF89a", b"\x89PNG\r\n\x1a\n", &[0xff, 0xd8, 0xff], &[7; 5_000], b"<svg/>", b"BM\0\0\0\0"] {
        assert_eq!(refused(garbage), Some(Refusal::Undecodable));
    }
}

/// A GIF of so many frames, each of another colour, that repeats for ever and carries a comment.
fn moving(side: u16, frames: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, side, side, &[255, 0, 0, 0, 0, 255]).expect("a GIF");
    encoder.set_repeat(gif::Repeat::Infinite).expect("it repeats");
    encoder.write_raw_extension(gif::AnyExtension(0xfe), &[b"Secret-Camera-4711"]).expect("a comment");
    for number in 0..frames {
        let pixels = vec![number % 2; usize::from(side) * usize::from(side)];
        let frame = gif::Frame { delay: 7, width: side, height: side, buffer: pixels.into(), ..gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    bytes
}

fn frames(bytes: &[u8]) -> Vec<(u16, u8)> {
    let mut decoder = gif::DecodeOptions::new().read_info(bytes).expect("a GIF");
    let mut found = Vec::new();
    while let Some(frame) = decoder.read_next_frame().expect("a frame") {
        found.push((frame.delay, frame.buffer[0]));
    }
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    found
}

#[test]
fn a_gif_keeps_moving_and_loses_its_comment() {
    let sent = moving(20, 5);
    assert!(contains(&sent, b"Secret-Camera-4711"));
    let picture = rewritten(&sent, RULES).expect("it is taken");
    assert!(picture.format == ImageFormat::Gif && !contains(&picture.bytes, b"Secret-Camera-4711"));
    assert_eq!(frames(&picture.bytes), [(7, 0), (7, 1), (7, 0), (7, 1), (7, 0)]);
    let cut = rewritten(&sent[..sent.len() - 12], RULES).expect("it is taken");
    assert_eq!(frames(&cut.bytes).len(), 4, "up to the broken frame");
}

#[test]
fn of_a_gif_with_too_many_pixels_in_all_the_first_frame_is_left() {
    let picture = rewritten(&moving(200, 101), RULES).expect("it is taken");
    assert_eq!(picture.format, ImageFormat::Png);
    let image = read(&picture);
    assert!(image.dimensions() == (200, 200) && is_like(&image, 100, 100, [255, 0, 0]));
    assert_eq!(rewritten(&moving(200, 100), RULES).expect("it is taken").format, ImageFormat::Gif);
}

/// Noise, which cannot be made small without loss.
fn noise(side: u32) -> DynamicImage {
    let mut state = 1_u32;
    DynamicImage::ImageRgba8(RgbaImage::from_fn(side, side, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, red, green, blue] = state.to_le_bytes();
        Rgba([red, green, blue, 255])
    }))
}

#[test]
fn what_becomes_too_large_without_loss_is_written_with_loss() {
    let sent = written(&noise(200), ImageFormat::Png);
    let rules = |bytes| Rules { pixels: 1_000_000, bytes };
    assert_eq!(rewritten(&sent, rules(200_000)).expect("it is taken").format, ImageFormat::Png);
    let picture = rewritten(&sent, rules(60_000)).expect("it is taken");
    assert!(picture.format == ImageFormat::Jpeg && picture.bytes.len() <= 60_000);
    assert_eq!(rewritten(&sent, rules(1_000)).err(), Some(Refusal::Bytes));
    let mut clear = noise(200).into_rgba8();
    clear.put_pixel(0, 0, Rgba([0, 0, 0, 0]));
    let clear = written(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
    assert_eq!(rewritten(&clear, rules(60_000)).err(), Some(Refusal::Bytes), "JPEG has no alpha");
}

#[test]
fn colours_and_alpha_stay_where_nothing_is_lost() {
    let mut image = noise(40).into_rgba8();
    image.put_pixel(3, 4, Rgba([9, 8, 7, 100]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let picture = rewritten(&written(&DynamicImage::ImageRgba8(image.clone()), format), RULES).expect("it is taken");
        assert_eq!((picture.format, read(&picture).into_rgba8()), (format, image.clone()));
    }
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_fn(30, 20, |x, y| {
        image::Luma([u8::try_from(x * y % 256).expect("small")])
    }));
    let picture = rewritten(&written(&grey, ImageFormat::Png), RULES).expect("it is taken");
    assert_eq!(read(&picture), grey);
    assert_eq!(read(&rewritten(&written(&grey, ImageFormat::Jpeg), RULES).expect("it is taken")).color(), image::ColorType::L8);
}

#[test]
fn a_picture_is_what_says_so_or_begins_like_one() {
    let png = written(&sample(), ImageFormat::Png);
    for (name, content_type, bytes) in [
        ("a", "image/x-any", b"".as_slice()),
        ("a.JPG", "text/plain", b""),
        ("a.heic", "application/octet-stream", b""),
        ("a", "text/plain", &png),
    ] {
        assert!(is_picture(name, content_type, bytes), "{name}");
    }
    assert!(!is_picture("a.txt", "text/plain", b"hello") && !is_picture("jpg", "application/pdf", b"%PDF-1.7"));
    assert!(is_svg("a", "image/svg+xml") && is_svg("a.SVG", "text/plain") && !is_svg("a.png", "image/png"));
}

#[test]
fn the_name_says_what_it_became() {
    for (name, format, expected) in [
        ("a.jpg", ImageFormat::Jpeg, "a.jpg"),
        ("a.JFIF", ImageFormat::Jpeg, "a.JFIF"),
        ("a.webp", ImageFormat::Jpeg, "a.jpg"),
        ("å.gif", ImageFormat::Png, "å.png"),
        ("report.v2", ImageFormat::Png, "report.v2.png"),
        ("file", ImageFormat::WebP, "file.webp"),
        (".jpg", ImageFormat::Png, ".png"),
    ] {
        assert_eq!(renamed(name, format), expected);
    }
}
