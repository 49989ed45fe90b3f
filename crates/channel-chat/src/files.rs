//! Uploads that wait for their message, in memory and under limits.

use crate::checks::Checks;
use crate::config::FilesConfig;
use crate::picture::is_svg;
use crate::token::{Owner, Pass};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_model::{Attachment, Timestamp};

/// The most uploads of one visitor that wait, for each file that a message can hold.
const WAITING_PER_FILE: usize = 4;
const LONGEST_NAME_BYTES: usize = 120;
/// An address may fill this part of the memory, or as much as one message holds where that is more.
const ADDRESSES: usize = 8;
/// A visitor may fill this part of what the address may, with the same exception.
const VISITORS_OF_ADDRESS: usize = 2;

/// The uploads of one channel on this host.
pub(crate) struct Uploads {
    config: FilesConfig,
    /// What every file goes through before it is kept.
    pub(crate) checks: Checks,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Upload>,
    /// Bytes of what is kept and of what is on its way: in all, of each address, and of each visitor.
    bytes: usize,
    of_address: HashMap<IpAddr, usize>,
    of_visitor: HashMap<Owner, usize>,
}

/// Whose memory it is.
#[derive(Clone, Copy)]
struct Payer {
    address: IpAddr,
    visitor: Option<Owner>,
}

struct Upload {
    pass: Pass,
    payer: Payer,
    file: Attachment,
    /// The message that it went with, which is stored. What is left stays until its time is over, so that the message can
    /// be repeated; the bytes do not, since the first ones are stored.
    used_by: Option<String>,
    ends_at: Timestamp,
}

/// Room for a file on its way, given back when dropped.
pub(crate) struct Room {
    uploads: Arc<Uploads>,
    payer: Payer,
    bytes: usize,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Uploads {
    /// None yet.
    pub(crate) fn new(config: &FilesConfig) -> Self {
        Self { config: config.clone(), checks: Checks::new(config), state: Mutex::default() }
    }

    /// Begins to take a file of this visitor from this address.
    pub(crate) fn begin(self: &Arc<Self>, pass: &Pass, address: IpAddr, now: Timestamp) -> Result<Room, NoRoom> {
        let mut state = self.state();
        state.forget_before(now);
        let waiting = state.kept.values().filter(|upload| upload.used_by.is_none() && upload.is_of(pass.owners())).count();
        if waiting >= self.config.count * WAITING_PER_FILE {
            return Err(NoRoom);
        }
        let payer = Payer { address, visitor: pass.account.or(pass.session) };
        Ok(Room { uploads: Arc::clone(self), payer, bytes: 0 })
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
        let payer = room.payer;
        room.bytes = 0;
        let file = Attachment { name, content_type, content_id: None, bytes };
        let ends_at = now.plus_ms(self.config.keep_minutes * 60_000);
        self.state().kept.insert(id.clone(), Upload { pass, payer, file, used_by: None, ends_at });
        id
    }

    /// The files of a message: all of them, of this visitor under any of its names, and not used by another message.
    pub(crate) fn find(&self, ids: &[String], owners: &[Owner], client_id: &str, now: Timestamp) -> Option<Vec<Attachment>> {
        let state = self.state();
        let is_repeated = ids.iter().enumerate().any(|(place, id)| ids.iter().take(place).any(|earlier| earlier == id));
        if ids.len() > self.config.count || is_repeated {
            return None;
        }
        let found = ids.iter().map(|id| {
            let upload = state.kept.get(id).filter(|upload| upload.ends_at > now)?;
            let is_free = upload.used_by.as_deref().is_none_or(|used| used == client_id);
            (is_free && upload.is_of(owners.iter().copied())).then(|| upload.file.clone())
        });
        found.collect()
    }

    /// Notes that the files went with a message that is stored, and gives their memory back.
    pub(crate) fn used(&self, ids: &[String], client_id: &str) {
        let mut state = self.state();
        for id in ids {
            if let Some(upload) = state.kept.get_mut(id) {
                upload.used_by = Some(client_id.to_owned());
                let (payer, bytes) = (upload.payer, std::mem::take(&mut upload.file.bytes).len());
                state.give_back(payer, bytes);
            }
        }
    }

    /// Whether a file of this name and declared type is taken.
    pub(crate) fn takes(&self, name: &str, content_type: &str) -> bool {
        let (types, name) = (&self.config.types, name.to_ascii_lowercase());
        types.is_empty()
            || types.iter().any(|word| match (word.starts_with('.'), word.strip_suffix('*')) {
                (true, _) => name.ends_with(word.as_str()),
                // Whoever takes all pictures has not asked for documents with programs in them.
                (false, Some(group)) => content_type.starts_with(group) && !is_svg("", content_type),
                (false, None) => content_type == word,
            })
    }

    /// Forgets what has waited too long.
    pub(crate) fn forget(&self, now: Timestamp) {
        self.state().forget_before(now);
    }

    /// Most bytes of one address, and of one visitor.
    fn shares(&self) -> (usize, usize) {
        let FilesConfig { bytes, count, memory_bytes, .. } = self.config;
        let message = bytes.saturating_mul(count).min(memory_bytes);
        let of_address = message.max(memory_bytes / ADDRESSES);
        (of_address, message.max(of_address / VISITORS_OF_ADDRESS))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Takes room for more bytes.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let (of_address, of_visitor) = self.uploads.shares();
        let mut state = self.uploads.state();
        let Payer { address, visitor } = self.payer;
        let held = (state.of_address.get(&address), visitor.and_then(|visitor| state.of_visitor.get(&visitor)));
        if state.bytes.saturating_add(bytes) > self.uploads.config.memory_bytes
            || held.0.copied().unwrap_or(0).saturating_add(bytes) > of_address
            || held.1.copied().unwrap_or(0).saturating_add(bytes) > of_visitor
        {
            return Err(NoRoom);
        }
        state.bytes += bytes;
        *state.of_address.entry(address).or_default() += bytes;
        if let Some(visitor) = visitor {
            *state.of_visitor.entry(visitor).or_default() += bytes;
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Takes or gives back what makes the room one for so many bytes.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            return self.grow(more);
        }
        self.uploads.state().give_back(self.payer, self.bytes - bytes);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.uploads.state().give_back(self.payer, self.bytes);
    }
}

impl State {
    fn forget_before(&mut self, now: Timestamp) {
        let over: Vec<Upload> = self.kept.extract_if(|_, upload| upload.ends_at <= now).map(|(_, upload)| upload).collect();
        for upload in over {
            self.give_back(upload.payer, upload.file.bytes.len());
        }
    }

