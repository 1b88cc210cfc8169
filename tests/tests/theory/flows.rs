//! The same queues in flows: means of the stationary queue, and the fluid limit above saturation.
//!
//! Flows do not draw, so one run says it all; what it says is compared with a bound that was
//! measured and rounded up.

use tidegate_core::fact::{Fact, FactSink, Flow};
use tidegate_core::record::Fidelity;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::world::World;

use super::mg1::{rows, service};
use super::network::response;
use super::queue::{Queue, UNIT, exponential, length, poisson};
use super::table::Table;

/// Units that a stationary queue is looked at.
const LONG: f64 = 1e6;

/// What was told of all requests, in units of time.
#[derive(Debug, Default)]
struct Told {
    served: u64,
    failed: u64,
    answered: f64,
    waited: f64,
    wait: f64,
    response: f64,
    /// Latencies, and how many had each.
    latencies: Vec<(f64, f64)>,
}

impl Told {
    fn flow(&mut self, flow: Flow) {
        if let Flow::Took { count, latency, wait } = flow {
            self.took(count, latency, wait);
        }
        if let Flow::Served { count, .. } = flow {
            self.served += count;
        }
        if let Flow::Failed { count, .. } = flow {
            self.failed += count;
        }
    }

    fn took(&mut self, count: u64, latency: Span, wait: Span) {
        let (count, units) = (count as f64, |span: Span| span.as_nanos() as f64 / UNIT);
        self.answered += count;
        self.waited += if wait.is_zero() { 0.0 } else { count };
        self.wait += count * units(wait);
        self.response += count * units(latency);
        self.latencies.push((units(latency), count));
    }

    fn wait(&self) -> f64 {
        self.wait / self.answered
    }

    fn response(&self) -> f64 {
        self.response / self.answered
    }

    fn p95(mut self) -> f64 {
        self.latencies.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut below = 0.0;
        let mut reach = |(latency, count): (f64, f64)| {
            below += count;
            (below >= 0.95 * self.answered).then_some(latency)
        };
        self.latencies.into_iter().find_map(&mut reach).unwrap()
    }
}

impl FactSink for Told {
    fn fact(&mut self, _: Timestamp, fact: Fact) {
        if let Fact::Flow(flow) = fact {
            return self.flow(flow);
        }
        if let Fact::RequestServed { latency, wait, .. } = fact {
            self.served += 1;
            self.took(1, latency, wait);
        }
        self.failed += u64::from(matches!(fact, Fact::RequestFailed { .. }));
    }
}

fn world(model: Model, fidelity: Fidelity) -> World<Told> {
    World::new(Model { fidelity, ..model }, Span::from_hours(24), Told::default())
}

/// Goes on to so many units after the start.
fn go(world: &mut World<Told>, units: f64) {
    while world.advance((units * UNIT) as u64).is_some() {}
    world.settle();
}

/// The same, looking each 25 units, as monitoring does: a flow's step is no longer than that.
fn watch(world: &mut World<Told>, units: f64) {
    let from = world.now() as f64 / UNIT;
    let looks = ((units - from) / 25.0).ceil();
    (1..=looks as u32).for_each(|look| go(world, from + f64::from(look) * (units - from) / looks));
}

/// What flows say of a queue, from empty.
fn flows(queue: &Queue) -> Told {
    let mut world = world(queue.model(), Fidelity::Fluid);
    go(&mut world, LONG);
    world.sink
}

/// The deviations of one kind, and the greatest that is allowed.
struct Bound {
    what: &'static str,
    most: f64,
    off: Vec<(f64, String)>,
}

impl Bound {
    fn new(what: &'static str, most: f64) -> Self {
        Self { what, most, off: Vec::new() }
    }

    fn compare(&mut self, name: &str, found: f64, exact: f64) {
        self.off.push(((found / exact - 1.0).abs(), format!("{name}: {found}, exact {exact}")));
    }

    #[expect(clippy::print_stderr, reason = "figures for the page on the model")]
    fn assert(mut self) {
        self.off.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (worst, name) = self.off.last().unwrap();
        let median = self.off[self.off.len() / 2].0;
        eprintln!(
            "{}: {} comparisons; off by {:.2} % in the median, {:.2} % at worst ({name})",
            self.what,
            self.off.len(),
            100.0 * median,
            100.0 * worst,
        );
        assert!(*worst <= self.most, "{}: {name}", self.what);
    }
}

fn sharing(cores: u32, load: f64) -> Queue {
    Queue {
        cores,
        workers: 5_000,
        phases: format!("{{ cpu = {} }}", exponential(1.0)),
        load: poisson(f64::from(cores) * load),
        ..Queue::default()
    }
}

#[test]
fn shared_cores_take_as_long_as_theory_says() {
    let mut bound = Bound::new("response on shared cores in flows", 0.015);
    for cores in [1, 2, 4, 8] {
        for load in [0.3, 0.5, 0.7, 0.8, 0.9] {
            let found = flows(&sharing(cores, load)).response();
            let exact = response(cores, f64::from(cores) * load, 1.0);
            bound.compare(&format!("{cores} cores at {load}"), found, exact);
        }
    }
    bound.assert();
}

