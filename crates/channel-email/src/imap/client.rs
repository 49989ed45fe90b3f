//! The client's side of the protocol: one command at a time, each to its end and within its time.

use super::error::Trouble;
use super::response::{Code, Fetched, Response, Status};
use super::wire::{Stream, Wire};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use switchboard_channel::ErrorKind;
use tokio::time::{Instant, timeout};

/// A connection over which commands are given.
pub(super) struct Client {
    wire: Wire,
    silence: Duration,
    commands: u32,
    capabilities: Vec<String>,
}

/// All that a server said until a command had ended.
#[derive(Debug)]
pub(super) struct Answer {
    /// How it ended.
    pub(super) status: Status,
    /// What the end adds for programs.
    pub(super) code: Code,
    /// What was said for programs on the way.
    pub(super) remarks: Vec<Code>,
    /// Numbers of mails that were looked for.
    pub(super) found: Vec<u32>,
    /// What was asked about mails.
    pub(super) fetched: Vec<Fetched>,
    /// Whether the server said how many mails there are now.
    exists: bool,
}

/// How many times the longest silence one command may take.
const COMMAND_SILENCES: u32 = 10;
/// Remarks and mails that one command may bring; more were never asked for.
const MAX_RESPONSES: usize = 100_000;
/// How often a server may ask for more while signing in.
const MAX_CHALLENGES: usize = 3;

impl Client {
    /// A client over a stream whose server has not said anything yet.
    pub(super) fn new(stream: Box<dyn Stream>, silence: Duration) -> Self {
        Self { wire: Wire::new(stream, silence), silence, commands: 0, capabilities: Vec::new() }
    }

    /// Hears the greeting.
    pub(super) async fn greeted(&mut self) -> Result<(), Trouble> {
        match self.response().await? {
            Response::Remark(Status::Ok, _) => Ok(()),
            Response::Remark(Status::Bye | Status::No, code) => Err(Trouble::new(
                ErrorKind::Unreachable,
                format!("the server takes no connection now{}", super::error::shown(&code)),
            )),
            Response::Remark(Status::Preauth, _) => Err(Trouble::nonsense("it lets in whoever comes (PREAUTH)")),
            _ => Err(Trouble::nonsense("it does not greet")),
        }
    }

    /// Asks for encryption; the stream is to be encrypted from here on.
    pub(super) async fn starttls(mut self) -> Result<Box<dyn Stream>, Trouble> {
        let answer = self.command("STARTTLS").await?;
        if answer.status != Status::Ok {
            return Err(Trouble::setting("the server has no STARTTLS; see `imap.security`"));
        }
        self.wire.into_stream()
    }

    /// Asks what the server can do.
    pub(super) async fn ask_capabilities(&mut self) -> Result<(), Trouble> {
        self.capabilities.clear();
        self.command("CAPABILITY").await?;
        Ok(())
    }

    /// Whether the server can do something, given in capitals.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// Signs in by a mechanism whose client speaks once. A challenge after that explains a refusal, and is answered
    /// with an empty line. `Err` inside holds the code of a refusal.
    pub(super) async fn authenticate(&mut self, mechanism: &str, response: &[u8]) -> Result<Result<(), Code>, Trouble> {
        let mut response = Some(STANDARD.encode(response));
        let initial = if self.can("SASL-IR") { response.take().map(|said| format!(" {said}")) } else { None };
        let tag = self.send(&format!("AUTHENTICATE {mechanism}{}", initial.unwrap_or_default())).await?;
        let mut answer = Answer::new();
        for _ in 0..=MAX_CHALLENGES {
            match self.answer(&tag, &mut answer).await? {
                Some(_) => {
                    let said = response.take().unwrap_or_default();
                    self.wire.write(format!("{said}\r\n").as_bytes()).await?;
                }
                None => return Ok(if answer.status == Status::Ok { Ok(()) } else { Err(answer.code) }),
            }
        }
        Err(Trouble::nonsense("it asks for ever while signing in"))
    }

    /// Signs in by user and password as plain as the connection is.
    pub(super) async fn login(&mut self, user: &str, password: &str) -> Result<Result<(), Code>, Trouble> {
        let answer = self.command(&format!("LOGIN {} {}", quoted(user), quoted(password))).await?;
        Ok(if answer.status == Status::Ok { Ok(()) } else { Err(answer.code) })
    }

    /// Gives a command and waits for its end.
    pub(super) async fn command(&mut self, command: &str) -> Result<Answer, Trouble> {
        let tag = self.send(command).await?;
        let mut answer = Answer::new();
        match self.answer(&tag, &mut answer).await? {
            None => Ok(answer),
            Some(_) => Err(Trouble::nonsense("it waits for more when there is none")),
        }
    }

    /// The same with mails in the answer, of which each is kept up to so many bytes, and all together up to the total.
    pub(super) async fn fetch(&mut self, command: &str, largest: usize, total: usize) -> Result<Answer, Trouble> {
        self.wire.max_literal_bytes = largest;
        self.wire.literal_budget_bytes = total;
        let answer = self.command(command).await;
        self.wire.max_literal_bytes = 0;
        answer
    }

    /// Waits until the server says that mail has arrived, or until the limit. `None` when it does not know the
    /// command, else whether something arrived.
    pub(super) async fn idle(&mut self, limit: Duration) -> Result<Option<bool>, Trouble> {
        let tag = self.send("IDLE").await?;
        let mut answer = Answer::new();
        if self.answer(&tag, &mut answer).await?.is_none() {
            return Ok((answer.status == Status::Ok).then_some(answer.exists));
        }
        let until = Instant::now() + limit;
        while !answer.exists && self.wire.begins_within(until.saturating_duration_since(Instant::now())).await? {
            let response = self.response().await?;
            if let Some(status) = answer.add(&tag, response, &mut self.capabilities)? {
                // The server ended it by itself.
                return Ok((status == Status::Ok).then_some(answer.exists));
            }
        }
        self.wire.write(b"DONE\r\n").await?;
        match self.answer(&tag, &mut answer).await? {
            None => Ok(Some(answer.exists)),
            Some(_) => Err(Trouble::nonsense("it waits for more when there is none")),
        }
    }

