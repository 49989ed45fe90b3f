//! Pictures, decoded and written anew: what is shown to others is pixels, upright, and nothing that came beside them.

mod moving;
mod webp;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::io::{self, Cursor, Write};

/// Media types of the pictures that are taken.
pub(crate) const TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// Longest edge; a panorama of a phone has 16,382.
const MOST_EDGE_PX: u32 = 20_000;
/// Four channels of one byte. What needs more, such as 16 bits a channel, has to have fewer pixels.
const MOST_BYTES_PER_PIXEL: u64 = 4;
/// The best first; the next one is for what has become too large.
const JPEG_QUALITIES: [u8; 3] = [85, 70, 50];
/// A PNG up to this size is made as small as can be in passing, a larger one in a hurry.
const MOST_PIXELS_AT_LEISURE: u64 = 4_000_000;
/// Endings of names by which a file calls itself a picture of a kind that is taken.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "webp"];
/// The same of kinds that are not. SVG is not among them: it is a document, not a picture.
const OTHER_ENDINGS: [&str; 9] = ["bmp", "dib", "tif", "tiff", "heic", "heif", "avif", "jxl", "ico"];

/// How large a picture may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Pixels, width by height.
    pub(crate) pixels: u64,
    /// Bytes of what is written anew.
    pub(crate) bytes: usize,
}

/// A picture written anew.
pub(crate) struct Picture {
    pub(crate) format: ImageFormat,
    pub(crate) bytes: Vec<u8>,
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is none of the kinds that are taken, or broken.
    Undecodable,
    /// It has too many pixels.
    Pixels,
    /// Written anew it has too many bytes.
    Bytes,
}

/// Whether a file is to be treated as a picture: because it says so in its type or name, or because it begins like one.
pub(crate) fn is_picture(name: &str, content_type: &str, bytes: &[u8]) -> bool {
    calls_itself_picture(name, content_type) || known_format(bytes).is_some()
}

/// Whether a file is a picture by its name or its type.
pub(crate) fn calls_itself_picture(name: &str, content_type: &str) -> bool {
    let ending = ending(name);
    content_type.starts_with("image/") || ENDINGS.contains(&&*ending) || OTHER_ENDINGS.contains(&&*ending)
}

/// Whether a file says of itself that it is SVG: a document that can hold programs, never shown as a picture.
pub(crate) fn is_svg(name: &str, content_type: &str) -> bool {
    content_type.starts_with("image/svg") || matches!(ending(name).as_str(), "svg" | "svgz")
}

/// Whether this media type, or ending with its dot, names pictures that cannot be decoded.
pub(crate) fn is_unreadable(word: &str) -> bool {
    match word.strip_prefix('.') {
        Some(ending) => OTHER_ENDINGS.contains(&ending),
        None => word.starts_with("image/") && word != "image/*" && !TYPES.contains(&word) && !is_svg("", word),
    }
}

/// The name with the ending of the format, when it has another one.
pub(crate) fn renamed(name: &str, format: ImageFormat) -> String {
    let found = ending(name);
    let fitting: &[&str] = match format {
        ImageFormat::Jpeg => &ENDINGS[..4],
        ImageFormat::Png => &ENDINGS[4..6],
        ImageFormat::Gif => &ENDINGS[6..7],
        _ => &ENDINGS[7..],
    };
    if fitting.contains(&&*found) {
        return name.to_owned();
    }
    let is_other = ENDINGS.contains(&&*found) || OTHER_ENDINGS.contains(&&*found);
    let stem = if is_other { &name[..name.len() - found.len() - 1] } else { name };
    format!("{stem}.{}", fitting[0])
}

/// Decodes a picture and writes it anew, upright, with its pixels and nothing else. JPEG stays JPEG and PNG stays PNG. A
/// GIF keeps its frames where they are not too many, of every other moving picture the first frame is left. WebP stays
/// WebP, but a photograph becomes JPEG.
///
/// Takes time and memory in the order of the pixels: for threads that may block.
pub(crate) fn rewritten(bytes: &[u8], rules: Rules) -> Result<Picture, Refusal> {
    let format = known_format(bytes).ok_or(Refusal::Undecodable)?;
    if format == ImageFormat::Gif
        && let Some(bytes) = moving::rewritten(bytes, rules)?
    {
        return Ok(Picture { format, bytes });
    }
    let is_photograph = match format {
        ImageFormat::Jpeg => true,
        ImageFormat::WebP => webp::is_lossy(bytes, rules)?,
        _ => false,
    };
    let image = decoded(bytes, format, rules)?;
    for (format, quality) in attempts(format, is_photograph, is_opaque(&image)) {
        if let Some(bytes) = encoded(&image, format, quality, rules.bytes)? {
            return Ok(Picture { format, bytes });
        }
    }
    Err(Refusal::Bytes)
}