/// No formula gives percentiles of shared cores: requests one by one do.
#[test]
fn percentiles_of_shared_cores_are_those_of_requests() {
    let mut bound = Bound::new("95th percentile on shared cores in flows", 0.08);
    for cores in [1, 2, 4, 8] {
        for load in [0.3, 0.5, 0.7, 0.9] {
            let queue = sharing(cores, load);
            let mut requests = world(queue.model(), Fidelity::Request);
            go(&mut requests, 1e5);
            let name = format!("{cores} cores at {load}");
            bound.compare(&name, flows(&queue).p95(), requests.sink.p95());
        }
    }
    bound.assert();
}

#[test]
fn shared_cores_do_not_feel_the_shape_of_the_work() {
    let mut bound = Bound::new("response on one shared core in flows, c² 0 to 16", 0.04);
    rows([0.0, 0.93], |row, name, square_cv, load| {
        let phases = format!("{{ cpu = {} }}", service(square_cv, true));
        let queue = Queue { workers: 5_000, phases, load: poisson(load), ..Queue::default() };
        bound.compare(name, flows(&queue).response(), row.get("W_PS_(insensitive)"));
    });
    bound.assert();
}

/// Waits of fewer than one request in 256, the size of the sample, are not seen; they are compared
/// where at least one in 50 waits.
#[test]
fn workers_keep_waiting_as_long_as_erlang_says() {
    let mut waits = Bound::new("wait for a worker in flows, M/M/c", 0.07);
    let mut shares = Bound::new("share that waits in flows, M/M/c", 0.08);
    let mut responses = Bound::new("response in flows, M/M/c", 0.01);
    let mut saturated = Bound::new("response in flows, M/M/c at 95 and 99 %", 0.08);
    for row in Table::read("mmc.csv").rows() {
        let (servers, load) = (row.get("c"), row.get("rho"));
        let load_of_all = poisson(servers * load);
        let queue = Queue { workers: servers as u32, load: load_of_all, ..Queue::default() };
        let told = flows(&queue);
        let name = &format!("{servers} workers at {load}");
        let near = if load < 0.93 { &mut responses } else { &mut saturated };
        near.compare(name, told.response(), row.get("W_in_service_times"));
        if load < 0.93 && row.get("P_wait") > 0.02 {
            waits.compare(name, told.wait(), row.get("Wq_in_service_times"));
            shares.compare(name, told.waited / told.answered, row.get("P_wait"));
        }
    }
    waits.assert();
    shares.assert();
    responses.assert();
    saturated.assert();
}

#[test]
fn one_worker_keeps_waiting_as_long_as_pollaczek_and_khinchine_say() {
    let mut bound = Bound::new("wait for a worker in flows, M/G/1", 0.02);
    rows([0.25, 0.93], |row, name, square_cv, load| {
        let phases = format!("{{ wait = {} }}", service(square_cv, false));
        let queue = Queue { phases, load: poisson(load), ..Queue::default() };
        bound.compare(name, flows(&queue).wait(), row.get("Wq_FCFS_in_service_times"));
    });
    bound.assert();
}

/// Six a unit come to four workers for a thousand units, then two.
#[test]
fn above_saturation_the_queue_grows_and_empties_as_the_fluid_does() {
    let busy = format!("{{ kind = \"constant\", rate = 400, for = \"{}\" }}", length(1_000.0));
    let load = format!("{}, {busy}", poisson(2.0));
    let queue = Queue { workers: 4, load, ..Queue::default() };
    let mut world = world(queue.model(), Fidelity::Fluid);
    for (units, fluid) in [(250.0, 500.0), (500.0, 1_000.0), (1_000.0, 2_000.0), (1_500.0, 1_000.0)]
    {
        watch(&mut world, units);
        let present = world.in_flight() as f64;
        assert!((present - fluid).abs() < 0.02 * fluid, "{present} after {units}");
    }
    watch(&mut world, 2_050.0);
    // M/M/4 at a half holds 2.17.
    assert!(world.in_flight() <= 4, "{}", world.in_flight());
}

#[test]
fn what_does_not_fit_in_is_refused() {
    let load = poisson(6.0);
    let queue = Queue { workers: 4, waiting_room: 100, load, ..Queue::default() };
    let mut world = world(queue.model(), Fidelity::Fluid);
    watch(&mut world, 10_000.0);
    let Told { served, failed, .. } = world.sink;
    // 104 fit in; of six, four are served, but for the time that a stationary queue of that length
    // idles: at most one in 105.
    assert!((served as f64 - 40_000.0).abs() < 500.0, "{served}");
    assert!((failed as f64 - (20_000.0 - 104.0)).abs() < 500.0, "{failed}");
    assert_eq!(world.in_flight(), 104);
}

/// Twelve a unit come to eight workers: after s units a request waits s ÷ 2, so those of the first
/// 100 units have their answer within 50 and no other has.
#[test]
fn those_who_wait_too_long_fail_though_they_are_served() {
    let queue = Queue { workers: 8, load: poisson(12.0), ..Queue::default() };
    let mut model = queue.model();
    model.proxy.timeout = Span::from_nanos((50.0 * UNIT) as i64);
    for fidelity in [Fidelity::Fluid, Fidelity::Request] {
        let mut world = world(model.clone(), fidelity);
        watch(&mut world, 500.0);
        let Told { served, failed, .. } = world.sink;
        assert!((served as f64 - 1_200.0).abs() < 90.0, "{fidelity:?}: {served}");
        assert!((failed as f64 - 4_200.0).abs() < 210.0, "{fidelity:?}: {failed}");
    }
}
