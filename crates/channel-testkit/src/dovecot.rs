//! A real Dovecot: its own configuration in a temporary folder, free ports, stopped by its own process id.

use crate::{Identity, free_port};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

/// A running Dovecot, which Debian packages as `dovecot-imapd` and `dovecot-lmtpd`. Every user's password is `right`
/// until another is set; mailboxes come into being when mail is delivered.
pub struct Dovecot {
    /// Where it speaks IMAP in the clear and with STARTTLS.
    pub port: u16,
    /// Where it speaks IMAP behind TLS, with a certificate for `localhost`.
    pub tls_port: u16,
    folder: TempDir,
    user: User,
    server: Option<Child>,
    identity: Identity,
    password: String,
}

/// Who the server runs as: this user, or `nobody` where that is root, as whom it would refuse to.
struct User {
    name: String,
    group: String,
    is_root: bool,
}

const PROGRAM: &str = "/usr/sbin/dovecot";

impl Dovecot {
    /// Starts a server whose tokens are looked up at this address.
    ///
    /// # Panics
    /// When it is not installed or does not answer.
    pub async fn start(token_info_url: &str) -> Self {
        assert!(Path::new(PROGRAM).exists(), "{PROGRAM} is missing; apt-get install dovecot-imapd dovecot-lmtpd");
        let is_root = said("id", &["-u"]) == "0";
        let (name, group) = if is_root {
            (String::from("nobody"), said("id", &["-gn", "nobody"]))
        } else {
            (said("id", &["-un"]), said("id", &["-gn"]))
        };
        let mut dovecot = Self {
            port: free_port(),
            tls_port: free_port(),
            folder: tempfile::Builder::new().prefix("sb-dovecot-").tempdir().expect("a folder"),
            user: User { name, group, is_root },
            server: None,
            identity: Identity::new("localhost", (2020, 2090)),
            password: String::from("right"),
        };
        dovecot.configure(token_info_url);
        dovecot.run().await;
        dovecot
    }

