//! Queues of the textbooks as scenarios, and what a replication of one measures.

use std::path::Path;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse};
use tidegate_sim::world::World;

use super::stats::SEEDS;

/// The unit of time of the textbooks, in nanoseconds: 10 ms.
pub const UNIT: f64 = 1e7;

/// A server with one bench, which one kind of request visits.
pub struct Queue {
    /// Cores that its `cpu` phases share.
    pub cores: u32,
    /// Requests that are served at once.
    pub workers: u32,
    /// Requests that wait for a worker.
    pub waiting_room: u32,
    /// Servers of Redis, the database and the storage.
    pub stations: [u32; 3],
    /// Visits that may wait at the database, if only so many may.
    pub database_room: Option<u32>,
    /// The phases of a request, in the scenario's words.
    pub phases: String,
    /// The load, in the scenario's words.
    pub load: String,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            cores: 1,
            workers: 1,
            waiting_room: 100_000_000,
            stations: [1; 3],
            database_room: None,
            phases: format!("{{ wait = {} }}", exponential(1.0)),
            load: String::new(),
        }
    }
}

/// An exponential length with its mean in units.
pub fn exponential(mean: f64) -> String {
    format!("{{ exponential = \"{}\" }}", length(mean))
}

/// A length in units as a scenario writes it.
pub fn length(units: f64) -> String {
    format!("{}ns", (units * UNIT).round())
}

/// Poisson arrivals at `rate` a unit.
pub fn poisson(rate: f64) -> String {
    format!("{{ kind = \"constant\", rate = {} }}", rate * 1e9 / UNIT)
}

impl Queue {
    /// The scenario's model.
    pub fn model(&self) -> Model {
        let Self { cores, workers, waiting_room, stations: [redis, database, nfs], .. } = self;
        let Self { phases, load, .. } = self;
        let queue = self.database_room.map_or_else(String::new, |most| format!(", queue = {most}"));
        let text = format!(
            r#"
start = "2026-01-01T00:00[UTC]"
duration = "366d"
plans.one = {{ vcpu = {cores}, memory = "64GiB", price = "10 USD/month" }}
group = {{ primary = "one", standbys = 0 }}
server = {{ job_workers = {{ short = 0, default = 0, long = 0 }} }}
bench = [{{ name = "one", workers = {workers}, accept_queue = {waiting_room} }}]
memory = {{ worker = "1MiB" }}
monitoring = {{ scrape = "1h", evaluate = "1h", health = "1h" }}
proxy = {{ latency = "0s", timeout = "366d" }}
redis = {{ servers = {redis}, latency = "0s", touch = "0s" }}
database = {{ servers = {database}, latency = "0s", touch = "0s"{queue} }}
nfs = {{ servers = {nfs}, latency = "0s", touch = "0s" }}
request = [{{ name = "one", phases = [{phases}] }}]
load = [{load}]
"#
        );
        parse("queue", "queue.toml", &text, Path::new("."), &Overrides::default()).unwrap()
    }

    /// Replications with seeds 1, 2, …
    pub fn replicate(&self, lengths: Lengths) -> Vec<Means> {
        let model = self.model();
        let replicate = |seed| means(Model { seed, ..model.clone() }, lengths);
        (1..=SEEDS as u64).map(replicate).collect()
    }
}

/// What a replication found, in units of time.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Mean time until a worker takes a request up, of those served.
    pub wait: f64,
    /// Mean time from arrival to answer, of those served.
    pub response: f64,
    /// Share of the served that waited at all.
    pub waited: f64,
    /// Share of the arrivals that was refused.
    pub lost: f64,
    /// Served a unit.
    pub throughput: f64,
}

/// Sums over a window of time.
#[derive(Debug)]
struct Window {
    from: Timestamp,
    arrived: u64,
    served: u64,
    lost: u64,
    waited: u64,
    wait_ns: i64,
    response_ns: i64,
}

impl FactSink for Window {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        if at < self.from {
            return;
        }
        if let Fact::RequestServed { latency, wait, .. } = fact {
            self.served += 1;
            self.waited += u64::from(!wait.is_zero());
            self.wait_ns += wait.as_nanos();
            self.response_ns += latency.as_nanos();
        }
        self.arrived += u64::from(matches!(fact, Fact::RequestArrived { .. }));
        self.lost += u64::from(matches!(fact, Fact::RequestFailed { .. }));
    }
}

fn means(model: Model, lengths: Lengths) -> Means {
    let (deleted, counted) = (10.0 * lengths.memory, lengths.counted);
    let from = model.start + Span::from_nanos((deleted * UNIT) as i64);
    let window =
        Window { from, arrived: 0, served: 0, lost: 0, waited: 0, wait_ns: 0, response_ns: 0 };
    let mut world = World::new(model, Span::from_hours(24), window);
    while world.advance(((deleted + counted) * UNIT) as u64).is_some() {}
    let found = world.sink;
    let served = found.served as f64;
    Means {
        wait: found.wait_ns as f64 / served / UNIT,
        response: found.response_ns as f64 / served / UNIT,
        waited: found.waited as f64 / served,
        lost: found.lost as f64 / found.arrived as f64,
        throughput: served / counted,
    }
}

/// How long a replication is, in units.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// The time within which the queue forgets; ten such times are deleted as warm-up, so that what
    /// is left of an empty start is e⁻¹⁰ of itself.
    pub memory: f64,
    /// Time over which means are taken.
    pub counted: f64,
}

impl Lengths {
    /// For so many `servers` at `load` each, with service times of mean 1.
    ///
    /// An M/M/1 queue forgets at the rate (1 − √ρ)² (Cohen 1982), more servers c times as fast, a
    /// variable service time (1 + c²) ÷ 2 times as slowly, and none faster than a service time.
    /// 120 such times are counted, 500 service times and 12,000 arrivals at least.
    pub fn of(servers: f64, load: f64, square_cv: f64) -> Self {
        let memory = f64::midpoint(1.0, square_cv) / servers / (1.0 - load.sqrt()).powi(2) + 1.0;
        let counted = (120.0 * memory).max(500.0).max(12_000.0 / (servers * load));
        Self { memory, counted }
    }
}
