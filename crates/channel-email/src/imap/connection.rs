//! Reaching a server: TCP, encryption with the certificate checked, greeting, and what the server can do.

use super::client::Client;
use super::error::Trouble;
use super::wire::Stream;
use crate::config::{ImapConfig, Security};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io;
use std::path::Path;
use std::sync::Arc;
use switchboard_channel::ErrorKind;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

/// Connects to the server of the settings.
pub(super) async fn open(config: &ImapConfig) -> Result<Client, Trouble> {
    let host = config.host.trim_matches(['[', ']']);
    let silence = config.command_timeout;
    let tls = match config.security {
        Security::None => None,
        Security::Tls | Security::Starttls => Some(connector(config.ca_file.as_deref())?),
    };
    let stream = timeout(silence, reach(host, config.port)).await.map_err(|_| Trouble::silent(silence))??;
    // Commands are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let mut stream: Box<dyn Stream> = Box::new(stream);
    if let Some(tls) = tls {
        if config.security == Security::Starttls {
            let mut client = Client::new(stream, silence);
            client.greeted().await?;
            stream = client.starttls().await?;
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Trouble::setting("`imap.host` is neither a host name nor an IP address"))?;
        let encrypted = timeout(silence, tls.connect(name, stream)).await.map_err(|_| Trouble::silent(silence))?;
        stream = Box::new(encrypted.map_err(|error| not_encrypted(host, &error))?);
    }
    let mut client = Client::new(stream, silence);
    if config.security != Security::Starttls {
        client.greeted().await?;
    }
    client.ask_capabilities().await?;
    Ok(client)
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, Trouble> {
    let unreachable = |reason: String| Trouble::new(ErrorKind::Unreachable, format!("the server cannot be reached: {reason}"));
    let addresses = lookup_host((host, port)).await.map_err(|_| unreachable(String::from("its name cannot be resolved")))?;
    let addresses: Vec<_> = addresses.collect();
    TcpStream::connect(&addresses[..]).await.map_err(|error| unreachable(error.kind().to_string()))
}

fn not_encrypted(host: &str, error: &io::Error) -> Trouble {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(fault)) => {
            let (reason, advice) = distrust(fault);
            Trouble::new(ErrorKind::Configuration, format!("untrusted certificate of {host}: {reason}{advice}"))
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            Trouble::setting("what answers there speaks no TLS; see `imap.port` and `imap.security`")
        }
        Some(_) => Trouble::new(ErrorKind::Unreachable, "the server and this host find no common TLS; see `imap.security`"),
        None => Trouble::broken(error),
    }
}

/// Why a certificate is not trusted, and what helps.
fn distrust(fault: &CertificateError) -> (&'static str, &'static str) {
    const SET: &str = "; set `imap.ca_file` to the certificate of the authority that signed it";
    match fault {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => ("no known authority has signed it", SET),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("it has expired", ""),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => ("it is not valid yet", ""),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("it is for another name; see `imap.host`", "")
        }
        CertificateError::Revoked => ("it was revoked", ""),
        // The type of what is inside belongs to a crate that is none of ours.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            ("it is an authority's own certificate, which no server may show; make the server one that it signs", "")
        }
        _ => ("it cannot be used for a server", SET),
    }
}

/// TLS that trusts the public authorities, and one more.
fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, Trouble> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let fault = |what: &str| Trouble::setting(format!("`imap.ca_file`: {} {what}", path.display()));
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| fault(&format!("cannot be read: {error}")))?;
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(fault("holds no certificate"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::setting(format!("TLS cannot be prepared: {error}")))?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
