//! The one entry point: [`Controller::step`].

mod decide;
mod wake;

use serde::{Deserialize, Serialize};

use crate::command::{Command, Outcome};
use crate::decision::Decision;
use crate::defect::Defects;
use crate::demand::schedule::Calendar;
use crate::demand::trigger::{Rule, Window};
use crate::ids::{CommandId, RuleId, ServerId};
use crate::lifecycle::{Context, Stage, Standby};
use crate::observation::{Alert, Observation, ServerView, learn_alert};
use crate::policy::{Bound, Policy, PolicyError};
use crate::time::{Span, Timestamp};

use wake::Wake;

/// A group: one primary that is always on, and its prepared standbys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// Standby servers that are provisioned.
    pub standbys: u16,
    /// The primary's share of the traffic relative to the others.
    pub primary_weight: u16,
    /// A standby's share.
    pub standby_weight: u16,
    /// When to scale. It must pass [`Policy::check`].
    pub policy: Policy,
    /// Defects that are planted to see that the oracles find them. A live configuration has none.
    #[serde(default, skip_serializing_if = "Defects::is_empty")]
    pub defects: Defects,
}

/// What happened since the last step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// What is known of the world; may be partial, each value has its age.
    Observe(Observation),
    /// How a command went.
    Complete {
        /// Which command.
        id: CommandId,
        /// How it went.
        outcome: Outcome,
    },
    /// What a person asks for.
    Request(OperatorRequest),
    /// A host has taken the controller up from its last stored state: from now on commands carry
    /// its term, and those that have not ended are issued again under their ids.
    TakeOver {
        /// The host's term, higher than that of every host before.
        term: u32,
    },
    /// Only time passed.
    Wake,
}

/// What a person may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorRequest {
    /// So many servers more than now, as a floor.
    ScaleUp {
        /// How many.
        by: u16,
        /// For how long; the policy's `manual.hold` if absent.
        hold: Option<Span>,
    },
    /// So many servers fewer than now, as a ceiling.
    ScaleDown {
        /// How many.
        by: u16,
        /// For how long; the policy's `manual.hold` if absent.
        hold: Option<Span>,
    },
    /// No rule and no schedule starts anything until then. People still may.
    PauseUntil(Timestamp),
    /// Ends a pause and every manual demand.
    Resume,
    /// Replaces the policy. One that does not pass [`Policy::check`] is ignored.
    SetPolicy(Box<Policy>),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// To be carried out, in any order, after the step is on disk.
    pub commands: Vec<Command>,
    /// What was decided, and why.
    pub decision: Decision,
    /// When to step again at the latest, if nothing happens before.
    pub wake_at: Option<Timestamp>,
}

/// The version of a snapshot's form.
const FORMAT: u32 = 1;

/// The whole of a controller, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    format: u32,
    config: GroupConfig,
    state: State,
}

/// Why a snapshot cannot be taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Written by a newer program.
    #[error("the snapshot has format {0}, newer than this program's {FORMAT}")]
    Newer(u32),
    /// Its policy does not pass its check.
    #[error("the snapshot's policy is refused: {0}")]
    Policy(PolicyError),
}

/// What a controller remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    standbys: Vec<Standby>,
    windows: Vec<Window>,
    views: Vec<ServerView>,
    /// What is known of the alerts, one a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<Alert>,
    /// Servers that rules hold, and the rule that last asked for them.
    held: Option<(u16, RuleId)>,
    manual: Option<ManualDemand>,
    paused_until: Option<Timestamp>,
    last_event: Option<Timestamp>,
    /// Numbers wanted within the stabilization window.
    wanted: Vec<(Timestamp, u16)>,
    next_command: u64,
    /// The time of the last step.
    #[serde(default)]
    stepped: Timestamp,
    /// Where a planted defect needs it, a bit a schedule: its window was seen open.
    #[serde(default, skip_serializing_if = "is_zero")]
    opened: u64,
    /// The same: its window was lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(bits: &u64) -> bool {
    *bits == 0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ManualDemand {
    bound: Bound,
    servers: u16,
    until: Timestamp,
}

