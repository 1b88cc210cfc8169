//! One standby's sequences: ordered steps with deadlines, retries and compensation.

use serde::{Deserialize, Serialize};

use super::Stage;
use super::doubt::Doubt;
use crate::command::{Command, CommandKind, Failure, Outcome};
use crate::defect::{Defect, Defects};
use crate::ids::{CommandId, Generation, ServerId};
use crate::observation::{Dated, Health, ServerView};
use crate::policy::{Overdue, Policy, StepLimits};
use crate::time::{Span, Timestamp};

/// What a sequence needs besides its own state.
#[derive(Debug)]
pub struct Context<'a> {
    /// The present.
    pub now: Timestamp,
    /// Limits and evidence.
    pub policy: &'a Policy,
    /// What is planted.
    pub defects: Defects,
    /// Share of the traffic for a server that joins.
    pub weight: u16,
    /// The primary's last health check was bad: what is wrong may be wrong with all servers.
    pub primary_is_ill: bool,
    /// The next command's number.
    pub next_id: &'a mut u64,
    /// Commands of this step.
    pub commands: &'a mut Vec<Command>,
}

/// A standby server and the sequence that it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// Its number.
    pub server: ServerId,
    /// Its stage.
    pub stage: Stage,
    /// When it entered the stage.
    pub since: Timestamp,
    /// When the rest of a faulted one ends.
    #[serde(default)]
    pub rests_until: Option<Timestamp>,
    pub(super) generation: Generation,
    pub(super) command: Option<Command>,
    attempts: u8,
    retry_at: Option<Timestamp>,
    /// When the stage's command was done; readings must be younger.
    pub(super) done_at: Option<Timestamp>,
    streak: u8,
    last_reading: Option<Timestamp>,
    faults: u8,
    /// It has served since its machine was started.
    #[serde(default)]
    joined: bool,
    /// The sequence failed: it ends in [`Stage::Faulted`].
    pub(super) failed: bool,
    /// The machine is off: nothing on it is left to wait for.
    pub(super) dead: bool,
    /// What contradicts its stage.
    #[serde(default)]
    pub(super) doubt: Option<Doubt>,
}

impl Standby {
    /// A prepared, stopped server.
    pub const fn new(server: ServerId, now: Timestamp) -> Self {
        Self {
            server,
            stage: Stage::Standby,
            since: now,
            rests_until: None,
            generation: Generation(0),
            command: None,
            attempts: 0,
            retry_at: None,
            done_at: None,
            streak: 0,
            last_reading: None,
            faults: 0,
            joined: false,
            failed: false,
            dead: false,
            doubt: None,
        }
    }

    /// The command that has not ended.
    pub const fn unfinished(&self) -> Option<Command> {
        self.command
    }

    /// Whether a scale-up may begin on it: it is prepared, or on its way down without a fault.
    pub const fn is_available(&self) -> bool {
        match self.stage {
            Stage::Standby => true,
            Stage::Draining | Stage::Quiescing => !self.failed,
            Stage::Starting
            | Stage::Warming
            | Stage::Joining
            | Stage::Serving
            | Stage::Stopping
            | Stage::Faulted => false,
        }
    }

    /// Whether its work outlives the deadline of its step.
    pub fn is_overdue(&self, now: Timestamp, policy: &Policy) -> bool {
        let limit = match self.stage {
            Stage::Draining => policy.steps.drain.deadline,
            Stage::Quiescing => policy.steps.quiesce.deadline,
            Stage::Standby
            | Stage::Starting
            | Stage::Warming
            | Stage::Joining
            | Stage::Serving
            | Stage::Stopping
            | Stage::Faulted => return false,
        };
        self.done_at.is_some_and(|done| now.since(done) >= limit)
    }

    /// When it must be looked at again, whatever else happens.
    pub fn wake_at(&self, policy: &Policy) -> Option<Timestamp> {
        let waits = self.done_at.and_then(|done| match self.stage {
            Stage::Warming => Some(done + policy.steps.warm.deadline),
            Stage::Draining => Some(done + policy.steps.drain.deadline),
            Stage::Quiescing => Some(done + policy.steps.quiesce.deadline),
            Stage::Standby
            | Stage::Starting
            | Stage::Joining
            | Stage::Serving
            | Stage::Stopping
            | Stage::Faulted => None,
        });
        let pending = self.retry_at.or(self.command.map(|command| command.deadline));
        [self.rests_until, waits, pending].into_iter().flatten().min()
    }

