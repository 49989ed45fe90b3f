//! The bytes of the protocol: lines with literals in between, each within a limit and a time (RFC 3501 4.3).
//!
//! A literal is announced with its size, and its room grows with what really arrives. One that is too large is read
//! past, so that the conversation goes on after it.

use super::error::Trouble;
use bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// A connection to a server, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A part of a response.
#[derive(Debug)]
pub(super) enum Part {
    /// Text without its line end.
    Text(Vec<u8>),
    /// Bytes whose number was announced.
    Literal(Bytes),
    /// Bytes that were too many, and were read past.
    TooLarge,
}

/// A connection with what was read from it and not used yet.
pub(super) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
    silence: Duration,
    /// Literals larger than this are read past.
    pub(super) max_literal_bytes: usize,
    /// Bytes of literals that may still be kept; the next ones are read past.
    pub(super) literal_budget_bytes: usize,
}

/// All text of one response: the numbers of two million mails.
const MAX_TEXT_BYTES: usize = 16_777_216;
/// Literals of one response.
const MAX_LITERALS: usize = 16;
/// A literal beyond this is not worth reading past.
const MAX_ANNOUNCED_BYTES: u64 = 4_294_967_296;
/// How much room a literal gets before any of it has come.
const FIRST_ROOM_BYTES: usize = 65_536;
/// How much of a literal is read at once.
const READ_BYTES: usize = 16_384;

impl Wire {
    /// A connection whose other side may be silent for so long.
    pub(super) fn new(stream: Box<dyn Stream>, silence: Duration) -> Self {
        Self { stream: BufReader::with_capacity(READ_BYTES, stream), silence, max_literal_bytes: 0, literal_budget_bytes: 0 }
    }

    /// The connection itself, when nothing is left that was read before: what came before encryption began must not
    /// count as having come after it.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Trouble> {
        if self.stream.buffer().is_empty() {
            return Ok(self.stream.into_inner());
        }
        Err(Trouble::nonsense("it sent something between STARTTLS and encryption"))
    }

    /// Sends bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let stream = self.stream.get_mut();
        let sent = timeout(self.silence, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        sent.await.map_err(|_| Trouble::silent(self.silence))?.map_err(|error| Trouble::broken(&error))
    }

    /// Waits for a response to begin, for as long as told instead of the usual time; false when none did.
    pub(super) async fn begins_within(&mut self, limit: Duration) -> Result<bool, Trouble> {
        match timeout(limit, self.stream.fill_buf()).await {
            Err(_) => Ok(false),
            Ok(Ok([])) => Err(Trouble::closed()),
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) => Err(Trouble::broken(&error)),
        }
    }

    /// The next response.
    pub(super) async fn read(&mut self) -> Result<Vec<Part>, Trouble> {
        let (mut parts, mut text_bytes) = (Vec::new(), 0);
        loop {
            let line = self.line(MAX_TEXT_BYTES - text_bytes).await?;
            text_bytes += line.len();
            let announced = announced(&line);
            let kept = announced.map_or(line.len(), |(_, start)| start);
            parts.push(Part::Text(line[..kept].to_vec()));
            let Some((size, _)) = announced else { return Ok(parts) };
            if parts.len() > 2 * MAX_LITERALS || size > MAX_ANNOUNCED_BYTES {
                return Err(Trouble::nonsense("its answer is larger than anything that was asked for"));
            }
            parts.push(self.literal(size).await?);
        }
    }

    /// One line without its end.
    async fn line(&mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        let mut line = Vec::new();
        loop {
            let piece = self.fill().await?;
            let (used, ended) = match piece.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (piece.len(), false),
            };
            line.extend_from_slice(&piece[..used]);
            self.stream.consume(used);
            if line.len() > most {
                return Err(Trouble::nonsense("its line does not end"));
            }
            if ended {
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
        }
    }

    async fn literal(&mut self, size: u64) -> Result<Part, Trouble> {
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        if wanted > self.max_literal_bytes || wanted > self.literal_budget_bytes {
            let mut left = wanted;
            while left > 0 {
                let used = self.fill().await?.len().min(left);
                self.stream.consume(used);
                left -= used;
            }
            return Ok(Part::TooLarge);
        }
        self.literal_budget_bytes -= wanted;
        let mut bytes = Vec::with_capacity(wanted.min(FIRST_ROOM_BYTES));
        while bytes.len() < wanted {
            let left = (wanted - bytes.len()) as u64;
            let mut limited = (&mut self.stream).take(left);
            let read = timeout(self.silence, limited.read_buf(&mut bytes));
            let count = read.await.map_err(|_| Trouble::silent(self.silence))?.map_err(|error| Trouble::broken(&error))?;
            if count == 0 {
                return Err(Trouble::closed());
            }
        }
        Ok(Part::Literal(Bytes::from(bytes)))
    }

    async fn fill(&mut self) -> Result<&[u8], Trouble> {
        let silence = self.silence;
        let piece = timeout(silence, self.stream.fill_buf()).await.map_err(|_| Trouble::silent(silence))?;
        match piece {
            Ok([]) => Err(Trouble::closed()),
            Ok(piece) => Ok(piece),
            Err(error) => Err(Trouble::broken(&error)),
        }
    }
}

