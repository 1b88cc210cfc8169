//! The web tier of `scenarios/models/web.toml`, as fast as is known: the proxy's delay, then one of
//! 96 workers, held across Redis, for half of the requests the storage, and a wait; a fifth of the
//! requests leaves a job for a pool of 32. Each step is an event, each station has its line.

use tidegate_sim::chance::{Exponentials, Uniforms};

use super::events::Events;
use super::histogram::Histogram;
use super::line::{Line, Records};
use super::{Found, MILLISECOND, SECOND, SEED};

const GAP_NS: f64 = SECOND as f64 / 1_000.0;
const PROXY_NS: u64 = MILLISECOND;
const STORAGE_SHARE: f64 = 0.5;
const JOB_SHARE: f64 = 0.2;

/// What ended, in the upper bits of an event's payload.
const KIND_SHIFT: u32 = 20;
const PROXY: u32 = 0;
const REDIS: u32 = 1;
const STORAGE: u32 = 2;
const WAIT: u32 = 3;
const JOB_RUN: u32 = 4;

/// Servers with a line before them.
struct Station {
    idle: u32,
    line: Line,
    times: Exponentials,
    mean_ns: f64,
    ends: u32,
}

impl Station {
    fn new(servers: u32, milliseconds: f64, ends: u32) -> Self {
        let times = Exponentials::new(SEED, &format!("station {ends}"));
        let mean_ns = milliseconds * MILLISECOND as f64;
        Self { idle: servers, line: Line::new(), times, mean_ns, ends }
    }

    #[inline]
    fn enter(&mut self, now: u64, slot: u32, records: &mut Records, events: &mut Events) {
        if self.idle > 0 {
            self.idle -= 1;
            self.begin(now, slot, events);
        } else {
            self.line.push(records, slot);
        }
    }

    /// A server is free; the next in line is served.
    #[inline]
    fn leave(&mut self, now: u64, records: &mut Records, events: &mut Events) {
        match self.line.pop(records) {
            Some(next) => self.begin(now, next, events),
            None => self.idle += 1,
        }
    }

    #[inline]
    fn begin(&mut self, now: u64, slot: u32, events: &mut Events) {
        let time = (self.times.draw() * self.mean_ns) as u64;
        events.push(now + time, (self.ends << KIND_SHIFT) | slot);
    }
}

struct Web {
    events: Events,
    records: Records,
    storage_choice: Uniforms,
    job_choice: Uniforms,
    idle_workers: u32,
    accepted: Line,
    redis: Station,
    storage: Station,
    wait: Station,
    jobs: Station,
    latencies: Histogram,
}

/// Simulates `seconds` of the web tier.
pub(crate) fn web(seconds: u64) -> Found {
    let mut web = Web {
        events: Events::new(),
        records: Records::new(),
        storage_choice: Uniforms::new(SEED, "storage"),
        job_choice: Uniforms::new(SEED, "job"),
        idle_workers: 96,
        accepted: Line::new(),
        redis: Station::new(1, 0.5, REDIS),
        storage: Station::new(4, 4.0, STORAGE),
        wait: Station::new(u32::MAX, 40.0, WAIT),
        jobs: Station::new(32, 120.0, JOB_RUN),
        latencies: Histogram::new(),
    };
    let mut gaps = Exponentials::new(SEED, "gaps");
    let mut arrival = (gaps.draw() * GAP_NS) as u64;
    let end = seconds * SECOND;
    let mut events = 0;
    loop {
        let next = web.events.next_time();
        if next.min(arrival) >= end {
            return web.latencies.found(events);
        }
        events += 1;
        if next <= arrival {
            web.handle(next);
        } else {
            web.arrive(arrival);
            arrival += (gaps.draw() * GAP_NS) as u64;
        }
    }
}

impl Web {
    #[inline]
    fn arrive(&mut self, now: u64) {
        let stores = self.storage_choice.draw() <= STORAGE_SHARE;
        let slot = self.records.insert(now, stores);
        self.events.push(now + PROXY_NS, (PROXY << KIND_SHIFT) | slot);
    }

    #[inline]
    fn handle(&mut self, now: u64) {
        let payload = self.events.take();
        let slot = payload & ((1 << KIND_SHIFT) - 1);
        let Self { records, events, .. } = self;
        match payload >> KIND_SHIFT {
            PROXY => self.accept(now, slot),
            REDIS => {
                self.redis.leave(now, records, events);
                if records.get(slot).stores {
                    self.storage.enter(now, slot, records, events);
                } else {
                    self.wait.enter(now, slot, records, events);
                }
            }
            STORAGE => {
                self.storage.leave(now, records, events);
                self.wait.enter(now, slot, records, events);
            }
            WAIT => self.answer(now, slot),
            _ => {
                self.jobs.leave(now, records, events);
                records.remove(slot);
            }
        }
    }

    #[inline]
    fn accept(&mut self, now: u64, slot: u32) {
        if self.idle_workers > 0 {
            self.idle_workers -= 1;
            self.redis.enter(now, slot, &mut self.records, &mut self.events);
        } else {
            self.accepted.push(&mut self.records, slot);
        }
    }

    #[inline]
    fn answer(&mut self, now: u64, slot: u32) {
        let Self { records, events, .. } = self;
        self.wait.leave(now, records, events);
        self.latencies.add(now - records.get(slot).arrived);
        records.remove(slot);
        if self.job_choice.draw() <= JOB_SHARE {
            let job = records.insert(now, false);
            self.jobs.enter(now, job, records, events);
        }
        match self.accepted.pop(records) {
            Some(next) => self.redis.enter(now, next, records, events),
            None => self.idle_workers += 1,
        }
    }
}
