//! The server side of SMTP (RFC 5321) and LMTP (RFC 2033) without any IO: bytes in, answers and messages out.
//!
//! The receiver feeds what it reads, and calls [`Session::step`] until it asks for more. Nothing is relayed: a
//! recipient is either one of the mailboxes behind this receiver, or refused. A message ends at CRLF.CRLF and
//! nowhere else; a bare CR or LF is content, so that no second message can be smuggled into a first.

mod body;
mod reply;
#[cfg(test)]
mod tests;

pub(crate) use reply::Reply;

use crate::config::{Limits, Protocol};
use body::{Body, Progress};
use smtp_proto::{Error, MAIL_BODY_BINARYMIME, MailFrom, RcptTo, Request};
use std::borrow::Cow;

/// One connection's state.
pub(crate) struct Session {
    limits: Limits,
    tls: Tls,
    input: Vec<u8>,
    phase: Phase,
    /// The name that the peer gave itself.
    hello: Option<String>,
    sender: Option<Sender>,
    recipients: Vec<Recipient>,
    body: Body,
    failures: usize,
    commands: usize,
}

/// Whether the connection may be, or is, encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Not offered.
    Unavailable,
    /// Offered by STARTTLS.
    Offered,
    /// In use.
    Active,
}

/// A recipient that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// The address as the peer wrote it.
    pub(crate) address: String,
    /// Which mailbox takes it, as the lookup numbered it.
    pub(crate) route: usize,
}

/// A message that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// The return path; `None` is the null sender.
    pub(crate) sender: Option<String>,
    /// At least one.
    pub(crate) recipients: Vec<Recipient>,
    /// The name that the peer gave itself.
    pub(crate) hello: String,
    /// The message.
    pub(crate) bytes: Vec<u8>,
}

/// What the receiver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send what is due, then read more.
    Read,
    /// Send this.
    Answer(Reply),
    /// Send this, then go on over TLS and call [`Session::secured`].
    Secure(Reply),
    /// Hand this in, then call [`Session::delivered`] with one answer per recipient.
    Deliver(Transaction),
    /// Send this and close.
    Close(Reply),
}

/// The return path of a transaction.
struct Sender(Option<String>);

enum Phase {
    Command,
    /// A line was too long; its rest is passed over.
    PassLine,
    Body,
    Delivering,
    Closed,
}

/// The longest command line in bytes; RFC 5321 asks for 512, extensions for more.
const MAX_LINE_BYTES: usize = 2_048;
/// How many refused commands end a connection.
const MAX_FAILURES: usize = 20;
/// How many commands there may be since the last message.
const MAX_COMMANDS: usize = 1_000;

impl Session {
    /// A new connection.
    pub(crate) fn new(limits: Limits, tls: Tls) -> Self {
        Self {
            limits,
            tls,
            input: Vec::new(),
            phase: Phase::Command,
            hello: None,
            sender: None,
            recipients: Vec::new(),
            body: Body::default(),
            failures: 0,
            commands: 0,
        }
    }

    /// What the server says first.
    pub(crate) fn greeting(&self) -> Reply {
        match self.limits.protocol {
            Protocol::Smtp => Reply::new(220, None, "Switchboard ESMTP"),
            Protocol::Lmtp => Reply::new(220, None, "Switchboard LMTP"),
        }
    }

