//! One server's population of requests.

use std::sync::Arc;

use super::erlang::Delay;
use super::latency::Conditions;
use super::means::Means;
use super::overflow::Overflow;
use super::station::Stations;
use super::system::System;
use super::tables::{Tables, workers_of_a_pool};
use crate::model::Hardware;

/// The part of its capacity up to which a server counts as stable when delays are estimated.
const STABLE: f64 = 0.95;

/// What a server is: its cores and web workers.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub cores: Arc<Delay>,
    pub workers_of_a_pool: Arc<Delay>,
    pools: f64,
    /// Requests that it accepts before it refuses.
    room: f64,
}

impl Site {
    /// A server of this hardware that accepts so many requests.
    pub fn new(hardware: &Hardware, room: f64, tables: &Tables) -> Self {
        Self {
            cores: tables.delay(hardware.vcpu),
            workers_of_a_pool: tables.delay(workers_of_a_pool(hardware)),
            pools: hardware.web_workers.len().max(1) as f64,
            room,
        }
    }

    /// All web workers.
    pub fn workers(&self) -> f64 {
        self.workers_of_a_pool.servers() * self.pools
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
    /// The part of what it could serve at most that it served when it was last near it.
    pace: f64,
    /// How it goes on, while it is full.
    overflow: Option<Overflow>,
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
        let full = self.present >= site.room;
        self.overflow = self.overflow.filter(|full| full.lasts(offered.rate, most));
        let (throughput, conditions) = match self.overflow {
            Some(Overflow { throughput, conditions, .. }) => (throughput, conditions),
            None => self.throughput(&system, most),
        };
        let mut answered = Answered { throughput, ..Answered::default() };
        let left = throughput * offered.length;
        self.present = (self.present + offered.rate * offered.length - left).max(0.0);
        answered.refused = (self.present - site.room).max(0.0);
        self.present = self.present.min(site.room);
        let abandoned = self.abandoned(left);
        answered.timed_out = self.give_up(offered, abandoned);
        answered.served = left - abandoned;
        if full && answered.refused > 0.0 {
            let overflow = Overflow { most, throughput, conditions };
            self.overflow = Some(overflow).filter(|full| full.lasts(offered.rate, most));
        }
        (answered, conditions)
    }

    /// Of those whose requests are done, as many as have gone before: they came first. On a full
    /// server others go while a step lasts.
    fn abandoned(&self, left: f64) -> f64 {
        if self.overflow.is_some() && self.gone > 0.0 { left } else { self.gone.min(left) }
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.present < 1e-6
    }

    /// Whether it gets neither fuller nor emptier for all the requests that it refuses.
    pub const fn overflows(&self) -> bool {
        self.overflow.is_some()
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

    /// Clients that have waited for the time-out leave; they came first, and so many of them are
    /// forgotten for their requests are done.
    fn give_up(&mut self, offered: &Offered<'_>, abandoned: f64) -> f64 {
        let fresh = (offered.length / (offered.timeout / 2.0)).min(1.0);
        self.recent += (offered.rate - self.recent) * fresh;
        let patient = self.recent.max(offered.rate) * offered.timeout;
        let before = self.gone - abandoned;
        let leaving = (self.present - before - patient).max(-before).max(0.0);
        self.gone = (before + leaving).min(self.present);
        leaving
    }

    /// Solves n' = n + h (λ − θ) with n' = G(θ) for θ.
    fn throughput(&mut self, system: &System<'_>, most: f64) -> (f64, Conditions) {
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
        let limit = most.min(all / length);
        let throughput = system.emptying(all, most, self.pace);
        self.pace = throughput / limit;
        let mut conditions = system.conditions(throughput.min(rate).min(STABLE * most));
        let present = all - throughput * length;
        conditions.backlog(present, throughput, system.site.workers(), system.offered.timeout);
        (throughput, conditions)
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

    #[test]
    fn a_full_server_does_the_same_in_long_steps_as_in_short_ones() {
        let (site, stations, means) = setting(2);
        // Two in three are refused, and those who are accepted wait for longer than they want to.
        let all_in = |length: f64, seconds: f64| {
            let offered = Offered { timeout: 20.0, ..offered(&means, 60.0, length) };
            let (mut flow, mut all) = (ServerFlow::default(), [0.0; 3]);
            let short = Offered { length: 1.0, ..offered };
            for _ in 0..200 {
                flow.step(&site, &stations, &short);
            }
            assert!(flow.overflows());
            for _ in 0..(seconds / length) as u32 {
                let (Answered { served, refused, timed_out, .. }, _) =
                    flow.step(&site, &stations, &offered);
                all = [all[0] + served, all[1] + refused, all[2] + timed_out];
            }
            all
        };
        let (short, long) = (all_in(1.0, 240.0), all_in(60.0, 240.0));
        for (short, long) in short.into_iter().zip(long) {
            assert!((short - long).abs() <= 1.0, "{short} {long}");
        }
        assert!((long.iter().sum::<f64>() - 60.0 * 240.0).abs() <= 1.0, "{long:?}");
        assert!(long[0] < 1.0 && (long[1] - 40.0 * 240.0).abs() < 10.0, "{long:?}");
    }
}
