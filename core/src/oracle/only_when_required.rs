//! `only-when-required`: a rule scales up only if its metric was past the threshold for its window.

use super::Verdict;
use crate::decision::{Decision, Source, Verdict as Decided};
use crate::fact::Fact;
use crate::observation::Ratio;
use crate::policy::{Metric, UpRule};
use crate::time::{Span, Timestamp};

#[derive(Clone, Debug)]
struct Watch {
    metric: Metric,
    above: Ratio,
    window: Span,
    /// Since when each true sample has been past the threshold.
    since: Option<Timestamp>,
    /// The longest time that the samples have been past it, which evidence shows a little later.
    held: Span,
}

#[derive(Clone, Debug)]
pub(super) struct OnlyWhenRequired {
    watches: Vec<Watch>,
    verdict: Verdict,
}

impl OnlyWhenRequired {
    pub fn new(up: &[UpRule]) -> Self {
        let watch = |rule: &UpRule| Watch {
            metric: rule.metric,
            above: rule.above,
            window: rule.window,
            since: None,
            held: Span::ZERO,
        };
        Self {
            watches: up.iter().map(watch).collect(),
            verdict: Verdict::new("only-when-required"),
        }
    }

    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        let Fact::Sampled { cpu, memory } = fact else { return };
        for watch in &mut self.watches {
            let value = match watch.metric {
                Metric::Cpu => cpu,
                Metric::Memory => memory,
            };
            if value > watch.above {
                let since = *watch.since.get_or_insert(at);
                watch.held = at.since(since);
            } else {
                watch.since = None;
            }
        }
    }

    pub fn step(&mut self, at: Timestamp, decision: &Decision) {
        let (Decided::ScaleUp(_), Some(Source::Rule(rule))) = (decision.verdict, decision.source)
        else {
            return;
        };
        self.verdict.checked += 1;
        let Some(watch) = self.watches.get(usize::from(rule.0)) else { return };
        let held = watch.held;
        if held < watch.window {
            let window = watch.window;
            self.verdict.violate(at, || {
                format!("rule {} scaled up after {held} past its threshold, not {window}", rule.0)
            });
        }
    }

    pub fn close(self) -> Verdict {
        self.verdict
    }
}