    /// Takes in what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Bytes of the message that is under way.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.body.kept_bytes()
    }

    /// Whether a message is under way: between DATA and its end.
    pub(crate) fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Body)
    }

    /// There is no room for the message that is under way: its rest is passed over, and the peer told to try
    /// again.
    pub(crate) fn out_of_room(&mut self) {
        self.body.fail(reply::no_room());
    }

    /// Whether `address` is taken, and the next thing to do.
    pub(crate) fn step(&mut self, lookup: &dyn Fn(&str) -> Option<usize>) -> Step {
        match self.phase {
            Phase::Closed | Phase::Delivering => Step::Read,
            Phase::PassLine => self.pass_line(),
            Phase::Body => self.body_step(),
            Phase::Command => self.command_step(lookup),
        }
    }

    /// The answers of a delivery, one per recipient; SMTP gets the one that says the most.
    pub(crate) fn delivered(&mut self, replies: Vec<Reply>) -> Vec<Reply> {
        self.phase = Phase::Command;
        self.commands = 0;
        match self.limits.protocol {
            Protocol::Lmtp => replies,
            Protocol::Smtp => reply::weightiest(replies).into_iter().collect(),
        }
    }

    /// TLS is in use now. Whatever was said before counts for nothing (RFC 3207 4.2).
    pub(crate) fn secured(&mut self) {
        self.tls = Tls::Active;
        self.hello = None;
        self.input.clear();
        self.reset();
    }

    fn pass_line(&mut self) -> Step {
        match self.input.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                self.input.drain(..=end);
                self.phase = Phase::Command;
                self.refuse(Reply::new(500, Some((5, 5, 2)), "line too long"))
            }
            None => {
                self.input.clear();
                Step::Read
            }
        }
    }

    fn body_step(&mut self) -> Step {
        match self.body.take(&mut self.input, self.limits.max_message_bytes) {
            Progress::More => Step::Read,
            Progress::Endless => self.close(reply::too_big()),
            Progress::Chunk(answer) => {
                self.phase = Phase::Command;
                Step::Answer(answer)
            }
            Progress::Failed(answer) => {
                self.phase = Phase::Command;
                let recipients = self.recipients.len().max(1);
                let separate = self.limits.protocol == Protocol::Lmtp;
                self.reset();
                Step::Answer(if separate { answer.repeated(recipients) } else { answer })
            }
            Progress::Complete(bytes) => {
                self.phase = Phase::Delivering;
                let Sender(sender) = self.sender.take().unwrap_or(Sender(None));
                let recipients = std::mem::take(&mut self.recipients);
                self.reset();
                let hello = self.hello.clone().unwrap_or_default();
                Step::Deliver(Transaction { sender, recipients, hello, bytes })
            }
        }
    }

    fn command_step(&mut self, lookup: &dyn Fn(&str) -> Option<usize>) -> Step {
        let Some(end) = self.input.iter().take(MAX_LINE_BYTES).position(|byte| *byte == b'\n') else {
            if self.input.len() < MAX_LINE_BYTES {
                return Step::Read;
            }
            self.phase = Phase::PassLine;
            return self.pass_line();
        };
        let line: Vec<u8> = self.input.drain(..=end).collect();
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            return self.close(Reply::new(421, Some((4, 7, 0)), "too many commands"));
        }
        match Request::parse(&mut line.iter()) {
            Ok(request) => self.obey(request, lookup),
            Err(error) => {
                let reply = match error {
                    Error::UnknownCommand => Reply::new(500, Some((5, 5, 1)), "unknown command"),
                    Error::InvalidSenderAddress => Reply::new(501, Some((5, 1, 7)), "no such form of address"),
                    Error::InvalidRecipientAddress => Reply::new(501, Some((5, 1, 3)), "no such form of address"),
                    Error::UnsupportedParameter { .. } => Reply::new(555, Some((5, 5, 4)), "unsupported parameter"),
                    _ => Reply::new(501, Some((5, 5, 2)), "syntax error"),
                };
                self.refuse(reply)
            }
        }
    }

    fn obey(&mut self, request: Request<Cow<'_, str>>, lookup: &dyn Fn(&str) -> Option<usize>) -> Step {
        match request {
            Request::Ehlo { .. } | Request::Lhlo { .. } | Request::Helo { .. } => self.hello(&request),
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(to, lookup),
            Request::Data => self.data(),
            Request::Bdat { chunk_size, is_last } => self.bdat(chunk_size, is_last),
            Request::StartTls => self.start_tls(),
            Request::Rset => {
                self.reset();
                Step::Answer(Reply::new(250, Some((2, 0, 0)), "forgotten"))
            }
            Request::Noop { .. } => Step::Answer(Reply::new(250, Some((2, 0, 0)), "still here")),
            Request::Vrfy { .. } => Step::Answer(Reply::new(252, Some((2, 1, 5)), "send the mail to find out")),
            Request::Help { .. } => {
                Step::Answer(Reply::new(214, Some((2, 0, 0)), "this receiver takes mail for its own mailboxes"))
            }
            Request::Quit => self.close(Reply::new(221, Some((2, 0, 0)), "bye")),
            Request::Expn { .. } | Request::Auth { .. } | Request::Etrn { .. } | Request::Atrn { .. } | Request::Burl { .. } => {
                self.refuse(Reply::new(502, Some((5, 5, 1)), "command not implemented"))
            }
        }
    }

    fn hello(&mut self, request: &Request<Cow<'_, str>>) -> Step {
        let expected = match self.limits.protocol {
            Protocol::Smtp => !matches!(request, Request::Lhlo { .. }),
            Protocol::Lmtp => matches!(request, Request::Lhlo { .. }),
        };
        if !expected {
            let right = if self.limits.protocol == Protocol::Lmtp { "this is LMTP, say LHLO" } else { "this is SMTP, say EHLO" };
            return self.refuse(Reply::new(500, Some((5, 5, 1)), right));
        }
        self.hello = Some(match request {
            Request::Ehlo { host } | Request::Lhlo { host } | Request::Helo { host } => host.to_string(),
            _ => String::new(),
        });
        self.reset();
        if matches!(request, Request::Helo { .. }) {
            return Step::Answer(Reply::new(250, None, "Switchboard"));
        }
        let mut lines = vec![
            String::from("Switchboard"),
            format!("SIZE {}", self.limits.max_message_bytes),
            String::from("8BITMIME"),
            String::from("SMTPUTF8"),
            String::from("PIPELINING"),
            String::from("CHUNKING"),
        ];
        if self.tls == Tls::Offered {
            lines.push(String::from("STARTTLS"));
        }
        lines.push(String::from("ENHANCEDSTATUSCODES"));
        Step::Answer(Reply::lines(250, lines))
    }

    fn mail(&mut self, from: MailFrom<Cow<'_, str>>) -> Step {
        if self.hello.is_none() {
            return self.refuse(reply::out_of_order("say hello first"));
        }
        if self.sender.is_some() {
            return self.refuse(reply::out_of_order("there is a sender already"));
        }
        if from.flags & MAIL_BODY_BINARYMIME != 0 {
            return self.refuse(Reply::new(555, Some((5, 5, 4)), "unsupported parameter"));
        }
        if from.size > self.limits.max_message_bytes {
            return self.refuse(reply::too_big());
        }
        self.sender = Some(Sender(Some(from.address.into_owned()).filter(|address| !address.is_empty())));
        Step::Answer(Reply::new(250, Some((2, 1, 0)), "sender noted"))
    }

    fn rcpt(&mut self, to: RcptTo<Cow<'_, str>>, lookup: &dyn Fn(&str) -> Option<usize>) -> Step {
        if self.sender.is_none() {
            return self.refuse(reply::out_of_order("name the sender first"));
        }
        if self.recipients.len() >= self.limits.max_recipients {
            return self.refuse(Reply::new(452, Some((4, 5, 3)), "too many recipients"));
        }
        match lookup(&to.address) {
            Some(route) => {
                self.recipients.push(Recipient { address: to.address.into_owned(), route });
                Step::Answer(Reply::new(250, Some((2, 1, 5)), "recipient noted"))
            }
            None => self.refuse(Reply::new(550, Some((5, 1, 1)), "no such mailbox here")),
        }
    }

    fn data(&mut self) -> Step {
        if self.recipients.is_empty() {
            return self.refuse(reply::out_of_order("name a recipient first"));
        }
        if self.body.is_chunked() {
            return self.refuse(reply::out_of_order("go on with BDAT"));
        }
        self.body = Body::dotted();
        self.phase = Phase::Body;
        Step::Answer(Reply::new(354, None, "end with <CRLF>.<CRLF>"))
    }

    /// The bytes of a chunk follow its command at once, so they are read even when it is refused.
    fn bdat(&mut self, chunk_bytes: usize, is_last: bool) -> Step {
        let in_order = !self.recipients.is_empty();
        self.body.begin_chunk(chunk_bytes, is_last);
        if !in_order {
            self.failures += 1;
            self.body.fail(reply::out_of_order("name a recipient first"));
        }
        self.phase = Phase::Body;
        self.body_step()
    }

    fn start_tls(&mut self) -> Step {
        match self.tls {
            Tls::Offered => {
                // Anything that came along in the clear could be an intruder's (RFC 3207 6).
                self.input.clear();
                Step::Secure(Reply::new(220, Some((2, 0, 0)), "go ahead"))
            }
            Tls::Active => self.refuse(reply::out_of_order("TLS is in use already")),
            Tls::Unavailable => self.refuse(Reply::new(502, Some((5, 5, 1)), "command not implemented")),
        }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.body = Body::default();
    }

    fn refuse(&mut self, reply: Reply) -> Step {
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            return self.close(Reply::new(421, Some((4, 7, 0)), "too many errors"));
        }
        Step::Answer(reply)
    }

    fn close(&mut self, reply: Reply) -> Step {
        self.phase = Phase::Closed;
        self.input.clear();
        self.reset();
        Step::Close(reply)
    }
}
