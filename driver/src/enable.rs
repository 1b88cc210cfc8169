//! Sets a group up and tries it out once, and undoes that.
//!
//! What is tried is the whole sequence of a scale-up and a scale-down, by the controller and the
//! runtime that a live host has, on the group's store and in a term of its own: fences hold, and a
//! live host that begins meanwhile ends it. Each step that is done is stored, so that a second run
//! goes on where the first one ended, however that was.

mod dry;
mod held;
mod steps;
mod trial;

use std::sync::Arc;

use tidegate_core::lifecycle::Stage;
use tidegate_core::{Power, ServerId, Span};

use crate::adapters::alertmanager::Inboxes;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, GroupFile, PortsError, SetupCommands};
use crate::doctor::{Finding, Verdict, examined};
use crate::ports::{Ask, Provider};
use crate::runtime::{Fault, Listener, RequestError, stages};
use crate::store::{Place, Store, StoreError};
use crate::threads;

use steps::Steps;
use trial::Trial;

/// Marks of what is done as a whole.
const CHECKED: &str = "checks";
const SERVED: &str = "scale-up";
const ENABLED: &str = "enabled";
const DISABLED: &str = "disabled";

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It is done.
    Done,
    /// A run before had done it.
    Before,
    /// It failed, and why.
    Failed(String),
}

/// Is told of each step that ends, beside all that happens. It must not block.
pub trait Report: Listener {
    /// A step ended.
    fn ended(&self, step: &str, how: &How);

    /// A check found something.
    fn found(&self, finding: &Finding);
}

/// Why a group is not enabled or disabled.
#[derive(Debug, thiserror::Error)]
pub enum EnableError {
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// There is no group of this name.
    #[error("the configuration has no group `{0}`")]
    Unknown(String),
    /// What stands behind its ports cannot be reached as configured.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// The store cannot be read or written.
    #[error("failed to use the store")]
    Store(#[from] StoreError),
    /// The host that tries it cannot go on.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It ended before it answered.
    #[error(transparent)]
    Ended(#[from] RequestError),
    /// A live host is at work.
    #[error(
        "a live host is at work on the store: group `{0}` goes on. Stop it, and start it after"
    )]
    Held(String),
    /// A host acts on a store that hosts share.
    #[error("{0} acts on the store. Stop all hosts that share it, and start them after")]
    Leased(String),
    /// A standby is in use.
    #[error("{0}: let it be scaled down before, or say `--force`")]
    InUse(String),
    /// A step failed.
    #[error("failed to {step}: {why}")]
    Failed {
        /// Which.
        step: String,
        /// Why.
        why: String,
    },
}

/// What a run works with.
struct Desk<'a> {
    config: &'a Config,
    file: &'a GroupFile,
    place: &'a Place,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    report: Arc<dyn Report>,
}

/// Sets a group up, scales it up and down once, and marks it as enabled. Its standbys get no
/// requests, unless `with_traffic`.
///
/// # Errors
/// Why it is not enabled. What was done is stored, and done no second time by the next run.
pub fn enable(
    config: &Config,
    store: &Place,
    group: &str,
    with_traffic: bool,
    report: Arc<dyn Report>,
) -> Result<(), EnableError> {
    let work = async {
        let desk = Desk::open(config, store, group, report).await?;
        held::through(&*desk.store, desk.enable(with_traffic)).await
    };
    threads::block_on(work).map_err(EnableError::Runtime)?
}

/// Undoes a group's set-up and marks it as disabled. With `force` its standbys are scaled down
/// before.
///
/// # Errors
/// Why it is not disabled, as for [`enable`].
pub fn disable(
    config: &Config,
    store: &Place,
    group: &str,
    force: bool,
    report: Arc<dyn Report>,
) -> Result<(), EnableError> {
    let work = async {
        let desk = Desk::open(config, store, group, report).await?;
        held::through(&*desk.store, desk.disable(force)).await
    };
    threads::block_on(work).map_err(EnableError::Runtime)?
}

/// Whether a group's set-up was done and tried.
pub(crate) async fn is_enabled(store: &dyn Store, group: &str) -> Result<bool, StoreError> {
    Ok(store.marks(group).await?.iter().any(|mark| mark.step == ENABLED))
}

impl<'a> Desk<'a> {
    async fn open(
        config: &'a Config,
        place: &'a Place,
        group: &str,
        report: Arc<dyn Report>,
    ) -> Result<Self, EnableError> {
        let file = config.group.iter().find(|file| file.name == group);
        let file = file.ok_or_else(|| EnableError::Unknown(group.to_owned()))?;
        let store = place.open(Some(config.store.keep)).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        held::refuse(&*store, &*clock, config).await?;
        Ok(Self { config, file, place, store, clock, report })
    }

