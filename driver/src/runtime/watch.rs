//! Looks at a group's servers through all ports at once, and makes one observation of what they
//! answer in time.

mod notes;
mod seen;

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tidegate_core::lifecycle::Stage;
use tidegate_core::{Controller, Observation, ServerId, Timestamp};

use super::{Event, Setup};
use crate::ports::{Ask, PortError, Ports, PowerChange};
use crate::store::Note;

use notes::Notes;
use seen::{Answer, Seen};

/// Whom is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Provider,
    Proxy,
    Power,
    Metrics,
    Jobs,
    Probes(ServerId),
    SharedState(ServerId),
}

impl Source {
    fn name(self) -> String {
        match self {
            Self::Provider => "the machines' state".to_owned(),
            Self::Proxy => "the proxy's state".to_owned(),
            Self::Power => "the provider's record".to_owned(),
            Self::Metrics => "the metrics".to_owned(),
            Self::Jobs => "the job workers".to_owned(),
            Self::Probes(server) => format!("the health of {server}"),
            Self::SharedState(server) => format!("what {server} shares"),
        }
    }
}

/// What a port answered: for the controller, or to be noted.
#[derive(Debug)]
enum Told {
    Answer(Answer),
    Power(Vec<PowerChange>),
}

type Reading = (Source, Ask, Result<Told, PortError>);

/// When the next look begins, or until when the present one waits.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Begun { at: Timestamp },
    Waits { until: Timestamp },
    First { at: Timestamp },
}

/// A group's looks. Every future of it may be dropped; nothing that was answered is lost.
pub(super) struct Watch {
    phase: Phase,
    last: Timestamp,
    /// Questions without an answer. None is put twice at a time.
    reads: FuturesUnordered<BoxFuture<'static, Reading>>,
    asked: BTreeSet<Source>,
    /// Those that gave an error when they were last asked.
    blind: BTreeSet<Source>,
    seen: Seen,
    notes: Notes,
}

impl Watch {
    /// Looks at so many servers, for the first time at `first`.
    pub fn new(servers: u16, first: Timestamp) -> Self {
        Self {
            phase: Phase::First { at: first },
            last: first,
            reads: FuturesUnordered::new(),
            asked: BTreeSet::new(),
            blind: BTreeSet::new(),
            seen: Seen::new(servers),
            notes: Notes::default(),
        }
    }

    /// Waits for the next observation.
    pub async fn next(
        &mut self,
        setup: &Setup,
        name: &str,
        ports: &Ports,
        controller: &Controller,
        moving: bool,
    ) -> Observation {
        loop {
            let limits = setup.limits;
            let every = if moving { limits.look_moving } else { limits.look };
            let due = match self.phase {
                Phase::First { at } => at,
                Phase::Begun { at } => at + every,
                Phase::Waits { until } => until,
            };
            let waits = matches!(self.phase, Phase::Waits { .. });
            if waits && self.reads.is_empty() {
                return self.end();
            }
            tokio::select! {
                biased;
                Some(reading) = self.reads.next(), if !self.reads.is_empty() => {
                    self.take(reading, setup, name);
                }
                () = setup.clock.sleep_until(due) => {
                    if waits {
                        return self.end();
                    }
                    self.begin(setup, ports, controller);
                }
            }
        }
    }

    /// Puts every question that is not still open.
    fn begin(&mut self, setup: &Setup, ports: &Ports, controller: &Controller) {
        let now = setup.clock.now();
        let limits = setup.limits;
        let ask = Ask { now, deadline: now + limits.answer };
        self.last = now;
        self.phase = Phase::Waits { until: now + limits.patience };
        let servers = 0..=controller.config().standbys;
        let running = servers.map(ServerId).filter(|server| {
            let rests = matches!(controller.stage(*server), Stage::Standby | Stage::Faulted);
            !rests || self.seen.runs(*server)
        });
        let own = [Source::Provider, Source::Proxy, Source::Power, Source::Metrics, Source::Jobs];
        let of_servers =
            running.flat_map(|server| [Source::Probes(server), Source::SharedState(server)]);
        for source in own.into_iter().chain(of_servers) {
            if self.asked.insert(source) {
                let end = setup.clock.sleep_until(ask.deadline);
                let question = question(source, ports.clone(), ask, self.notes.known_until());
                self.reads.push(Box::pin(async move {
                    tokio::select! {
                        biased;
                        answer = question => (source, ask, answer),
                        () = end => (source, ask, Err(PortError::timed_out("no answer in time"))),
                    }
                }));
            }
        }
    }

    fn take(&mut self, (source, ask, answer): Reading, setup: &Setup, name: &str) {
        self.asked.remove(&source);
        let what = source.name();
        let now = setup.clock.now();
        match answer {
            Ok(answer) => {
                match answer {
                    Told::Answer(answer) => {
                        if let Answer::Routing(states) = &answer {
                            self.notes.traffic(ask.now, states);
                        }
                        self.seen.take(answer);
                    }
                    Told::Power(changes) => self.notes.power(&changes),
                }
                if self.blind.remove(&source) {
                    setup.listener.tell(now, name, &Event::SeesAgain { what: &what });
                }
            }
            Err(why) => {
                if self.blind.insert(source) {
                    setup.listener.tell(now, name, &Event::Blind { what: &what, why: &why });
                }
            }
        }
    }

    /// What has been noted since this was last called.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.notes.take()
    }

    fn end(&mut self) -> Observation {
        self.phase = Phase::Begun { at: self.last };
        self.seen.observation()
    }
}

async fn question(
    source: Source,
    ports: Ports,
    ask: Ask,
    known_until: Timestamp,
) -> Result<Told, PortError> {
    let answer = match source {
        Source::Power => {
            return ports.provider.changes(known_until, ask).await.map(Told::Power);
        }
        Source::Provider => ports.provider.power(ask).await.map(Answer::Power),
        Source::Proxy => ports.proxy.state(ask).await.map(Answer::Routing),
        Source::Metrics => ports.metrics.usage(ask).await.map(Answer::Usage),
        Source::Jobs => ports.jobs.workers(ask).await.map(Answer::Workers),
        Source::Probes(server) => {
            let checks = ports.probes.check(server, ask).await;
            checks.map(|checks| Answer::Checks(server, checks))
        }
        Source::SharedState(server) => {
            let checks = ports.shared_state.check(server, ask).await;
            checks.map(|checks| Answer::Checks(server, checks))
        }
    };
    answer.map(Told::Answer)
}
