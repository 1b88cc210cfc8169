//! One server's population of requests.

use std::sync::Arc;

use super::erlang::Delay;
use super::latency::Conditions;
use super::means::Means;
use super::station::Stations;
use super::tables::{Tables, workers_of_a_pool};
use crate::model::Hardware;

/// The part of its capacity up to which a server counts as stable when delays are estimated.
const STABLE: f64 = 0.95;

/// What a server is: its cores and web workers.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    cores: Arc<Delay>,
    workers: Arc<Delay>,
    pools: f64,
    /// Requests that it accepts before it refuses.
    room: f64,
}

impl Site {
    /// A server of this hardware that accepts so many requests.
    pub fn new(hardware: &Hardware, room: f64, tables: &Tables) -> Self {
        Self {
            cores: tables.delay(hardware.vcpu),
            workers: tables.delay(workers_of_a_pool(hardware)),
            pools: hardware.web_workers.len().max(1) as f64,
            room,
        }
    }

    /// All web workers.
    pub fn workers(&self) -> f64 {
        self.workers.servers() * self.pools
    }
}

/// What a server is given in a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offered<'a> {
    /// Length of the step in seconds.
    pub length: f64,
    /// Requests a second.
    pub rate: f64,
    /// Mean demands of one of them.
    pub means: &'a Means,
    /// Cores that background jobs would keep busy if they had them alone.
    pub background: f64,
    /// Background jobs that are on the cores.
    pub tasks: f64,
    /// Those of them that stay there whatever the others do.
    pub lasting: f64,
    /// The server's share of the traffic, which it gets in turns.
    pub share: f64,
    /// Work a second that others give to the stations.
    pub others: [f64; 3],
    /// Time from arrival after which a client has its error.
    pub timeout: f64,
}

/// What became of the requests of a step, in numbers of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answered {
    /// Answered.
    pub served: f64,
    /// Refused, for the accept queue was full.
    pub refused: f64,
    /// Over time.
    pub timed_out: f64,
    /// Served a second, those over time included.
    pub throughput: f64,
}

/// Requests on one server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerFlow {
    /// Accepted and not finished.
    pub present: f64,
    /// Those of them whose clients have gone.
    pub gone: f64,
    /// Arrivals a second of late.
    recent: f64,
}

impl ServerFlow {
    /// Goes one step on; also returns the conditions that its requests met.
    pub fn step(
        &mut self,
        site: &Site,
        stations: &Stations,
        offered: &Offered<'_>,
    ) -> (Answered, Conditions) {
        let here = self.present + offered.rate * offered.length;
        let least = site.cores.servers();
        let crowd = here.clamp(least, site.workers().max(least));
        let cores = least * crowd / (crowd + offered.tasks);
        let system = System { site, stations, offered, cores };
        let most = system.most();
        let (throughput, conditions) = self.throughput(&system, most);
        let mut answered = Answered { throughput, ..Answered::default() };
        let left = throughput * offered.length;
        self.present = (self.present + offered.rate * offered.length - left).max(0.0);
        answered.refused = (self.present - site.room).max(0.0);
        self.present -= answered.refused;
        answered.timed_out = self.give_up(offered);
        let abandoned = self.gone.min(left);
        self.gone = (self.gone - abandoned).min(self.present);
        answered.served = left - abandoned;
        (answered, conditions)
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.present < 1e-6
    }

    /// Those whose clients still wait.
    pub const fn live(&self) -> f64 {
        self.present - self.gone
    }

    /// By what work on the cores is slower than on idle ones, where `tasks` others are.
    pub fn slowdown(&self, conditions: &Conditions, site: &Site, tasks: f64) -> f64 {
        let crowd = (self.present.min(site.workers()) + tasks) / site.cores.servers();
        let usual = 1.0 + conditions.delayed * conditions.slowdown;
        if conditions.backlog > 0.0 { usual.max(crowd) } else { usual }
    }

    /// Clients that have waited for the time-out leave; they came first.
    fn give_up(&mut self, offered: &Offered<'_>) -> f64 {
        let fresh = (offered.length / (offered.timeout / 2.0)).min(1.0);
        self.recent += (offered.rate - self.recent) * fresh;
        let patient = self.recent.max(offered.rate) * offered.timeout;
        let leaving = (self.present - self.gone - patient).max(0.0);
        self.gone += leaving;
        leaving
    }