    /// Says goodbye, without insisting on an answer.
    pub(super) async fn logout(mut self) {
        // Closing the connection says the same to a server that does not listen any more.
        let _ = timeout(Duration::from_secs(1), self.send("LOGOUT")).await;
    }

    async fn send(&mut self, command: &str) -> Result<String, Trouble> {
        self.commands += 1;
        let tag = format!("s{}", self.commands);
        self.wire.write(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    /// Takes in responses until the command has ended (`None`) or the server waits for more (what it says).
    async fn answer(&mut self, tag: &str, answer: &mut Answer) -> Result<Option<Vec<u8>>, Trouble> {
        let limit = self.silence * COMMAND_SILENCES;
        let whole = async {
            for _ in 0..MAX_RESPONSES {
                let response = self.response().await?;
                if let Response::Continue(text) = response {
                    return Ok(Some(text));
                }
                if answer.add(tag, response, &mut self.capabilities)?.is_some() {
                    return Ok(None);
                }
            }
            Err(Trouble::nonsense("its answer does not end"))
        };
        timeout(limit, whole).await.map_err(|_| Trouble::silent(limit))?
    }

    async fn response(&mut self) -> Result<Response, Trouble> {
        let parts = self.wire.read().await?;
        Response::read(parts).ok_or_else(|| Trouble::nonsense("it says something else"))
    }
}

impl Answer {
    fn new() -> Self {
        Self { status: Status::No, code: Code::None, remarks: Vec::new(), found: Vec::new(), fetched: Vec::new(), exists: false }
    }

    /// Adds a response; how the command ended, when it has.
    fn add(&mut self, tag: &str, response: Response, capabilities: &mut Vec<String>) -> Result<Option<Status>, Trouble> {
        match response {
            Response::Done { tag: ended, status, code } if ended == tag => {
                if let Code::Capabilities(known) = &code {
                    capabilities.clone_from(known);
                }
                (self.status, self.code) = (status, code);
                return Ok(Some(status));
            }
            Response::Done { .. } => return Err(Trouble::nonsense("it ends a command that nobody gave")),
            Response::Remark(Status::Bye, _) => return Err(Trouble::closed()),
            Response::Remark(_, Code::Capabilities(known)) | Response::Capabilities(known) => *capabilities = known,
            Response::Remark(_, Code::None) | Response::Continue(_) | Response::Other => {}
            Response::Remark(_, code) => self.remarks.push(code),
            Response::Exists => self.exists = true,
            Response::Found(numbers) => self.found.extend(numbers),
            Response::Fetched(fetched) if fetched.size.is_some() || fetched.body.is_some() => self.fetched.push(fetched),
            Response::Fetched(_) => {}
        }
        Ok(None)
    }
}

/// Text in quotes. It holds no control characters; the settings see to that.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The name of a folder in the alphabet of the protocol (RFC 3501 5.1.3), in quotes.
pub(super) fn folder_name(name: &str) -> String {
    let engine = base64::engine::GeneralPurpose::new(
        &base64::alphabet::IMAP_MUTF7,
        base64::engine::GeneralPurposeConfig::new().with_encode_padding(false),
    );
    let mut encoded = String::new();
    let mut foreign: Vec<u8> = Vec::new();
    for letter in name.chars().map(Some).chain([None]) {
        match letter {
            Some(letter) if !(' '..='~').contains(&letter) => {
                let mut units = [0; 2];
                foreign.extend(letter.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            }
            plain => {
                if !foreign.is_empty() {
                    encoded.push_str(&format!("&{}-", engine.encode(&foreign)));
                    foreign.clear();
                }
                match plain {
                    Some('&') => encoded.push_str("&-"),
                    Some(letter) => encoded.push(letter),
                    None => {}
                }
            }
        }
    }
    quoted(&encoded)
}

/// Numbers of mails, ascending, as the protocol writes them: `1:3,7`.
pub(super) fn number_set(numbers: &[u32]) -> String {
    let mut set = String::new();
    let mut rest = numbers;
    while let Some(first) = rest.first() {
        let run = rest.windows(2).take_while(|pair| pair[1] == pair[0] + 1).count();
        if !set.is_empty() {
            set.push(',');
        }
        set.push_str(&first.to_string());
        if run > 0 {
            set.push_str(&format!(":{}", rest[run]));
        }
        rest = &rest[run + 1..];
    }
    set
}

#[cfg(test)]
mod tests {
    use super::{folder_name, number_set, quoted};

    #[test]
    fn names_of_folders_are_written_in_the_alphabet_of_the_protocol() {
        for (name, wanted) in [
            ("INBOX", "\"INBOX\""),
            ("~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""),
            ("Gelöscht & weg", "\"Gel&APY-scht &- weg\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("😀", "\"&2D3eAA-\""),
        ] {
            assert_eq!(folder_name(name), wanted);
        }
        assert_eq!(quoted("p\"w\\d"), "\"p\\\"w\\\\d\"");
    }

    #[test]
    fn numbers_in_a_row_are_written_as_a_range() {
        for (numbers, wanted) in [
            (&[5][..], "5"),
            (&[1, 2, 3, 7, 9, 10], "1:3,7,9:10"),
            (&[4_294_967_294, 4_294_967_295], "4294967294:4294967295"),
            (&[], ""),
        ] {
            assert_eq!(number_set(numbers), wanted);
        }
    }
}
