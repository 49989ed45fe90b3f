//! One session with a server: sign in, open the folder, take in what is new, wait for more.
//!
//! Where the position is kept: on the server and nowhere else. A mail is new as long as it has not got its flag, or
//! has not been moved away, and that happens only after the inbox has committed it. A crash in between shows it
//! again, a new UIDVALIDITY shows everything again, and both change nothing, because the inbox knows every mail by its
//! external id. Mail that is taken in and cannot be marked or moved is remembered while the process lives, so that it is
//! not fetched over and over, and is settled once the server lets us. A position of our own could be ahead of the truth (mail put back, numbers given anew) and lose something;
//! this one cannot.

use super::client::{Answer, Client, folder_name, number_set};
use super::error::{Trouble, shown};
use super::intake::{Intake, Mail, Outcome};
use super::memory::Memory;
use super::response::{Body, Code, Fetched, Status};
use super::{connection, signing_in};
use crate::config::{AfterIntake, ImapConfig};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;
use switchboard_channel::ErrorKind;
use tokio::sync::Semaphore;

/// A session whose folder is open.
pub(super) struct Session<'s> {
    config: &'s ImapConfig,
    intake: &'s Intake,
    memory: &'s mut Memory,
    client: Client,
}

/// Why a look at the folder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drained {
    /// Nothing new is left.
    Empty,
    /// The inbox takes nothing now.
    Later,
    /// The channel is switched off.
    Closed,
}

/// What a look at the folder came to.
struct Drain {
    ended: Drained,
    /// Mails that cannot be had and stay.
    left: Vec<u32>,
    /// Why mails that were taken in could not be marked or moved.
    fault: Option<Trouble>,
}

/// Bytes of mails that are asked for at once, unless one alone is larger.
const BATCH_BYTES: usize = 4_194_304;
/// KiB of mails that are under way at once, over all mailboxes; one that is larger takes all of it.
const BUFFERED_KIB: u32 = 262_144;
static BUFFERED: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(BUFFERED_KIB as usize));
/// How much is taken in of a mail that is too large.
const HEAD_BYTES: usize = 65_536;
/// A mail at which the connection fails so often is left.
const MAX_STRIKES: u32 = 3;
/// A server that said so often that a mail is marked or moved, and shows it as before, does not keep its word.
const MAX_ACCEPTED: u32 = 3;

impl<'s> Session<'s> {
    /// Connects, signs in and opens the folder.
    pub(super) async fn open(config: &'s ImapConfig, intake: &'s Intake, memory: &'s mut Memory) -> Result<Self, Trouble> {
        let mut client = connection::open(config).await?;
        signing_in::sign_in(&mut client, config, memory, &intake.context.runtime).await?;
        if let AfterIntake::Move { folder, create } = &config.after_intake {
            ensure_folder(&mut client, folder, *create).await?;
        }
        let verb = if config.after_intake == AfterIntake::Nothing { "EXAMINE" } else { "SELECT" };
        let answer = client.command(&format!("{verb} {}", folder_name(&config.folder))).await?;
        if answer.status != Status::Ok {
            return Err(not_opened(&config.folder, &answer.code));
        }
        check_flags(config, &answer)?;
        let validity = answer.remarks.iter().find_map(|remark| match remark {
            Code::UidValidity(number) => Some(*number),
            _ => None,
        });
        if memory.folder_is(validity) {
            tracing::info!(channel = intake.mailbox.slug, "the folder has new numbers; all of it is looked at again");
        }
        Ok(Self { config, intake, memory, client })
    }

    /// Takes in what is there and what comes, until something fails.
    pub(super) async fn serve(mut self) -> Trouble {
        match self.work().await {
            Ok(never) => match never {},
            Err(trouble) => {
                self.client.logout().await;
                trouble
            }
        }
    }

