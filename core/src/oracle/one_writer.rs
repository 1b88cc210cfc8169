//! `one-writer`: once a host has taken over, no command of a host before has an effect, and none of
//! a sequence that another has followed.

use super::Verdict;
use crate::fact::Fact;
use crate::ids::{Generation, ServerId};
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(super) struct OneWriter {
    term: u32,
    /// The highest fence that had an effect, by server.
    highest: Vec<Generation>,
    verdict: Verdict,
}

impl OneWriter {
    pub fn new(servers: usize) -> Self {
        Self {
            term: 0,
            highest: vec![Generation::default(); servers],
            verdict: Verdict::new("one-writer"),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        if let Fact::CommandApplied { server, generation } = fact {
            self.applied(at, server, generation);
        } else if let Fact::TookOver { term } = fact {
            self.term = self.term.max(term);
        }
    }

    #[inline(never)]
    fn applied(&mut self, at: Timestamp, server: ServerId, generation: Generation) {
        self.verdict.checked += 1;
        let (term, now) = (generation.term(), self.term);
        if term < now {
            self.verdict.violate(at, || {
                format!(
                    "a host of term {term} acted on {server}, and one of term {now} had taken over"
                )
            });
            return;
        }
        let highest = &mut self.highest[server.index()];
        if generation < *highest {
            self.verdict.violate(at, || {
                format!("a command of a sequence that {server} had left had an effect on it")
            });
        }
        *highest = generation.max(*highest);
    }

    pub const fn verdict(&mut self) -> &mut Verdict {
        &mut self.verdict
    }

    pub fn close(self) -> Verdict {
        self.verdict
    }
}
