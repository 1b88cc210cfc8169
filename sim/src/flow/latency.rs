//! How long requests take: a sample of each kind, under the conditions of the moment.

use crate::chance::Draws;
use crate::model::{Dist, Model, Phase, Place, RequestClass};

use super::means::{DATABASE, Means, station};
use super::station::Wait;

/// What a request met. Times in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions {
    /// Share of requests that found all cores taken.
    pub delayed: f64,
    /// By how much the cores were slower for those, on average, less one.
    pub slowdown: f64,
    /// The waits at the stations.
    pub waits: [Wait; 3],
    /// Share of requests that waited for a web worker.
    pub queued: f64,
    /// Mean wait for one, of all requests.
    pub queue: f64,
    /// Time that a request took longer because of those piled up before it.
    pub backlog: f64,
    /// The part of that for which it had no worker yet.
    pub accept: f64,
    /// Mean time from arrival to answer without that.
    pub mean: f64,
    /// Busy share of the cores.
    pub busy: f64,
    /// Factor on the work of cores and database while caches are cold.
    pub factor: f64,
}

impl Conditions {
    /// With `present` requests in all when `throughput` are served a second by `workers`. Those
    /// who are answered have waited no longer than the time-out.
    pub fn backlog(&mut self, present: f64, throughput: f64, workers: f64, timeout: f64) {
        if throughput <= 0.0 {
            return;
        }
        self.backlog = (present / throughput - self.mean).clamp(0.0, timeout);
        self.accept = self.backlog * (1.0 - workers / present.max(workers));
    }

    /// Whether requests fare about as they do under `other`.
    pub fn is_like(&self, other: &Self) -> bool {
        let near = |one: f64, two: f64, least: f64| (one - two).abs() <= least + 0.1 * one.abs();
        near(self.mean, other.mean, 1e-4)
            && near(self.backlog, other.backlog, 1e-3)
            && near(self.factor, other.factor, 0.01)
    }

    /// Time on the cores for `work` seconds of a server whose mean is `usual`, which finds them
    /// slower by `found` and has them so by `mean` on average. A short task finds the cores as they
    /// are, a long one as they are on average: in M/M/1 the variance of its time is that of the
    /// first, divided by 1 + x (1 − ρ) ÷ 2 (large x: Yashkov 1987).
    fn cores(&self, work: f64, usual: f64, found: f64, mean: f64) -> f64 {
        let lasting = (1.0 + work * (1.0 - self.busy) / (2.0 * usual)).sqrt().recip();
        work * (1.0 + mean + (found - mean) * lasting)
    }
}

/// A value that is zero but with a probability, and then exponential.
#[derive(Clone, Copy, Debug)]
struct Excess {
    /// Logarithm of the probability.
    likely: f64,
    /// Mean where it is not zero.
    scale: f64,
}

impl Excess {
    /// With `mean` in all.
    fn new(probability: f64, mean: f64) -> Self {
        if probability <= 0.0 || mean <= 0.0 {
            return Self { likely: 0.0, scale: 0.0 };
        }
        Self { likely: libm::log(probability), scale: mean / probability }
    }

    /// The value for a fortune, of which the negative logarithm is given.
    fn at(self, fortune: f32) -> f64 {
        (f64::from(fortune) + self.likely).max(0.0) * self.scale
    }
}

/// One request of the sample: its lengths in seconds, and the negative logarithms of its fortunes,
/// which are uniform on (0, 1).
#[derive(Clone, Copy, Debug)]
struct Atom {
    fixed: f32,
    cpu: f32,
    database: f32,
    fortunes: [f32; 3],
}

/// A sample of each kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    classes: Vec<Sample>,
}

/// That of one kind.
#[derive(Clone, Debug)]
struct Sample {
    atoms: Vec<Atom>,
    /// Visits to each station.
    visits: [f64; 3],
    /// Mean work on the cores.
    work: f64,
}

impl Latencies {
    /// `atoms` requests of each kind of `model`.
    pub fn new(model: &Model, atoms: usize) -> Self {
        let networks =
            [model.redis, model.database, model.nfs].map(|one| one.latency.as_secs_f64());
        let class = |class: &RequestClass| {
            let means = Means::of(model, &class.phases);
            let network = (0..3).map(|index| means.visits[index] * networks[index]).sum::<f64>();
            let fixed = network + model.proxy.latency.as_secs_f64();
            let atoms = sample(&class.phases, fixed, atoms, &class.name);
            Sample { atoms, visits: means.visits, work: means.cpu.max(1e-9) }
        };
        Self { classes: model.requests.iter().map(class).collect() }
    }