    /// Solves n' = n + h (λ − θ) with n' = G(θ) for θ.
    fn throughput(&self, system: &System<'_>, most: f64) -> (f64, Conditions) {
        let Offered { length, rate, .. } = *system.offered;
        if length <= 0.0 {
            return (0.0, Conditions::default());
        }
        let all = self.present + rate * length;
        if rate < STABLE * most {
            let conditions = system.conditions(rate);
            let held = rate * conditions.mean;
            // One step of Newton's method from θ = λ; G rises at least as its chord.
            let slope = conditions.mean / (1.0 - rate / most);
            let throughput = rate - (held - self.present) / (length + slope);
            if throughput >= 0.0 && throughput < STABLE * most {
                return (throughput.min(all / length), conditions);
            }
        }
        let (mut low, mut high) = (0.0, most.min(all / length));
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if middle * (system.conditions(middle).mean + length) < all {
                low = middle;
            } else {
                high = middle;
            }
        }
        let present = all - low * length;
        let mut conditions = system.conditions(low.min(rate).min(STABLE * most));
        conditions.backlog(present, low, system.site.workers(), system.offered.timeout);
        (low, conditions)
    }
}

/// A server in its surroundings, during a step.
struct System<'a> {
    site: &'a Site,
    stations: &'a Stations,
    offered: &'a Offered<'a>,
    /// Cores that requests have when they are many, beside the background jobs.
    cores: f64,
}

