//! Instances of Amazon EC2, by three actions of its Query API. One that is stopped costs its disks
//! alone.

mod answer;
mod credentials;
mod examine;
mod link;
mod sign;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{ServerId, Span};

use super::cloud::{Cloud, Machines, Stop, Told};
use super::{SecretError, SecretSource, TlsError};
use crate::clock::Clock;
use crate::ports::{Order, PortError};

use link::Link;

/// The instances of a group, and who may start them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ec2Config {
    /// Where they are, such as `eu-central-1`.
    pub region: String,
    /// Whom requests are from. Without it they are from the role of the instance on which this
    /// runs.
    pub keys: Option<Ec2Keys>,
    /// The instances, the primary's first, such as `i-0123456789abcdef0`.
    pub servers: Vec<String>,
    /// The file of when they went on and off.
    pub log: PathBuf,
    /// Until a request without an answer has failed.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// Where EC2 is, if it is not Amazon's own address for the region.
    pub endpoint: Option<String>,
    /// Where an instance is told its role, if it is not at the usual address.
    #[serde(default = "default_metadata")]
    pub metadata: String,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ec2Keys {
    /// Its name.
    pub access_key: SecretSource,
    /// Its secret.
    pub secret_key: SecretSource,
    /// The token of one that is lent for a time.
    pub session_token: Option<SecretSource>,
}

const fn default_timeout() -> Span {
    Span::from_secs(8)
}

fn default_metadata() -> String {
    "http://169.254.169.254".to_owned()
}

/// Why EC2 cannot be asked as configured.
#[derive(Debug, thiserror::Error)]
pub enum Ec2Error {
    /// A key of the configuration makes no sense.
    #[error("`ec2.{0}`: {1}")]
    Key(&'static str, String),
    /// The access key.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The connection.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The instances of one group.
pub type Ec2 = Machines<Ec2Cloud>;

/// EC2, for one group.
pub struct Ec2Cloud {
    servers: Vec<String>,
    link: Link,
}

impl std::fmt::Debug for Ec2Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ec2Cloud").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// Asks nothing yet; reads the access key.
///
/// # Errors
/// If it cannot be read, or the configuration makes no sense.
pub fn open(config: Ec2Config, clock: Arc<dyn Clock>) -> Result<Ec2, Ec2Error> {
    let link = Link::new(&config, Arc::clone(&clock))?;
    let Ec2Config { servers, log, .. } = config;
    Ok(Machines::new(Ec2Cloud { servers, link }, log, clock))
}

impl Ec2Config {
    /// Whether it can be meant so: the key that is wrong, and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let is_plain = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !text.is_empty() && text.bytes().all(fits)
        };
        if !is_plain(&self.region) {
            return Err(("region", format!("`{}` is no region: `eu-central-1` is", self.region)));
        }
        let is_wrong = |id: &&String| !(id.starts_with("i-") && is_plain(id));
        if let Some(bad) = self.servers.iter().find(is_wrong) {
            let why = format!("`{bad}` is no instance: `i-0123456789abcdef0` is");
            return Err(("servers", why));
        }
        link::endpoint(self).map(drop).map_err(|why| ("endpoint", why))?;
        super::http::base(&self.metadata, true).map(drop).map_err(|why| ("metadata", why))
    }
}

impl Ec2Cloud {
    fn name(&self, server: ServerId) -> Result<&str, PortError> {
        let name = self.servers.get(server.index()).map(String::as_str);
        name.ok_or_else(|| PortError::refused(format!("no instance is configured for {server}")))
    }

    /// What EC2 tells of these instances.
    async fn tell(&self, names: &[&str]) -> Vec<Result<Told, PortError>> {
        let mut form = vec![("Filter.1.Name".to_owned(), "instance-id")];
        form.extend((1..).zip(names).map(|(n, name)| (format!("Filter.1.Value.{n}"), *name)));
        let told = self.link.ask("DescribeInstances", &form).await;
        let told = told.and_then(|text| answer::instances(&text));
        let of = |name: &&str| match &told {
            Ok(all) => answer::told(all, name),
            Err(why) => Err(why.clone()),
        };
        names.iter().map(of).collect()
    }

    async fn order(&self, action: &str, server: ServerId) -> Result<(), PortError> {
        let name = self.name(server)?;
        self.link.ask(action, &[("InstanceId.1".to_owned(), name)]).await.map(drop)
    }
}

#[async_trait]
impl Cloud for Ec2Cloud {
    async fn look(&self) -> Vec<Result<Told, PortError>> {
        let names: Vec<_> = self.servers.iter().map(String::as_str).collect();
        self.tell(&names).await
    }

    async fn look_at(&self, server: ServerId) -> Result<Told, PortError> {
        let told = self.tell(&[self.name(server)?]).await.pop();
        told.unwrap_or_else(|| Err(PortError::refused("EC2 tells nothing")))
    }

    async fn start(&self, order: &Order) -> Result<(), PortError> {
        self.order("StartInstances", order.server).await
    }

    async fn stop(&self, order: &Order, _: Stop) -> Result<(), PortError> {
        self.order("StopInstances", order.server).await
    }

    /// EC2 itself cuts an instance off that does not shut itself down.
    fn grace(&self) -> Option<Span> {
        None
    }
}
