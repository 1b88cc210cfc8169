//! An application server: its cores, its workers, its memory.

use std::cmp::Reverse;

use tidegate_core::{Generation, Power, Ratio};

use crate::cpu::Cpu;
use crate::model::{Hardware, Memory, Model};

use super::checks::Standing;
use super::pool::{Limits, Pool};

/// A server's share for each unit of its weight, when its slow start is over.
const FULL_SHARE: u32 = 100;

/// What monitoring knows of a server: values and the times of the samples that they rest on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub cpu: Option<(i64, Ratio)>,
    pub memory: Option<(i64, Ratio)>,
}

/// One application server.
#[expect(clippy::struct_excessive_bools, reason = "each can be so or not apart from the others")]
#[derive(Debug)]
pub(super) struct Server {
    pub power: Power,
    /// Benches, services, storage, Redis and workers answer.
    pub ready: bool,
    /// The proxy sends it new requests.
    pub receives: bool,
    pub standing: Standing,
    /// Its job workers take new jobs.
    pub takes_jobs: bool,
    pub generation: Generation,
    pub weight: u16,
    /// From when to when its share of the traffic grows to its weight.
    pub ramp: (u64, u64),
    /// Its present share, [`FULL_SHARE`] for each unit of weight.
    pub share: u32,
    pub cpu: Cpu,
    pub cores: u32,
    pub pools: Vec<Pool>,
    limits: Limits,
    /// How often it got fresh processes.
    pub epoch: u32,
    /// Idle job workers, by the queue that they serve first.
    pub idle_job_workers: [u32; 3],
    /// Requests accepted and not finished, abandoned ones included.
    pub open: u32,
    pub jobs: u32,
    /// Jobs that are not told one by one.
    pub flow_jobs: u32,
    /// Requests taken up since its services started, as far as they warm its caches.
    pub warmed: u32,
    memory_total: u64,
    /// More than this, and a worker is killed.
    memory_limit: u64,
    memory_fixed: u64,
    memory_grown: u64,
    /// How many times as much as usual a worker gains with each request, and what came of that.
    pub leak: u64,
    memory_leaked: u64,
    /// Its job workers were told to take no new job.
    pub quiesced: bool,
    /// A fault took its services away, and they come back when it ends.
    pub comes_back: bool,
    /// A fault lets it stand still until then.
    pub thaws: u64,
    /// Requests that its workers have answered, where they are not followed one by one.
    answered: f64,
    /// What a shared service on it holds.
    pub memory_hosted: u64,
    memory: Memory,
    /// When its machine came up, and what its cores had done by then.
    booted: (i64, u64),
    /// What monitoring knew at the last evaluation.
    pub seen: Seen,
    /// The last values that it had.
    pub lately: Seen,
}

impl Server {
    pub fn new(index: usize, hardware: &Hardware, model: &Model) -> Self {
        let mut server = Self {
            power: Power::Off,
            ready: false,
            receives: false,
            standing: Standing::GOOD,
            takes_jobs: false,
            generation: Generation(0),
            weight: 0,
            ramp: (0, 0),
            share: 0,
            cpu: Cpu::new(hardware.vcpu),
            cores: hardware.vcpu,
            pools: Vec::new(),
            limits: Limits::new(model, index),
            epoch: 0,
            idle_job_workers: [0; 3],
            open: 0,
            jobs: 0,
            flow_jobs: 0,
            warmed: 0,
            memory_total: 0,
            memory_limit: u64::MAX,
            memory_fixed: 0,
            memory_grown: 0,
            leak: 1,
            memory_leaked: 0,
            quiesced: false,
            comes_back: false,
            thaws: 0,
            answered: 0.0,
            memory_hosted: 0,
            memory: model.memory,
            booted: (0, 0),
            seen: Seen::default(),
            lately: Seen::default(),
        };
        server.equip(hardware);
        server
    }

    /// Gives it fresh processes for this hardware. Nothing runs on it.
    pub fn equip(&mut self, hardware: &Hardware) {
        self.cores = hardware.vcpu;
        self.cpu.resize(hardware.vcpu);
        let limits = &mut self.limits;
        let pool = |&workers: &u32| Pool::new(workers, limits);
        self.pools = hardware.web_workers.iter().map(pool).collect();
        self.epoch += 1;
        self.idle_job_workers = hardware.job_workers;
        let workers: u32 =
            hardware.web_workers.iter().sum::<u32>() + hardware.job_workers.iter().sum::<u32>();
        self.memory_total = hardware.memory_bytes;
        if self.memory.oom_killer {
            self.memory_limit = hardware.memory_bytes;
        }
        self.memory_fixed = self.memory.base + u64::from(workers) * self.memory.worker;
        (self.memory_grown, self.memory_leaked) = (0, 0);
        self.answered = 0.0;
        self.warmed = 0;
    }

