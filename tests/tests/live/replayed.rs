//! Ports that answer what the journal of a simulated run says was answered, when it was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_core::journal::Entry;
use tidegate_core::{
    Alert, CommandId, Dated, Failure, Health, Input, Observation, OperatorRequest, Outcome,
    ServerId, ServerView, Span, Timestamp,
};
use tidegate_driver::fakes::VirtualClock;
use tidegate_driver::ports::{
    Accepted, Alerts, Ask, Checks, Jobs, Metrics, Order, PortError, Ports, PowerChange, PowerState,
    Probes, Provider, Proxy, Routing, Services, SharedState, Usage, Workers,
};

/// Answers that may come at the same moment as one line of the journal.
const TURNS: u64 = 64;

const OWN: Health = Health::BENCHES.with(Health::SERVICES);
const SHARED: Health = Health::STORAGE.with(Health::REDIS);

/// Something that is told at a line of the journal.
#[derive(Clone, Debug)]
struct Told<T> {
    at: Timestamp,
    /// The line's number.
    line: u64,
    what: T,
}

#[derive(Debug, Default)]
struct Script {
    looks: VecDeque<Told<Observation>>,
    /// What the look under way will see.
    look: Option<Told<Observation>>,
    alerts: VecDeque<Told<Vec<Alert>>>,
    ends: BTreeMap<CommandId, VecDeque<Told<Outcome>>>,
    requests: VecDeque<Told<OperatorRequest>>,
}

/// All ports of a group.
#[derive(Clone)]
pub struct Replayed {
    clock: VirtualClock,
    script: Arc<Mutex<Script>>,
}

impl Replayed {
    pub fn new(clock: VirtualClock, entries: &[Entry]) -> Self {
        let mut script = Script::default();
        for (line, entry) in (0..).zip(entries) {
            let at = entry.at;
            match entry.input.clone() {
                Input::Observe(Observation { servers, alerts }) if servers.is_empty() => {
                    script.alerts.push_back(Told { at, line, what: alerts });
                }
                Input::Observe(what) => script.looks.push_back(Told { at, line, what }),
                Input::Complete { id, outcome } => {
                    script.ends.entry(id).or_default().push_back(Told { at, line, what: outcome });
                }
                Input::Request(what) => script.requests.push_back(Told { at, line, what }),
                Input::Wake | Input::TakeOver { .. } => {}
            }
        }
        Self { clock, script: Arc::new(Mutex::new(script)) }
    }

    pub fn ports(&self) -> Ports {
        let this = Arc::new(self.clone());
        Ports {
            proxy: this.clone(),
            metrics: this.clone(),
            alerts: this.clone(),
            jobs: this.clone(),
            probes: this.clone(),
            shared_state: this.clone(),
            services: this.clone(),
            provider: this,
        }
    }

    /// What people asked for, in turn; nothing more after the last.
    pub async fn request(&self) -> Option<OperatorRequest> {
        let Told { at, line, what } = self.script.lock().unwrap().requests.pop_front()?;
        self.clock.sleep_in_turn(at, line * TURNS).await;
        Some(what)
    }

    /// What the look under way sees of each server, once it is time; `turn` is the caller's own.
    async fn views<T>(&self, turn: u64, of: impl Fn(&ServerView) -> T) -> Vec<T> {
        let look = self.script.lock().unwrap().look.clone();
        let Some(Told { at, line, what }) = look else { std::future::pending().await };
        self.clock.sleep_in_turn(at, line * TURNS + turn).await;
        what.servers.iter().map(of).collect()
    }

    /// What checks of `parts` find.
    async fn checks(&self, turn: u64, server: ServerId, parts: Health, ask: Ask) -> Checks {
        let turn = turn + 2 * u64::from(server.0);
        let healths = self.views(turn, |view| (view.server, view.health)).await;
        let health = healths.into_iter().find(|(of, _)| *of == server).and_then(|(_, one)| one);
        let Some(Dated { value, at }) = health else { return Checks::unknown(ask.now) };
        let bad = parts.without(value);
        Checks { good: parts.without(bad), bad, at }
    }

