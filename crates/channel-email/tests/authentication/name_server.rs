//! A name server on loopback that knows some texts and nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Starts one that knows these texts, by name; of `slow.test` it never says anything.
pub async fn start(texts: &[(&str, &str)]) -> SocketAddr {
    let texts: HashMap<String, String> = texts.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
    let address = socket.local_addr().expect("an address");
    #[allow(clippy::disallowed_methods, reason = "the name server of a test lives as long as the test")]
    tokio::spawn(async move {
        let mut query = [0_u8; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            if !query[..length].windows(10).any(|name| name.eq_ignore_ascii_case(b"\x04slow\x04test")) {
                let _ = socket.send_to(&answer(&query[..length], &texts), from).await;
            }
        }
    });
    address
}

/// The answer to a query with one question (RFC 1035 4.1).
fn answer(query: &[u8], texts: &HashMap<String, String>) -> Vec<u8> {
    let (mut name, mut at) = (String::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        name.push_str(&String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        name.push('.');
        at = end;
    }
    let question = &query[12..at + 5];
    let found = texts.get(name.trim_end_matches('.')).filter(|_| query[at + 1..at + 3] == [0, 16]);
    let mut answer = query[..2].to_vec();
    answer.extend([0x84, if found.is_some() { 0 } else { 3 }, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(text) = found {
        let data: Vec<u8> = text.as_bytes().chunks(255).flat_map(|chunk| [&[chunk.len() as u8], chunk].concat()).collect();
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        answer.extend((data.len() as u16).to_be_bytes());
        answer.extend(data);
    }
    answer
}
