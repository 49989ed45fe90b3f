//! The conversation with the daemon, on a pipe.

use super::{Verdict, exchanged, verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// Sends a file of so many bytes to a daemon that reads so much of the question before it answers.
async fn asked(size: usize, read_bytes: usize, answer: &[u8]) -> Result<String, String> {
    let (ours, mut theirs) = duplex(1_024);
    let file = vec![7; size];
    let daemon = async {
        let mut question = vec![0; read_bytes];
        theirs.read_exact(&mut question).await.expect("so much is asked");
        // The other side may have read enough before the end.
        let _ = theirs.write_all(answer).await;
        theirs.shutdown().await.expect("the pipe can be closed");
        // Dropped when the other side is done, as a daemon lingers that closes.
        (theirs, question)
    };
    let (answer, _) = tokio::join!(exchanged(ours, &file, true), daemon);
    answer.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_file_goes_in_chunks_and_ends_with_an_empty_one() {
    let (ours, mut theirs) = duplex(1 << 20);
    let file: Vec<u8> = (0..70_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let daemon = async {
        let mut question = vec![0; 10 + 4 + 65_536 + 4 + 4_464 + 4];
        theirs.read_exact(&mut question).await.expect("the question is whole");
        theirs.write_all(b"stream: OK\0").await.expect("the answer is taken");
        question
    };
    let (answer, question) = tokio::join!(exchanged(ours, &file, true), daemon);
    assert_eq!(answer.expect("an answer"), "stream: OK");
    assert_eq!(question[..14], *b"zINSTREAM\0\x00\x01\x00\x00");
    assert_eq!(question[14..65_550], file[..65_536]);
    assert_eq!(question[65_550..65_554], [0, 0, 0x11, 0x70]);
    assert_eq!(question[65_554..70_018], file[65_536..]);
    assert_eq!(question[70_018..], [0; 4]);
}

#[tokio::test]
async fn nothing_is_clean_before_it_was_seen_whole() {
    assert_eq!(asked(10, 10 + 4 + 10 + 4, b"stream: OK\0").await.as_deref(), Ok("stream: OK"));
    let early = asked(100_000, 2_000, b"stream: OK\0").await;
    assert_eq!(early, Err("it answered before it had the file".to_owned()));
    let early = asked(100_000, 2_000, b"stream: Win.Test FOUND\0").await;
    assert_eq!(early.as_deref(), Ok("stream: Win.Test FOUND"));
    let early = asked(100_000, 2_000, b"INSTREAM size limit exceeded. ERROR\0").await;
    assert_eq!(early.as_deref(), Ok("INSTREAM size limit exceeded. ERROR"));
}

#[tokio::test]
async fn an_answer_without_end_is_no_answer() {
    for answer in [b"".as_slice(), b"stream: OK", &[b'x'; 10_000]] {
        let answer = asked(10, 10 + 4 + 10 + 4, answer).await;
        assert_eq!(answer, Err("it closed the connection without an answer".to_owned()));
    }
}

#[test]
fn only_a_plain_ok_is_clean() {
    assert_eq!(verdict("stream: OK").expect("a verdict"), Verdict::Clean);
    let found = Verdict::Infected("Eicar-Test-Signature".to_owned());
    assert_eq!(verdict("stream: Eicar-Test-Signature FOUND").expect("a verdict"), found);
    for answer in
        ["", "OK", "stream: ok", "stream: OK FINE", "stream: x ERROR", "UNKNOWN COMMAND", "INSTREAM size limit exceeded. ERROR"]
    {
        assert!(verdict(answer).is_err(), "{answer}");
    }
}
