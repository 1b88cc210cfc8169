//! The simulated world: what a group of servers, their proxy and their users do.
//!
//! [`World::advance`] runs it to the next moment at which a controller has something to learn. The
//! world knows nothing of policies: it carries out commands, and tells facts to its sink.

mod alerts;
mod append;
mod cache;
mod checks;
mod connections;
mod event;
mod faults;
mod files;
mod flow;
mod hosted;
mod jobs;
mod machine;
mod monitor;
mod oom;
mod overload;
mod people;
mod pool;
mod provided;
mod proxy;
mod redis;
mod request;
mod route;
mod server;
mod snapshot;

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{
    Alert, Command, CommandId, Observation, OperatorRequest, Outcome, ServerId, Span, Timestamp,
};

use crate::alertmanager::Alertmanager;
use crate::arrivals::Arrivals;
use crate::chance::{Draws, Uniforms};
use crate::events::EventList;
use crate::flow::Tables;
use crate::model::{Fidelity, Load, Model, Phase};
use crate::prometheus::Target;
use crate::provider::{Ask, Grant, Return};
use crate::slab::Slab;
use crate::station::Station;

use append::Append;
use cache::Warming;
use connections::Connections;
use event::{EVENTS, Event, INDEX_BITS};
use faults::Faults;
use files::Files;
use flow::Flows;
use hosted::Service;
pub(crate) use machine::Manner;
use people::People;
use pool::Restart;
use proxy::Balancer;
use redis::Store;
use server::Server;

/// What a controller may learn.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A look at the world.
    Observed(Observation),
    /// A command has ended.
    Completed {
        /// Which.
        id: CommandId,
        /// How.
        outcome: Outcome,
        /// The term of the host that gave it.
        term: u32,
    },
    /// A person asks for something.
    Asked(OperatorRequest),
    /// An interval of the timeline is over.
    Interval,
    /// A fault of the controller's host begins or ends.
    Fault {
        /// Its position among the model's faults.
        fault: u16,
        /// Whether it begins.
        begins: bool,
    },
}

/// A source of open arrivals and the time of its next one.
#[derive(Debug)]
struct Source {
    arrivals: Arrivals,
    class: Option<u16>,
    next: u64,
}

/// A kind of request or job: its steps and their draws.
#[derive(Debug)]
struct Class {
    phases: Vec<Phase>,
    draws: Vec<Draws>,
}

/// Requests of each kind that stand for all, where they are not followed one by one.
const ATOMS: usize = 256;

impl Event {
    const fn payload(self, index: u32) -> u32 {
        ((self as u32) << INDEX_BITS) | index
    }
}

/// The world of one group.
#[derive(Debug)]
pub struct World<S> {
    model: Model,
    /// Takes each fact as it happens.
    pub sink: S,
    now: u64,
    events: EventList,
    sources: Vec<Source>,
    next_arrival: (u64, usize),
    /// When each server's cores finish something next; after them, when an answer of Redis and of
    /// the storage arrives next, if these are on the primary, and when a transfer ends next.
    clocks: Vec<u64>,
    next_clock: (u64, usize),
    servers: Vec<Server>,
    targets: Vec<Target>,
    alertmanager: Option<Alertmanager>,
    /// Notifications on their way, in the order in which they arrive.
    notifications: VecDeque<Alert>,
    tasks: Slab,
    classes: Vec<Class>,
    balancer: Balancer,
    connections: Option<Connections>,
    backlog: VecDeque<u32>,
    /// Those in the backlog whose clients have been answered with an error.
    backlog_dead: usize,
    redis: Service,
    store: Option<Store>,
    append: Option<Append>,
    database: Station,
    nfs: Service,
    files: Option<Files>,
    warming: Warming,
    people: Vec<People>,
    queues: [VecDeque<u32>; 3],
    restarts: VecDeque<Restart>,
    /// Commands under way, and starts that the provider granted.
    effects: Vec<Option<(Command, Manner)>>,
    /// Hosts of a lower term are not heard.
    term: u32,
    /// Starts that the provider is asked for, where it has limits.
    asks: Vec<Ask>,
    /// What a provider with limits gave for each server.
    grants: Vec<Grant>,
    /// What was given back to it.
    returns: Vec<Return>,
    /// What is to be told at once.
    pending: VecDeque<Notice>,
    faults: Option<Box<Faults>>,
    /// Faults that are on may befall visits.
    impeded: bool,
    /// How often each request from outside is sent.
    storm: u32,
    interval: Span,
    requests: u64,
    jobs: u64,
    in_flight: u64,
    steps: u64,
    timeout_armed: bool,
    moving: bool,
    next_job_server: usize,
    choose: Choices,
    /// In place of arrivals and people, where requests are not followed one by one.
    flows: Option<Box<Flows>>,
}

