//! GIF, frame by frame: decoded to its palette's numbers and written anew from them, so that it keeps moving and looks the
//! same, without the comments, extensions and bytes behind the end that it came with.

use super::{Bounded, Refusal, Rules, check_size};
use gif::{ColorOutput, DecodeOptions, Decoder, Encoder, MemoryLimit};
use std::borrow::Cow;
use std::num::NonZeroU64;

/// Pixels of all frames together, for each pixel that a picture may have.
const MOST_PIXELS_FACTOR: u64 = 4;
const MOST_FRAMES: usize = 2_000;

/// The GIF written anew; none when it cannot keep its frames, because they are too many, too large or out of shape.
pub(super) fn rewritten(bytes: &[u8], rules: Rules) -> Result<Option<Vec<u8>>, Refusal> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(NonZeroU64::new(rules.pixels).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(bytes).map_err(|_| Refusal::Undecodable)?;
    check_size(decoder.width().into(), decoder.height().into(), rules)?;
    let mut out = Bounded::new(rules.bytes);
    Ok(copied(&mut decoder, &mut out, rules).filter(|frames| *frames > 0).map(|_| out.bytes))
}

/// Copies the frames, up to a broken one; returns how many. None when they cannot all be kept.
fn copied(decoder: &mut Decoder<&[u8]>, out: &mut Bounded, rules: Rules) -> Option<usize> {
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = Encoder::new(out, decoder.width(), decoder.height(), &palette).ok()?;
    let mut left = rules.pixels.saturating_mul(MOST_PIXELS_FACTOR);
    let mut frames = 0;
    while let Ok(Some(frame)) = decoder.next_frame_info() {
        let mut frame = frame.clone();
        left = left.checked_sub(u64::from(frame.width) * u64::from(frame.height))?;
        if frames >= MOST_FRAMES {
            return None;
        }
        let mut pixels = vec![0; decoder.buffer_size()];
        if decoder.read_into_buffer(&mut pixels).is_err() {
            break;
        }
        if frames == 0 {
            encoder.set_repeat(decoder.repeat()).ok()?;
        }
        frame.buffer = Cow::Owned(pixels);
        // The pixels were put in order when they were read.
        frame.interlaced = false;
        frame.needs_user_input = false;
        encoder.write_frame(&frame).ok()?;
        frames += 1;
    }
    encoder.into_inner().ok()?;
    Some(frames)
}
