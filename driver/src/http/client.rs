//! Asks the live host of a configuration, as a command does.

use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;

use super::HttpFile;
use super::api::{Answer, Failed, Groups};
use super::request::{Action, Wish};
use super::view::GroupView;
use crate::adapters::{Secret, SecretError, http};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The configuration lets nobody ask.
    #[error("the configuration has no `[http]` with a `token`")]
    Closed,
    /// The token cannot be read.
    #[error("failed to show the token")]
    Token(#[from] SecretError),
    /// Something is wrong with what was asked.
    #[error("{0}")]
    Refused(String),
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// No answer came, or one that is none.
    #[error("failed to ask the live host at {at}: {why}")]
    Host {
        /// Where.
        at: String,
        /// Why.
        why: String,
    },
}

/// A live host, as its configuration says where it is.
#[derive(Debug)]
pub struct Client {
    base: Url,
    token: Secret,
}

impl Client {
    /// Asks nothing yet; reads the token.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(config: Option<&HttpFile>) -> Result<Self, ClientError> {
        let config = config.ok_or(ClientError::Closed)?;
        let token = config.token.as_ref().ok_or(ClientError::Closed)?.read()?;
        let mut at = config.listen;
        if at.ip().is_unspecified() {
            at = super::loopback_of(at);
        }
        let failed = |why: String| ClientError::Host { at: at.to_string(), why };
        let base = Url::parse(&format!("http://{at}")).map_err(|why| failed(why.to_string()))?;
        Ok(Self { base, token })
    }

    /// How one group is, or all are.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn status(&self, group: Option<&str>) -> Result<Groups, ClientError> {
        let client = http::client();
        let asked = client.get(self.address(group.into_iter()));
        match group {
            Some(_) => self.answer::<GroupView>(asked).map(|one| Groups { groups: vec![one] }),
            None => self.answer(asked),
        }
    }

    /// Asks a group for something; what follows.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn ask(&self, group: &str, action: Action, wish: &Wish) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(wish).map_err(|why| self.failed(&why.to_string()))?;
        let address = self.address([group, action.name()].into_iter());
        self.answer(http::client().post(address).body(body))
    }

    /// That of the groups, and what follows.
    fn address<'a>(&self, parts: impl Iterator<Item = &'a str>) -> Url {
        let mut address = self.base.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.extend(["api", "v1", "groups"]).extend(parts);
        }
        address
    }

    fn failed(&self, why: &str) -> ClientError {
        let host = self.base.host_str().unwrap_or_default();
        let at = format!("{host}:{}", self.base.port_or_known_default().unwrap_or_default());
        ClientError::Host { at, why: why.to_owned() }
    }

    fn answer<T: DeserializeOwned>(&self, asked: RequestBuilder) -> Result<T, ClientError> {
        let thread = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let asked = asked.bearer_auth(self.token.expose());
        let got = thread.map_err(ClientError::Runtime)?.block_on(async {
            let got = asked.send().await?;
            Ok((got.status(), got.bytes().await?))
        });
        let failed = |why| self.failed(&http::failed("no answer", why).what);
        let (status, body): (reqwest::StatusCode, _) = got.map_err(failed)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|why| self.failed(&why.to_string()));
        }
        match serde_json::from_slice(&body) {
            Ok(Failed { error }) if status.is_client_error() => Err(ClientError::Refused(error)),
            Ok(Failed { error }) => Err(self.failed(&error)),
            Err(_) => Err(self.failed(&format!("it answers {status}"))),
        }
    }
}