    /// Begins a scale-up, or calls a scale-down back that has not stopped anything yet.
    pub fn begin_up(&mut self, context: &mut Context<'_>) {
        (self.failed, self.dead) = (false, false);
        match self.stage {
            Stage::Quiescing if self.joined => {
                self.enter(Stage::Joining, CommandKind::ResumeJobs, context);
            }
            Stage::Draining if self.joined => {
                self.enter(Stage::Joining, join(context), context);
            }
            // One that has not served has not been found healthy.
            Stage::Quiescing
            | Stage::Draining
            | Stage::Standby
            | Stage::Starting
            | Stage::Warming
            | Stage::Joining
            | Stage::Serving
            | Stage::Stopping
            | Stage::Faulted => self.enter(Stage::Starting, CommandKind::PowerOn, context),
        }
    }

    /// Begins a scale-down, or calls off a scale-up.
    pub fn begin_down(&mut self, context: &mut Context<'_>) {
        match self.stage {
            Stage::Starting => self.enter(Stage::Stopping, CommandKind::PowerOff, context),
            // Its workers may have taken jobs before its checks were good.
            Stage::Warming => self.enter(Stage::Quiescing, CommandKind::QuiesceJobs, context),
            Stage::Standby
            | Stage::Joining
            | Stage::Serving
            | Stage::Draining
            | Stage::Quiescing
            | Stage::Stopping
            | Stage::Faulted => {
                let stop_first = context.defects.has(Defect::StopBeforeDrain);
                let first = if stop_first { CommandKind::StopServices } else { CommandKind::Drain };
                self.enter(Stage::Draining, first, context);
            }
        }
    }

    /// Stops and starts the services of a server that serves, which a defect does.
    pub(crate) fn restart(&mut self, context: &mut Context<'_>) {
        self.issue(CommandKind::StopServices, context);
        self.issue(CommandKind::StartServices, context);
    }

    pub(super) fn enter(&mut self, stage: Stage, kind: CommandKind, context: &mut Context<'_>) {
        self.stage = stage;
        self.since = context.now;
        self.rests_until = None;
        self.doubt = None;
        self.generation = self.generation.next();
        self.issue(kind, context);
    }

    /// The clock went back to `now`: what was noted as of later counts as of now.
    pub fn rewind(&mut self, now: Timestamp, policy: &Policy) {
        self.since = self.since.min(now);
        self.done_at = self.done_at.map(|at| at.min(now));
        self.last_reading = self.last_reading.map(|at| at.min(now));
        self.doubt = None;
        let rest = policy.steps.fault_backoff.times(32);
        self.rests_until = self.rests_until.map(|until| until.min(now + rest));
        if let Some(command) = &mut self.command {
            let limits = limits(command.kind, policy);
            command.deadline = command.deadline.min(now + limits.deadline);
            self.retry_at = self.retry_at.map(|at| at.min(now + limits.backoff));
        }
    }

    /// A host of a higher term carries on: what has not ended is done again.
    pub fn take_over(&mut self, term: u32, context: &mut Context<'_>) {
        self.generation = self.generation.in_term(term);
        if context.defects.has(Defect::UnfinishedForgotten) {
            self.command = None;
        }
        let Some(command) = self.command else { return };
        let deadline = context.now + limits(command.kind, context.policy).deadline;
        let again = Command { generation: self.generation, deadline, ..command };
        self.command = Some(again);
        self.retry_at = None;
        context.commands.push(again);
    }

    fn issue(&mut self, kind: CommandKind, context: &mut Context<'_>) {
        let id = CommandId(*context.next_id);
        *context.next_id += 1;
        let deadline = context.now + limits(kind, context.policy).deadline;
        let command =
            Command { id, server: self.server, generation: self.generation, deadline, kind };
        self.command = Some(command);
        self.attempts = 1;
        self.retry_at = None;
        self.done_at = None;
        self.streak = 0;
        self.last_reading = None;
        context.commands.push(command);
    }

