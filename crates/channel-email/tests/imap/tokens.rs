//! A service that gives access tokens.

use super::wait::silent_port;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An endpoint for tokens: gives `token-1`, `token-2`, … with this life, or another answer; to servers that look a token
/// up with GET it says whether it is the newest one.
pub struct TokenService {
    /// Its address.
    pub url: String,
    /// What it gives: how many seconds a token lives, or status and body.
    pub answer: Arc<Mutex<Result<i64, (u16, String)>>>,
    /// The questions that it was asked.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// How many tokens are none any more.
    withdrawn: Arc<AtomicUsize>,
}

impl TokenService {
    /// An endpoint that gives tokens of this life.
    pub async fn start(life_seconds: i64) -> Self {
        let (listener, port) = silent_port().await;
        let answer = Arc::new(Mutex::new(Ok(life_seconds)));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let withdrawn = Arc::new(AtomicUsize::new(0));
        let (answers, questions, gone) = (Arc::clone(&answer), Arc::clone(&asked), Arc::clone(&withdrawn));
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One at a time is enough; a client that breaks off is the test's own.
                let _ = grant(stream, &answers, &questions, &gone).await;
            }
        }));
        Self { url: format!("http://127.0.0.1:{port}/token"), answer, asked, withdrawn }
    }

    /// From now on the newest token is none.
    pub fn withdraw(&self) {
        self.withdrawn.store(self.count(), Ordering::SeqCst);
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.asked.lock().expect("not poisoned").len()
    }
}

async fn grant(
    stream: TcpStream,
    answers: &Mutex<Result<i64, (u16, String)>>,
    questions: &Mutex<Vec<String>>,
    withdrawn: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    if first.starts_with("GET") {
        let newest = questions.lock().expect("not poisoned").len();
        let is_good = newest > withdrawn.load(Ordering::SeqCst) && first.contains(&format!("=token-{newest} "));
        let (status, body) = if is_good { (200, r#"{"active":true,"username":"kari"}"#) } else { (401, "{}") };
        return say(&mut stream, status, body).await;
    }
    let count = {
        let mut questions = questions.lock().expect("not poisoned");
        questions.push(String::from_utf8(body).expect("a form"));
        questions.len()
    };
    let (status, body) = match &*answers.lock().expect("not poisoned") {
        Ok(life) => (200, format!(r#"{{"access_token":"token-{count}","token_type":"Bearer","expires_in":{life}}}"#)),
        Err((status, body)) => (*status, body.clone()),
    };
    say(&mut stream, status, &body).await
}

async fn say(stream: &mut BufReader<TcpStream>, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await
}
