//! M/M/8 as one writes it first: every event in the standard library's heap, one draw at a time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::histogram::Histogram;
use super::{Found, QUEUE_GAP_NS, QUEUE_SERVICE_NS, SEED, SERVERS};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Arrival,
    Departure,
}

struct Queue {
    rng: ChaCha8Rng,
    events: BinaryHeap<Reverse<(u64, u64, Kind)>>,
    sequence: u64,
    waiting: VecDeque<u64>,
    busy: usize,
    waits: Histogram,
}

/// Simulates M/M/8 at 80 % until `customers` have begun their service.
pub(crate) fn plain_queue(customers: u64) -> Found {
    let mut queue = Queue {
        rng: ChaCha8Rng::seed_from_u64(SEED),
        events: BinaryHeap::new(),
        sequence: 0,
        waiting: VecDeque::new(),
        busy: 0,
        waits: Histogram::new(),
    };
    queue.schedule(0, QUEUE_GAP_NS, Kind::Arrival);
    let mut events = 0;
    while queue.waits.count() < customers
        && let Some(Reverse((now, _, kind))) = queue.events.pop()
    {
        events += 1;
        match kind {
            Kind::Arrival => queue.arrive(now),
            Kind::Departure => queue.depart(now),
        }
    }
    queue.waits.found(events)
}

impl Queue {
    fn schedule(&mut self, now: u64, mean_ns: f64, kind: Kind) {
        let uniform = ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        let delay = (-libm::log(uniform) * mean_ns) as u64;
        self.events.push(Reverse((now + delay, self.sequence, kind)));
        self.sequence += 1;
    }

    fn arrive(&mut self, now: u64) {
        self.schedule(now, QUEUE_GAP_NS, Kind::Arrival);
        if self.busy < SERVERS {
            self.busy += 1;
            self.begin(now, now);
        } else {
            self.waiting.push_back(now);
        }
    }

    fn depart(&mut self, now: u64) {
        match self.waiting.pop_front() {
            Some(arrived) => self.begin(now, arrived),
            None => self.busy -= 1,
        }
    }

    fn begin(&mut self, now: u64, arrived: u64) {
        self.waits.add(now - arrived);
        self.schedule(now, QUEUE_SERVICE_NS, Kind::Departure);
    }
}