    async fn steps(&self, over: &[&str]) -> Result<Steps<'_>, EnableError> {
        let term = self.store.begin_term().await?;
        let (store, clock, report) = (&*self.store, &*self.clock, &*self.report);
        Ok(Steps::load(store, clock, report, &self.file.name, over).await?.in_term(term))
    }

    async fn enable(&self, with_traffic: bool) -> Result<(), EnableError> {
        let mut steps = self.steps(&[ENABLED, DISABLED]).await?;
        if !steps.was_done(CHECKED) {
            steps.end(CHECKED, self.check().await).await?;
        }
        let (own, timeout) = self.commands();
        for (server, own) in own {
            steps.run("prepare", server, &own.prepare, timeout).await?;
        }
        let served = steps.was_done(SERVED);
        let trial = Trial::start(self, with_traffic).await?;
        let mut steps = steps.in_term(trial.term());
        let tried = async {
            if !served && let Err(why) = steps.end(SERVED, trial.up().await).await {
                // What failed first is why, whatever becomes of the rest, which is told.
                let _down = steps.end("scale-down", trial.down().await).await;
                return Err(why);
            }
            steps.end("scale-down", trial.down().await).await?;
            steps.end("machines off", trial.off().await).await
        };
        trial.alongside(tried).await?;
        steps.finish(ENABLED).await
    }

    async fn disable(&self, force: bool) -> Result<(), EnableError> {
        let mut steps = self.steps(&[ENABLED, DISABLED, CHECKED, SERVED]).await?;
        if let Some(used) = self.in_use().await? {
            if !force {
                return Err(EnableError::InUse(used));
            }
            let trial = Trial::start(self, true).await?;
            steps = steps.in_term(trial.term());
            let down = async {
                steps.end("scale-down", trial.down().await).await?;
                steps.end("machines off", trial.off().await).await
            };
            trial.alongside(down).await?;
        }
        let (own, timeout) = self.commands();
        for (server, own) in own {
            steps.run("undo", server, &own.undo, timeout).await?;
        }
        steps.finish(DISABLED).await
    }

    /// The group's own commands, and how long one may take.
    fn commands(&self) -> (impl Iterator<Item = (ServerId, &SetupCommands)>, Span) {
        let setup = self.file.setup.as_ref();
        let own = setup.into_iter().flat_map(|setup| &setup.servers);
        let own = own.zip(0..).map(|(own, id)| (ServerId(id), own));
        (own, setup.map_or(Span::ZERO, |setup| setup.timeout))
    }

    /// The checks of `tidegate doctor`.
    async fn check(&self) -> Result<(), EnableError> {
        let diagnosis = examined(self.config, self.place, Some(&self.file.name)).await;
        let findings = diagnosis.sections.iter().flat_map(|section| &section.findings);
        let mut missing = 0_u32;
        for finding in findings.filter(|finding| finding.verdict != Verdict::Ok) {
            missing += u32::from(finding.verdict == Verdict::Missing);
            self.report.found(finding);
        }
        if missing == 0 {
            return Ok(());
        }
        let why = format!("{missing} checks found something missing");
        Err(EnableError::Failed { step: "check the group".to_owned(), why })
    }

    /// A standby that is not at rest, in words.
    async fn in_use(&self) -> Result<Option<String>, EnableError> {
        let scaling = self.config.scaling(self.file);
        let stages = stages(&*self.store, &self.file.name, scaling).await?.unwrap_or_default();
        let mut standbys = stages.iter().enumerate().skip(1);
        let used = standbys.find(|(_, stage)| !matches!(stage, Stage::Standby | Stage::Faulted));
        if let Some((id, stage)) = used {
            return Ok(Some(format!("standby-{id} is {}", stage.name())));
        }
        let listener: Arc<dyn Listener> = self.report.clone();
        let ports = self.file.ports(&self.clock, &Inboxes::new([], &self.clock, &listener))?;
        let step = "ask the provider".to_owned();
        self.on(&*ports.provider).await.map_err(|why| EnableError::Failed { step, why })
    }

    /// A standby whose machine is not off, in words; or why that is not known.
    async fn on(&self, provider: &dyn Provider) -> Result<Option<String>, String> {
        let now = self.clock.now();
        let deadline = now + self.config.look.answer;
        let power = tokio::select! {
            biased;
            power = provider.power(Ask { now, deadline }) => power.map_err(|why| why.to_string())?,
            () = self.clock.sleep_until(deadline) => {
                return Err("the provider does not answer".to_owned());
            }
        };
        let mut standbys = power.iter().filter(|one| !one.server.is_primary());
        let on = standbys.find(|one| one.power.value != Power::Off);
        Ok(on.map(|one| format!("{} is not off, and so billed", one.server)))
    }
}