impl System<'_> {
    /// The throughput that it cannot exceed.
    fn most(&self) -> f64 {
        let Offered { means, others, .. } = self.offered;
        let share = |room: f64, each: f64| if each > 0.0 { room / each } else { f64::INFINITY };
        let cores = share(self.cores, means.cpu);
        let workers = share(self.site.workers(), means.alone());
        let station =
            |index: usize| share(self.stations.room(index, others[index]), means.stations[index]);
        let least = (0..3).map(station).fold(cores.min(workers), f64::min);
        if least.is_finite() { least.max(1e-9) } else { 1e12 }
    }

    /// Beside n jobs that last, k cores that are otherwise busy for the share ρ serve each request
    /// (n + 1) ÷ (k (1 − ρ)) times as slowly as one alone, from n = k on exactly: with j requests
    /// there, they get j k ÷ (j + n) cores, and the number of them is negative binomial.
    fn beside_lasting(&self, throughput: f64, delayed: f64, slowdown: f64) -> (f64, f64) {
        let Offered { lasting, background, means, .. } = *self.offered;
        let cores = self.site.cores.servers();
        let idle = (cores - background - throughput * means.cpu).max(1e-3);
        let crowded = (lasting + 1.0) / idle - 1.0;
        if lasting > 0.0 && crowded > delayed * slowdown {
            (1.0, crowded)
        } else {
            (delayed, slowdown)
        }
    }

    /// The busy share of the cores when `throughput` requests are served a second. Background jobs
    /// take what is left, but shared with n of them a request finds at most n + 1 times as many on
    /// the cores that it can get.
    fn busy(&self, throughput: f64) -> f64 {
        let (cores, background) = (self.site.cores.servers(), self.offered.background);
        let work = throughput * self.offered.means.cpu;
        let web = (work / cores).min(1.0 - 1e-6);
        let all = (web + background / cores).min(1.0 - (1.0 - web) / (background + 1.0));
        all.max(work / self.cores).min(1.0 - 1e-6)
    }

    /// How much less even turns make a queue than arrivals at random: (a² + s²) ÷ (1 + s²), where
    /// the squared variation a² of gaps is the share of one who gets every m-th arrival, and s²
    /// that of the work; at low utilization less still (Krämer and Langenbach-Belz 1976).
    fn evenness(&self, squared_variation: f64, utilization: f64) -> f64 {
        let (share, variation) = (self.offered.share, squared_variation);
        let idle = 2.0 * (1.0 - utilization) * (1.0 - share) * (1.0 - share);
        let less = libm::exp(-idle / (3.0 * utilization.max(1e-3) * (share + variation)));
        less * (share + variation) / (1.0 + variation)
    }

    /// What a request meets when `throughput` of them are served a second.
    fn conditions(&self, throughput: f64) -> Conditions {
        let Offered { means, others, .. } = self.offered;
        let cores = &self.site.cores;
        let busy = self.busy(throughput);
        let waits = [0, 1, 2].map(|index| {
            let offered = others[index] + throughput * means.stations[index];
            self.stations.wait(index, offered, means)
        });
        let waited: f64 = (0..3).map(|index| waits[index].mean * means.visits[index]).sum();
        let held = means.alone() + waited;
        let workers = &self.site.workers;
        let taken = (throughput * held / self.site.workers()).min(1.0 - 1e-6);
        let variability = if held > 0.0 { 1.0 + means.variance / (held * held) } else { 2.0 };
        let even = self.evenness(variability - 1.0, taken);
        let queue = workers.wait(taken) * held * even * variability / 2.0;
        // Fewer are delayed, and those less.
        let less = self.evenness(means.cpu_variation(), busy).sqrt();
        let delayed = cores.probability(busy) * less;
        let slowdown = less / (cores.servers() * (1.0 - busy));
        let (delayed, slowdown) = self.beside_lasting(throughput, delayed, slowdown);
        Conditions {
            delayed,
            slowdown,
            waits,
            queued: workers.probability(taken),
            queue,
            backlog: 0.0,
            accept: 0.0,
            mean: held + queue + means.cpu * delayed * slowdown,
            busy,
            factor: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use crate::scenario::{Overrides, parse};

    /// A server of `cores`, and requests of 100 ms on them.
    fn setting(cores: u32) -> (Site, Stations, Means) {
        let text = r#"
start = "2026-03-02T00:00[UTC]"
duration = "1h"
plans.small = { vcpu = 2, memory = "4GiB", price = "125 USD/month" }
group = { primary = "small" }
redis = { touch = "0s" }
nfs = { touch = "0s" }
request = [{ name = "page", phases = [{ cpu = { exponential = "100ms" } }] }]
load = [{ kind = "constant", rate = 10.0 }]
"#;
        let model =
            parse("flow", "flow.toml", text, Path::new("."), &Overrides::default()).unwrap();
        let means = Means::of(&model, &model.requests[0].phases);
        let tables = Tables::new(&model, 1);
        let hardware =
            Hardware { vcpu: cores, web_workers: vec![1_000], ..model.servers[0].clone() };
        (Site::new(&hardware, 2_000.0, &tables), Stations::new(&model, &tables), means)
    }

    fn offered(means: &Means, rate: f64, length: f64) -> Offered<'_> {
        Offered {
            length,
            rate,
            means,
            background: 0.0,
            tasks: 0.0,
            lasting: 0.0,
            share: 1.0,
            others: [0.0; 3],
            timeout: 60.0,
        }
    }

    fn steps(rate: f64, length: f64, times: usize) -> (ServerFlow, Answered) {
        let (site, stations, means) = setting(2);
        let offered = offered(&means, rate, length);
        let (mut flow, mut answered) = (ServerFlow::default(), Answered::default());
        for _ in 0..times {
            answered = flow.step(&site, &stations, &offered).0;
        }
        (flow, answered)
    }

    #[test]
    fn below_saturation_it_holds_what_the_stationary_queue_holds() {
        // M/M/2 at 80 %: 2ρ ÷ (1 − ρ²) = 4.44 present.
        for length in [0.01, 1.0, 15.0] {
            let (flow, answered) = steps(16.0, length, (60.0 / length) as usize);
            assert!((flow.present - 4.444).abs() < 0.05, "{length}: {}", flow.present);
            assert!((answered.served / length - 16.0).abs() < 0.01, "{length}");
        }
    }

    #[test]
    fn above_saturation_it_grows_as_the_fluid_does_until_it_refuses() {
        let (flow, answered) = steps(30.0, 1.0, 20);
        assert!((flow.present - 200.0).abs() < 15.0, "{}", flow.present);
        assert!((answered.throughput - 20.0).abs() < 0.3, "{answered:?}");
        let (flow, answered) = steps(60.0, 1.0, 100);
        assert!(flow.present <= 2_000.0 && (answered.refused - 40.0).abs() < 0.5, "{answered:?}");
        assert!(flow.gone > 0.0 || answered.timed_out >= 0.0);
    }

    #[test]
    fn beside_jobs_that_last_requests_share_what_they_leave() {
        let (site, stations, means) = setting(2);
        // Half of two cores, and three jobs: (3 + 1) ρ ÷ (1 − ρ) = 4 present.
        let offered = Offered { tasks: 3.0, lasting: 3.0, ..offered(&means, 10.0, 1.0) };
        let mut flow = ServerFlow::default();
        for _ in 0..60 {
            flow.step(&site, &stations, &offered);
        }
        assert!((flow.present - 4.0).abs() < 0.05, "{}", flow.present);
    }

    #[test]
    fn a_server_that_gets_nothing_more_empties() {
        let (site, stations, means) = setting(2);
        let mut flow = ServerFlow { present: 200.0, ..ServerFlow::default() };
        let mut offered = offered(&means, 0.0, 1.0);
        for _ in 0..11 {
            flow.step(&site, &stations, &offered);
        }
        assert!(flow.present < 5.0, "{}", flow.present);
        offered.length = 5.0;
        for _ in 0..3 {
            flow.step(&site, &stations, &offered);
        }
        assert!(flow.present < 0.1, "{}", flow.present);
    }
}
