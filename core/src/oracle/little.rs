//! `littles-law`: the number of requests in the system, added up over time, is the time that they
//! say they spent in it (Little 1961). Counts and times come from different places.

use super::{Closing, Verdict};
use crate::fact::Fact;
use crate::time::Timestamp;

/// The integral of a number that rises by one at some times and falls by one at others is the sum
/// of the latter less the sum of the former.
#[derive(Clone, Debug)]
pub(super) struct Little {
    present: i128,
    /// Times of answers less times of arrivals, in nanoseconds.
    integral: i128,
    answered: u64,
    served: u64,
    /// Nanoseconds that the answered requests say they took.
    told: i128,
}

impl Little {
    pub const fn new() -> Self {
        Self { present: 0, integral: 0, answered: 0, served: 0, told: 0 }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        let took = match fact {
            Fact::RequestArrived { .. } => {
                self.present += 1;
                self.integral -= i128::from(at.as_nanos());
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
            | Fact::JobFailed { .. }
            | Fact::PowerChanged { .. }
            | Fact::ReadyChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::ServicesStopped { .. }
            | Fact::JobEvicted { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::JobLost { .. }
            | Fact::Broke { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FaultBegan { .. }
            | Fact::FaultEnded { .. }
            | Fact::Sampled { .. }
            | Fact::Flow(_) => return,
        };
        self.present -= 1;
        self.integral += i128::from(at.as_nanos());
        self.answered += 1;
        self.told += i128::from(took.as_nanos());
    }

    pub fn close(self, closing: &Closing<'_>) -> Verdict {
        let mut verdict = Verdict::new("littles-law");
        verdict.checked = self.answered;
        let delay = i128::from(closing.answer_delay.as_nanos());
        let told = self.told + closing.ages.cast_signed() - delay * i128::from(self.served);
        let area = self.integral + self.present * i128::from(closing.end.as_nanos());
        if area != told {
            verdict.violate(closing.end, || {
                format!("requests were present for {area} ns in all, and took {told} ns")
            });
        }
        verdict
    }
}
