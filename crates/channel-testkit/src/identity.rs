//! A certificate and the authority that signed it, for servers of tests that speak TLS.

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A certificate for names, with its authority.
pub struct Identity {
    /// The authority, as PEM.
    pub authority_pem: String,
    /// The certificate, as PEM.
    pub certificate_pem: String,
    /// Its key, as PEM.
    pub key_pem: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// A certificate for a name, signed by an authority of its own, valid from the first to the second year.
    ///
    /// # Panics
    /// When none can be made for that name.
    #[must_use]
    pub fn new(name: &str, years: (i32, i32)) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
        authority.distinguished_name.push(rcgen::DnType::CommonName, "An authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(years.0, 1, 1), rcgen::date_time_ymd(years.1, 1, 1));
        let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
        Self::with(authority.pem(), &leaf, &key)
    }

    /// An authority that shows its own certificate, as `openssl req -x509` makes one.
    ///
    /// # Panics
    /// When none can be made for that name.
    #[must_use]
    pub fn of_authority(name: &str) -> Self {
        let mut authority = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = authority.self_signed(&key).expect("a certificate");
        Self::with(certificate.pem(), &certificate, &key)
    }

    fn with(authority_pem: String, leaf: &Certificate, key: &KeyPair) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .expect("a certificate with its key");
        let (certificate_pem, key_pem) = (leaf.pem(), key.serialize_pem());
        Self { authority_pem, certificate_pem, key_pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// What a server accepts connections with.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// The authority in a file of this folder.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn authority_file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, &self.authority_pem).expect("a file");
        path
    }
}
