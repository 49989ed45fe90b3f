//! Checks of the settings of files.

use super::check::{Check, short};
use super::{FilesConfig, FilesShape, ScannerAddress};
use crate::picture;

const HUNDRED_MIB: i64 = 104_857_600;

impl Check<'_> {
    /// Which files are taken, and what is done with them first.
    pub(super) fn files(&mut self, shape: FilesShape) -> FilesConfig {
        let reencode_images = shape.reencode_images.unwrap_or(true);
        let bytes = self.whole("files.bytes", shape.bytes, 1, HUNDRED_MIB, 10_485_760);
        let memory_bytes = self.whole("files.memory_bytes", shape.memory_bytes, 1, 16_106_127_360, 268_435_456);
        if memory_bytes < bytes {
            self.fault("files.memory_bytes", "must be at least `files.bytes`");
        }
        FilesConfig {
            allowed: shape.allowed,
            bytes,
            count: self.whole("files.count", shape.count, 1, 20, 5),
            types: self.types(shape.types, reencode_images),
            memory_bytes,
            keep_minutes: self.whole("files.keep_minutes", shape.keep_minutes, 1, 60, 10),
            read_timeout_seconds: self.whole("files.read_timeout_seconds", shape.read_timeout_seconds, 1, 3_600, 120),
            reencode_images,
            image_pixels: self.whole("files.image_pixels", shape.image_pixels, 10_000, 400_000_000, 40_000_000),
            images_at_once: self.whole("files.images_at_once", shape.images_at_once, 1, 64, 2),
            scanner: self.scanner(shape.scanner),
            scan_timeout_seconds: self.whole("files.scan_timeout_seconds", shape.scan_timeout_seconds, 1, 600, 30),
        }
    }

    /// The types in lower case. Where pictures are written anew, all of them are those that can be.
    fn types(&mut self, found: Option<Vec<String>>, reencode_images: bool) -> Vec<String> {
        let usual = ["image/*", "application/pdf", "text/plain"];
        let words: Vec<String> = match found {
            None => usual.map(str::to_owned).to_vec(),
            Some(types) => types.into_iter().map(|word| word.trim().to_ascii_lowercase()).collect(),
        };
        let mut types: Vec<String> = Vec::new();
        for word in words {
            if !is_type(&word) {
                self.fault("files.types", format!("found `{}`; it is .pdf, application/pdf or image/*", short(&word)));
            } else if reencode_images && picture::is_unreadable(&word) {
                let hint = "with `files.reencode_images` pictures are JPEG, PNG, GIF and WebP";
                self.fault("files.types", format!("found `{}`; {hint}", short(&word)));
            }
            match word.as_str() {
                "image/*" if reencode_images => types.extend(picture::TYPES.map(str::to_owned)),
                _ => types.push(word),
            }
        }
        types
    }

    /// Where the virus scanner listens; none when empty.
    fn scanner(&mut self, found: Option<String>) -> Option<ScannerAddress> {
        let found = found.filter(|found| !found.trim().is_empty())?;
        let address = found.trim().strip_prefix("clamd:").and_then(scanner_address);
        if address.is_none() {
            self.fault("files.scanner", format!("found `{}`; it is clamd:/PATH/OF/SOCKET or clamd:HOST:PORT", short(&found)));
        }
        address
    }
}

/// Whether this is an extension with its dot, a media type or a group of them.
fn is_type(word: &str) -> bool {
    let is_token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.*_".contains(&b));
    match (word.strip_prefix('.'), word.split_once('/')) {
        (Some(extension), None) => is_token(extension) && !extension.contains('*'),
        (None, Some((group, kind))) => {
            is_token(group) && !group.contains('*') && (kind == "*" || !kind.contains('*') && is_token(kind))
        }
        _ => false,
    }
}

fn scanner_address(text: &str) -> Option<ScannerAddress> {
    if text.starts_with('/') {
        return Some(ScannerAddress::Path(text.into()));
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    (is_host && port.parse::<u16>().is_ok_and(|port| port > 0)).then(|| ScannerAddress::Network(text.to_owned()))
}
