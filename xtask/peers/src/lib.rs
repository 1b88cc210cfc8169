//! The queue that every peer simulates: eight servers, a mean service time of 1, 6.4 arrivals in it.
//!
//! The queue's own work is done here, the same for all and cheaply; what differs is the simulator
//! that keeps the time and calls back.

use std::collections::VecDeque;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SERVERS: usize = 8;
const MEAN_GAP: f64 = 1.0 / 6.4;
const BATCH: usize = 512;

/// Exponential variates of mean 1, drawn in batches.
struct Draws {
    rng: ChaCha8Rng,
    batch: Vec<f64>,
}

impl Draws {
    fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), batch: Vec::with_capacity(BATCH) }
    }

    fn draw(&mut self) -> f64 {
        if self.batch.is_empty() {
            let uniform = |rng: &mut ChaCha8Rng| (rng.next_u64() >> 11) as f64 + 1.0;
            let whole = (1u64 << 53) as f64;
            self.batch.extend((0..BATCH).map(|_| -libm::log(uniform(&mut self.rng) / whole)));
        }
        self.batch.pop().unwrap_or_default()
    }
}

/// Waits in bins of their leading bits.
struct Waits {
    bins: Vec<u64>,
    count: u64,
    sum: f64,
}

/// Bits of a number below those that name its bin: 64 bins for each doubling.
const FINE_SHIFT: u32 = 46;

impl Waits {
    fn add(&mut self, wait: f64) {
        self.bins[(wait.to_bits() >> FINE_SHIFT) as usize] += 1;
        self.count += 1;
        self.sum += wait;
    }

    /// The middle of the bin in which a share of all is reached.
    fn percentile(&self, share: f64) -> f64 {
        const MIDDLE: u64 = 1 << (FINE_SHIFT - 1);
        let mut left = share * self.count as f64;
        let bin = self.bins.iter().position(|&count| {
            left -= count as f64;
            left <= 0.0
        });
        bin.map_or(f64::NAN, |bin| f64::from_bits(((bin as u64) << FINE_SHIFT) | MIDDLE))
    }
}

/// The queue, but for the time.
pub struct Queue {
    gaps: Draws,
    services: Draws,
    to_come: u64,
    idle: usize,
    waiting: VecDeque<f64>,
    waits: Waits,
}

impl Queue {
    fn new(customers: u64) -> Self {
        Self {
            gaps: Draws::new(1),
            services: Draws::new(2),
            to_come: customers,
            idle: SERVERS,
            waiting: VecDeque::new(),
            waits: Waits { bins: vec![0; 1 << 17], count: 0, sum: 0.0 },
        }
    }

    /// How long until the next customer comes, if one does.
    pub fn gap(&mut self) -> Option<f64> {
        self.to_come = self.to_come.checked_sub(1)?;
        Some(self.gaps.draw() * MEAN_GAP)
    }

    /// A customer comes; how long its service takes, if it begins at once.
    pub fn arrive(&mut self, now: f64) -> Option<f64> {
        if self.idle == 0 {
            self.waiting.push_back(now);
            return None;
        }
        self.idle -= 1;
        Some(self.begin(0.0))
    }

    /// A customer leaves; how long the service of the next one takes, if one waits.
    pub fn depart(&mut self, now: f64) -> Option<f64> {
        let Some(arrived) = self.waiting.pop_front() else {
            self.idle += 1;
            return None;
        };
        Some(self.begin(now - arrived))
    }

    fn begin(&mut self, wait: f64) -> f64 {
        self.waits.add(wait);
        self.services.draw()
    }

    /// Mean and 99th percentile of the waits.
    pub fn found(&self) -> (f64, f64) {
        (self.waits.sum / self.waits.count as f64, self.waits.percentile(0.99))
    }
}

/// Simulates as many customers as the first argument says; prints seconds, mean and percentile.
pub fn measure(simulate: impl FnOnce(Queue) -> (f64, f64)) {
    let customers = std::env::args().nth(1).and_then(|given| given.parse().ok());
    let queue = Queue::new(customers.expect("the number of customers is the first argument"));
    let started = Instant::now();
    let (mean, p99) = simulate(queue);
    println!("{} {mean} {p99}", started.elapsed().as_secs_f64());
}
