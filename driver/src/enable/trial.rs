//! One scale-up and its release, by a host of its own.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{CoolDown, Policy, Stabilization, Steps};
use tidegate_core::{Command, CommandId, CommandKind, OperatorRequest, Outcome, Span, Timestamp};
use tokio::sync::Mutex as Turn;

use super::dry::Dry;
use super::{Desk, EnableError, How, Report};
use crate::adapters::alertmanager::Inboxes;
use crate::ports::Provider;
use crate::runtime::{Event, Group, Handle, Host, HostEvent, Listener, Mode, Setup};

const WHO: &str = "tidegate enable";

/// A host of one group that nothing scales but this.
pub(super) struct Trial<'a> {
    desk: &'a Desk<'a>,
    host: Turn<Option<Host>>,
    term: u32,
    handle: Handle,
    provider: Arc<dyn Provider>,
    teller: Arc<Teller>,
}

/// Whether nothing is under way or serves.
const fn is_at_rest(stage: Stage) -> bool {
    matches!(stage, Stage::Standby | Stage::Faulted)
}

/// The policy of a trial: neither rules nor schedules, and no rest.
fn quiet(policy: &Policy) -> Policy {
    Policy {
        min_standbys: 0,
        max_standbys: None,
        up: Vec::new(),
        down: Vec::new(),
        schedule: Vec::new(),
        cool_down: CoolDown { up: Span::ZERO, down: Span::ZERO },
        stabilization: Stabilization { down: Span::ZERO },
        ..policy.clone()
    }
}

impl<'a> Trial<'a> {
    /// Takes the group over.
    pub async fn start(desk: &'a Desk<'a>, with_traffic: bool) -> Result<Self, EnableError> {
        let teller = Arc::new(Teller {
            report: Arc::clone(&desk.report),
            with_traffic,
            seen: Mutex::default(),
        });
        let listener: Arc<dyn Listener> = teller.clone();
        let inboxes = Inboxes::new([], &desk.clock, &listener);
        let mut ports = desk.file.ports(&desk.clock, &inboxes)?;
        if !with_traffic {
            ports.proxy = Arc::new(Dry::new(ports.proxy, Arc::clone(&desk.clock)));
        }
        let provider = Arc::clone(&ports.provider);
        let mut config = desk.config.scaling(desk.file);
        config.policy = quiet(&config.policy);
        let group = Group { name: desk.file.name.clone(), config, ports };
        let setup = Setup {
            store: Arc::clone(&desk.store),
            clock: Arc::clone(&desk.clock),
            listener,
            limits: desk.config.look.into(),
            mode: Mode::Act,
        };
        let host = Host::start(&setup, vec![group]).await?;
        let (term, handle) = (host.term(), host.handle());
        Ok(Self { desk, host: Turn::new(Some(host)), term, handle, provider, teller })
    }

    pub const fn term(&self) -> u32 {
        self.term
    }

    /// Does `work` while the host goes on, and lets the host end gracefully after it.
    pub async fn alongside(
        &self,
        work: impl Future<Output = Result<(), EnableError>>,
    ) -> Result<(), EnableError> {
        let Some(host) = self.host.lock().await.take() else { return Ok(()) };
        let run = host.run();
        tokio::pin!(run);
        let done = tokio::select! {
            biased;
            ended = &mut run => return Ok(ended?),
            done = work => done,
        };
        self.handle.stop();
        run.await?;
        done
    }

    /// Until every standby serves, or one does not come up. One that rests after a fault is waited
    /// for as long as a first fault lets it rest.
    pub async fn up(&self) -> Result<(), EnableError> {
        let steps = self.steps();
        let limit = steps.fault_backoff + steps.longest_up() + steps.longest_down();
        let until = self.desk.clock.now() + limit;
        let stages = self.stages().await?;
        let by = stages.iter().filter(|stage| is_at_rest(**stage)).count() as u16;
        if by > 0 {
            let up = OperatorRequest::ScaleUp { by, hold: Some(limit) };
            self.handle.request(&self.desk.file.name, WHO, up).await?;
        }
        let mut begun: Vec<_> = stages.iter().map(|stage| !is_at_rest(*stage)).collect();
        loop {
            let stages = self.stages().await?;
            let Some(first) = stages.iter().position(|stage| *stage != Stage::Serving) else {
                return Ok(());
            };
            for (index, stage) in stages.iter().enumerate() {
                if is_at_rest(*stage) && begun[index] {
                    let step = format!("bring standby-{} up", index + 1);
                    return Err(EnableError::Failed { step, why: self.teller.why() });
                }
                begun[index] |= !is_at_rest(*stage);
            }
            if self.desk.clock.now() >= until {
                let step = format!("bring standby-{} up", first + 1);
                return Err(EnableError::Failed { step, why: self.late(limit, stages[first]) });
            }
            self.pause().await;
        }
    }

