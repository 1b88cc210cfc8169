//! A server in its surroundings, and the rates at which it stays as it is.

use super::latency::Conditions;
use super::root::falling_root;
use super::server::{Offered, Site};
use super::station::Stations;

/// A server in its surroundings, during a step.
pub(super) struct System<'a> {
    pub site: &'a Site,
    pub stations: &'a Stations,
    pub offered: &'a Offered<'a>,
    /// Cores that requests have when they are many, beside the background jobs.
    pub cores: f64,
}

impl System<'_> {
    /// The throughput that it cannot exceed.
    pub fn most(&self) -> f64 {
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
    pub fn conditions(&self, throughput: f64) -> Conditions {
        let Offered { means, others, .. } = self.offered;
        let cores = &self.site.cores;
        let busy = self.busy(throughput);
        let waits = [0, 1, 2].map(|index| {
            let offered = others[index] + throughput * means.stations[index];
            self.stations.wait(index, offered, means)
        });
        let waited: f64 = (0..3).map(|index| waits[index].mean * means.visits[index]).sum();
        let held = means.alone() + waited;
        let workers = &self.site.workers_of_a_pool;
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

    /// The throughput θ of a step at whose end as many of `all` requests are left as the stationary
    /// system holds: θ = (`all` − θ h) ÷ W(θ). Towards `most` W has a pole, and this no more than
    /// a zero: it is nearly a parabola. The root is looked for from `pace` of the limit on.
    pub fn emptying(&self, all: f64, most: f64, pace: f64) -> f64 {
        let length = self.offered.length;
        let limit = most.min(all / length);
        falling_root(limit, pace * limit, |throughput| {
            let held = self.conditions(throughput).mean.max(1e-9);
            let left = all - throughput * length;
            let slope = -1.0 - length / held - left / (held * (most - throughput).max(1e-9));
            (left / held - throughput, slope)
        })
    }
}
