//! `only-when-required`: a rule scales up only if its metric was past the threshold for its window,
//! or if a server that it had asked for was lost.

use super::Verdict;
use crate::decision::{Decision, Source, Verdict as Decided};
use crate::fact::Fact;
use crate::observation::Ratio;
use crate::policy::{Metric, Policy, UpRule};
use crate::time::{Span, Timestamp};

#[derive(Clone, Debug)]
struct Watch {
    metric: Metric,
    above: Ratio,
    window: Span,
    /// Since when each true sample has been past the threshold.
    since: Option<Timestamp>,
    /// For how long they had been when they last were, and when that was.
    held: Span,
    last: Timestamp,
}

impl Watch {
    /// A value that rests on the same samples as one before it tells nothing new.
    fn take(&mut self, value: Ratio, taken: Timestamp) {
        if value > self.above {
            let since = *self.since.get_or_insert(taken);
            (self.held, self.last) = (taken.since(since), taken);
        } else if taken != self.last {
            self.since = None;
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct OnlyWhenRequired {
    watches: Vec<Watch>,
    /// The controller sees the truth a little later: for so long a condition still counts.
    grace: Span,
    /// Servers that were to serve after the last step.
    expected: u16,
    /// Those of them that were lost and not replaced.
    owed: u16,
    verdict: Verdict,
}

impl OnlyWhenRequired {
    pub fn new(policy: &Policy) -> Self {
        let watch = |rule: &UpRule| Watch {
            metric: rule.metric,
            above: rule.above,
            window: rule.window,
            since: None,
            held: Span::ZERO,
            last: Timestamp::default(),
        };
        Self {
            watches: policy.up.iter().map(watch).collect(),
            grace: policy.evidence.stale_after,
            expected: 1,
            owed: 0,
            verdict: Verdict::new("only-when-required"),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, fact: Fact) {
        let Fact::Sampled { cpu, memory, taken } = fact else { return };
        for watch in &mut self.watches {
            let value = match watch.metric {
                Metric::Cpu => cpu,
                Metric::Memory => memory,
            };
            watch.take(value, taken);
        }
    }

    pub fn step(&mut self, at: Timestamp, decision: &Decision) {
        self.owed += self.expected.saturating_sub(decision.servers);
        self.expected = match decision.verdict {
            Decided::Hold => decision.servers,
            Decided::ScaleUp(by) => decision.servers + by,
            Decided::ScaleDown(by) => decision.servers.saturating_sub(by),
        };
        if let Decided::ScaleUp(by) = decision.verdict {
            if let Some(Source::Rule(rule)) = decision.source
                && by > self.owed
            {
                self.judge(at, usize::from(rule.0));
            }
            self.owed = self.owed.saturating_sub(by);
        } else if decision.wanted <= self.expected {
            self.owed = 0;
        }
    }

    fn judge(&mut self, at: Timestamp, rule: usize) {
        self.verdict.checked += 1;
        let Some(watch) = self.watches.get(rule) else { return };
        let counts = watch.since.is_some() || at.since(watch.last) <= self.grace;
        let held = if counts { watch.held } else { Span::ZERO };
        if held < watch.window {
            let window = watch.window;
            self.verdict.violate(at, || {
                format!("rule {} scaled up after {held} past its threshold, not {window}", rule + 1)
            });
        }
    }

    pub fn close(self) -> Verdict {
        self.verdict
    }
}
