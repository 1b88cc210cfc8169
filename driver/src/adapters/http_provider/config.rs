//! What a configuration says of a cloud with a REST API.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use tidegate_core::{Power, Span};

use super::template::{self, Names, Pointer, Template};
use crate::adapters::{SecretError, SecretSource, TlsError, http};

/// A cloud, and what its machines are called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpProviderConfig {
    /// What all addresses begin with, such as `https://api.hetzner.cloud/v1`.
    pub url: String,
    /// Whether the token may travel unencrypted to another machine than this one.
    #[serde(default)]
    pub allow_plain: bool,
    /// A file of certificates in PEM that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// What the cloud knows the caller by.
    pub token: SecretSource,
    /// The header that it is in. Default `Authorization`.
    #[serde(default = "default_token_header")]
    pub token_header: String,
    /// What stands before it there. Default `Bearer`.
    #[serde(default = "default_token_scheme")]
    pub token_scheme: String,
    /// More headers, which are no secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What the cloud calls each server, the primary's first.
    pub servers: Vec<String>,
    /// How the state of a server is asked for.
    pub state: StateCall,
    /// The cloud's words for it.
    pub states: StateWords,
    /// How a server is started.
    pub start: Call,
    /// How it is asked to shut itself down.
    pub stop: Call,
    /// How its power is cut, if it did not shut itself down. Without it, it is asked again.
    pub force: Option<Call>,
    /// How long it has to shut itself down.
    #[serde(default = "default_grace")]
    pub grace: Span,
    /// How it is told what became of an order that goes on after its answer.
    pub action: Option<ActionConfig>,
    /// What answers that tell of an error say.
    #[serde(default)]
    pub errors: ErrorWords,
    /// Until a request without an answer has failed.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// The file of when machines went on and off.
    pub log: PathBuf,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Its method.
    #[serde(default)]
    pub method: Method,
    /// Its path, behind the cloud's address.
    pub path: Template,
    /// What is sent with it, as JSON.
    pub body: Option<Value>,
}

/// The method of a request that changes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The usual one.
    #[default]
    Post,
    /// To set a whole.
    Put,
    /// To set a part.
    Patch,
}

/// How the state of a server is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateCall {
    /// The path of the question.
    pub path: Template,
    /// Where in the answer the state stands.
    pub at: Pointer,
}

/// The cloud's words for the states of a server. Others tell neither on nor off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateWords {
    /// It is off.
    pub off: Vec<String>,
    /// It is on its way up.
    #[serde(default)]
    pub starting: Vec<String>,
    /// It is on.
    pub on: Vec<String>,
    /// It is on its way down.
    #[serde(default)]
    pub stopping: Vec<String>,
}

/// How it is told what became of an order that goes on after its answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionConfig {
    /// Where in the answer to an order the action's name stands.
    pub id: Pointer,
    /// The path at which it is asked for.
    pub path: Template,
    /// Where in either answer its state stands.
    pub at: Pointer,
    /// The words for one that has ended well.
    pub done: Vec<String>,
    /// The words for one that has not. Others mean that it goes on.
    pub failed: Vec<String>,
    /// Where in the answer a failed one says why.
    pub message: Option<Pointer>,
    /// Where its code for why stands.
    pub code: Option<Pointer>,
    /// Between two questions.
    #[serde(default = "default_poll")]
    pub poll: Span,
}

/// What answers that tell of an error say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorWords {
    /// Where a sentence for people stands.
    pub message: Option<Pointer>,
    /// Where a code for programs stands.
    pub code: Option<Pointer>,
    /// The codes that mean that the cloud has no machine to give.
    pub no_capacity: Vec<String>,
}

fn default_token_header() -> String {
    "Authorization".to_owned()
}

fn default_token_scheme() -> String {
    "Bearer".to_owned()
}

const fn default_grace() -> Span {
    Span::from_mins(2)
}

const fn default_timeout() -> Span {
    Span::from_secs(8)
}

const fn default_poll() -> Span {
    Span::from_secs(2)
}

/// Why a cloud cannot be asked as configured.
#[derive(Debug, thiserror::Error)]
pub enum HttpProviderError {
    /// A key makes no sense.
    #[error("`http.{0}`: {1}")]
    Key(&'static str, String),
    /// The token.
    #[error(transparent)]
    Token(#[from] SecretError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl StateWords {
    pub(super) fn power(&self, word: &str) -> Option<Power> {
        let has = |words: &[String]| words.iter().any(|one| one == word);
        let lists = [
            (&self.off, Power::Off),
            (&self.starting, Power::Booting),
            (&self.on, Power::On),
            (&self.stopping, Power::Stopping),
        ];
        lists.into_iter().find(|(words, _)| has(words)).map(|(_, power)| power)
    }

    fn check(&self) -> Result<(), String> {
        if self.off.is_empty() || self.on.is_empty() {
            return Err("`off` and `on` need a word each".to_owned());
        }
        let mut all: Vec<_> =
            [&self.off, &self.starting, &self.on, &self.stopping].into_iter().flatten().collect();
        all.sort();
        match all.windows(2).find(|two| two[0] == two[1]) {
            Some(twice) => Err(format!("`{}` stands there twice", twice[0])),
            None => Ok(()),
        }
    }
}

impl HttpProviderConfig {
    /// Whether it can be meant so: the key that is wrong, and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        http::base(&self.url, self.allow_plain).map_err(|why| ("url", why))?;
        header("token_header", &self.token_header, "x")?;
        header("token_scheme", "x", &self.token_scheme)?;
        for (name, value) in &self.headers {
            header("headers", name, value)?;
        }
        if let Some(bad) = self.servers.iter().find(|name| !template::is_a_name(name)) {
            return Err(("servers", format!("`{bad}` is no name of a machine")));
        }
        self.states.check().map_err(|why| ("states", why))?;
        let calls = [("start", Some(&self.start)), ("stop", Some(&self.stop))];
        let calls = calls.into_iter().chain([("force", self.force.as_ref())]);
        let paths = calls.filter_map(|(key, call)| Some((key, &call?.path)));
        for (key, path) in paths.chain([("state", &self.state.path)]) {
            if path.names_the_action() {
                let why = "`{action}` can stand in `action.path` alone, before there is none";
                return Err((key, why.to_owned()));
            }
            self.address(path).map_err(|why| (key, why))?;
        }
        match &self.action {
            Some(action) if !action.path.names_the_action() => {
                Err(("action", "its `path` names no `{action}`".to_owned()))
            }
            Some(action) if action.done.is_empty() || action.poll.is_zero() => {
                Err(("action", "it never ends: give `done` a word and `poll` a time".to_owned()))
            }
            Some(action) => self.address(&action.path).map(drop).map_err(|why| ("action", why)),
            None => Ok(()),
        }
    }

    fn address(&self, path: &Template) -> Result<Url, String> {
        let path = path.filled(Names { server: "a", action: "a" });
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        url.parse().map_err(|why| format!("`{url}` is no address: {why}"))
    }
}

fn header(key: &'static str, name: &str, value: &str) -> Result<(), (&'static str, String)> {
    if name.parse::<HeaderName>().is_err() || value.parse::<HeaderValue>().is_err() {
        return Err((key, format!("`{name}: {value}` cannot stand in the head of a request")));
    }
    Ok(())
}