    /// An attempt at a command ends when the journal says so. One that was too late ends well where
    /// it was carried out: that it is out of date is the runtime's to know.
    async fn end(&self, order: Order) -> Result<(), PortError> {
        let end = self.script.lock().unwrap().ends.get_mut(&order.id).and_then(VecDeque::pop_front);
        let Some(Told { at, line, what }) = end else { std::future::pending().await };
        self.clock.sleep_in_turn(at, line * TURNS).await;
        match what {
            Outcome::Done | Outcome::Failed(Failure::Fenced) => Ok(()),
            Outcome::Failed(failure) => Err(PortError::new(failure, "as it was")),
        }
    }
}

#[async_trait]
impl Provider for Replayed {
    async fn power(&self, _: Ask) -> Result<Vec<PowerState>, PortError> {
        {
            // Of all that a look asks for, this comes first.
            let mut script = self.script.lock().unwrap();
            script.look = script.looks.pop_front();
        }
        let states =
            self.views(0, |view| view.power.map(|power| PowerState { server: view.server, power }));
        Ok(states.await.into_iter().flatten().collect())
    }

    async fn power_on(&self, order: Order) -> Result<Accepted, PortError> {
        self.end(order).await.map(|()| Accepted::Done)
    }

    async fn power_off(&self, order: Order) -> Result<Accepted, PortError> {
        self.end(order).await.map(|()| Accepted::Done)
    }

    async fn changes(&self, _: Timestamp, _: Ask) -> Result<Vec<PowerChange>, PortError> {
        Err(PortError::refused("a journal does not say"))
    }
}

#[async_trait]
impl Proxy for Replayed {
    async fn state(&self, _: Ask) -> Result<Vec<Routing>, PortError> {
        let routing = |view: &ServerView| Routing {
            server: view.server,
            routed: view.routed,
            in_flight: view.in_flight,
            counted: None,
        };
        Ok(self.views(1, routing).await)
    }

    async fn join(&self, order: Order, _: u16, _: Span) -> Result<(), PortError> {
        self.end(order).await
    }

    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.end(order).await
    }
}

#[async_trait]
impl Metrics for Replayed {
    async fn usage(&self, _: Ask) -> Result<Vec<Usage>, PortError> {
        let usage =
            |view: &ServerView| Usage { server: view.server, cpu: view.cpu, memory: view.memory };
        Ok(self.views(2, usage).await)
    }
}

#[async_trait]
impl Jobs for Replayed {
    async fn workers(&self, _: Ask) -> Result<Vec<Workers>, PortError> {
        let workers = |view: &ServerView| Workers {
            server: view.server,
            registered: view
                .health
                .map(|health| Dated::new(health.value.has(Health::WORKERS), health.at)),
            busy: view.jobs,
        };
        Ok(self.views(3, workers).await)
    }

    async fn quiesce(&self, order: Order) -> Result<(), PortError> {
        self.end(order).await
    }

    async fn resume(&self, order: Order) -> Result<(), PortError> {
        self.end(order).await
    }
}

#[async_trait]
impl Services for Replayed {
    async fn start(&self, order: Order) -> Result<(), PortError> {
        self.end(order).await
    }

    async fn stop(&self, order: Order) -> Result<(), PortError> {
        self.end(order).await
    }
}

#[async_trait]
impl Probes for Replayed {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        Ok(self.checks(4, server, OWN, ask).await)
    }
}

#[async_trait]
impl SharedState for Replayed {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        Ok(self.checks(5, server, SHARED, ask).await)
    }
}

#[async_trait]
impl Alerts for Replayed {
    async fn next(&self) -> Vec<Alert> {
        let first = self.script.lock().unwrap().alerts.front().cloned();
        let Some(Told { at, line, what }) = first else { std::future::pending().await };
        self.clock.sleep_in_turn(at, line * TURNS).await;
        self.script.lock().unwrap().alerts.pop_front();
        what
    }
}