    /// Takes the end of a command; one that is not outstanding is ignored. Returns whether the
    /// sequence reached its end or failed.
    pub fn complete(&mut self, id: CommandId, outcome: Outcome, context: &mut Context<'_>) {
        let Some(command) = self.command.filter(|command| command.id == id) else { return };
        match outcome {
            Outcome::Done => {
                self.command = None;
                self.retry_at = None;
                self.done_at = Some(context.now);
                self.advance(command.kind, context);
            }
            Outcome::Failed(Failure::Fenced) => {}
            Outcome::Failed(_) => self.retry_or_give_up(command.kind, context),
        }
    }

    /// What follows when a command's effect is in place.
    fn advance(&mut self, kind: CommandKind, context: &mut Context<'_>) {
        match kind {
            CommandKind::PowerOn => {
                self.joined = false;
                if context.defects.has(Defect::RouteBeforeReady) {
                    self.enter(Stage::Warming, join(context), context);
                    return self.issue(CommandKind::StartServices, context);
                }
                self.enter(Stage::Warming, CommandKind::StartServices, context);
            }
            CommandKind::Join { .. } => {
                (self.faults, self.joined) = (0, true);
                self.settle(Stage::Serving, context.now);
            }
            CommandKind::ResumeJobs => self.enter(Stage::Joining, join(context), context),
            CommandKind::StopServices if self.stage == Stage::Draining => {
                self.issue(CommandKind::Drain, context);
            }
            CommandKind::StopServices => self.issue(CommandKind::PowerOff, context),
            CommandKind::PowerOff if self.failed => {
                self.faults = self.faults.saturating_add(1);
                let doublings = self.faults.saturating_sub(1).min(5);
                let rest = context.policy.steps.fault_backoff.times(1 << doublings);
                self.settle(Stage::Faulted, context.now);
                self.rests_until = Some(context.now + rest);
            }
            CommandKind::PowerOff => {
                self.joined = false;
                self.settle(Stage::Standby, context.now);
            }
            CommandKind::Drain if self.dead || context.defects.has(Defect::SkipTheDrain) => {
                self.enter(Stage::Stopping, CommandKind::PowerOff, context);
            }
            CommandKind::QuiesceJobs if context.defects.has(Defect::ForcedKill) => {
                self.enter(Stage::Stopping, CommandKind::StopServices, context);
            }
            CommandKind::StartServices | CommandKind::Drain | CommandKind::QuiesceJobs => {}
        }
    }

    fn settle(&mut self, stage: Stage, since: Timestamp) {
        self.stage = stage;
        self.since = since;
        self.rests_until = None;
        self.done_at = None;
        self.doubt = None;
    }

    fn retry_or_give_up(&mut self, kind: CommandKind, context: &mut Context<'_>) {
        let limits = limits(kind, context.policy);
        let must_succeed =
            matches!(self.stage, Stage::Draining | Stage::Quiescing | Stage::Stopping);
        if self.attempts >= limits.attempts && !must_succeed {
            return self.undo(context);
        }
        self.failed |= self.stage == Stage::Stopping && self.attempts >= limits.attempts;
        self.retry_at = Some(context.now + limits.wait_after(self.attempts));
    }

    /// A step of the scale-up is given up: what was begun is undone, and the server rests.
    fn undo(&mut self, context: &mut Context<'_>) {
        self.failed = true;
        if context.defects.has(Defect::NoRollBack) {
            (self.command, self.done_at) = (None, None);
            return;
        }
        self.begin_down(context);
    }

    /// Time passed or the world was seen: retries, deadlines, evidence.
    pub fn progress(&mut self, view: Option<&ServerView>, context: &mut Context<'_>) {
        let stays = context.defects.has(Defect::StayFaulted);
        if !stays && self.rests_until.is_some_and(|until| context.now >= until) {
            self.failed = false;
            self.settle(Stage::Standby, context.now);
        }
        self.keep_trying(context);
        let ping = self.counts_pings(context);
        if !self.reconcile(view, context) && (self.command.is_none() || ping) {
            self.weigh(view, context);
        }
    }

    fn keep_trying(&mut self, context: &mut Context<'_>) {
        let Some(command) = self.command else { return };
        if self.retry_at.is_some_and(|at| context.now >= at) {
            let deadline = context.now + limits(command.kind, context.policy).deadline;
            let mut again = Command { deadline, ..command };
            if context.defects.has(Defect::RetryUnderNewId) {
                again.id = CommandId(*context.next_id);
                *context.next_id += 1;
            }
            self.command = Some(again);
            self.attempts = self.attempts.saturating_add(1);
            self.retry_at = None;
            context.commands.push(again);
        } else if self.retry_at.is_none()
            && context.now >= command.deadline
            && !context.defects.has(Defect::WaitForever)
        {
            self.retry_or_give_up(command.kind, context);
        }
    }