/// Streams of the choices that a request makes.
#[derive(Debug)]
struct Choices {
    class: Uniforms,
    bench: Uniforms,
    job: Uniforms,
    boot: Draws,
    services: Draws,
    services_stop: Draws,
    stop: Draws,
    class_weights: Vec<f64>,
    bench_weights: Vec<f64>,
}

impl Choices {
    fn new(model: &Model) -> Self {
        let seed = model.seed;
        let machine = &model.machine;
        Self {
            class: Uniforms::new(seed, "request/class"),
            bench: Uniforms::new(seed, "request/bench"),
            job: Uniforms::new(seed, "request/job"),
            boot: Draws::new(&machine.boot, seed, "machine/boot"),
            services: Draws::new(&machine.services, seed, "machine/services"),
            services_stop: Draws::new(&machine.services_stop, seed, "machine/services-stop"),
            stop: Draws::new(&machine.stop, seed, "machine/stop"),
            class_weights: cumulative(model.requests.iter().map(|class| f64::from(class.weight))),
            bench_weights: cumulative(model.benches.iter().map(|bench| bench.share)),
        }
    }
}

/// Cumulative shares of `weights`, the last one 1.
fn cumulative(weights: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let total: f64 = weights.clone().sum();
    let mut sum = 0.0;
    weights
        .map(|weight| {
            sum += weight;
            sum / total
        })
        .collect()
}

/// The position that a uniform draw from (0, 1] falls on.
fn pick(shares: &[f64], draw: f64) -> usize {
    shares.iter().position(|&share| draw <= share).unwrap_or(shares.len() - 1)
}

impl<S: FactSink> World<S> {
    /// The world of `model` at its start: the primary serves, the standbys are stopped.
    /// [`Notice::Interval`] comes each `interval`.
    pub fn new(model: Model, interval: Span, sink: S) -> Self {
        Self::sharing(model, interval, sink, None)
    }

    /// The same, with tables that it shares with other groups, if there are any.
    pub(crate) fn sharing(
        model: Model,
        interval: Span,
        sink: S,
        tables: Option<&Arc<Tables>>,
    ) -> Self {
        let classes = classes_of(&model);
        let stride = classes.iter().map(|class| class.phases.len()).max().unwrap_or(0);
        let fluid = model.fidelity == Fidelity::Fluid;
        let shared = || tables.map_or_else(|| Arc::new(Tables::new(&model, ATOMS)), Arc::clone);
        let flows = fluid.then(|| Box::new(Flows::new(&model, shared())));
        let (sources, people) = if fluid { Default::default() } else { loads_of(&model) };
        let mut world = Self {
            sink,
            now: 0,
            events: EventList::default(),
            sources,
            next_arrival: (u64::MAX, 0),
            clocks: vec![u64::MAX; model.servers.len() + hosted::clocks(&model)],
            next_clock: (u64::MAX, 0),
            servers: servers_of(&model),
            targets: targets_of(&model),
            alertmanager: model.alerts.as_ref().map(Alertmanager::new),
            notifications: VecDeque::new(),
            tasks: Slab::new(stride),
            classes,
            balancer: Balancer::new(&model),
            connections: Connections::new(&model),
            backlog: VecDeque::new(),
            backlog_dead: 0,
            redis: Service::new(model.redis),
            database: Station::new(model.database),
            nfs: Service::new(model.nfs),
            store: Store::new(&model),
            append: Append::new(&model),
            files: Files::new(&model),
            warming: Warming::new(&model.cache),
            people,
            queues: Default::default(),
            restarts: VecDeque::new(),
            effects: Vec::new(),
            term: 0,
            asks: Vec::new(),
            grants: vec![Grant::Nothing; model.servers.len()],
            returns: Vec::new(),
            pending: VecDeque::new(),
            faults: Faults::new(&model),
            impeded: false,
            storm: 1,
            interval,
            requests: 0,
            jobs: 0,
            in_flight: 0,
            steps: 0,
            timeout_armed: false,
            moving: false,
            next_job_server: 0,
            choose: Choices::new(&model),
            flows,
            model,
        };
        world.open();
        world
    }

