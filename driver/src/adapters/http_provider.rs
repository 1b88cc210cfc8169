//! A cloud with a REST API, of which the configuration says what is asked and what the answers
//! mean. Hetzner Cloud and `DigitalOcean` are two.

mod action;
mod answer;
mod config;
mod examine;
mod link;
mod template;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use tidegate_core::{ServerId, Span};

use super::cloud::{Cloud, Machines, Stop, Told};
use crate::clock::Clock;
use crate::ports::{Order, PortError};

pub use config::{
    ActionConfig, Call, ErrorWords, HttpProviderConfig, HttpProviderError, Method, StateCall,
    StateWords,
};
pub use template::{Pointer, Template};

use link::Link;
use template::Names;

/// The machines of one group behind a REST API.
pub type HttpProvider = Machines<HttpCloud>;

/// A REST API, for one group.
pub struct HttpCloud {
    config: HttpProviderConfig,
    link: Link,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for HttpCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpCloud").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Asks nothing yet; reads the token and the certificates.
///
/// # Errors
/// If one of them cannot be read, or the configuration makes no sense.
pub fn open(
    config: HttpProviderConfig,
    clock: Arc<dyn Clock>,
) -> Result<HttpProvider, HttpProviderError> {
    let (link, log) = (Link::new(&config, Arc::clone(&clock))?, config.log.clone());
    let cloud = HttpCloud { config, link, clock: Arc::clone(&clock) };
    Ok(Machines::new(cloud, log, clock))
}

impl HttpCloud {
    /// What the cloud calls a server.
    fn name(&self, server: ServerId) -> Result<&str, PortError> {
        let name = self.config.servers.get(server.index());
        let name = name.map(String::as_str);
        name.ok_or_else(|| PortError::refused(format!("no machine is configured for {server}")))
    }

    /// The word that the cloud has for the state of this server.
    async fn word(&self, name: &str) -> Result<String, PortError> {
        let StateCall { path, at } = &self.config.state;
        let names = Names { server: name, action: "" };
        let answer = self.link.get(&path.filled(names), name).await?;
        let none = || PortError::refused(format!("the answer about `{name}` has no {at}"));
        at.word(&answer).ok_or_else(none)
    }

    async fn told(&self, name: &str) -> Result<Told, PortError> {
        let word = self.word(name).await?;
        let power = self.config.states.power(&word).ok_or_else(|| {
            PortError::refused(format!("`{name}` is `{word}`, which tells neither on nor off"))
        })?;
        Ok(Told { power, since: None })
    }

    /// Orders something, and waits for the action that it begins.
    async fn order(&self, order: &Order, call: &Call) -> Result<(), PortError> {
        let name = self.name(order.server)?;
        let answer = self.link.call(call, name).await?;
        match &self.config.action {
            Some(action) => {
                action::ended(action, &self.link, &*self.clock, order.deadline, name, answer).await
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Cloud for HttpCloud {
    async fn look(&self) -> Vec<Result<Told, PortError>> {
        join_all(self.config.servers.iter().map(|name| self.told(name))).await
    }

    async fn look_at(&self, server: ServerId) -> Result<Told, PortError> {
        self.told(self.name(server)?).await
    }

    async fn start(&self, order: &Order) -> Result<(), PortError> {
        self.order(order, &self.config.start).await
    }

    async fn stop(&self, order: &Order, how: Stop) -> Result<(), PortError> {
        let call = match (how, &self.config.force) {
            (Stop::Force, Some(force)) => force,
            _ => &self.config.stop,
        };
        self.order(order, call).await
    }

    fn grace(&self) -> Option<Span> {
        self.config.force.is_some().then_some(self.config.grace)
    }
}
