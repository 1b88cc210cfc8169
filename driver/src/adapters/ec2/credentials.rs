//! Whom requests are from: a key of the configuration, or the role of the instance on which this
//! runs.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use tidegate_core::{Span, Timestamp};
use tokio::sync::Mutex;

use super::{Ec2Config, Ec2Error};
use crate::adapters::{Secret, http};
use crate::clock::Clock;
use crate::ports::PortError;

/// A new key is asked for so long before the one at hand ends.
const BEFORE_ITS_END: Span = Span::from_mins(5);
/// The instance itself answers within moments, or never.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how many seconds the right to ask is good.
const ASK_FOR_S: &str = "300";

/// An access key.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub access_key: Secret,
    pub secret_key: Secret,
    /// What a key that is lent for a time comes with.
    pub token: Option<Secret>,
}

/// Where it is from.
pub(super) enum Source {
    Given(Credentials),
    Role { client: Client, base: String, lent: Mutex<Option<Lent>>, clock: Arc<dyn Clock> },
}

/// A key of a role.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    own: Credentials,
    until: Timestamp,
}

/// A key as an instance is told it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: jiff::Timestamp,
}

impl Source {
    /// Reads a key that is given.
    pub fn new(config: &Ec2Config, clock: Arc<dyn Clock>) -> Result<Self, Ec2Error> {
        let Some(keys) = &config.keys else {
            let base = config.metadata.trim_end_matches('/').to_owned();
            return Ok(Self::Role { client: http::client(), base, lent: Mutex::default(), clock });
        };
        let token = keys.session_token.as_ref().map(super::SecretSource::read).transpose()?;
        let (access_key, secret_key) = (keys.access_key.read()?, keys.secret_key.read()?);
        Ok(Self::Given(Credentials { access_key, secret_key, token }))
    }

    /// The key of the moment.
    pub async fn current(&self) -> Result<Credentials, PortError> {
        let (client, base, lent, clock) = match self {
            Self::Given(own) => return Ok(own.clone()),
            Self::Role { client, base, lent, clock } => (client, base, lent, clock),
        };
        let mut lent = lent.lock().await;
        let is_good = |lent: &&Lent| clock.now() + BEFORE_ITS_END < lent.until;
        if let Some(lent) = lent.as_ref().filter(is_good) {
            return Ok(lent.own.clone());
        }
        let new = borrowed(client, base).await?;
        Ok(lent.insert(new).own.clone())
    }
}

async fn borrowed(client: &Client, base: &str) -> Result<Lent, PortError> {
    let session = client.put(format!("{base}/latest/api/token"));
    let session = session.header("X-aws-ec2-metadata-token-ttl-seconds", ASK_FOR_S);
    let session = read(session).await?;
    let get = async |path: &str| {
        let asked = client.get(format!("{base}/latest/meta-data/iam/security-credentials/{path}"));
        read(asked.header("X-aws-ec2-metadata-token", session.trim())).await
    };
    let roles = get("").await?;
    let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| PortError::refused("this instance has no role"))?;
    let told: Told = serde_json::from_str(&get(role).await?)
        .map_err(|_| PortError::refused("this instance is told no access key of its role"))?;
    let Told { access_key_id, secret_access_key, token, expiration } = told;
    let own = Credentials {
        access_key: access_key_id.into(),
        secret_key: secret_access_key.into(),
        token: Some(token.into()),
    };
    Ok(Lent { own, until: Timestamp::from_jiff(expiration).unwrap_or_default() })
}

async fn read(asked: reqwest::RequestBuilder) -> Result<String, PortError> {
    const WHOM: &str = "the address at which an instance is told its role";
    let got = asked.timeout(PATIENCE).send().await.map_err(|why| http::failed(WHOM, why))?;
    if !got.status().is_success() {
        let status = got.status().as_u16();
        return Err(PortError::refused(format!("this instance has no role ({status})")));
    }
    Ok(String::from_utf8_lossy(&http::body(got, WHOM, http::FEW_MACHINES).await?).into_owned())
}
