//! What has to be known of a WebP before it is decoded: the size of each frame, which the decoder believes before it
//! compares it with the picture's, and whether there was a loss already.

use super::{Refusal, Rules, check_size};

/// More chunks than any picture has.
const MOST_CHUNKS: usize = 10_000;
/// Bytes before the chunks of the file, and before those of a frame.
const FILE_HEADER_BYTES: usize = 12;
const FRAME_HEADER_BYTES: usize = 16;

/// Whether a WebP was written with loss, as photographs are; fails when one of its frames is too large.
pub(super) fn is_lossy(bytes: &[u8], rules: Rules) -> Result<bool, Refusal> {
    let mut rest = bytes.get(FILE_HEADER_BYTES..).unwrap_or_default();
    let mut is_lossy = false;
    for _ in 0..MOST_CHUNKS {
        let Some((name, size, behind)) = chunk(rest) else { return Ok(is_lossy) };
        // The decoder does not mind a last chunk that is cut short, so its beginning counts too.
        let data = &behind[..size.min(behind.len())];
        match name {
            b"VP8 " => {
                is_lossy = true;
                check(lossy_size(data), rules)?;
            }
            b"VP8L" => check(lossless_size(data), rules)?,
            // Its chunks come next.
            b"ANMF" => {
                rest = behind.get(FRAME_HEADER_BYTES..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        rest = behind.get(size + size % 2..).unwrap_or_default();
    }
    Err(Refusal::Undecodable)
}

/// The name of the next chunk, the length of its data, and everything that follows its head.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], usize, &[u8])> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    Some((name, usize::try_from(u32::from_le_bytes(*size)).ok()?, rest))
}

/// Width and height in the head of a key frame (RFC 6386, section 9.1).
fn lossy_size(data: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?]) & 0x3fff));
    Some((side(6)?, side(8)?))
}

/// Width and height of a frame without loss (RFC 9649, section 3.4).
fn lossless_size(data: &[u8]) -> Option<(u32, u32)> {
    let bits = u32::from_le_bytes(*data.get(1..5)?.first_chunk()?);
    Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}

fn check(size: Option<(u32, u32)>, rules: Rules) -> Result<(), Refusal> {
    let (width, height) = size.ok_or(Refusal::Undecodable)?;
    check_size(width, height, rules)
}
