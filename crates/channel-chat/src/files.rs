//! Uploads that wait for their message, in memory and under limits.

use crate::config::FilesConfig;
use crate::token::{Owner, Pass};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_model::{Attachment, Timestamp};

/// The most uploads of one visitor that wait, for each file that a message can hold.
const WAITING_PER_FILE: usize = 4;
const LONGEST_NAME_BYTES: usize = 120;

/// The uploads of one channel on this host.
pub(crate) struct Uploads {
    config: FilesConfig,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Upload>,
    /// Bytes of what is kept and of what is on its way.
    bytes: usize,
}

struct Upload {
    pass: Pass,
    file: Attachment,
    /// The message that it went with. It stays until its time is over, so that the message can be repeated.
    used_by: Option<String>,
    ends_at: Timestamp,
}

/// Room for a file on its way, given back when dropped.
pub(crate) struct Room {
    uploads: Arc<Uploads>,
    bytes: usize,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Uploads {
    /// None yet.
    pub(crate) fn new(config: &FilesConfig) -> Self {
        Self { config: config.clone(), state: Mutex::default() }
    }

    /// Begins to take a file of this visitor.
    pub(crate) fn begin(self: &Arc<Self>, pass: &Pass, now: Timestamp) -> Result<Room, NoRoom> {
        let mut state = self.state();
        state.forget_before(now);
        let waiting = state.kept.values().filter(|upload| upload.used_by.is_none() && upload.is_of(pass.owners())).count();
        if waiting >= self.config.count * WAITING_PER_FILE {
            return Err(NoRoom);
        }
        Ok(Room { uploads: Arc::clone(self), bytes: 0 })
    }

    /// Keeps a file that has come whole; returns its id.
    pub(crate) fn keep(
        &self,
        mut room: Room,
        pass: Pass,
        name: String,
        content_type: String,
        bytes: Bytes,
        now: Timestamp,
    ) -> String {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
        let id = format!("up_{}", URL_SAFE_NO_PAD.encode(random));
        // The room now belongs to what is kept.
        debug_assert_eq!(room.bytes, bytes.len());
        room.bytes = 0;
        let file = Attachment { name, content_type, content_id: None, bytes };
        let ends_at = now.plus_ms(self.config.keep_minutes * 60_000);
        self.state().kept.insert(id.clone(), Upload { pass, file, used_by: None, ends_at });
        id
    }

    /// The files of a message: all of them, of this visitor, and not used by another message.
    pub(crate) fn find(&self, ids: &[String], owner: Owner, client_id: &str, now: Timestamp) -> Option<Vec<Attachment>> {
        let state = self.state();
        let is_repeated = ids.iter().enumerate().any(|(place, id)| ids.iter().take(place).any(|earlier| earlier == id));
        if ids.len() > self.config.count || is_repeated {
            return None;
        }
        let found = ids.iter().map(|id| {
            let upload = state.kept.get(id).filter(|upload| upload.ends_at > now)?;
            let is_free = upload.used_by.as_deref().is_none_or(|used| used == client_id);
            (is_free && upload.is_of(std::iter::once(owner))).then(|| upload.file.clone())
        });
        found.collect()
    }

    /// Notes that the files went with a message.
    pub(crate) fn used(&self, ids: &[String], client_id: &str) {
        let mut state = self.state();
        for id in ids {
            if let Some(upload) = state.kept.get_mut(id) {
                upload.used_by = Some(client_id.to_owned());
            }
        }
    }

    /// Whether a file of this name and declared type is taken.
    pub(crate) fn takes(&self, name: &str, content_type: &str) -> bool {
        let (types, name) = (&self.config.types, name.to_ascii_lowercase());
        types.is_empty()
            || types.iter().any(|word| match (word.starts_with('.'), word.strip_suffix('*')) {
                (true, _) => name.ends_with(word.as_str()),
                (false, Some(group)) => content_type.starts_with(group),
                (false, None) => content_type == word,
            })
    }

    /// Forgets what has waited too long.
    pub(crate) fn forget(&self, now: Timestamp) {
        self.state().forget_before(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Takes room for more bytes.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let mut state = self.uploads.state();
        if state.bytes.saturating_add(bytes) > self.uploads.config.memory_bytes {
            return Err(NoRoom);
        }
        state.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.uploads.state().bytes -= self.bytes;
    }
}

impl State {
    fn forget_before(&mut self, now: Timestamp) {
        let mut freed = 0;
        self.kept.retain(|_, upload| {
            let stays = upload.ends_at > now;
            freed += if stays { 0 } else { upload.file.bytes.len() };
            stays
        });
        self.bytes -= freed;
    }
}

impl Upload {
    fn is_of(&self, mut owners: impl Iterator<Item = Owner>) -> bool {
        owners.any(|owner| self.pass.owners().any(|own| own == owner))
    }
}

/// A file name without path, control characters and direction marks, of bounded length, never empty.
pub(crate) fn file_name(sent: &str) -> String {
    let is_direction = |letter| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|letter| !letter.is_control() && !is_direction(*letter)).collect();
    let kept = kept.trim().trim_start_matches('.').trim();
    if kept.is_empty() {
        return "file".to_owned();
    }
    if kept.len() <= LONGEST_NAME_BYTES {
        return kept.to_owned();
    }
    let ending = kept.rfind('.').map_or("", |dot| &kept[dot..]);
    let ending = if ending.len() <= 16 { ending } else { "" };
    let end = kept.floor_char_boundary(LONGEST_NAME_BYTES - ending.len());
    format!("{}{ending}", &kept[..end])
}

/// The declared media type in lower case without parameters, or `application/octet-stream` when it is none.
pub(crate) fn media_type(sent: &str) -> String {
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    match essence.split_once('/') {
        Some((group, rest)) if essence.len() <= 100 && is_token(group) && is_token(rest) => essence,
        _ => "application/octet-stream".to_owned(),
    }
}
