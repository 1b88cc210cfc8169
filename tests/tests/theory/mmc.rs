//! M/M/c by Erlang's formulas, with unlimited and with limited waiting room.

use super::queue::{Lengths, Means, Queue, exponential, poisson};
use super::stats::{Family, SEEDS};
use super::table::{Row, Table};

/// Independent events that are expected less often than this in all seeds are compared in sum.
const RARE: f64 = 2_000.0;

/// What comes too rarely to be compared row by row: sums over the rows.
#[derive(Default)]
struct Pool {
    exact: f64,
    found: Vec<f64>,
}

impl Pool {
    /// Adds a row's exact value, and what each seed found.
    fn add(&mut self, exact: f64, found: impl Iterator<Item = f64>) {
        self.exact += exact;
        self.found.resize(SEEDS, 0.0);
        self.found.iter_mut().zip(found).for_each(|(sum, one)| *sum += one);
    }

    fn compare(self, what: &str, family: &mut Family) {
        if !self.found.is_empty() {
            family.compare(what, self.exact, self.found.into_iter());
        }
    }
}

/// Comparisons of the probability of waiting and of the mean wait.
#[derive(Default)]
pub struct Waits {
    /// Those that stand for themselves.
    pub family: Family,
    rare_shares: Pool,
    rare_times: Pool,
}

impl Waits {
    /// Compares a row. Those who wait come in bunches of about 1 ÷ (1 − ρ), and bunches that are
    /// nearer to each other than the queue's memory are one.
    pub fn add(&mut self, row: &Row, lengths: Lengths, found: &[Means]) {
        let (servers, load) = (row.get("c"), row.get("rho"));
        let (share, wait) = (row.get("P_wait"), row.get("Wq_in_service_times"));
        let waited = found.iter().map(|one| one.waited);
        let waits = found.iter().map(|one| one.wait);
        let Lengths { memory, counted } = lengths;
        let bunches = share * counted * (servers * load * (1.0 - load)).min(1.0 / memory);
        if bunches * (SEEDS as f64) < RARE {
            self.rare_shares.add(share, waited);
            self.rare_times.add(wait, waits);
        } else {
            self.family.compare(format!("waiting of {servers} servers at {load}"), share, waited);
            self.family.compare(format!("wait of {servers} servers at {load}"), wait, waits);
        }
    }

    /// All comparisons, those in sum included.
    pub fn finish(mut self) -> Family {
        self.rare_shares.compare("waiting where it is rare", &mut self.family);
        self.rare_times.compare("wait where it is rare", &mut self.family);
        self.family
    }
}

/// The rows of M/M/c whose load is at least the first and below the second of `loads`; replications
/// are so many times as long as usual.
fn compare(loads: [f64; 2], length: f64) -> Family {
    let mut waits = Waits::default();
    for row in Table::read("mmc.csv").rows() {
        let (servers, load) = (row.get("c"), row.get("rho"));
        if load < loads[0] || load >= loads[1] {
            continue;
        }
        let queue =
            Queue { workers: servers as u32, load: poisson(servers * load), ..Queue::default() };
        let usual = Lengths::of(servers, load, 1.0);
        let lengths = Lengths { counted: usual.counted * length, ..usual };
        let found = queue.replicate(lengths);
        let (what, exact) =
            (format!("response of {servers} at {load}"), row.get("W_in_service_times"));
        waits.family.compare(what, exact, found.iter().map(|one| one.response));
        waits.add(&row, lengths, &found);
    }
    waits.finish()
}

#[test]
fn many_servers_agree_with_erlang() {
    let family = compare([0.0, 0.93], 1.0);
    family.assert_exact("M/M/c", 0.25);
    family.assert_shrinks();
}

#[test]
#[ignore = "a quarter of a minute of one core: the rows at 95 %"]
fn many_servers_agree_with_erlang_near_saturation() {
    compare([0.93, 0.97], 1.0).assert_exact("M/M/c at 95 %", 0.3);
}

/// A queue at 99 % remembers 25 times as long as one at 95 %: thirty such times have to do.
#[test]
#[ignore = "minutes of one core: the rows at 99 %"]
fn many_servers_agree_with_erlang_at_the_edge_of_saturation() {
    compare([0.97, 1.0], 0.25).assert_exact("M/M/c at 99 %", 0.35);
}

/// Arrivals that a replication of a limited queue counts.
const ARRIVALS: f64 = 30_000.0;

/// The same queues as a station whose own queue is limited, with a worker for each visit.
#[test]
fn a_station_with_a_limited_queue_loses_as_theory_says() {
    let (mut family, mut losses) = (Family::default(), Pool::default());
    for row in Table::read("mmck.csv").rows().filter(|row| row.get("p_loss") > 1e-6) {
        let (rate, service, servers) = (row.get("lambda"), row.get("mu"), row.get("c"));
        let room = row.get("K_total");
        let queue = Queue {
            workers: 1_000,
            stations: [1, servers as u32, 1],
            database_room: Some((room - servers) as u32),
            phases: format!("{{ database = {} }}", exponential(1.0 / service)),
            load: poisson(rate),
            ..Queue::default()
        };
        let found = queue.replicate(Lengths { memory: 2.0, counted: ARRIVALS / rate });
        let all = |value: fn(&Means) -> f64| found.iter().map(value);
        let name = |what| format!("{what} of λ {rate}, μ {service}, c {servers}, K {room}");
        family.compare(name("response"), row.get("W"), all(|one| one.response));
        let loss = row.get("p_loss");
        if loss * ARRIVALS * (SEEDS as f64) < 2.0 * RARE {
            losses.add(loss, all(|one| one.lost));
        } else {
            family.compare(name("loss"), loss, all(|one| one.lost));
        }
    }
    losses.compare("loss where it is rare", &mut family);
    family.assert_exact("M/M/c/K at a station", 0.3);
    family.assert_shrinks();
}

#[test]
fn limited_waiting_room_loses_and_delays_as_theory_says() {
    let (mut family, mut losses) = (Family::default(), Pool::default());
    for row in Table::read("mmck.csv").rows() {
        let (rate, service, servers) = (row.get("lambda"), row.get("mu"), row.get("c"));
        let room = row.get("K_total");
        let queue = Queue {
            workers: servers as u32,
            waiting_room: (room - servers) as u32,
            phases: format!("{{ wait = {} }}", exponential(1.0 / service)),
            load: poisson(rate),
            ..Queue::default()
        };
        let found = queue.replicate(Lengths { memory: 2.0, counted: ARRIVALS / rate });
        let all = |value: fn(&Means) -> f64| found.iter().map(value);
        let name = |what| format!("{what} of λ {rate}, μ {service}, c {servers}, K {room}");
        family.compare(name("response"), row.get("W"), all(|one| one.response));
        family.compare(name("throughput"), row.get("throughput"), all(|one| one.throughput));
        let expected = |share: f64| share * ARRIVALS * SEEDS as f64;
        // Losses come in bunches of a few.
        let loss = row.get("p_loss");
        if expected(loss) < 2.0 * RARE {
            losses.add(loss, all(|one| one.lost));
        } else {
            family.compare(name("loss"), loss, all(|one| one.lost));
        }
        // One that waits does so for about a service time of all servers together. Where hardly
        // anyone does, the response says it all.
        let wait = row.get("Wq");
        if expected(wait * servers * service) > 2.0 * RARE {
            family.compare(name("wait"), wait, all(|one| one.wait));
        }
    }
    losses.compare("loss where it is rare", &mut family);
    family.assert_exact("M/M/c/K", 0.3);
    family.assert_shrinks();
}