    fn give_back(&mut self, payer: Payer, bytes: usize) {
        self.bytes -= bytes;
        lower(&mut self.of_address, &payer.address, bytes);
        if let Some(visitor) = payer.visitor {
            lower(&mut self.of_visitor, &visitor, bytes);
        }
    }
}

impl Upload {
    fn is_of(&self, mut owners: impl Iterator<Item = Owner>) -> bool {
        owners.any(|owner| self.pass.owners().any(|own| own == owner))
    }
}

/// Takes bytes off a count, which goes away when nothing is left.
fn lower<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K, bytes: usize) {
    if let Some(count) = counts.get_mut(key) {
        *count -= bytes;
        if *count == 0 {
            counts.remove(key);
        }
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
        // Names that were never registered, and a kind of PNG that begins and ends like any other.
        Some(("image", "jpg" | "pjpeg")) => "image/jpeg".to_owned(),
        Some(("image", "x-png" | "apng")) => "image/png".to_owned(),
        Some((group, rest)) if essence.len() <= 100 && is_token(group) && is_token(rest) => essence,
        _ => "application/octet-stream".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Uploads;
    use crate::config::Config;
    use crate::token::{Owner, Pass};
    use bytes::Bytes;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use switchboard_channel_testkit::settings;
    use switchboard_model::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_262_400_000);

    fn uploads() -> Arc<Uploads> {
        let section =
            "key = \"shop_7Hq2\"\norigins = [\"https://www.shop.test\"]\n[files]\nbytes = 100\ncount = 1\nmemory_bytes = 1600";
        Arc::new(Uploads::new(&Config::read(&settings("chat", section)).expect("the settings are good").files))
    }

    const fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    const fn visitor(number: u8) -> Pass {
        Pass { session: Some(Owner::Session([number; 16])), account: None }
    }

    fn kept(uploads: &Arc<Uploads>, pass: Pass, from: IpAddr) -> Option<String> {
        let mut room = uploads.begin(&pass, from, NOW).ok()?;
        room.grow(100).ok()?;
        Some(uploads.keep(room, pass, "a".to_owned(), "text/plain".to_owned(), Bytes::from(vec![7; 100]), NOW))
    }

    #[test]
    fn one_address_cannot_fill_the_memory_however_many_visitors_it_makes_up() {
        let uploads = uploads();
        let taken = (1..=20).filter(|number| kept(&uploads, visitor(*number), address(1)).is_some()).count();
        assert_eq!(taken, 2, "an eighth of the memory");
        assert!(kept(&uploads, visitor(30), address(2)).is_some(), "others have theirs");
        assert!(kept(&uploads, visitor(30), address(2)).is_none(), "a visitor has half of it");
        assert!(kept(&uploads, visitor(31), address(2)).is_some());
    }

    #[test]
    fn what_is_on_its_way_counts_and_comes_back_when_it_breaks_off() {
        let uploads = uploads();
        let mut room = uploads.begin(&visitor(1), address(1), NOW).expect("room");
        room.grow(60).expect("room");
        assert!(kept(&uploads, visitor(1), address(1)).is_none());
        drop(room);
        assert!(kept(&uploads, visitor(1), address(1)).is_some());
    }

    #[test]
    fn memory_comes_back_with_the_message_and_with_time() {
        let uploads = uploads();
        let owner = Owner::Session([1; 16]);
        for count in 0..30 {
            let id = [kept(&uploads, visitor(1), address(1)).expect("room each time")];
            let name = format!("message-{count}");
            uploads.used(&id, &name);
            uploads.used(&id, &name);
            assert!(uploads.find(&id, &[owner], &name, NOW).is_some(), "the message can be repeated");
            assert!(uploads.find(&id, &[owner], "another", NOW).is_none());
        }
        kept(&uploads, visitor(1), address(1)).expect("room");
        uploads.forget(NOW.plus_ms(10 * 60_000));
        let state = uploads.state();
        assert!((state.bytes, state.of_address.len(), state.of_visitor.len(), state.kept.len()) == (0, 0, 0, 0));
    }
}
