//! Scrapes between two steps. While nothing changes, what a server's cores do follows from what
//! arrives, so a scrape needs no step: it takes that much of the next one ahead.

use tidegate_core::fact::FactSink;

use super::{Flows, Side};
use crate::flow::Answered;
use crate::world::World;
use crate::world::server::Server;

/// Cores' worth of work for others than requests that counts as the same.
const SAME_WORK: f64 = 0.01;
/// The part of what arrives by which a server may get fuller or emptier and count as steady.
const SAME_CROWD: f64 = 0.01;
/// The longest time between two steps in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// What a server's cores do as long as nothing changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Course {
    /// Whether it did about the same all through the last step; of one to be followed, whether its
    /// requests are as they will be.
    pub steady: bool,
    /// Its part of what arrives.
    pub share: f64,
    /// Work of a request, in seconds.
    pub each: f64,
    /// Cores that others keep busy.
    pub others: f64,
    /// Cores.
    pub cores: f64,
}

/// What was taken ahead of the next step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Core-nanoseconds.
    work: u64,
    /// Requests.
    answered: f64,
}

impl Course {
    /// Core-nanoseconds of work in `length` seconds in which `arrivals` requests arrive in all.
    fn work(&self, arrivals: f64, length: f64) -> u64 {
        let work = arrivals * self.share * self.each + self.others * length;
        (work.min(self.cores * length) * 1e9) as u64
    }
}

impl Side {
    /// Notes what its cores did in a step in which it had so many `arrivals`, if the next may be
    /// like it. A server that overflows does the same whatever arrives.
    pub fn follow(&mut self, mut course: Course, arrivals: f64, length: f64, answered: &Answered) {
        let left = answered.throughput * length;
        if self.flow.overflows() {
            course.others += answered.throughput * std::mem::take(&mut course.each);
        } else {
            course.steady &= (left - arrivals).abs() <= SAME_CROWD * (1.0 + arrivals)
                && !self.is_crowded()
                && answered.refused + answered.timed_out <= 0.0;
        }
        course.steady &= (course.others - self.course.others).abs() <= SAME_WORK;
        self.course = course;
    }

    /// Whether requests wait for a worker.
    pub fn is_crowded(&self) -> bool {
        self.flow.present > self.site.workers()
    }

    /// Gives the server the work of a step, less what was taken ahead.
    pub fn credit(&mut self, server: &mut Server, work: f64) {
        let work = (work * 1e9) as u64;
        server.cpu.credit(work.saturating_sub(self.taken.work));
        self.taken.work = self.taken.work.saturating_sub(work);
    }

    /// Lets its workers grow by the answers of a step, less those taken ahead.
    pub fn wear(&mut self, server: &mut Server, answered: f64) {
        let before = std::mem::take(&mut self.taken.answered);
        server.wear(answered - before, self.flow.present);
    }

    fn take(&mut self, server: &mut Server, arrivals: f64, length: f64) {
        let work = self.course.work(arrivals, length);
        server.cpu.credit(work.saturating_sub(self.taken.work));
        self.taken.work = self.taken.work.max(work);
        let answered = arrivals * self.course.share;
        server.wear(answered - self.taken.answered, self.flow.present);
        self.taken.answered = answered;
    }
}

impl Flows {
    /// Requests that arrive from the last step to `now`, if they come as they did in that step and
    /// meet what those met.
    pub fn arriving(&self, now: u64) -> Option<f64> {
        let same = self.people.is_empty() && self.sides.iter().all(|side| side.course.steady);
        let now = now as f64 / 1e9;
        let mut loads = self.loads.iter().map(|(load, _)| same.then(|| load.steady(now))?);
        loads.try_fold(0.0, |sum, arrivals| Some(sum + arrivals?))
    }
}

impl<S: FactSink> World<S> {
    /// Brings what a scrape of the server reads to the present without a step, if that can be.
    pub(super) fn look_ahead(&mut self, index: usize) -> bool {
        let Some(flows) = &mut self.flows else { return false };
        if self.now - flows.until >= LONGEST {
            return false;
        }
        let Some(arrivals) = flows.arriving(self.now) else { return false };
        let length = (self.now - flows.until) as f64 / 1e9;
        flows.sides[index].take(&mut self.servers[index], arrivals, length);
        flows.steady_until = self.now;
        true
    }
}
