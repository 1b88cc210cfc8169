//! Encrypted connections: whose certificates are trusted, and why one was not made, in plain words.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore,
};
use rustls_platform_verifier::Verifier;

/// Why nobody can be asked over an encrypted connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates that are trusted cannot be read.
    #[error("read the certificates in `{}`: {why}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is nobody to trust.
    #[error("set up encrypted connections: {0}")]
    SetUp(String),
}

/// The certificates in a file in PEM, of which there is one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |why: String| TlsError::Certificates { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|why| failed(why.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|why| failed(why.to_string()))?;
    let mut roots = RootCertStore::empty();
    for one in &found {
        roots.add(one.clone()).map_err(|why| failed(why.to_string()))?;
    }
    if roots.is_empty() {
        return Err(failed("there are none, in PEM".to_owned()));
    }
    Ok(found)
}

/// How connections are encrypted that trust the system's certificates, and those in the file `ca`.
/// Both are read once.
pub(crate) fn trusting(ca: Option<&Path>) -> Result<ClientConfig, TlsError> {
    /// By `ca`: the system's certificates are many, and so are groups.
    static KNOWN: Mutex<BTreeMap<Option<PathBuf>, ClientConfig>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = ca.map(Path::to_owned);
    if let Some(config) = known.get(&key) {
        return Ok(config.clone());
    }
    let failed = |why: Error| TlsError::SetUp(why.to_string());
    let trusted = ca.map(certificates).transpose()?.unwrap_or_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(trusted, Arc::clone(&provider));
    let verifier = Arc::new(verifier.map_err(failed)?);
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(failed)?.dangerous().with_custom_certificate_verifier(verifier);
    let config = config.with_no_client_auth();
    known.insert(key, config.clone());
    Ok(config)
}

/// Why a connection is not encrypted, if that is what an error is about.
pub(crate) fn explained(why: &(dyn StdError + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(why), |cause| below(*cause));
    let why: &Error = causes.find_map(|cause| cause.downcast_ref())?;
    if let Error::InvalidCertificate(why) = why {
        return Some(mistrusted(why));
    }
    if *why == Error::InvalidMessage(InvalidMessage::InvalidContentType) {
        return Some("it does not speak TLS there".to_owned());
    }
    if *why == Error::AlertReceived(AlertDescription::CertificateRequired) {
        return Some("it wants a client's certificate, and none is shown to it".to_owned());
    }
    Some(format!("no encrypted connection: {why}"))
}

/// The cause of an error. Those of input and output, and those that are shared, tell the cause of
/// theirs instead.
fn below<'a>(why: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(io) = why.downcast_ref::<io::Error>() {
        return io.get_ref().map(|inner| inner as &(dyn StdError + 'static));
    }
    if let Some(shared) = why.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        return Some(&**shared);
    }
    why.source()
}

fn mistrusted(why: &CertificateError) -> String {
    if let CertificateError::NotValidForNameContext { expected, presented } = why {
        let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return format!("its certificate is not for `{}`, but for {names}", expected.to_str());
    }
    if *why == CertificateError::UnknownIssuer {
        return "nobody who is trusted has signed its certificate: name who has, by `ca`"
            .to_owned();
    }
    if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        return "its certificate has expired".to_owned();
    }
    if matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) {
        return "its certificate is not valid yet, by the clock here".to_owned();
    }
    if format!("{why:?}").contains("CaUsedAsEndEntity") {
        return "its certificate is one to sign others with (`CA:TRUE`): have it show one of its \
                own, which that has signed"
            .to_owned();
    }
    format!("its certificate is refused: {why}")
}

/// A name of a certificate, which the library calls `DnsName("example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

#[cfg(test)]
mod tests {
    use rustls::OtherError;
    use rustls::pki_types::ServerName;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("above")]
    struct Above(#[source] Arc<dyn StdError + Send + Sync>);

    fn words(why: Error) -> Option<String> {
        let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, why));
        explained(&Above(Arc::new(nested)))
    }

    fn of_certificate(why: CertificateError) -> String {
        words(Error::InvalidCertificate(why)).unwrap()
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_however_deep_it_lies() {
        assert!(of_certificate(CertificateError::UnknownIssuer).contains("nobody who is trusted"));
        assert!(of_certificate(CertificateError::Expired).contains("has expired"));
        assert!(of_certificate(CertificateError::NotValidYet).contains("not valid yet"));
        assert!(of_certificate(CertificateError::Revoked).contains("is refused: "));
        let own = io::Error::other("CaUsedAsEndEntity");
        let own = CertificateError::Other(OtherError(Arc::new(own)));
        assert!(of_certificate(own).contains("`CA:TRUE`"));
        let wrong_name = |presented: &[&str]| {
            let expected = ServerName::try_from("db.test").unwrap();
            let presented = presented.iter().map(|name| (*name).to_owned()).collect();
            of_certificate(CertificateError::NotValidForNameContext { expected, presented })
        };
        let names = ["DnsName(\"a.test\")", "IpAddress(10.0.0.1)"];
        let told = "its certificate is not for `db.test`, but for ";
        assert_eq!(wrong_name(&names), format!("{told}a.test, 10.0.0.1"));
        assert_eq!(wrong_name(&[]), format!("{told}none"));
    }

    #[test]
    fn what_else_breaks_a_handshake_is_told_and_other_errors_are_not_taken_for_it() {
        let plain = words(Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(plain.unwrap(), "it does not speak TLS there");
        let client = words(Error::AlertReceived(AlertDescription::CertificateRequired));
        assert!(client.unwrap().contains("wants a client's certificate"));
        assert!(words(Error::HandshakeNotComplete).unwrap().starts_with("no encrypted connection"));
        assert_eq!(explained(&io::Error::other("full")), None);
        assert_eq!(explained(&io::Error::from_raw_os_error(111)), None);
    }
}
