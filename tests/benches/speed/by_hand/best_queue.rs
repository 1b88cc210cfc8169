//! M/M/8 as fast as is known: draws in batches, recycled records in a linked line, the next arrival
//! beside the event list, and each departure overwritten by the one that it begets.
//!
//! The draws are the simulator's own; all else is written for this one model.

use tidegate_sim::chance::Exponentials;

use super::events::Events;
use super::histogram::Histogram;
use super::line::{Line, Records};
use super::{Found, QUEUE_GAP_NS, QUEUE_SERVICE_NS, SEED, SERVERS};

struct Queue {
    services: Exponentials,
    events: Events,
    records: Records,
    waiting: Line,
    busy: usize,
    waits: Histogram,
}

/// Simulates M/M/8 at 80 % until `customers` have begun their service.
pub(crate) fn best_queue(customers: u64) -> Found {
    let mut gaps = Exponentials::new(SEED, "gaps");
    let mut queue = Queue {
        services: Exponentials::new(SEED, "services"),
        events: Events::new(),
        records: Records::new(),
        waiting: Line::new(),
        busy: 0,
        waits: Histogram::new(),
    };
    let mut arrival = (gaps.draw() * QUEUE_GAP_NS) as u64;
    let mut events = 0;
    while queue.waits.count() < customers {
        events += 1;
        let departure = queue.events.next_time();
        if departure <= arrival {
            queue.depart(departure);
        } else {
            queue.arrive(arrival);
            arrival += (gaps.draw() * QUEUE_GAP_NS) as u64;
        }
    }
    queue.waits.found(events)
}

impl Queue {
    #[inline]
    fn arrive(&mut self, now: u64) {
        let slot = self.records.insert(now, false);
        if self.busy < SERVERS {
            self.busy += 1;
            self.begin(now, slot);
        } else {
            self.waiting.push(&mut self.records, slot);
        }
    }

    #[inline]
    fn depart(&mut self, now: u64) {
        let slot = self.events.take();
        self.records.remove(slot);
        match self.waiting.pop(&mut self.records) {
            Some(next) => self.begin(now, next),
            None => self.busy -= 1,
        }
    }

    #[inline]
    fn begin(&mut self, now: u64, slot: u32) {
        self.waits.add(now - self.records.get(slot).arrived);
        self.events.push(now + (self.services.draw() * QUEUE_SERVICE_NS) as u64, slot);
    }
}