    /// Latency and wait in seconds of a sample of kind `class` under `conditions`, each as likely.
    pub fn of(
        &self,
        class: usize,
        conditions: &Conditions,
    ) -> impl ExactSizeIterator<Item = (f64, f64)> {
        let Sample { atoms, visits, work: usual } = &self.classes[class];
        let conditions = *conditions;
        let mean = conditions.delayed * conditions.slowdown;
        let slower = Excess::new(conditions.delayed, mean);
        let waits = conditions.waits.map(|wait| Excess::new(wait.probability, wait.mean));
        let queued = Excess::new(conditions.queued, conditions.queue);
        atoms.iter().map(move |atom| {
            let [cores, stations, queue] = atom.fortunes;
            let cpu = conditions.cores(f64::from(atom.cpu), *usual, slower.at(cores), mean);
            let work = conditions.factor * (cpu + f64::from(atom.database));
            let waited: f64 = (0..3).map(|one| visits[one] * waits[one].at(stations)).sum();
            let wait = queued.at(queue);
            let latency = f64::from(atom.fixed) + work + waited + wait + conditions.backlog;
            (latency, wait + conditions.accept)
        })
    }
}

/// For each length the quantiles in the middle of `atoms` equal parts, put together so that any two
/// lengths, and any part of the sample, are spread as evenly as can be: coordinate j of the n-th is
/// n ÷ g^j without its whole part, where g solves x^(d+1) = x + 1 in d dimensions (Roberts 2018).
fn sample(phases: &[Phase], fixed: f64, atoms: usize, name: &str) -> Vec<Atom> {
    let empty = Atom { fixed: fixed as f32, cpu: 0.0, database: 0.0, fortunes: [0.0; 3] };
    let mut sample = vec![empty; atoms];
    let base = root(phases.len() + 3);
    let mut step = 1.0;
    for fortune in 0..3 {
        step /= base;
        for (atom, rank) in sample.iter_mut().zip(ranks(step, atoms)) {
            atom.fortunes[fortune] = -libm::logf((rank as f32 + 0.5) / atoms as f32);
        }
    }
    for (number, phase) in phases.iter().enumerate() {
        step /= base;
        let lengths = quantiles(&phase.demand, atoms, &format!("flow/{name}/{number}"));
        for (atom, rank) in sample.iter_mut().zip(ranks(step, atoms)) {
            match (phase.place, station(phase.place)) {
                (Place::Cpu, _) => atom.cpu += lengths[rank],
                (_, Some(DATABASE)) => atom.database += lengths[rank],
                _ => atom.fixed += lengths[rank],
            }
        }
    }
    sample
}

/// The root of x^(d+1) = x + 1 above 1.
fn root(dimensions: usize) -> f64 {
    let power = 1.0 / (dimensions as f64 + 1.0);
    (0..64).fold(1.5, |x: f64, _| libm::pow(1.0 + x, power))
}

/// The rank of each multiple of `step`, without its whole part, among the first `atoms`.
fn ranks(step: f64, atoms: usize) -> Vec<usize> {
    let place = |index: usize| (0.5 + step * index as f64).fract();
    let mut order: Vec<usize> = (0..atoms).collect();
    order.sort_by(|&one, &two| place(one).total_cmp(&place(two)));
    let mut ranks = vec![0; atoms];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank;
    }
    ranks
}

/// Draws for each quantile of a sample.
const DRAWS: usize = 65;

/// In ascending order, with the mean of `dist`.
fn quantiles(dist: &Dist, atoms: usize, name: &str) -> Vec<f32> {
    if let Dist::Constant(length) = dist {
        return vec![length.as_secs_f64() as f32; atoms];
    }
    let mut draws = Draws::new(dist, 0, name);
    let mut all: Vec<u64> = (0..atoms * DRAWS).map(|_| draws.draw()).collect();
    all.sort_unstable();
    let middles = all.iter().skip(DRAWS / 2).step_by(DRAWS);
    let sum: f64 = middles.clone().map(|&length| length as f64 / 1e9).sum();
    // The middles of equal parts miss a little of the tail's weight: they keep the mean.
    let scale = if sum > 0.0 { dist.mean_seconds() * atoms as f64 / sum } else { 1.0 };
    middles.map(|&length| (length as f64 / 1e9 * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn a_sample_has_the_mean_and_the_percentiles_of_its_lengths() {
        let mean = Span::from_millis(100);
        let phases = [
            Phase { place: Place::Cpu, demand: Dist::Exponential(mean) },
            Phase { place: Place::Wait, demand: Dist::Constant(mean) },
        ];
        let atoms = sample(&phases, 0.0, 256, "test");
        let mut all: Vec<f64> = atoms.iter().map(|atom| f64::from(atom.cpu + atom.fixed)).collect();
        all.sort_by(f64::total_cmp);
        assert!((all.iter().sum::<f64>() / 256.0 - 0.2).abs() < 1e-6);
        // The 95 % quantile of an exponential is ln 20 = 2.996 means.
        assert!((all[243] - 0.4).abs() < 0.012, "{}", all[243]);
    }

    #[test]
    fn an_excess_has_its_mean() {
        let excess = Excess::new(0.4, 2.0);
        let all = (0..10_000).map(|index| -libm::logf((index as f32 + 0.5) / 1e4));
        let mean = all.map(|fortune| excess.at(fortune)).sum::<f64>() / 1e4;
        assert!((mean - 2.0).abs() < 1e-3, "{mean}");
        assert!(Excess::new(0.0, 2.0).at(9.0) <= 0.0);
    }
}