    /// Nanoseconds since the start of the run.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Events processed so far.
    pub const fn events(&self) -> u64 {
        self.steps
    }

    /// Requests between arrival and answer.
    pub const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether a sequence is under way, so that health and work in flight are read often.
    pub const fn set_moving(&mut self, moving: bool) {
        self.moving = moving;
    }

    /// The moment that is `now` nanoseconds into the run.
    pub fn timestamp(&self, now: u64) -> Timestamp {
        self.model.start + Span::from_nanos(now.cast_signed())
    }

    /// Runs until a notice, but not past `limit`; at the limit there is none.
    pub fn advance(&mut self, limit: u64) -> Option<Notice> {
        if !self.pending.is_empty() {
            return self.pending.pop_front();
        }
        loop {
            let event = self.events.next_time();
            let (clock, which) = self.next_clock;
            let (arrival, source) = self.next_arrival;
            let next = event.min(clock).min(arrival);
            if next > limit {
                self.now = limit;
                return None;
            }
            self.now = next;
            self.steps += 1;
            if event == next {
                if let Some(notice) = self.handle() {
                    return Some(notice);
                }
            } else if clock == next {
                self.clock(which);
            } else {
                self.open_arrival(source);
            }
        }
    }

    fn handle(&mut self) -> Option<Notice> {
        let payload = self.events.pop()?;
        let index = payload & ((1 << INDEX_BITS) - 1);
        let event = EVENTS[(payload >> INDEX_BITS) as usize];
        if event == Event::PhaseDone {
            self.phase_done(index);
            return None;
        }
        self.handle_other(event, index)
    }

    /// All but the end of a visit, which flows do not know.
    fn handle_other(&mut self, event: Event, index: u32) -> Option<Notice> {
        if self.flows.is_some() && self.reads_flows(event, index as usize) {
            self.flow_on();
        }
        match event {
            Event::PhaseDone => {}
            Event::FlowPhaseDone => self.flow_phase_done(index),
            Event::Overloaded => self.overloaded(index),
            Event::Timeout => self.timed_out(),
            Event::Person => self.person(index),
            Event::CronJob => self.cron_job(index as usize),
            Event::Snapshot => self.snapshot(index as usize),
            Event::Fsync => self.fsync_due(),
            Event::PutOff => self.put_off(),
            Event::Synced => self.synced(),
            Event::Effect => return self.effect(index as usize),
            Event::Granted => self.granted(index as usize),
            Event::Scrape => self.scrape(index as usize),
            Event::Evaluate => return Some(self.evaluate()),
            Event::Health => return self.health(),
            Event::Interval => {
                self.at(self.now + self.interval.as_nanos().cast_unsigned(), Event::Interval, 0);
                self.settle();
                return Some(Notice::Interval);
            }
            Event::Resize => self.resize(index as usize),
            Event::Resized => self.resized(index as usize),
            Event::SlowStart => self.slow_start(index as usize),
            Event::WorkerStarted => self.worker_started(),
            Event::Flush => self.flush(index as usize),
            Event::Notified => return self.notified(),
            Event::Check => self.check(),
            Event::CheckTimedOut => self.checked(index as usize, false),
            Event::Connected => self.connected(index),
            Event::Fault => return self.fault(index),
            Event::Deliver => self.deliver(index as usize),
            Event::Held => self.held(index, true),
            Event::Linked => self.held(index, false),
            Event::Unavailable => self.unavailable(index),
            Event::Operator => {
                return Some(Notice::Asked(self.model.operator[index as usize].1.clone()));
            }
        }
        None
    }

