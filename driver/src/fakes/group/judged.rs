//! What an oracle says of what was done to a fake group.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::journal::Entry;
use tidegate_core::oracle::{Closing, Panel, Verdict};
use tidegate_core::policy::Policy;
use tidegate_core::{Input, Span, TimeZone, Timestamp};

use super::FakeGroup;

impl FakeGroup {
    /// What `one-writer` says of all that was done to the servers, by hosts that took over as the
    /// journal has it.
    pub fn one_writer(&self, journal: &[Entry]) -> Option<Verdict> {
        let took_over = journal.iter().filter_map(|entry| match entry.input {
            Input::TakeOver { term } => Some((entry.at, Fact::TookOver { term })),
            Input::Observe(_) | Input::Complete { .. } | Input::Request(_) | Input::Wake => None,
        });
        let applied = self.applied();
        let applied = applied.iter().map(|applied| {
            let (server, generation) = (applied.server, applied.generation);
            (applied.at, Fact::CommandApplied { server, generation })
        });
        let mut facts: Vec<_> = took_over.chain(applied).collect();
        facts.sort_by_key(|(at, _)| *at);
        let end = facts.last().map_or_else(Timestamp::default, |(at, _)| *at);
        let mut panel = Panel::new(self.servers(), &Policy::default());
        for (at, fact) in facts {
            panel.fact(at, fact);
        }
        let (verdicts, _) = panel.close(&Closing {
            end,
            in_flight: 0,
            ages: 0,
            answer_delay: Span::ZERO,
            jobs_pending: 0,
            work: &[],
            ledger: &[],
            zone: &TimeZone::UTC,
        });
        verdicts.into_iter().find(|one| one.property == "one-writer")
    }

    fn servers(&self) -> usize {
        self.state().machines.len()
    }
}
