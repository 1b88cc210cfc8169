//! `jobs-exactly-once`: no job is lost, none is completed twice. One that ended with an error is
//! not lost: its queue keeps it as failed. One that Redis came back without counts as lost, and is
//! nobody's fault here.

use std::collections::VecDeque;

use super::{Closing, Verdict};
use crate::fact::{Fact, Flow};
use crate::ids::JobId;
use crate::time::Timestamp;

/// What became of the jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Put into a queue.
    pub enqueued: u64,
    /// Completed at least once.
    pub completed: u64,
    /// Killed or evicted and in no queue, or unaccounted for.
    pub lost: u64,
    /// Completed again.
    pub duplicated: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Neither completed nor lost.
    pub pending: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Completed,
    Failed,
    Lost,
}

/// Jobs by number, from the oldest that is pending on.
#[derive(Clone, Debug)]
pub(super) struct JobsExactlyOnce {
    window: VecDeque<State>,
    first: u64,
    /// Jobs that are counted and not told one by one, and neither completed nor lost.
    flowing: i64,
    counts: JobCounts,
    verdict: Verdict,
}

impl JobsExactlyOnce {
    pub fn new() -> Self {
        Self {
            window: VecDeque::new(),
            first: 0,
            flowing: 0,
            counts: JobCounts::default(),
            verdict: Verdict::new("jobs-exactly-once"),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::JobEnqueued { .. } => {
                self.counts.enqueued += 1;
                self.window.push_back(State::Pending);
            }
            Fact::JobCompleted { job, .. } => self.completed(at, job),
            Fact::JobFailed { job, .. } => self.failed(job),
            Fact::JobEvicted { job } => {
                self.lost(job);
                self.verdict.violate(at, || format!("job {} was evicted from its queue", job.0));
            }
            Fact::JobLost { job } => self.lost(job),
            Fact::JobKilled { job, server } => {
                self.lost(job);
                self.verdict.violate(at, || format!("job {} was killed on {server}", job.0));
            }
            Fact::RequestArrived { .. }
            | Fact::RequestRouted { .. }
            | Fact::RequestServed { .. }
            | Fact::RequestFailed { .. }
            | Fact::RequestRedispatched { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobStarted { .. }
            | Fact::PowerChanged { .. }
            | Fact::ReadyChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::ServicesStopped { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::Broke { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FaultBegan { .. }
            | Fact::FaultEnded { .. }
            | Fact::Sampled { .. } => {}
            Fact::Flow(flow) => self.flow(at, flow),
        }
    }

    fn flow(&mut self, at: Timestamp, flow: Flow) {
        match flow {
            Flow::JobsEnqueued { count } => {
                self.counts.enqueued += count;
                self.flowing += count.cast_signed();
            }
            Flow::JobsCompleted { count, .. } => {
                self.verdict.checked += count;
                self.flowing -= count.cast_signed();
                let duplicated = self.flowing.min(0).unsigned_abs();
                if duplicated > 0 {
                    self.flowing = 0;
                    self.counts.duplicated += duplicated;
                    let what = || format!("{duplicated} jobs were completed again");
                    self.verdict.violate_times(duplicated, at, what);
                }
                self.counts.completed += count - duplicated;
            }
            Flow::JobsKilled { count, server } => {
                self.flowing -= count.cast_signed();
                self.counts.lost += count;
                let what = || format!("{count} jobs were killed on {server}");
                self.verdict.violate_times(count, at, what);
            }
            Flow::Arrived { .. }
            | Flow::Routed { .. }
            | Flow::Served { .. }
            | Flow::Took { .. }
            | Flow::Failed { .. }
            | Flow::JobsStarted { .. } => {}
        }
    }

    fn lost(&mut self, job: JobId) {
        if let Some(state) = self.state(job) {
            *state = State::Lost;
        }
        self.counts.lost += 1;
    }

    fn state(&mut self, job: JobId) -> Option<&mut State> {
        let index = job.0.checked_sub(self.first)?;
        self.window.get_mut(index as usize)
    }

    fn completed(&mut self, at: Timestamp, job: JobId) {
        self.verdict.checked += 1;
        if let Some(state @ State::Pending) = self.state(job) {
            *state = State::Completed;
            self.counts.completed += 1;
        } else {
            self.counts.duplicated += 1;
            self.verdict.violate(at, || format!("job {} was completed again", job.0));
        }
        self.forget();
    }

    fn failed(&mut self, job: JobId) {
        self.verdict.checked += 1;
        self.counts.failed += 1;
        if let Some(state @ State::Pending) = self.state(job) {
            *state = State::Failed;
        }
        self.forget();
    }

    fn forget(&mut self) {
        while self.window.front().is_some_and(|state| *state != State::Pending) {
            self.window.pop_front();
            self.first += 1;
        }
    }

    pub const fn verdict(&mut self) -> &mut Verdict {
        &mut self.verdict
    }

    pub fn close(mut self, closing: &Closing<'_>) -> (Verdict, JobCounts) {
        let pending = self.window.iter().filter(|state| **state == State::Pending).count() as u64
            + self.flowing.max(0).cast_unsigned();
        self.counts.pending = pending.min(closing.jobs_pending);
        let missing = pending - self.counts.pending;
        if missing > 0 {
            self.counts.lost += missing;
            let what = || format!("{missing} jobs are neither done nor queued nor running");
            self.verdict.violate(closing.end, what);
        }
        (self.verdict, self.counts)
    }
}