    async fn work(&mut self) -> Result<std::convert::Infallible, Trouble> {
        let mut can_idle = self.config.idle && self.client.can("IDLE");
        let mut held = 0;
        loop {
            let Drain { ended: drained, left, fault } = self.drain().await?;
            if fault.is_none() {
                self.memory.worked();
            }
            if let Some(first) = left.first() {
                let count = left.len();
                let mails = if count == 1 { String::from("one mail") } else { format!("{count} mails") };
                let message = format!("{mails} could not be taken in and stays in the folder, beginning with UID {first}");
                return Err(Trouble::new(ErrorKind::Rejected, message));
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
            self.intake.context.runtime.health.well();
            held = if drained == Drained::Later { held + 1 } else { 0 };
            match drained {
                Drained::Later => tokio::time::sleep(pause(self.config, held, self.intake.chance())).await,
                Drained::Closed => tokio::time::sleep(self.config.poll_pause).await,
                Drained::Empty if can_idle => can_idle = self.client.idle(self.config.idle_time).await?.is_some(),
                Drained::Empty => tokio::time::sleep(self.config.poll_pause).await,
            }
        }
    }

    /// Takes in everything that is new, and then settles what could not be settled before.
    async fn drain(&mut self) -> Result<Drain, Trouble> {
        let mut drain = Drain { ended: Drained::Empty, left: Vec::new(), fault: None };
        // Each look goes on behind the one before, so that this ends whatever the server remembers of its mails.
        let mut reached = 0;
        loop {
            let mut new = self.look().await?;
            new.retain(|uid| *uid > reached);
            let mut done = 0;
            for some in new.chunks(self.config.max_messages_per_fetch) {
                done += self.take(some, &mut drain).await?;
                if drain.ended != Drained::Empty {
                    return Ok(drain);
                }
                self.memory.looked_through(some);
                reached = some[some.len() - 1];
            }
            // Mails that vanished, or that the server does not give away, are asked for again another time.
            if done == 0 {
                if drain.fault.is_none() {
                    drain.fault = self.settle_again().await?;
                }
                return Ok(drain);
            }
        }
    }

    /// Settles mails that were taken in and look new all the same; why that cannot be done.
    async fn settle_again(&mut self) -> Result<Option<Trouble>, Trouble> {
        let again = self.memory.unsettled();
        if let Some(first) = again.iter().find(|uid| self.memory.settling(**uid).accepted >= MAX_ACCEPTED) {
            let message = format!(
                "the server says that mail is {}, and shows it as before, beginning with UID {first}; see `imap.after_intake`",
                if matches!(self.config.after_intake, AfterIntake::Flag(_)) { "flagged" } else { "moved" }
            );
            return Ok(Some(Trouble::new(ErrorKind::Rejected, message)));
        }
        for some in again.chunks(self.config.max_messages_per_fetch) {
            if let Some(refused) = self.settle(some).await? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    /// The numbers of new mails, ascending.
    async fn look(&mut self) -> Result<Vec<u32>, Trouble> {
        let command = match &self.config.after_intake {
            AfterIntake::Flag(flag) if flag.starts_with('\\') => String::from("UID SEARCH UNDELETED UNSEEN"),
            AfterIntake::Flag(keyword) => format!("UID SEARCH UNDELETED UNKEYWORD {keyword}"),
            AfterIntake::Move { .. } => String::from("UID SEARCH UNDELETED"),
            AfterIntake::Nothing => format!("UID SEARCH UID {}:* UNDELETED", self.memory.last_uid().saturating_add(1)),
        };
        let answer = self.client.command(&command).await?;
        if answer.status != Status::Ok {
            return Err(Trouble::refused("to look for mail", &answer.code));
        }
        let mut found = answer.found;
        found.sort_unstable();
        found.dedup();
        self.memory.found(&found);
        found.retain(|uid| self.memory.is_new(*uid));
        Ok(found)
    }

    /// Takes in some mails, a batch at a time; how many are stored or cannot be.
    async fn take(&mut self, uids: &[u32], drain: &mut Drain) -> Result<usize, Trouble> {
        let answer = self.client.command(&format!("UID FETCH {} (UID RFC822.SIZE)", number_set(uids))).await?;
        if has_failed(&answer) {
            return Err(Trouble::refused("to say how large mail is", &answer.code));
        }
        let sizes: BTreeMap<u32, usize> =
            answer.fetched.iter().filter_map(|mail| Some((mail.uid?, mail.size? as usize))).collect();
        let known: Vec<(u32, usize)> = uids.iter().filter_map(|uid| Some((*uid, *sizes.get(uid)?))).collect();
        let mut count_done = 0;
        let mut rest = &known[..];
        while !rest.is_empty() && drain.ended == Drained::Empty {
            let count = if self.memory.is_careful() { 1 } else { batch(rest, self.config.max_message_bytes) };
            let (some, others) = rest.split_at(count);
            rest = others;
            let mut stuck = Vec::new();
            let stored = self.take_batch(some, &mut stuck, &mut drain.ended).await?;
            for uid in &stuck {
                tracing::error!(channel = self.intake.mailbox.slug, uid, "a mail cannot be taken in and stays in the folder");
            }
            self.memory.leave(&stuck);
            count_done += stored.len() + stuck.len();
            drain.left.extend(stuck);
            if !stored.is_empty() {
                self.memory.took(&stored);
                if let Some(refused) = self.settle(&stored).await? {
                    drain.fault.get_or_insert(refused);
                }
                self.memory.worked();
            }
        }
        Ok(count_done)
    }

    /// Takes in mails of known sizes that fit into memory together; those that are stored, ascending.
    async fn take_batch(
        &mut self,
        some: &[(u32, usize)],
        stuck: &mut Vec<u32>,
        ended: &mut Drained,
    ) -> Result<Vec<u32>, Trouble> {
        let (first, last) = (some[0].0, some[some.len() - 1].0);
        if self.memory.fetching(first, last) > MAX_STRIKES {
            stuck.push(first);
            self.memory.fetched(last);
            return Ok(Vec::new());
        }
        let total = some.iter().map(|(_, size)| *size).sum::<usize>().min(self.config.max_message_bytes.max(BATCH_BYTES));
        let permits = u32::try_from(1 + total / 1_024).unwrap_or(BUFFERED_KIB).min(BUFFERED_KIB);
        let permit = BUFFERED.acquire_many(permits).await.expect("the semaphore is never closed");
        let mails = self.fetch(some, stuck).await?;
        self.memory.fetched(last);
        let mut stored = Vec::new();
        for (uid, outcome) in self.intake.take(mails).await {
            match outcome {
                Outcome::Stored => stored.push(uid),
                Outcome::Never => stuck.push(uid),
                Outcome::Later => *ended = Drained::Later,
                Outcome::Closed => *ended = Drained::Closed,
            }
        }
        drop(permit);
        stored.sort_unstable();
        Ok(stored)
    }

    /// Gets mails of known sizes. Those that are not there any more are left out.
    async fn fetch(&mut self, some: &[(u32, usize)], left: &mut Vec<u32>) -> Result<Vec<Mail>, Trouble> {
        let largest = self.config.max_message_bytes;
        if let [(uid, size)] = some
            && *size > largest
        {
            return Ok(self.head(*uid, *size).await?.into_iter().collect());
        }
        let uids: Vec<u32> = some.iter().map(|(uid, _)| *uid).collect();
        let total = some.iter().map(|(_, size)| *size).sum::<usize>();
        // Sizes may be a little wrong where a server counts line ends otherwise.
        let command = format!("UID FETCH {} (UID BODY.PEEK[])", number_set(&uids));
        let answer = self.client.fetch(&command, largest, total + total / 8 + HEAD_BYTES).await?;
        let refused = has_failed(&answer);
        let mut bodies: BTreeMap<u32, Body> = BTreeMap::new();
        for Fetched { uid, body, .. } in answer.fetched {
            if let (Some(uid), Some(body)) = (uid, body) {
                bodies.insert(uid, body);
            }
        }
        let mut mails = Vec::new();
        for (uid, size) in some {
            match bodies.remove(uid) {
                Some(Body::Whole(raw)) => mails.push(Mail { uid: *uid, raw, too_large: None }),
                Some(Body::TooLarge) => mails.extend(self.head(*uid, (*size).max(largest + 1)).await?),
                None if refused && some.len() == 1 => left.push(*uid),
                None if refused => mails.extend(Box::pin(self.fetch(&[(*uid, *size)], left)).await?),
                None => {}
            }
        }
        Ok(mails)
    }

    /// The beginning of a mail that is too large.
    async fn head(&mut self, uid: u32, size: usize) -> Result<Option<Mail>, Trouble> {
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{HEAD_BYTES}>)");
        let answer = self.client.fetch(&command, HEAD_BYTES, HEAD_BYTES).await?;
        let body = answer.fetched.into_iter().find(|fetched| fetched.uid == Some(uid)).and_then(|fetched| fetched.body);
        let Some(Body::Whole(raw)) = body else { return Ok(None) };
        let too_large = Some((size as u64, self.config.max_message_bytes));
        Ok(Some(Mail { uid, raw: headers_of(&raw), too_large }))
    }

    /// Marks mails as taken in, or moves them away; what the server refused. The inbox has them.
    async fn settle(&mut self, uids: &[u32]) -> Result<Option<Trouble>, Trouble> {
        let set = number_set(uids);
        let refused = match &self.config.after_intake {
            AfterIntake::Nothing => None,
            AfterIntake::Flag(flag) => {
                let answer = self.client.command(&format!("UID STORE {set} +FLAGS.SILENT ({flag})")).await?;
                refusal("to flag mail", &answer)
            }
            AfterIntake::Move { folder, .. } => {
                let target = folder_name(folder);
                if self.client.can("MOVE") {
                    let answer = self.client.command(&format!("UID MOVE {set} {target}")).await?;
                    refusal("to move mail", &answer)
                } else {
                    self.copy_and_delete(uids, &target).await?
                }
            }
        };
        if refused.is_none() {
            self.memory.settle(uids, |settling| settling.accepted += 1);
        }
        Ok(refused)
    }

    /// Moves mails with a server that cannot; what it refused. Nothing is copied twice, and nothing that another host has
    /// moved since it was found.
    async fn copy_and_delete(&mut self, uids: &[u32], target: &str) -> Result<Option<Trouble>, Trouble> {
        let answer = self.client.command(&format!("UID SEARCH UID {} UNDELETED", number_set(uids))).await?;
        if let Some(refused) = refusal("to look for mail", &answer) {
            return Ok(Some(refused));
        }
        let ours: Vec<u32> = uids.iter().copied().filter(|uid| answer.found.contains(uid)).collect();
        let to_copy: Vec<u32> = ours.iter().copied().filter(|uid| !self.memory.settling(*uid).is_copied).collect();
        if !to_copy.is_empty() {
            let answer = self.client.command(&format!("UID COPY {} {target}", number_set(&to_copy))).await?;
            if let Some(refused) = refusal("to copy mail", &answer) {
                return Ok(Some(refused));
            }
            self.memory.settle(&to_copy, |settling| settling.is_copied = true);
        }
        if ours.is_empty() {
            return Ok(None);
        }
        let set = number_set(&ours);
        let answer = self.client.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
        let refused = refusal("to delete mail that was copied", &answer);
        if refused.is_some() || !self.client.can("UIDPLUS") {
            // Without it, what others have marked as deleted would go too; so it stays marked.
            return Ok(refused);
        }
        let answer = self.client.command(&format!("UID EXPUNGE {set}")).await?;
        Ok(refusal("to remove mail that was copied", &answer))
    }
}

/// How many of these are asked for at once. One that is too large goes alone.
fn batch(mails: &[(u32, usize)], largest: usize) -> usize {
    let mut total = 0;
    let fitting = mails.iter().take_while(|(_, size)| {
        total += size;
        *size <= largest && total <= BATCH_BYTES
    });
    fitting.count().max(1)
}

/// Whether a fetch failed; that some mails have gone is no failure.
fn has_failed(answer: &Answer) -> bool {
    answer.status != Status::Ok && answer.code != Code::Other(String::from("EXPUNGEISSUED"))
}

fn refusal(what: &str, answer: &Answer) -> Option<Trouble> {
    (answer.status != Status::Ok).then(|| Trouble::refused(what, &answer.code))
}

/// The headers at the beginning of a mail, with the empty line after them.
fn headers_of(raw: &Bytes) -> Bytes {
    let lf = raw.windows(2).position(|pair| pair == b"\n\n").map(|place| place + 2);
    let crlf = raw.windows(4).position(|four| four == b"\r\n\r\n").map(|place| place + 4);
    let end = [lf, crlf].into_iter().flatten().min().unwrap_or(raw.len());
    raw.slice(..end)
}

fn not_opened(folder: &str, code: &Code) -> Trouble {
    let name = if let Code::Other(name) = code { name.as_str() } else { "" };
    let codes = shown(code);
    match name {
        "NOPERM" => Trouble::setting(format!("the user may not open the folder `{folder}`{codes}; see `imap.folder`")),
        "UNAVAILABLE" | "SERVERBUG" | "INUSE" | "LIMIT" => {
            Trouble::new(ErrorKind::Unreachable, format!("the folder `{folder}` cannot be opened now{codes}"))
        }
        _ => Trouble::setting(format!("there is no folder `{folder}`{codes}; see `imap.folder`")),
    }
}

/// Whether the flag that marks mail can be kept, and mail be marked at all.
fn check_flags(config: &ImapConfig, answer: &Answer) -> Result<(), Trouble> {
    if config.after_intake == AfterIntake::Nothing {
        return Ok(());
    }
    if answer.code == Code::Other(String::from("READ-ONLY")) {
        let message = format!("the folder `{}` can only be read; see `imap.after_intake`", config.folder);
        return Err(Trouble::setting(message));
    }
    let AfterIntake::Flag(flag) = &config.after_intake else { return Ok(()) };
    let permanent = answer.remarks.iter().find_map(|remark| match remark {
        Code::PermanentFlags(flags) => Some(flags),
        _ => None,
    });
    let is_kept = |flags: &Vec<String>| flags.iter().any(|known| known == "\\*" || known.eq_ignore_ascii_case(flag));
    // A server that does not say keeps all (RFC 3501 7.1).
    if permanent.is_none_or(is_kept) {
        return Ok(());
    }
    let message =
        format!("the server cannot keep the flag `{flag}`; set `imap.flag = '\\Seen'` or `imap.after_intake = \"move\"`");
    Err(Trouble::setting(message))
}

async fn ensure_folder(client: &mut Client, folder: &str, create: bool) -> Result<(), Trouble> {
    let name = folder_name(folder);
    if client.command(&format!("STATUS {name} (MESSAGES)")).await?.status == Status::Ok {
        return Ok(());
    }
    if !create {
        let message = format!("there is no folder `{folder}` to move mail to; make it, or set `imap.create_folder = true`");
        return Err(Trouble::setting(message));
    }
    let answer = client.command(&format!("CREATE {name}")).await?;
    // Another host may have made it in between.
    if answer.status == Status::Ok || answer.code == Code::Other(String::from("ALREADYEXISTS")) {
        return Ok(());
    }
    Err(Trouble::refused(&format!("to make the folder `{folder}`"), &answer.code))
}

/// The pause before another attempt: twice as long each time, up to the longest, and a little by chance so that many
/// mailboxes do not come all at once.
pub(super) fn pause(config: &ImapConfig, attempt: u32, chance: u64) -> Duration {
    let (first, longest) = config.backoff;
    let whole = first.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX)).min(longest);
    let half_ms = u64::try_from(whole.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms + chance % (half_ms + 1))
}
