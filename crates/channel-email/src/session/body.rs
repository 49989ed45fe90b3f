//! The bytes of a message on their way in: after DATA with dots to take out, after BDAT in counted chunks.

use super::reply::{self, Reply};

/// A message under way.
#[derive(Default)]
pub(super) struct Body {
    kept: Vec<u8>,
    /// Why the message will be refused; its bytes are passed over then.
    failed: Option<Reply>,
    passed_over: usize,
    framing: Framing,
}

/// How the end is found.
#[derive(Default)]
enum Framing {
    #[default]
    None,
    /// After DATA: at CRLF.CRLF. `line_start` says that the next byte begins a line.
    Dotted { line_start: bool },
    /// After BDAT: by counting.
    Chunk { left: usize, last: bool },
}

/// How far a message is.
pub(super) enum Progress {
    /// More bytes are needed.
    More,
    /// A chunk is complete and was answered; others follow.
    Chunk(Reply),
    /// All is there.
    Complete(Vec<u8>),
    /// All was passed over, for this reason.
    Failed(Reply),
    /// The peer goes on beyond any reason.
    Endless,
}

impl Body {
    /// A message after DATA.
    pub(super) fn dotted() -> Self {
        Self { framing: Framing::Dotted { line_start: true }, ..Self::default() }
    }

    /// The next chunk after BDAT.
    pub(super) fn begin_chunk(&mut self, bytes: usize, last: bool) {
        self.framing = Framing::Chunk { left: bytes, last };
    }

    /// Whether chunks have been taken.
    pub(super) fn is_chunked(&self) -> bool {
        matches!(self.framing, Framing::Chunk { .. })
    }

    /// Bytes that are held.
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept.len()
    }

    /// Refuses the message; what came so far is let go. The first reason stays.
    pub(super) fn fail(&mut self, reason: Reply) {
        self.failed.get_or_insert(reason);
        self.kept = Vec::new();
    }

    /// Takes what belongs to the message out of the input.
    pub(super) fn take(&mut self, input: &mut Vec<u8>, max_bytes: usize) -> Progress {
        match self.framing {
            Framing::None => Progress::More,
            Framing::Dotted { line_start } => self.take_dotted(input, line_start, max_bytes),
            Framing::Chunk { left, last } => self.take_chunk(input, left, last, max_bytes),
        }
    }

    fn take_dotted(&mut self, input: &mut Vec<u8>, mut line_start: bool, max_bytes: usize) -> Progress {
        let mut read = 0;
        let ended = loop {
            let rest = &input[read..];
            if line_start && rest.first() == Some(&b'.') {
                match rest.get(1..3) {
                    Some(b"\r\n") => {
                        read += 3;
                        break true;
                    }
                    None if rest.len() < 2 || rest[1] == b'\r' => break false,
                    _ => read += 1,
                }
                line_start = false;
                continue;
            }
            // A line ends at CRLF; a CR at the very end waits for what follows it.
            let (line, ends) = match line_end(rest) {
                Some(end) => (&rest[..end], true),
                None => (&rest[..rest.len() - usize::from(rest.last() == Some(&b'\r'))], false),
            };
            keep(&mut self.kept, &mut self.failed, &mut self.passed_over, line, max_bytes);
            read += line.len();
            line_start = if line.is_empty() { line_start } else { ends };
            if !ends {
                break false;
            }
        };
        input.drain(..read);
        self.framing = Framing::Dotted { line_start };
        if ended { self.finish() } else { self.unless_endless(max_bytes) }
    }

    fn take_chunk(&mut self, input: &mut Vec<u8>, left: usize, last: bool, max_bytes: usize) -> Progress {
        let taken = left.min(input.len());
        keep(&mut self.kept, &mut self.failed, &mut self.passed_over, &input[..taken], max_bytes);
        input.drain(..taken);
        self.framing = Framing::Chunk { left: left - taken, last };
        if left > taken {
            return self.unless_endless(max_bytes);
        }
        if last || self.failed.is_some() {
            return self.finish();
        }
        Progress::Chunk(Reply::new(250, Some((2, 0, 0)), "chunk noted"))
    }

    fn finish(&mut self) -> Progress {
        match self.failed.take() {
            Some(reason) => Progress::Failed(reason),
            None => Progress::Complete(std::mem::take(&mut self.kept)),
        }
    }

    fn unless_endless(&self, max_bytes: usize) -> Progress {
        if self.passed_over > max_bytes.saturating_mul(4) { Progress::Endless } else { Progress::More }
    }
}

fn keep(kept: &mut Vec<u8>, failed: &mut Option<Reply>, passed_over: &mut usize, bytes: &[u8], max_bytes: usize) {
    if failed.is_none() && kept.len() + bytes.len() <= max_bytes {
        kept.extend_from_slice(bytes);
        return;
    }
    failed.get_or_insert_with(reply::too_big);
    *passed_over += bytes.len() + kept.len();
    *kept = Vec::new();
}

/// The place after the first CRLF.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == b'\n') {
        let at = from + found;
        if at > 0 && bytes[at - 1] == b'\r' {
            return Some(at + 1);
        }
        from = at + 1;
    }
    None
}
