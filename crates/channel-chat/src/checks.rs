//! What every file goes through before it is kept: the virus scanner, and for pictures the way through their pixels.

use crate::config::FilesConfig;
use crate::files::{NoRoom, Room, file_name};
use crate::picture::{self, Refusal, Rules};
use crate::scanner::{Scanner, Verdict};
use crate::turns::Turns;
use bytes::Bytes;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// How long a file waits for its turn before its sender is asked to come again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The checks of one chat.
pub(crate) struct Checks {
    pictures: Option<Pictures>,
    scanner: Option<Scanner>,
}

struct Pictures {
    rules: Rules,
    turns: Turns,
}

/// A file that has come whole.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) name: String,
    /// What it says that it is; afterwards what it is, when it is a picture.
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A picture that is none.
    Type,
    /// A picture with too many pixels.
    Pixels,
    /// A picture that became too large.
    Bytes,
    /// The scanner found something, which it knows by this name.
    Infected(String),
    /// The scanner cannot look at it now.
    Unscanned,
    /// Too many are before it.
    Busy,
    /// It became larger and there is no room for that.
    NoRoom,
}

impl Checks {
    /// The checks that the settings ask for.
    pub(crate) fn new(config: &FilesConfig) -> Self {
        let rules = Rules { pixels: config.image_pixels, bytes: config.bytes };
        let limit = Duration::from_secs(config.scan_timeout_seconds);
        Self {
            pictures: config.reencode_images.then(|| Pictures { rules, turns: Turns::new(config.images_at_once) }),
            scanner: config.scanner.clone().map(|address| Scanner::new(address, limit)),
        }
    }

    /// The scanner, when there is one.
    pub(crate) const fn scanner(&self) -> Option<&Scanner> {
        self.scanner.as_ref()
    }

    /// Checks a file of this sender; gives it back as it may be shown, with the room that it takes.
    ///
    /// `takes` says whether a name and type are taken at all, which is asked of what turns out to be a picture without
    /// having said so.
    pub(crate) async fn pass(
        &self,
        mut file: Incoming,
        room: Room,
        sender: IpAddr,
        takes: impl Fn(&str, &str) -> bool,
    ) -> Result<(Incoming, Room), Refused> {
        if let Some(scanner) = &self.scanner {
            scanned(scanner, &file.bytes, sender).await?;
        }
        if picture::is_svg(&file.name, &file.content_type) {
            // To be saved, by those who know what it is, and shown by nobody.
            "application/octet-stream".clone_into(&mut file.content_type);
            return Ok((file, room));
        }
        match &self.pictures {
            Some(pictures) if picture::is_picture(&file.name, &file.content_type, &file.bytes) => {
                let said_by = |name: &str, content_type: &str| {
                    picture::calls_itself_picture(name, content_type) && takes(name, content_type)
                };
                // What was taken for something else must be taken as the picture that it is.
                let has_said_so = said_by(&file.name, "") || said_by("", &file.content_type);
                let (file, room) = pictures.written_anew(file, room, sender).await?;
                let is_taken = has_said_so || takes(&file.name, &file.content_type);
                if is_taken { Ok((file, room)) } else { Err(Refused::Type) }
            }
            _ => Ok((file, room)),
        }
    }
}

impl Pictures {
    async fn written_anew(&self, file: Incoming, room: Room, sender: IpAddr) -> Result<(Incoming, Room), Refused> {
        let turn = timeout(LONGEST_WAIT, self.turns.take(sender)).await.map_err(|_| Refused::Busy)?;
        let rules = self.rules;
        let Incoming { name, bytes, .. } = file;
        let work = move || {
            let written = picture::rewritten(&bytes, rules);
            // Room and turn last as long as the work, even when nobody waits for it any more.
            drop((bytes, turn));
            (written, room)
        };
        // A decoder that panics has met something that is no picture.
        let (written, mut room) = tokio::task::spawn_blocking(work).await.map_err(|_| Refused::Type)?;
        let written = written?;
        room.resize(written.bytes.len())?;
        let name = file_name(&picture::renamed(&name, written.format));
        let content_type = written.format.to_mime_type().to_owned();
        Ok((Incoming { name, content_type, bytes: written.bytes.into() }, room))
    }
}

async fn scanned(scanner: &Scanner, bytes: &[u8], sender: IpAddr) -> Result<(), Refused> {
    let turn = timeout(LONGEST_WAIT, scanner.turn(sender)).await.map_err(|_| Refused::Busy)?;
    let verdict = scanner.scan(bytes).await;
    drop(turn);
    match verdict {
        Ok(Verdict::Clean) => Ok(()),
        Ok(Verdict::Infected(found)) => Err(Refused::Infected(found)),
        Err(_) => Err(Refused::Unscanned),
    }
}

impl Refused {
    /// The word that it is counted under.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Type => "file_type",
            Self::Pixels => "too_many_pixels",
            Self::Bytes => "too_large",
            Self::Infected(_) => "infected",
            Self::Unscanned => "unscanned",
            Self::Busy => "busy",
            Self::NoRoom => "no_room",
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Undecodable => Self::Type,
            Refusal::Pixels => Self::Pixels,
            Refusal::Bytes => Self::Bytes,
        }
    }
}

impl From<NoRoom> for Refused {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}