    /// Until every standby rests, without any that serves.
    pub async fn down(&self) -> Result<(), EnableError> {
        let limit = self.steps().longest_down();
        let until = self.desk.clock.now() + limit;
        self.handle.request(&self.desk.file.name, WHO, OperatorRequest::Resume).await?;
        loop {
            let stages = self.stages().await?;
            let Some(first) = stages.iter().position(|stage| !is_at_rest(*stage)) else {
                return Ok(());
            };
            if self.desk.clock.now() >= until {
                let step = format!("bring standby-{} down", first + 1);
                return Err(EnableError::Failed { step, why: self.late(limit, stages[first]) });
            }
            self.pause().await;
        }
    }

    fn steps(&self) -> &Steps {
        &self.desk.config.policy(self.desk.file).steps
    }

    /// What was waited for in vain, and what went wrong meanwhile.
    fn late(&self, limit: Span, stage: Stage) -> String {
        let seen = self.teller.seen();
        let late = format!("after {limit}, as long as the policy's `steps` allow, it");
        match &seen.why {
            Some(why) => format!("{late} {}; {why}", still(stage)),
            None => format!("{late} {}", still(stage)),
        }
    }

    /// Until the provider says that every standby's machine is off, for as long as a stop may take.
    pub async fn off(&self) -> Result<(), EnableError> {
        let clock = &self.desk.clock;
        let until = clock.now() + self.steps().stop.deadline;
        loop {
            match self.desk.on(&*self.provider).await {
                Ok(None) => return Ok(()),
                Ok(Some(_)) | Err(_) if clock.now() < until => self.pause().await,
                Ok(Some(why)) | Err(why) => {
                    let step = "see the machines off".to_owned();
                    return Err(EnableError::Failed { step, why });
                }
            }
        }
    }

    /// Those of the standbys.
    async fn stages(&self) -> Result<Vec<Stage>, EnableError> {
        let status = self.handle.status(&self.desk.file.name).await?;
        Ok(status.stages.into_iter().skip(1).map(|(_, stage)| stage).collect())
    }

    async fn pause(&self) {
        let clock = &self.desk.clock;
        clock.sleep_until(clock.now() + self.desk.config.look.poll).await;
    }
}

/// Tells the steps of the sequences, and keeps why one failed.
struct Teller {
    report: Arc<dyn Report>,
    with_traffic: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    commands: BTreeSet<CommandId>,
    why: Option<String>,
}

impl Teller {
    fn name(&self, command: &Command) -> String {
        let (step, server) = (command.kind.step().name(), command.server);
        match command.kind {
            CommandKind::Join { .. } if !self.with_traffic => {
                format!("{server} known to the proxy, without traffic")
            }
            CommandKind::Join { .. } => format!("{step} {server}, and routed"),
            CommandKind::Drain if !self.with_traffic => {
                format!("{step} {server}, which got nothing")
            }
            CommandKind::PowerOn
            | CommandKind::StartServices
            | CommandKind::Drain
            | CommandKind::QuiesceJobs
            | CommandKind::ResumeJobs
            | CommandKind::StopServices
            | CommandKind::PowerOff => format!("{step} {server}"),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn why(&self) -> String {
        self.seen().why.clone().unwrap_or_else(|| "it did not become healthy in time".to_owned())
    }
}

/// What one in this stage has not got over.
const fn still(stage: Stage) -> &'static str {
    match stage {
        Stage::Faulted => "still rests from faults before: try again later",
        Stage::Standby => "was not started",
        Stage::Starting => "is not on",
        Stage::Warming => "is not healthy",
        Stage::Joining => "is not known to the proxy",
        Stage::Serving => "serves",
        Stage::Draining => "has requests in flight",
        Stage::Quiescing => "has jobs that run",
        Stage::Stopping => "is not off",
    }
}

/// What has come true once a command is given.
fn reached(command: &Command) -> Option<String> {
    let server = command.server;
    match command.kind {
        CommandKind::Join { .. } => Some(format!("health of {server}, all parts in a row")),
        CommandKind::QuiesceJobs => Some(format!("no request in flight at {server}")),
        CommandKind::StopServices => Some(format!("no job running on {server}")),
        CommandKind::PowerOn
        | CommandKind::StartServices
        | CommandKind::Drain
        | CommandKind::ResumeJobs
        | CommandKind::PowerOff => None,
    }
}

impl Listener for Teller {
    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        self.report.tell(at, group, event);
        let mut seen = self.seen();
        match event {
            Event::Stepped { step, .. } => {
                for command in &step.commands {
                    let is_new = seen.commands.insert(command.id);
                    if let Some(before) = reached(command).filter(|_| is_new) {
                        self.report.ended(&before, &How::Done);
                    }
                }
            }
            Event::Ended { command, outcome, why } => {
                let step = self.name(command);
                if matches!(outcome, Outcome::Done) {
                    self.report.ended(&step, &How::Done);
                } else if let Some(why) = why {
                    seen.why = Some(format!("{step}: {why}"));
                }
            }
            Event::Blind { what, why } => seen.why = Some(format!("failed to read {what}: {why}")),
            Event::TakenUp { .. }
            | Event::Asked { .. }
            | Event::Dropped { .. }
            | Event::AlertLeftOut { .. }
            | Event::NotEnabled
            | Event::SeesAgain { .. } => {}
        }
    }

    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>) {
        self.report.tell_of_host(at, event);
    }
}