/// Fails when the sides are too long or the pixels too many.
fn check_size(width: u32, height: u32, rules: Rules) -> Result<(), Refusal> {
    let fits = width <= MOST_EDGE_PX && height <= MOST_EDGE_PX && u64::from(width) * u64::from(height) <= rules.pixels;
    if fits { Ok(()) } else { Err(Refusal::Pixels) }
}

fn decoded(bytes: &[u8], format: ImageFormat, rules: Rules) -> Result<DynamicImage, Refusal> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_EDGE_PX);
    limits.max_image_height = Some(MOST_EDGE_PX);
    limits.max_alloc = Some(rules.pixels.saturating_mul(MOST_BYTES_PER_PIXEL));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, rules)?;
    limits.reserve(decoder.total_bytes()).map_err(refusal)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = in_eight_bits(DynamicImage::from_decoder(decoder).map_err(refusal)?);
    image.apply_orientation(orientation);
    Ok(image)
}

fn in_eight_bits(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => {
            image
        }
        DynamicImage::ImageLuma16(_) => DynamicImage::ImageLuma8(image.into_luma8()),
        DynamicImage::ImageLumaA16(_) => DynamicImage::ImageLumaA8(image.into_luma_alpha8()),
        DynamicImage::ImageRgb16(_) => DynamicImage::ImageRgb8(image.into_rgb8()),
        other => DynamicImage::ImageRgba8(other.into_rgba8()),
    }
}

fn is_opaque(image: &DynamicImage) -> bool {
    match image {
        DynamicImage::ImageLumaA8(pixels) => pixels.pixels().all(|pixel| pixel.0[1] == u8::MAX),
        DynamicImage::ImageRgba8(pixels) => pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX),
        _ => true,
    }
}

/// How a picture is written, the preferred way first; the others are for what becomes too large.
fn attempts(format: ImageFormat, is_photograph: bool, is_opaque: bool) -> Vec<(ImageFormat, u8)> {
    let exact = if format == ImageFormat::WebP { ImageFormat::WebP } else { ImageFormat::Png };
    let photographs = JPEG_QUALITIES.into_iter().filter(|_| is_opaque).map(|quality| (ImageFormat::Jpeg, quality));
    // The quality says nothing to what is written without loss.
    let exact = (!(is_photograph && is_opaque)).then_some((exact, 0));
    exact.into_iter().chain(photographs).collect()
}

/// The picture's bytes; none when there are more than `most`.
fn encoded(image: &DynamicImage, format: ImageFormat, quality: u8, most: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let mut out = Bounded::new(most);
    let written = match format {
        ImageFormat::Jpeg => without_alpha(image).write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality)),
        ImageFormat::WebP => image.write_with_encoder(WebPEncoder::new_lossless(&mut out)),
        _ => {
            let is_small = u64::from(image.width()) * u64::from(image.height()) <= MOST_PIXELS_AT_LEISURE;
            let effort = if is_small { CompressionType::Default } else { CompressionType::Fast };
            image.write_with_encoder(PngEncoder::new_with_quality(&mut out, effort, FilterType::Adaptive))
        }
    };
    match written {
        Ok(()) => Ok(Some(out.bytes)),
        Err(_) if out.is_over => Ok(None),
        Err(_) => Err(Refusal::Undecodable),
    }
}

/// JPEG has no alpha; only what is opaque comes here.
fn without_alpha(image: &DynamicImage) -> std::borrow::Cow<'_, DynamicImage> {
    match image {
        DynamicImage::ImageLumaA8(_) => std::borrow::Cow::Owned(DynamicImage::ImageLuma8(image.to_luma8())),
        DynamicImage::ImageRgba8(_) => std::borrow::Cow::Owned(DynamicImage::ImageRgb8(image.to_rgb8())),
        _ => std::borrow::Cow::Borrowed(image),
    }
}

fn known_format(bytes: &[u8]) -> Option<ImageFormat> {
    image::guess_format(bytes).ok().filter(|format| is_known(*format))
}

const fn is_known(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP)
}

/// What stands behind the last dot, in lower case; empty without one.
fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase())
}

fn refusal(error: ImageError) -> Refusal {
    match error {
        ImageError::Limits(_) => Refusal::Pixels,
        _ => Refusal::Undecodable,
    }
}

/// Bytes up to a bound; what goes beyond it fails.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

impl Bounded {
    const fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, is_over: false }
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
