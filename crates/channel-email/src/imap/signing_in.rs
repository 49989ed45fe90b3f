//! Signing in: by password, or by an access token that is renewed once when it is refused.

use super::client::Client;
use super::error::{Trouble, shown};
use super::memory::Memory;
use super::oauth;
use super::response::Code;
use crate::config::{ImapConfig, SignIn};
use secrecy::{ExposeSecret, SecretString};
use switchboard_channel::{ErrorKind, Runtime};

/// Signs in as the settings say, and asks what the server can do for this user.
pub(super) async fn sign_in(
    client: &mut Client,
    config: &ImapConfig,
    memory: &mut Memory,
    runtime: &Runtime,
) -> Result<(), Trouble> {
    match &config.sign_in {
        SignIn::Password(password) => by_password(client, &config.username, password).await?,
        SignIn::Oauth(_) => by_token(client, &config.username, memory, runtime).await?,
    }
    // Servers may say more to those they know.
    client.ask_capabilities().await
}

async fn by_password(client: &mut Client, user: &str, password: &SecretString) -> Result<(), Trouble> {
    let word = password.expose_secret();
    let result = if client.can("AUTH=PLAIN") {
        client.authenticate("PLAIN", format!("\0{user}\0{word}").as_bytes()).await?
    } else if client.can("LOGINDISABLED") {
        return Err(Trouble::setting("the server takes no password on such a connection; see `imap.security` and `imap.oauth`"));
    } else if user.is_ascii() && word.is_ascii() {
        client.login(user, word).await?
    } else {
        return Err(Trouble::setting("the server offers no way to say a user or password that is not ASCII (AUTH=PLAIN)"));
    };
    result.map_err(|code| refused(&code, "user or password", "see `imap.username` and `imap.password`"))
}

async fn by_token(client: &mut Client, user: &str, memory: &mut Memory, runtime: &Runtime) -> Result<(), Trouble> {
    if !client.can("AUTH=XOAUTH2") {
        return Err(Trouble::setting("the server does not offer XOAUTH2; see `imap.oauth`"));
    }
    let tokens = memory.tokens().ok_or_else(|| Trouble::setting("`imap.oauth` is not set"))?;
    loop {
        let (token, is_new) = tokens.token(runtime).await?;
        match client.authenticate("XOAUTH2", &oauth::response(user, &token)).await? {
            Ok(()) => return Ok(()),
            Err(code) if is_new => {
                tokens.refused();
                return Err(refused(&code, "access token", "see `imap.username` and `imap.oauth`"));
            }
            Err(_) => tokens.refused(),
        }
    }
}

fn refused(code: &Code, what: &str, advice: &str) -> Trouble {
    let passing = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"];
    if let Code::Other(name) = code
        && passing.contains(&name.as_str())
    {
        return Trouble::new(ErrorKind::Unreachable, format!("the server lets nobody sign in now ({name})"));
    }
    Trouble::new(ErrorKind::Authentication, format!("the server refused the {what}{}; {advice}", shown(code)))
}
