//! The configuration of the live driver: groups, their policy, and what stands behind their ports.

mod bill;
mod choice;
mod fake;
mod place;
mod provider;
mod proxy;
mod servers;
mod setup;
mod store;
#[cfg(test)]
mod tests;
mod within;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::policy::{EvidenceFrom, Policy};
use tidegate_core::{Defects, GroupConfig, Span, TimeZone};

use crate::adapters::alertmanager::{AlertmanagerConfig, Inboxes};
use crate::clock::Clock;
use crate::http::HttpFile;
use crate::ports::Ports;
use crate::runtime::{Group, Limits, Listener};

pub use bill::{BillFile, PlanFile};
pub use fake::{FakeFile, FakeLoad};
pub(crate) use provider::Opened;
pub(crate) use proxy::ProxyConfig;
pub use servers::ServersFile;
pub use setup::{SetupCommands, SetupFile};
pub use store::{PlaceError, StoreFile};

/// The most standbys that a group may have.
const MAX_STANDBYS: u16 = 64;

/// A configuration file, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the state of all groups is kept.
    #[serde(default)]
    pub store: StoreFile,
    /// How often and how long.
    #[serde(default)]
    pub look: LookFile,
    /// Who may ask over HTTP. Without it nobody is listened to.
    pub http: Option<HttpFile>,
    /// When the groups scale that have no policy of their own: the same table as a scenario's.
    #[serde(default)]
    pub policy: Policy,
    /// IANA name of the zone in which records show times and bill months. Default `UTC`.
    #[serde(default = "utc")]
    pub zone: String,
    /// What servers are and cost, by the names of their plans.
    #[serde(default)]
    pub plans: BTreeMap<String, PlanFile>,
    /// The groups.
    #[serde(default)]
    pub group: Vec<GroupFile>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// How often groups are looked at, and how long answers are waited for: [`Limits`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookFile {
    /// Between two looks. Default 15 seconds.
    pub every: Span,
    /// The same while a sequence is under way. Default 5 seconds.
    pub moving: Span,
    /// How long a look waits for answers. Default 2 seconds.
    pub patience: Span,
    /// How long an answer is waited for at all. Default 10 seconds.
    pub answer: Span,
    /// Between two questions whether a machine has come up or gone down. Default 2 seconds.
    pub poll: Span,
    /// How long an attempt at a command goes on past its deadline. Default 10 minutes.
    pub grace: Span,
}

impl Default for LookFile {
    fn default() -> Self {
        let Limits { look, look_moving, patience, answer, poll, grace } = Limits::default();
        Self { every: look, moving: look_moving, patience, answer, poll, grace }
    }
}

impl From<LookFile> for Limits {
    fn from(file: LookFile) -> Self {
        let LookFile { every, moving, patience, answer, poll, grace } = file;
        Self { look: every, look_moving: moving, patience, answer, poll, grace }
    }
}

/// A group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// Its name, by which the store knows it.
    pub name: String,
    /// Standbys that are provisioned. Default 1.
    #[serde(default = "one")]
    pub standbys: u16,
    /// The primary's share of the traffic relative to the others. Default 1.
    #[serde(default = "one")]
    pub primary_weight: u16,
    /// A standby's share. Default 1.
    #[serde(default = "one")]
    pub standby_weight: u16,
    /// Its policy, in place of the common one.
    pub policy: Option<Policy>,
    /// What its servers are and cost.
    #[serde(default)]
    pub bill: BillFile,
    /// What is done to set it up, and undone.
    pub setup: Option<SetupFile>,
    /// What stands behind its ports.
    pub ports: PortsFile,
}

const fn one() -> u16 {
    1
}

/// What stands behind a group's ports.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PortsFile {
    /// Servers that exist in this process alone, to try a configuration out.
    Fake(FakeFile),
    /// Servers behind real software.
    Servers(Box<ServersFile>),
}