/// The literal that a line announces at its end, `{12}` or `{12+}`: its size, and where the announcement starts.
fn announced(line: &[u8]) -> Option<(u64, usize)> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|byte| *byte == b'{')?;
    let digits = inside[start + 1..].strip_suffix(b"+").unwrap_or(&inside[start + 1..]);
    let size = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((size.parse().ok()?, start))
}

#[cfg(test)]
mod tests {
    use super::{Part, Wire, announced};
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt, duplex};

    async fn read(bytes: &[u8], max_literal_bytes: usize) -> Result<Vec<Part>, String> {
        let (mut server, client) = duplex(bytes.len() + 1);
        server.write_all(bytes).await.expect("room");
        drop(server);
        let mut wire = Wire::new(Box::new(client), Duration::from_secs(5));
        (wire.max_literal_bytes, wire.literal_budget_bytes) = (max_literal_bytes, 3 * max_literal_bytes);
        wire.read().await.map_err(|trouble| trouble.message().to_owned())
    }

    #[tokio::test]
    async fn a_response_is_its_lines_with_the_literals_between_them() {
        let parts = read(b"* 1 FETCH (BODY[] {5}\r\na\r\nb\n UID 3)\r\n* next", 100).await.expect("a response");
        assert_eq!(
            format!("{parts:?}"),
            r#"[Text([42, 32, 49, 32, 70, 69, 84, 67, 72, 32, 40, 66, 79, 68, 89, 91, 93, 32]), Literal(b"a\r\nb\n"), Text([32, 85, 73, 68, 32, 51, 41])]"#
        );
    }

    #[tokio::test]
    async fn a_literal_over_the_limit_is_read_past() {
        let parts = read(b"* {6}\r\n123456 x\r\n", 5).await.expect("a response");
        assert!(matches!(&parts[..], [Part::Text(_), Part::TooLarge, Part::Text(rest)] if rest == b" x"), "{parts:?}");
    }

    #[tokio::test]
    async fn what_is_too_much_or_cut_off_is_an_error() {
        assert!(read(&vec![b'x'; 16_800_000], 5).await.is_err_and(|message| message.contains("does not end")));
        assert!(read(b"* {99999999999}\r\n", 5).await.is_err_and(|message| message.contains("larger")));
        assert!(read(&b"* {0}\r\n".repeat(40), 5).await.is_err_and(|message| message.contains("larger")));
        for cut in ["", "* OK", "* {5}\r\nabc", "* {9}\r\nabc", "* {1}\r\na"] {
            assert!(read(cut.as_bytes(), 5).await.is_err_and(|message| message.contains("closed")), "{cut}");
        }
    }

    #[test]
    fn only_the_end_of_a_line_announces_a_literal() {
        for (line, size) in
            [("a {12}", Some(12)), ("{7+}", Some(7)), ("a {12} ", None), ("a {}", None), ("a {x}", None), ("{-1}", None)]
        {
            assert_eq!(announced(line.as_bytes()).map(|(size, _)| size), size, "{line}");
        }
    }
}
