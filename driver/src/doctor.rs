//! Whether a configuration's groups can be scaled: every port is asked, nothing is changed.
//!
//! What is found is a line each, with what to do about it. Each question has a time of its own,
//! and those to different ports are put side by side, so that nothing hangs. An adapter's own
//! checks say nothing of what its port has told already.

mod alerts;
mod commands;
mod ports;
pub(crate) mod proxy;
mod servers;
mod store;

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tidegate_core::policy::Policy;
use tidegate_core::{ServerId, Span};

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, GroupFile, PortsFile};
use crate::ports::Ask;
use crate::store::Place;
use crate::threads;

use ports::Asked;
use servers::Adapters;
use store::Kept;

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// The group can be scaled, but a person should look at it.
    Warn,
    /// The group cannot be scaled, or not safely.
    Missing,
}

/// A line of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What became of the check.
    pub verdict: Verdict,
    /// Whom it was about: `proxy`, `metrics`.
    pub part: &'static str,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(part: &'static str, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, part, found: found.into(), advice: None }
    }

    /// Somebody should look at it.
    pub fn warn(part: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let (found, advice) = (found.into(), Some(advice.into()));
        Self { verdict: Verdict::Warn, part, found, advice }
    }

    /// It keeps the group from being scaled.
    pub fn missing(
        part: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (found, advice) = (found.into(), Some(advice.into()));
        Self { verdict: Verdict::Missing, part, found, advice }
    }
}

/// What was found of a group, or of what all groups share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The group's name; none for what all share.
    pub group: Option<String>,
    /// A line each.
    pub findings: Vec<Finding>,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// What all groups share first, then each group.
    pub sections: Vec<Section>,
}

impl Diagnosis {
    /// The worst of all verdicts.
    pub fn verdict(&self) -> Verdict {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
    }
}

/// Why nothing could be asked.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// There is no group of this name.
    #[error("the configuration has no group `{0}`")]
    Unknown(String),
}

/// A group that is looked at.
struct Patient<'a> {
    file: &'a GroupFile,
    policy: &'a Policy,
    clock: Arc<dyn Clock>,
    /// How long an answer is waited for.
    limit: Span,
}

impl Patient<'_> {
    fn ask(&self) -> Ask {
        let now = self.clock.now();
        Ask { now, deadline: now + self.limit }
    }

    fn servers(&self) -> impl Iterator<Item = ServerId> + use<> {
        (0..=self.file.standbys).map(ServerId)
    }

    /// What `check` finds of `part`, or that it did not end in time.
    async fn within(
        &self,
        part: &'static str,
        check: impl Future<Output = Vec<Finding>>,
    ) -> Vec<Finding> {
        let end = self.clock.sleep_until(self.clock.now() + self.limit);
        tokio::select! {
            biased;
            found = check => found,
            () = end => {
                let found = format!("no answer within {}", self.limit);
                let advice = "see whether it hangs, or is too far away for `look.answer`";
                vec![Finding::missing(part, found, advice)]
            }
        }
    }
}

/// A check that is under way.
type Check<'a> = BoxFuture<'a, Vec<Finding>>;

/// Asks the ports of all groups, or of one.
///
/// # Errors
/// If there is no such group, or no runtime.
pub fn examine(
    config: &Config,
    store: &Place,
    only: Option<&str>,
) -> Result<Diagnosis, DoctorError> {
    if let Some(name) = only
        && config.group.iter().all(|group| group.name != name)
    {
        return Err(DoctorError::Unknown(name.to_owned()));
    }
    threads::block_on(examined(config, store, only)).map_err(DoctorError::Runtime)
}

/// The same on the runtime of the caller.
pub async fn examined(config: &Config, store: &Place, only: Option<&str>) -> Diagnosis {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let kept = Kept::look(store).await;
    let (kept, clock) = (&kept, &clock);
    let groups = config.group.iter().filter(|group| only.is_none_or(|name| group.name == name));
    let sections = groups.map(|file| async move {
        let patient = Patient {
            file,
            policy: config.policy(file),
            clock: Arc::clone(clock),
            limit: config.look.answer,
        };
        Section { group: Some(file.name.clone()), findings: group(config, &patient, kept).await }
    });
    let sections = join_all(sections).await;
    let host = Section { group: None, findings: shared(config, kept, store) };
    Diagnosis { sections: std::iter::once(host).chain(sections).collect() }
}

/// What all groups share: the store, and the tokens of those who ask.
fn shared(config: &Config, kept: &Kept, store: &Place) -> Vec<Finding> {
    let mut findings = vec![kept.finding(store)];
    let http = config.http.iter();
    for source in
        http.flat_map(|http| [&http.token, &http.alerts_token, &http.metrics_token]).flatten()
    {
        findings.push(match source.read() {
            Ok(_) => Finding::ok("http", "its token can be read"),
            Err(why) => {
                let advice = "a live host would not start: put the token where `[http]` says";
                Finding::missing("http", format!("failed to {why}"), advice)
            }
        });
    }
    findings
}

async fn group(config: &Config, patient: &Patient<'_>, kept: &Kept) -> Vec<Finding> {
    let (stages, mut findings) = kept.stages(config, patient).await;
    let (asked, adapters) = match &patient.file.ports {
        PortsFile::Fake(fake) => (Asked::of(fake.ports(patient.file, &patient.clock)), None),
        PortsFile::Servers(servers) => {
            let adapters = Adapters::open(servers, &patient.clock, &mut findings);
            (adapters.asked(), Some(adapters))
        }
    };
    let (on, machines) = ports::machines(&asked, patient, stages.as_deref()).await;
    findings.extend(machines);
    let mut checks = ports::checks(&asked, patient, &on);
    if let Some(adapters) = &adapters {
        checks.extend(adapters.checks(patient, &on));
    }
    findings.extend(join_all(checks).await.concat());
    findings
}