    /// The machine is up: what it counts begins anew.
    pub fn come_up(&mut self, now: u64) {
        if self.power != Power::On {
            self.power = Power::On;
            self.booted = (now.cast_signed(), self.cpu.busy(now));
        }
    }

    /// Core-nanoseconds without work since its machine came up, at `at`, when its cores had done
    /// `busy` in the run.
    pub fn idle(&self, at: i64, busy: u64) -> u64 {
        let (since, before) = self.booted;
        let up = (at - since).cast_unsigned() * u64::from(self.cores);
        up.saturating_sub(busy - before)
    }

    /// Makes it the primary at the start of a run: it has been up for so long, its caches are warm.
    pub fn start_serving(&mut self, weight: u16, up_for: i64) {
        self.power = Power::On;
        self.booted = (-up_for, 0);
        self.ready = true;
        self.receives = true;
        self.takes_jobs = true;
        self.warmed = u32::MAX;
        self.weight = weight.max(1);
        self.share = self.share_at(0);
    }

    /// Its share of the traffic at `now`: at least the least, so that a slow start begins at all.
    pub fn share_at(&self, now: u64) -> u32 {
        let full = u64::from(self.weight) * u64::from(FULL_SHARE);
        let (from, to) = self.ramp;
        if now >= to {
            return full as u32;
        }
        let part = u128::from(full) * u128::from(now - from) / u128::from(to - from);
        part.max(1) as u32
    }

    const fn memory_in_use(&self) -> u64 {
        self.memory_fixed + self.memory_grown + self.memory_leaked + self.memory_hosted
    }

    /// Share of its memory in use; past the whole it is full.
    pub fn memory_used(&self) -> Ratio {
        let used = u128::from(self.memory_in_use());
        Ratio::of(used, u128::from(self.memory_total)).min(Ratio::ONE)
    }

    /// A worker has answered a request and grew by it; whether it is due to be replaced.
    pub fn grow(&mut self, bench: usize, worker: u32) -> bool {
        self.memory_grown += self.memory.growth;
        self.memory_leaked += self.memory.growth * (self.leak - 1);
        let worker = &mut self.pools[bench].workers[worker as usize];
        worker.answered += 1;
        worker.answered == worker.limit
    }

    /// Its workers have answered so many requests more, with so many here: idle workers wait on a
    /// stack, so about b + 2√b of them do the work of b. Once each of them has been replaced, they
    /// are half way to their next time on average.
    pub fn wear(&mut self, answered: f64, present: f64) {
        self.answered += answered;
        let workers: f64 = self.pools.iter().map(|pool| pool.workers.len() as f64).sum();
        let used = (present + 2.0 * present.sqrt() + 1.0).min(workers).max(1.0);
        let limit = f64::from(self.memory.max_requests);
        let half = if limit > 0.0 { limit / 2.0 } else { f64::INFINITY };
        let each = (self.answered / used).min(half);
        self.memory_grown = (used * each * self.memory.growth as f64) as u64;
    }

    /// Whether the kernel has to kill somebody.
    pub const fn is_out_of_memory(&self) -> bool {
        self.memory_in_use() > self.memory_limit
    }

    /// Bench and number of the web worker that has grown most, if any has; of several, the first.
    pub fn most_grown(&self) -> Option<(usize, u32)> {
        let workers = self.pools.iter().enumerate().flat_map(|(bench, pool)| {
            (0..)
                .zip(&pool.workers)
                .map(move |(worker, age)| (Reverse(age.answered), bench, worker))
        });
        workers
            .filter(|(Reverse(answered), ..)| *answered > 0)
            .min()
            .map(|(_, bench, worker)| (bench, worker))
    }

    /// A fresh worker takes the place of this one, which gives back what it has gained, and its
    /// part of what has leaked.
    pub fn renew(&mut self, bench: usize, worker: u32) {
        let workers: usize = self.pools.iter().map(|pool| pool.workers.len()).sum();
        self.memory_leaked -= self.memory_leaked.div_ceil(workers.max(1) as u64);
        let worker = &mut self.pools[bench].workers[worker as usize];
        self.memory_grown -= u64::from(worker.answered) * self.memory.growth;
        *worker = self.limits.fresh();
    }
}
