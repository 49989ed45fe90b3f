//! A service that gives access tokens.

use super::wait::silent_port;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An endpoint for tokens: gives `token-1`, `token-2`, … with this life, or another answer.
pub struct TokenService {
    /// Its address.
    pub url: String,
    /// What it gives: how many seconds a token lives, or status and body.
    pub answer: Arc<Mutex<Result<i64, (u16, String)>>>,
    /// The questions that it was asked.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl TokenService {
    /// An endpoint that gives tokens of this life.
    pub async fn start(life_seconds: i64) -> Self {
        let (listener, port) = silent_port().await;
        let answer = Arc::new(Mutex::new(Ok(life_seconds)));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, questions) = (Arc::clone(&answer), Arc::clone(&asked));
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One at a time is enough; a client that breaks off is the test's own.
                let _ = grant(stream, &answers, &questions).await;
            }
        }));
        Self { url: format!("http://127.0.0.1:{port}/token"), answer, asked }
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
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
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
    let count = {
        let mut questions = questions.lock().expect("not poisoned");
        questions.push(String::from_utf8(body).expect("a form"));
        questions.len()
    };
    let (status, body) = match &*answers.lock().expect("not poisoned") {
        Ok(life) => (200, format!(r#"{{"access_token":"token-{count}","token_type":"Bearer","expires_in":{life}}}"#)),
        Err((status, body)) => (*status, body.clone()),
    };
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await
}