/// Decides for one group. See the crate's first lines for the contract with its host.
#[derive(Clone, Debug)]
pub struct Controller {
    config: GroupConfig,
    calendars: Vec<Calendar>,
    rules: Vec<Rule>,
    state: State,
}

impl Controller {
    /// A controller of a group whose primary serves and whose standbys are stopped.
    pub fn new(config: GroupConfig, now: Timestamp) -> Self {
        let standbys = (1..=config.standbys).map(|id| Standby::new(ServerId(id), now)).collect();
        let mut controller = Self {
            calendars: Vec::new(),
            rules: Vec::new(),
            state: State { standbys, ..State::default() },
            config,
        };
        controller.compile();
        controller
    }

    /// Takes one input at `now`. Never fails and never blocks.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        if now < self.state.stepped {
            self.rewind(now);
        }
        let asleep = now.since(self.state.stepped) > self.config.policy.evidence.stale_after;
        if asleep && self.state.stepped != Timestamp::default() {
            // What was not looked at may have changed and changed back.
            self.state.windows.fill(Window::empty(now));
        }
        self.state.stepped = now;
        let mut commands = Vec::new();
        let (serving, committed, moving) = (self.serving(), self.committed(), self.moving());
        match input {
            Input::Observe(observation) => self.observe(&observation),
            Input::Complete { id, outcome } => {
                self.each(now, &mut commands, |standby, _, context| {
                    standby.complete(id, outcome, context);
                });
            }
            Input::Request(request) => self.request(now, request),
            Input::TakeOver { term } => {
                self.each(now, &mut commands, |standby, _, context| {
                    standby.take_over(term, context);
                });
            }
            Input::Wake => {}
        }
        self.each(now, &mut commands, Standby::progress);
        if self.committed() > committed {
            // A scale-down was called off: what it gave up is kept for a stabilization window.
            self.remember(now, self.committed());
        }
        if self.moving() < moving {
            self.state.last_event = Some(now);
        }
        self.note_change(now, serving);
        let serving = self.serving();
        let mut wake = Wake::new(now);
        let decision = self.decide(now, &mut wake, &mut commands);
        self.note_change(now, serving);
        let policy = &self.config.policy;
        let sequences = self.state.standbys.iter().filter_map(|standby| standby.wake_at(policy));
        sequences.for_each(|at| wake.note(at));
        Step { commands, decision, wake_at: wake.at() }
    }

    /// Everything that a restart needs.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { format: FORMAT, config: self.config.clone(), state: self.state.clone() }
    }

    /// A controller that goes on where the snapshot was taken.
    ///
    /// # Errors
    /// If a newer program wrote it, or its policy is not valid.
    pub fn restore(snapshot: Snapshot) -> Result<Self, RestoreError> {
        if snapshot.format > FORMAT {
            return Err(RestoreError::Newer(snapshot.format));
        }
        let Snapshot { config, state, .. } = snapshot;
        config.policy.check(config.standbys).map_err(RestoreError::Policy)?;
        let windows = state.windows.clone();
        let mut controller = Self { calendars: Vec::new(), rules: Vec::new(), state, config };
        controller.compile();
        controller.state.windows = windows;
        Ok(controller)
    }

    /// What the controller was given, with the policy that is in force.
    pub const fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// Until when a person paused rules and schedules, if one did.
    pub const fn paused_until(&self) -> Option<Timestamp> {
        self.state.paused_until
    }

    /// The stage that `server` is in; the primary always serves.
    pub fn stage(&self, server: ServerId) -> Stage {
        let standby = self.state.standbys.iter().find(|standby| standby.server == server);
        standby.map_or(Stage::Serving, |standby| standby.stage)
    }

    /// Commands that have not ended. A host that takes over need not look: it gets them again.
    pub fn unfinished(&self) -> impl Iterator<Item = Command> {
        self.state.standbys.iter().filter_map(Standby::unfinished)
    }

    /// The clock went back. What was noted as of later counts as of now, or nothing would be
    /// younger than it, and no rest would end, until the clock is there again.
    fn rewind(&mut self, now: Timestamp) {
        let policy = &self.config.policy;
        // What a calendar has passed comes again.
        self.calendars = policy.schedule.iter().map(Calendar::new).collect();
        for standby in &mut self.state.standbys {
            standby.rewind(now, policy);
        }
        self.state.last_event = self.state.last_event.map(|at| at.min(now));
        self.state.windows.iter_mut().for_each(|window| window.rewind(now));
        self.state.views.iter_mut().for_each(|view| view.rewind(now));
        self.state.alerts.retain(|alert| alert.since <= now);
        for alert in &mut self.state.alerts {
            alert.at = alert.at.min(now);
        }
        for (at, _) in &mut self.state.wanted {
            *at = (*at).min(now);
        }
    }

    fn compile(&mut self) {
        self.calendars = self.config.policy.schedule.iter().map(Calendar::new).collect();
        self.rules = Rule::all(&self.config.policy).collect();
        self.state.windows = vec![Window::default(); self.rules.len()];
    }

    /// Runs `act` on each standby, with what is known of it.
    fn each(
        &mut self,
        now: Timestamp,
        commands: &mut Vec<Command>,
        mut act: impl FnMut(&mut Standby, Option<&ServerView>, &mut Context<'_>),
    ) {
        let State { standbys, views, next_command, .. } = &mut self.state;
        let primary = views.iter().find(|view| view.server.is_primary());
        let primary_is_ill = primary.is_some_and(ServerView::is_ill);
        for standby in standbys {
            let view = views.iter().find(|view| view.server == standby.server);
            let mut context = Context {
                now,
                policy: &self.config.policy,
                defects: self.config.defects,
                weight: self.config.standby_weight,
                primary_is_ill,
                next_id: next_command,
                commands,
            };
            act(standby, view, &mut context);
        }
    }

    fn observe(&mut self, observation: &Observation) {
        for seen in &observation.servers {
            match self.state.views.iter_mut().find(|view| view.server == seen.server) {
                Some(view) => view.learn(seen),
                None => self.state.views.push(*seen),
            }
        }
        let known = |alert: &&Alert| usize::from(alert.rule.0) < self.rules.len();
        for alert in observation.alerts.iter().filter(known) {
            learn_alert(&mut self.state.alerts, *alert);
        }
    }

    fn request(&mut self, now: Timestamp, request: OperatorRequest) {
        let committed = self.committed();
        let hold = |asked: Option<Span>| now + asked.unwrap_or(self.config.policy.manual.hold);
        match request {
            OperatorRequest::ScaleUp { by, hold: asked } => {
                let servers = committed.saturating_add(by);
                let demand = ManualDemand { bound: Bound::Floor, servers, until: hold(asked) };
                self.state.manual = Some(demand);
            }
            OperatorRequest::ScaleDown { by, hold: asked } => {
                let servers = committed.saturating_sub(by).max(1);
                let demand = ManualDemand { bound: Bound::Ceiling, servers, until: hold(asked) };
                self.state.manual = Some(demand);
            }
            OperatorRequest::PauseUntil(until) => self.state.paused_until = Some(until),
            OperatorRequest::Resume => (self.state.paused_until, self.state.manual) = (None, None),
            OperatorRequest::SetPolicy(policy) => {
                if policy.check(self.config.standbys).is_ok() {
                    self.config.policy = *policy;
                    self.state.alerts.clear();
                    self.compile();
                }
            }
        }
    }

    /// Evidence of another number of serving servers is void, and rules rest.
    fn note_change(&mut self, now: Timestamp, serving: u16) {
        if self.serving() != serving {
            self.state.windows.fill(Window::empty(now));
            self.state.last_event = Some(now);
        }
    }

    /// Standbys in the middle of a sequence.
    pub fn moving(&self) -> usize {
        let settled = |stage| matches!(stage, Stage::Standby | Stage::Serving | Stage::Faulted);
        self.state.standbys.iter().filter(|standby| !settled(standby.stage)).count()
    }

    fn committed(&self) -> u16 {
        let standbys = self.state.standbys.iter();
        1 + standbys.filter(|standby| standby.stage.is_committed()).count() as u16
    }

    fn serving(&self) -> u16 {
        let standbys = self.state.standbys.iter();
        1 + standbys.filter(|standby| standby.stage == Stage::Serving).count() as u16
    }
}