    fn at(&mut self, time: u64, event: Event, index: u32) {
        self.events.push(time, event.payload(index));
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn tell(&mut self, fact: Fact) {
        let at = self.timestamp(self.now);
        self.sink.fact(at, fact);
    }

    fn open(&mut self) {
        self.find_next_arrival();
        self.stored(|_| {});
        let primary = ServerId::PRIMARY;
        let up_for = 2 * self.model.monitoring.range.as_nanos();
        self.servers[0].start_serving(self.model.group.primary_weight, up_for);
        self.tell(Fact::PowerChanged { server: primary, on: true, commanded: true });
        self.tell(Fact::ReadyChanged { server: primary, ready: true });
        self.tell(Fact::RoutingChanged { server: primary, receives: true });
        let monitoring = self.model.monitoring;
        self.check();
        self.open_monitoring();
        self.at(monitoring.evaluate.as_nanos().cast_unsigned(), Event::Evaluate, 0);
        self.at(monitoring.health.as_nanos().cast_unsigned(), Event::Health, 0);
        self.at(self.interval.as_nanos().cast_unsigned(), Event::Interval, 0);
        self.open_snapshots();
        self.open_append();
        for index in 0..self.model.cron_jobs.len() {
            let first = self.model.cron_jobs[index].first.as_nanos().cast_unsigned();
            self.at(first, Event::CronJob, index as u32);
        }
        for index in 0..self.model.resizes.len() {
            let at = self.model.resizes[index].at.since(self.model.start);
            self.at(at.as_nanos().cast_unsigned(), Event::Resize, index as u32);
        }
        for index in 0..self.model.operator.len() {
            let at = self.model.operator[index].0.since(self.model.start);
            self.at(at.as_nanos().cast_unsigned(), Event::Operator, index as u32);
        }
        self.open_people();
        self.open_faults();
    }

    fn find_next_arrival(&mut self) {
        let mut next = (u64::MAX, 0);
        for (index, source) in self.sources.iter().enumerate() {
            if source.next < next.0 {
                next = (source.next, index);
            }
        }
        self.next_arrival = next;
    }

    fn open_arrival(&mut self, index: usize) {
        let source = &mut self.sources[index];
        source.next = source.arrivals.draw();
        let class = source.class;
        if self.sources.len() == 1 {
            self.next_arrival.0 = self.sources[0].next;
        } else {
            self.find_next_arrival();
        }
        let class = class.unwrap_or_else(|| {
            if self.choose.class_weights.len() == 1 {
                return 0;
            }
            let draw = self.choose.class.draw();
            pick(&self.choose.class_weights, draw) as u16
        });
        self.arrive(class, crate::slab::NONE);
        for _ in 1..self.storm {
            self.arrive(class, crate::slab::NONE);
        }
    }
}

/// All kinds, requests first; each step of each has a stream of its own.
fn classes_of(model: &Model) -> Vec<Class> {
    let build = |kind: &str, name: &str, phases: &[Phase]| Class {
        draws: phases
            .iter()
            .enumerate()
            .map(|(step, phase)| {
                Draws::new(&phase.demand, model.seed, &format!("{kind}/{name}/{step}"))
            })
            .collect(),
        phases: phases.to_vec(),
    };
    let requests = model.requests.iter().map(|class| build("request", &class.name, &class.phases));
    let jobs = model.jobs.iter().map(|class| build("job", &class.name, &class.phases));
    let held = append::phases(model).into_iter().flatten();
    let held = held.map(|phases| build("redis", "held", &phases));
    requests.chain(jobs).chain(held).collect()
}

fn servers_of(model: &Model) -> Vec<Server> {
    let server = |(index, hardware)| Server::new(index, hardware, model);
    model.servers.iter().enumerate().map(server).collect()
}

fn targets_of(model: &Model) -> Vec<Target> {
    let monitoring = model.monitoring;
    let keep = monitoring.range.max(monitoring.delay).as_nanos();
    model.servers.iter().map(|_| Target::new(keep)).collect()
}

fn loads_of(model: &Model) -> (Vec<Source>, Vec<People>) {
    let (mut sources, mut people) = (Vec::new(), Vec::new());
    for (index, load) in model.loads.iter().enumerate() {
        match load {
            Load::Open(open) => {
                let mut arrivals = Arrivals::new(open, model.seed, &format!("load/{index}"));
                let next = arrivals.draw();
                let class = open.class.map(|class| class as u16);
                sources.push(Source { arrivals, class, next });
            }
            Load::Exam(exam) => people.push(People::new(exam.clone(), model.seed, index)),
        }
    }
    (sources, people)
}
