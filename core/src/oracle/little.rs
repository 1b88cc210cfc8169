//! `littles-law`: the number of requests in the system, added up over time, is the time that they
//! say they spent in it (Little 1961). Counts and times come from different places.

use super::{Closing, Verdict};
use crate::fact::Fact;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(super) struct Little {
    last: Timestamp,
    present: u64,
    /// Requests × nanoseconds.
    area: u128,
    answered: u64,
    served: u64,
    /// Nanoseconds that the answered requests say they took.
    told: u128,
}

impl Little {
    pub fn new() -> Self {
        Self { last: Timestamp::default(), present: 0, area: 0, answered: 0, served: 0, told: 0 }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        let took = match fact {
            Fact::RequestArrived { .. } => {
                self.pass(at);
                self.present += 1;
                return;
            }
            Fact::RequestServed { latency, .. } => {
                self.served += 1;
                latency
            }
            Fact::RequestFailed { after, .. } => after,
            Fact::RequestRouted { .. }
            | Fact::RequestRedispatched { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobEnqueued { .. }
            | Fact::JobStarted { .. }
            | Fact::JobCompleted { .. }
            | Fact::JobKilled { .. }
            | Fact::PowerChanged { .. }
            | Fact::ReadyChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::ServicesStopped { .. }
            | Fact::Sampled { .. } => return,
        };
        self.pass(at);
        self.present = self.present.saturating_sub(1);
        self.answered += 1;
        self.told += u128::from(took.as_nanos().cast_unsigned());
    }

    #[inline]
    fn pass(&mut self, at: Timestamp) {
        let passed = at.since(self.last).as_nanos().cast_unsigned();
        self.area += u128::from(self.present) * u128::from(passed);
        self.last = at;
    }

    pub fn close(mut self, closing: &Closing<'_>) -> Verdict {
        let mut verdict = Verdict::new("littles-law");
        verdict.checked = self.answered;
        self.pass(closing.end);
        let delay = u128::from(closing.answer_delay.as_nanos().cast_unsigned());
        let told = self.told + closing.ages - delay * u128::from(self.served);
        let area = self.area;
        if area != told {
            verdict.violate(closing.end, || {
                format!("requests were present for {area} ns in all, and took {told} ns")
            });
        }
        verdict
    }
}