    /// The authority that signed its certificate.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.identity.authority_file(self.folder.path())
    }

    /// Starts it, again if need be, and waits for its greeting.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn run(&mut self) {
        let mut command = self.as_its_user(PROGRAM);
        command.args(["-F", "-c"]).arg(self.folder.path().join("dovecot.conf"));
        self.server =
            Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Dovecot starts"));
        let greeted = tokio::time::timeout(Duration::from_secs(30), async {
            let mut looks = tokio::time::interval(Duration::from_millis(20));
            loop {
                looks.tick().await;
                let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await else { continue };
                let mut greeting = String::new();
                if BufReader::new(stream).read_line(&mut greeting).await.is_ok_and(|count| count > 0) {
                    return;
                }
            }
        });
        assert!(greeted.await.is_ok(), "Dovecot does not answer:\n{}", self.log());
    }

    /// What it has written about itself.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Stops it as an administrator would, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let helpers = children(server.id());
        signal("TERM", &[server.id()]);
        server.wait().expect("a process of our own");
        // Those that serve a client would go on alone, which no restart of a machine or service lets them.
        let left: Vec<u32> = helpers.into_iter().filter(|id| is_dovecot(*id)).collect();
        if !left.is_empty() {
            signal("KILL", &left);
        }
    }

    /// Freezes it with all its processes; `true` lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, goes_on: bool) {
        let master = self.server.as_ref().expect("it runs").id();
        let mut all = vec![master];
        all.extend(children(master));
        signal(if goes_on { "CONT" } else { "STOP" }, &all);
    }

    /// From now on this is every user's password; connections that were open are closed.
    ///
    /// # Panics
    /// When the server does not come back.
    pub async fn set_password(&mut self, password: &str) {
        self.stop();
        let file = self.folder.path().join("dovecot.conf");
        let settings = fs::read_to_string(&file).expect("its settings");
        let line = |password: &str| format!("args = password={password}\n");
        let changed = settings.replace(&line(&self.password), &line(password));
        fs::write(&file, changed).expect("a file");
        password.clone_into(&mut self.password);
        self.run().await;
    }

    /// Delivers a mail over LMTP.
    ///
    /// # Panics
    /// When it does not take it.
    pub async fn deliver(&self, user: &str, mail: &[u8]) {
        let stream = UnixStream::connect(self.folder.path().join("run/lmtp")).await.expect("it takes mail");
        let mut stream = BufReader::new(stream);
        let mut mail = mail.to_vec();
        mail.extend_from_slice(b".\r\n");
        let commands = [
            Vec::new(),
            b"LHLO localhost\r\n".to_vec(),
            b"MAIL FROM:<kari@eksempel.test>\r\n".to_vec(),
            format!("RCPT TO:<{user}>\r\n").into_bytes(),
            b"DATA\r\n".to_vec(),
            mail,
        ];
        for command in commands {
            stream.get_mut().write_all(&command).await.expect("it reads");
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.expect("it answers");
                assert!(line.starts_with(['2', '3']), "{line}");
                if line.as_bytes()[3] == b' ' {
                    break;
                }
            }
        }
    }

    /// Puts many mails into a folder, as a delivery does and faster.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn fill(&self, user: &str, mails: impl Iterator<Item = Vec<u8>>) {
        let maildir = self.maildir(user);
        for folder in ["new", "cur", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).expect("a folder");
        }
        for (number, mail) in mails.enumerate() {
            fs::write(maildir.join(format!("new/17953000{:02}.M{number}.here", number % 60)), mail).expect("a file");
        }
        self.give_away();
    }

    /// Forgets the numbers and flags of all mail of a user, so that it gets new ones.
    ///
    /// # Panics
    /// When the user has no mailbox.
    pub fn forget_numbers(&self, user: &str) {
        let maildir = self.maildir(user);
        for entry in fs::read_dir(&maildir).expect("a mailbox").map(|entry| entry.expect("an entry").path()) {
            if entry.is_file() {
                fs::remove_file(entry).expect("its index");
            }
        }
        for entry in fs::read_dir(maildir.join("cur")).expect("a mailbox").map(|entry| entry.expect("an entry").path()) {
            let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
            let bare = name.split(":2,").next().expect("a name");
            fs::rename(&entry, maildir.join("cur").join(format!("{bare}:2,"))).expect("a file");
        }
    }

    /// How many mails in a folder have a keyword, which Maildir writes as small letters; `None` counts all mail.
    ///
    /// # Panics
    /// When the folder cannot be read.
    #[must_use]
    pub fn count(&self, user: &str, has_keyword: Option<bool>) -> usize {
        let names = ["new", "cur"].into_iter().filter_map(|folder| fs::read_dir(self.maildir(user).join(folder)).ok()).flatten();
        names
            .filter(|entry| {
                let name = entry.as_ref().expect("an entry").file_name().to_string_lossy().into_owned();
                let flags = name.rsplit_once(":2,").map_or("", |(_, flags)| flags);
                has_keyword.is_none_or(|wanted| flags.bytes().any(|byte| byte.is_ascii_lowercase()) == wanted)
            })
            .count()
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user)
    }

    fn configure(&self, token_info_url: &str) {
        let folder = self.folder.path();
        for name in ["run", "state", "mail"] {
            fs::create_dir(folder.join(name)).expect("a folder");
        }
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        fs::write(&certificate, &self.identity.certificate_pem).expect("a file");
        fs::write(&key, &self.identity.key_pem).expect("a file");
        let oauth = format!(
            "tokeninfo_url = {token_info_url}\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n"
        );
        fs::write(folder.join("oauth2.conf"), oauth).expect("a file");
        let User { name, group, .. } = &self.user;
        let (at, port, tls_port, password) = (folder.display(), self.port, self.tls_port, &self.password);
        let settings = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\nprotocols = imap lmtp\nlisten = 127.0.0.1\n\
             default_internal_user = {name}\ndefault_internal_group = {group}\ndefault_login_user = {name}\n\
             first_valid_uid = 1\nfirst_valid_gid = 1\nssl = yes\nssl_cert = <{at}/certificate.pem\nssl_key = <{at}/key.pem\n\
             disable_plaintext_auth = no\nauth_mechanisms = plain xoauth2\nauth_failure_delay = 0\n\
             mail_location = maildir:{at}/mail/%u\nmail_max_userip_connections = 100\nshutdown_clients = yes\n\
             passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {at}/oauth2.conf\n}}\n\
             passdb {{\n  driver = static\n  mechanisms = plain\n  args = password={password}\n}}\n\
             userdb {{\n  driver = static\n  args = uid={name} gid={group} home={at}/mail/%u allow_all_users=yes\n}}\n\
             service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {port}\n  }}\n\
             inet_listener imaps {{\n    port = {tls_port}\n    ssl = yes\n  }}\n}}\n\
             service anvil {{\n  chroot =\n}}\nservice lmtp {{\n  unix_listener lmtp {{\n    mode = 0666\n  }}\n}}\n"
        );
        fs::write(folder.join("dovecot.conf"), settings).expect("a file");
        self.give_away();
    }

    /// Makes everything belong to the user whom the server runs as.
    fn give_away(&self) {
        if self.user.is_root {
            let owner = format!("{}:{}", self.user.name, self.user.group);
            let done = Command::new("chown").args(["-R", &owner]).arg(self.folder.path()).status().expect("chown starts");
            assert!(done.success());
        }
    }

    /// A command of its user that ends with this process, so that a killed test leaves no server behind.
    fn as_its_user(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if self.user.is_root {
            command.args(["--reuid", &self.user.name, "--regid", &self.user.group, "--clear-groups"]);
        }
        command.args(["--pdeathsig", "TERM", "--", program]).current_dir("/");
        command
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.freeze(true);
            self.stop();
        }
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("a program of every system");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn signal(name: &str, processes: &[u32]) {
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    // A child that has ended in between needs no signal.
    let _ = Command::new("kill").arg(format!("-{name}")).args(ids).stderr(Stdio::null()).status().expect("kill starts");
}

fn is_dovecot(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.starts_with("dovecot/"))
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let is_child = |id: u32| {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name in brackets may hold anything; state and parent follow.
        let after = text.rsplit_once(')').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        after.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let all = fs::read_dir("/proc").expect("a list of processes");
    all.filter_map(|entry| entry.ok()?.file_name().to_string_lossy().parse().ok()).filter(|id| is_child(*id)).collect()
}
