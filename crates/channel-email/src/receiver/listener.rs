//! Listeners and the mailboxes behind them.

use super::connection;
use crate::auth::Verifier;
use crate::config::{Limits, Mailbox, ReceiverConfig, TlsFiles};
use crate::token::Signer;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use switchboard_channel::{ChannelError, Context, ErrorKind, Retry};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A mailbox behind a listener.
pub(crate) struct Route {
    /// The mailbox.
    pub(crate) mailbox: Mailbox,
    /// Verifies what it signed.
    pub(crate) signer: Signer,
    /// Checks senders, where that is asked for.
    pub(crate) verifier: Option<Verifier>,
    /// Its inbox and runtime.
    pub(crate) context: Context,
}

/// A bound address with the mailboxes behind it.
pub(crate) struct Listener {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it speaks and takes.
    pub(crate) limits: Limits,
    /// STARTTLS, when configured.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Bytes of messages being received.
    pub(crate) buffered_bytes: AtomicUsize,
    /// Bounds how much is decoded at once.
    pub(crate) decoding: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    tls_files: Option<TlsFiles>,
    socket: tokio::sync::Mutex<TcpListener>,
    routes: RwLock<Vec<Weak<Route>>>,
}

/// How many small messages are decoded at once; a large one counts as several.
pub(crate) const DECODING_PERMITS: usize = 8;
/// How long to wait after the system had no connection to give, such as when it is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Listeners by configured address, so that mailboxes can share them. Port 0 is never shared.
static LISTENERS: LazyLock<Mutex<HashMap<SocketAddr, Weak<Listener>>>> = LazyLock::new(Mutex::default);

impl Listener {
    /// The listener of a configured address, bound now or shared with a mailbox that came before, with this
    /// mailbox behind it for as long as the route lives.
    pub(crate) fn join(config: &ReceiverConfig, route: &Arc<Route>) -> Result<Arc<Self>, ChannelError> {
        let mut known = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, listener| listener.strong_count() > 0);
        let listener = match known.get(&config.listen).and_then(Weak::upgrade) {
            Some(listener) => {
                listener.agrees(config)?;
                listener
            }
            None => {
                let listener = Arc::new(Self::bind(config)?);
                if config.listen.port() != 0 {
                    known.insert(config.listen, Arc::downgrade(&listener));
                }
                listener
            }
        };
        listener.routes.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(route));
        Ok(listener)
    }

    /// Accepts connections until shutdown. Of several mailboxes that share the listener one accepts at a time, and
    /// the next takes over when it stops.
    pub(crate) async fn run(self: Arc<Self>, context: &Context) {
        let socket = tokio::select! {
            () = context.runtime.shutdown.cancelled() => return,
            socket = self.socket.lock() => socket,
        };
        loop {
            let accepted = tokio::select! {
                () = context.runtime.shutdown.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, _peer)) => {
                    let listener = Arc::clone(&self);
                    let permit = Arc::clone(&self.connections).try_acquire_owned().ok();
                    let shutdown = context.runtime.shutdown.clone();
                    context.runtime.spawn(async move {
                        connection::serve(&listener, stream, shutdown, permit.is_some()).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The mailboxes that are there now.
    pub(crate) fn routes(&self) -> Vec<Arc<Route>> {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|route| route.strong_count() > 0);
        routes.iter().filter_map(Weak::upgrade).collect()
    }

    fn bind(config: &ReceiverConfig) -> Result<Self, ChannelError> {
        let fail = |error: std::io::Error| {
            let attempt = format!("listening on {}", config.listen);
            ChannelError::new(ErrorKind::Configuration, Retry::Later, attempt, error.to_string())
        };
        let socket = std::net::TcpListener::bind(config.listen).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        let socket = TcpListener::from_std(socket).map_err(fail)?;
        Ok(Self {
            address: socket.local_addr().map_err(fail)?,
            limits: config.limits,
            tls: config.tls.as_ref().map(acceptor).transpose()?,
            buffered_bytes: AtomicUsize::new(0),
            decoding: Arc::new(Semaphore::new(DECODING_PERMITS)),
            connections: Arc::new(Semaphore::new(config.limits.max_connections)),
            tls_files: config.tls.clone(),
            socket: tokio::sync::Mutex::new(socket),
            routes: RwLock::default(),
        })
    }

    fn agrees(&self, config: &ReceiverConfig) -> Result<(), ChannelError> {
        if self.limits == config.limits && self.tls_files == config.tls {
            return Ok(());
        }
        let attempt = format!("listening on {}", config.listen);
        let message = "another mailbox listens there with other `receiver` settings; those that share an address must agree";
        Err(ChannelError::new(ErrorKind::Configuration, Retry::Never, attempt, message))
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ChannelError> {
    let fail = |file: &std::path::Path, message: String| {
        let attempt = format!("reading {}", file.display());
        ChannelError::new(ErrorKind::Configuration, Retry::Never, attempt, message)
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| fail(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fail(&files.certificate, String::from("there is no certificate in it")));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| fail(&files.key, error.to_string()))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key).map_err(|error| error.to_string()))
        .map_err(|message| fail(&files.certificate, message))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