    fn weigh(&mut self, view: Option<&ServerView>, context: &mut Context<'_>) {
        let evidence = context.policy.evidence;
        let needed = match self.stage {
            Stage::Warming => {
                let health = view.and_then(|view| view.health);
                let enough = if self.counts_pings(context) { Health::NONE } else { Health::ALL };
                self.count(health.map(|health| Dated::new(health.value.has(enough), health.at)));
                evidence.healthy_checks
            }
            Stage::Draining => {
                let routed =
                    view.and_then(|view| view.routed).filter(|one| Some(one.at) > self.done_at);
                let idle = idle(view.and_then(|view| view.in_flight));
                // One that gets requests all the same is idle by chance.
                let unchecked = context.defects.has(Defect::RoutingUnchecked);
                let still = !unchecked && routed.is_some_and(|routed| routed.value);
                self.count(idle.map(|one| Dated::new(one.value && !still, one.at)));
                evidence.idle_checks
            }
            Stage::Quiescing => {
                self.count(idle(view.and_then(|view| view.jobs)));
                evidence.idle_checks
            }
            Stage::Standby
            | Stage::Starting
            | Stage::Joining
            | Stage::Serving
            | Stage::Stopping
            | Stage::Faulted => return,
        };
        if self.streak >= needed {
            self.pass(context);
        } else {
            self.mind_deadline(context);
        }
    }

    /// Counts readings in a row that say yes; one that is not younger than the last is no news.
    fn count(&mut self, reading: Option<Dated<bool>>) {
        let after = self.last_reading.max(self.done_at);
        let Some(reading) = reading.filter(|reading| Some(reading.at) > after) else { return };
        self.last_reading = Some(reading.at);
        self.streak = if reading.value { self.streak.saturating_add(1) } else { 0 };
    }

    fn pass(&mut self, context: &mut Context<'_>) {
        if self.stage == Stage::Warming && self.command.is_some() {
            self.settle(Stage::Joining, context.now);
            self.issue(join(context), context);
        } else if self.stage == Stage::Warming {
            self.enter(Stage::Joining, join(context), context);
        } else if self.stage == Stage::Draining && !context.defects.has(Defect::SkipTheQuiesce) {
            self.enter(Stage::Quiescing, CommandKind::QuiesceJobs, context);
        } else {
            self.enter(Stage::Stopping, CommandKind::StopServices, context);
        }
    }

    /// Whether a ping suffices, and is not even waited for until the services have started.
    fn counts_pings(&self, context: &Context<'_>) -> bool {
        self.stage == Stage::Warming && context.defects.has(Defect::PingIsHealth)
    }

    fn mind_deadline(&mut self, context: &mut Context<'_>) {
        if context.defects.has(Defect::WaitForever) {
            return;
        }
        let overdue = self.is_overdue(context.now, context.policy);
        if overdue && context.defects.has(Defect::KillOverdue) {
            return self.enter(Stage::Stopping, CommandKind::StopServices, context);
        }
        let waited = self.done_at.map_or(Span::ZERO, |done| context.now.since(done));
        if self.stage == Stage::Warming && waited >= context.policy.steps.warm.deadline {
            self.undo(context);
        } else if !self.failed && overdue && context.policy.steps.drain_overdue == Overdue::Resume {
            self.begin_up(context);
        }
    }
}

fn idle(reading: Option<Dated<u32>>) -> Option<Dated<bool>> {
    reading.map(|reading| Dated::new(reading.value == 0, reading.at))
}

pub(super) const fn join(context: &Context<'_>) -> CommandKind {
    CommandKind::Join { weight: context.weight, slow_start: context.policy.steps.slow_start }
}

/// What a command may take: the wait for work to end is not its own.
const fn limits(kind: CommandKind, policy: &Policy) -> StepLimits {
    let steps = &policy.steps;
    match kind {
        CommandKind::PowerOn => steps.start,
        CommandKind::StartServices => steps.warm,
        CommandKind::Join { .. }
        | CommandKind::Drain
        | CommandKind::QuiesceJobs
        | CommandKind::ResumeJobs => steps.join,
        CommandKind::StopServices | CommandKind::PowerOff => steps.stop,
    }
}
