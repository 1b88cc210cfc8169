//! A group of servers that behave as they should, unless they are told otherwise. It goes on
//! whether somebody looks or not: what it is like follows from what was done to it, and when.

mod judged;
mod machine;
mod reads;
mod writes;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_core::{
    Alert, CommandId, Failure, Generation, Ratio, ServerId, Span, StepName, Timestamp,
};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::ports::{Ports, PowerChange};

use machine::Machine;

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From the start of a machine until it is on.
    pub boot: Span,
    /// From the start of services until they are healthy.
    pub services: Span,
    /// Until requests in flight have finished, once nothing new is sent.
    pub requests: Span,
    /// Until running jobs have finished, once no new one is taken.
    pub jobs: Span,
    /// From the stop of a machine until it is off.
    pub stop: Span,
    /// From an order's effect until its answer.
    pub answer: Span,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            boot: Span::from_secs(40),
            services: Span::from_secs(20),
            requests: Span::from_secs(6),
            jobs: Span::from_secs(30),
            stop: Span::from_secs(10),
            answer: Span::from_secs(1),
        }
    }
}

/// How an order is to be answered, in place of its effect at once and its answer soon after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// How long it takes until its effect.
    pub late: Span,
    /// That it fails, without an effect.
    pub failure: Option<Failure>,
    /// That its effect is never told of.
    pub lost: bool,
}

/// An order had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// When.
    pub at: Timestamp,
    /// The command.
    pub id: CommandId,
    /// Its fence.
    pub generation: Generation,
    /// On which server.
    pub server: ServerId,
    /// What it did.
    pub step: StepName,
}

struct State {
    times: Times,
    machines: Vec<Machine>,
    /// Work for all servers from then on, in parts of what one can do.
    load: Vec<(Timestamp, Ratio)>,
    script: BTreeMap<StepName, VecDeque<Answer>>,
    applied: Vec<Applied>,
    changes: Vec<PowerChange>,
    harm: Vec<String>,
    alerts: VecDeque<Vec<Alert>>,
}

/// A group of servers, and all its ports.
pub struct FakeGroup {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    alerted: Notify,
}

impl fmt::Debug for FakeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGroup").finish_non_exhaustive()
    }
}

impl FakeGroup {
    /// A primary that serves and so many standbys that are off.
    pub fn new(clock: Arc<dyn Clock>, standbys: u16, times: Times) -> Self {
        let now = clock.now();
        let machine = |id: u16| if id == 0 { Machine::serving(now) } else { Machine::off() };
        let state = State {
            times,
            machines: (0..=standbys).map(machine).collect(),
            load: Vec::new(),
            script: BTreeMap::new(),
            applied: Vec::new(),
            changes: Vec::new(),
            harm: Vec::new(),
            alerts: VecDeque::new(),
        };
        Self { clock, state: Mutex::new(state), alerted: Notify::new() }
    }

    /// All ports of `group`.
    pub fn ports(group: &Arc<Self>) -> Ports {
        Ports {
            proxy: group.clone(),
            metrics: group.clone(),
            alerts: group.clone(),
            jobs: group.clone(),
            probes: group.clone(),
            shared_state: group.clone(),
            services: group.clone(),
            provider: group.clone(),
        }
    }

    /// From `from` on, all servers together have so much to do, in parts of what one can do. What
    /// is called last is of the latest moment.
    pub fn load_from(&self, from: Timestamp, load: Ratio) {
        self.state().load.push((from, load));
    }

    /// The next order of this kind that is not scripted yet is answered so.
    pub fn script(&self, step: StepName, answer: Answer) {
        self.state().script.entry(step).or_default().push_back(answer);
    }

    /// These alerts come in.
    pub fn alert(&self, alerts: Vec<Alert>) {
        self.state().alerts.push_back(alerts);
        self.alerted.notify_one();
    }

    /// The orders that had an effect, in the order of time.
    pub fn applied(&self) -> Vec<Applied> {
        self.state().applied.clone()
    }

    /// When which machine began and ceased to be billed, up to now.
    pub fn power_record(&self) -> Vec<PowerChange> {
        let now = self.clock.now();
        let changes = self.state().changes.clone();
        changes.into_iter().filter(|change| change.at <= now).collect()
    }

    /// What was done that costs requests or jobs, in sentences. Nothing is as it should be.
    pub fn harm(&self) -> Vec<String> {
        self.state().harm.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
