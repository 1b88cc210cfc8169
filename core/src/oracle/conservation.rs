//! `conservation`: what arrived is served, failed or in flight.

use super::{Closing, Verdict};
use crate::fact::{Fact, Flow};

#[derive(Clone, Debug)]
pub(super) struct Conservation {
    arrived: u64,
    answered: u64,
}

impl Conservation {
    pub const fn new() -> Self {
        Self { arrived: 0, answered: 0 }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, fact: Fact) {
        self.arrived += u64::from(matches!(fact, Fact::RequestArrived { .. }));
        let answered = matches!(fact, Fact::RequestServed { .. } | Fact::RequestFailed { .. });
        self.answered += u64::from(answered);
        if let Fact::Flow(flow) = fact {
            self.flow(flow);
        }
    }

    fn flow(&mut self, flow: Flow) {
        match flow {
            Flow::Arrived { count } => self.arrived += count,
            Flow::Served { count, .. } | Flow::Failed { count, .. } => self.answered += count,
            Flow::Routed { .. }
            | Flow::Took { .. }
            | Flow::JobsEnqueued { .. }
            | Flow::JobsStarted { .. }
            | Flow::JobsCompleted { .. }
            | Flow::JobsKilled { .. } => {}
        }
    }

    pub fn close(self, closing: &Closing<'_>) -> Verdict {
        let mut verdict = Verdict::new("conservation");
        verdict.checked = self.arrived;
        let (arrived, accounted) = (self.arrived, self.answered + closing.in_flight);
        if arrived != accounted {
            verdict.violate(closing.end, || {
                format!("{arrived} requests arrived, {accounted} were answered or are in flight")
            });
        }
        verdict
    }
}