/// What an adapter finds wrong with its part of the configuration.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why what stands behind a group's ports cannot be reached as configured.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the ports of group `{group}`")]
pub struct PortsError {
    /// The group.
    pub group: String,
    /// Why.
    pub source: Cause,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// The place in the text, in bytes.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl Config {
    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// If it is not valid, or asks for something impossible.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|why| {
            let (span, message) = match within::ports(text, &why) {
                Some((place, message)) => (Some(place), message),
                None => (why.span(), why.message().to_owned()),
            };
            ConfigError { span, message, hint: None }
        })?;
        config.store.check(text)?;
        config.check(text)?;
        Ok(config)
    }

    fn check(&self, text: &str) -> Result<(), ConfigError> {
        let refused = |path: &[place::Key<'_>], message: String, hint| {
            Err(ConfigError { span: place::of(text, path), message, hint })
        };
        if self.group.is_empty() {
            let hint = Some("add a `[[group]]` with its name and its ports");
            return refused(&[], "there is no group".to_owned(), hint);
        }
        if self.look.every.is_zero() || self.look.moving.is_zero() || self.look.poll.is_zero() {
            let hint = Some("`every`, `moving` and `poll` are longer than nothing");
            return refused(&["look".into()], "looks never end".to_owned(), hint);
        }
        if TimeZone::get(&self.zone).is_err() {
            let message = format!("`{}` is not a time zone", self.zone);
            return refused(&["zone".into()], message, Some("name one such as `Europe/Berlin`"));
        }
        for (index, group) in self.group.iter().enumerate() {
            let at = |field| ["group".into(), index.into(), place::Key::Name(field)];
            let same = self.group[..index].iter().any(|other| other.name == group.name);
            if same || group.name.is_empty() {
                let message = format!("`{}` is not the name of this group alone", group.name);
                return refused(&at("name"), message, Some("give each group a name of its own"));
            }
            if group.standbys > MAX_STANDBYS {
                let message = format!("at most {MAX_STANDBYS} standbys are supported");
                return refused(&at("standbys"), message, None);
            }
            if let Err((path, message, hint)) = group.ports.check(group.standbys) {
                let path = path.into_iter().map(place::Key::Name);
                return refused(
                    &at("ports").into_iter().chain(path).collect::<Vec<_>>(),
                    message,
                    hint,
                );
            }
            let prepared = group.setup.as_ref().map_or(0, |setup| setup.servers.len());
            if prepared > usize::from(group.standbys) + 1 {
                let message = format!("`setup` lists {prepared} servers, which are too many");
                let hint = Some("list the primary first, then each standby");
                return refused(&at("setup"), message, hint);
            }
            if let Err((field, message)) = group.bill.check(&self.plans) {
                let path = [at("bill").as_slice(), &[field.into()]].concat();
                return refused(&path, message, Some("plans are the tables `[plans.NAME]`"));
            }
            let (policy, mut path) = match &group.policy {
                Some(own) => (own, at("policy").to_vec()),
                None => (&self.policy, vec!["policy".into()]),
            };
            if let Err(error) = policy.check(group.standbys) {
                path.push(error.place.key.into());
                path.extend(error.place.index.map(place::Key::Index));
                path.push(error.place.field.into());
                return refused(&path, error.problem.to_string(), None);
            }
            if policy.evidence.from == EvidenceFrom::Alerts && !group.ports.has_alerts() {
                let message = "nobody notifies alerts to these ports".to_owned();
                let hint =
                    Some("add `[group.ports.alertmanager]`, or take evidence from `metrics`");
                return refused(&at("ports"), message, hint);
            }
            let token = self.http.as_ref().and_then(|http| http.alerts_token.as_ref());
            if group.ports.alertmanager().is_some() && token.is_none() {
                let message = "no notification of Alertmanager can come in".to_owned();
                let path = [at("ports").as_slice(), &["alertmanager".into()]].concat();
                return refused(&path, message, Some("give `[http]` an `alerts_token`"));
            }
        }
        Ok(())
    }

    /// Where notifications of alerts go, for each group that has its alerts notified.
    pub fn inboxes(&self, clock: &Arc<dyn Clock>, listener: &Arc<dyn Listener>) -> Inboxes {
        let notified = self.group.iter().filter(|group| group.ports.alertmanager().is_some());
        let rules =
            notified.map(|file| (file.name.clone(), Rule::all(self.policy(file)).collect()));
        Inboxes::new(rules, clock, listener)
    }

    /// The policy of one of its groups.
    pub fn policy<'a>(&'a self, group: &'a GroupFile) -> &'a Policy {
        group.policy.as_ref().unwrap_or(&self.policy)
    }

    /// How one of its groups scales.
    pub fn scaling(&self, group: &GroupFile) -> GroupConfig {
        GroupConfig {
            standbys: group.standbys,
            primary_weight: group.primary_weight,
            standby_weight: group.standby_weight,
            policy: self.policy(group).clone(),
            defects: Defects::default(),
        }
    }

    /// Its groups, ready to be hosted.
    ///
    /// # Errors
    /// Ports that cannot be reached as configured.
    pub fn groups(
        &self,
        clock: &Arc<dyn Clock>,
        inboxes: &Inboxes,
    ) -> Result<Vec<Group>, PortsError> {
        let group = |file: &GroupFile| {
            let (name, config) = (file.name.clone(), self.scaling(file));
            Ok(Group { name, config, ports: file.ports(clock, inboxes)? })
        };
        self.group.iter().map(group).collect()
    }
}

impl GroupFile {
    /// Its ports.
    ///
    /// # Errors
    /// If they cannot be reached as configured.
    pub fn ports(&self, clock: &Arc<dyn Clock>, inboxes: &Inboxes) -> Result<Ports, PortsError> {
        let failed = |source| PortsError { group: self.name.clone(), source };
        match &self.ports {
            PortsFile::Fake(fake) => Ok(fake.ports(self, clock)),
            PortsFile::Servers(servers) => {
                servers.ports(clock, inboxes.of(&self.name)).map_err(failed)
            }
        }
    }
}

impl PortsFile {
    /// What is known of who notifies a group's alerts, if anybody does.
    pub fn alertmanager(&self) -> Option<&AlertmanagerConfig> {
        match self {
            Self::Fake(_) => None,
            Self::Servers(servers) => servers.alertmanager.as_ref(),
        }
    }

    fn check(&self, standbys: u16) -> Result<(), servers::Wrong> {
        match self {
            Self::Fake(_) => Ok(()),
            Self::Servers(servers) => servers.check(usize::from(standbys) + 1),
        }
    }

    const fn has_alerts(&self) -> bool {
        match self {
            Self::Fake(_) => true,
            Self::Servers(servers) => servers.alertmanager.is_some(),
        }
    }
}
