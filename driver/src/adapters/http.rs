//! What all adapters that ask over HTTP have in common.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, Response, Url, redirect};

use crate::ports::PortError;
use crate::tls::{self, TlsError};

/// Who asks.
const AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));
/// Until whoever does not even take the connection is unreachable.
const CONNECT: Duration = Duration::from_secs(5);
/// A longer answer than this is none about a few machines.
pub(crate) const FEW_MACHINES: usize = 1 << 20;

/// A client that follows no redirection: an answer counts only from whom was asked. It uses no
/// proxy of the environment, which would answer for a server that is down.
fn builder() -> ClientBuilder {
    // It fails where one is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().user_agent(AGENT).redirect(redirect::Policy::none()).no_proxy();
    client.connect_timeout(CONNECT)
}

/// It trusts no certificate, and so reads none.
fn plain() -> ClientBuilder {
    builder().tls_certs_only([])
}

/// A client for plain HTTP.
pub(crate) fn client() -> Client {
    plain().build().unwrap_or_default()
}

/// The same, by a connection of its own for each request: one that is kept would lead to a process
/// that another has replaced.
pub(crate) fn client_of_the_present() -> Client {
    plain().pool_max_idle_per_host(0).build().unwrap_or_default()
}

/// A client that trusts the system's certificates, and those in the file `ca`. It sends these
/// headers with each request.
pub(crate) fn client_over_tls(ca: Option<&Path>, headers: HeaderMap) -> Result<Client, TlsError> {
    let client = builder().default_headers(headers);
    let client = client.tls_backend_preconfigured(tls::trusting(ca)?);
    client.build().map_err(|why| TlsError::SetUp(root(&why)))
}

/// The address that all addresses of an interface begin with. What is sent there is a secret, so it
/// is encrypted, or stays on this machine, or `allow_plain` says that somebody else sees to it.
pub(crate) fn base(text: &str, allow_plain: bool) -> Result<Url, String> {
    let url: Url =
        text.parse().map_err(|_| format!("`{text}` is no address: `https://HOST/PATH` is one"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let ip: Option<IpAddr> = host.parse().ok();
    let is_here = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
    let is_bare = url.username().is_empty() && url.password().is_none();
    if !is_bare || url.query().is_some() || url.fragment().is_some() {
        return Err("it has more than a host and a path, and may be shown to people".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here || allow_plain => Ok(url),
        "http" => Err(format!("`{text}` would be told secrets unencrypted: take `https`")),
        other => Err(format!("`{other}` is not spoken: take `https`")),
    }
}

/// The body of an answer of at most `longest` bytes.
pub(crate) async fn body(
    mut got: Response,
    whom: &str,
    longest: usize,
) -> Result<Vec<u8>, PortError> {
    let mut body = Vec::new();
    while let Some(more) = got.chunk().await.map_err(|why| failed(whom, why))? {
        body.extend_from_slice(&more);
        if body.len() > longest {
            return Err(PortError::refused(format!("the answer of {whom} has no end")));
        }
    }
    Ok(body)
}

/// What is at the bottom of an error.
fn root(why: &dyn std::error::Error) -> String {
    let mut why = why;
    while let Some(deeper) = why.source() {
        why = deeper;
    }
    why.to_string()
}

/// What a port makes of a request that got no answer. The address is left out: it may hold a token.
pub(crate) fn failed(whom: &str, why: reqwest::Error) -> PortError {
    let is_late = why.is_timeout();
    let is_answer = why.is_decode() || why.is_body();
    let what = tls::explained(&why).unwrap_or_else(|| root(&why.without_url()));
    let what = format!("{whom}: {what}");
    if is_late {
        PortError::timed_out(what)
    } else if is_answer {
        PortError::refused(what)
    } else {
        PortError::unreachable(what)
    }
}
