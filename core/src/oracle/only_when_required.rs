//! `only-when-required`: a rule scales up only if its metric was past the threshold for its window,
//! or if a server that rules had asked for was lost, or taken away by somebody else for a while.

use super::Verdict;
use super::servers::Condition;
use crate::decision::{Decision, Source, Verdict as Decided, Veto};
use crate::fact::Fact;
use crate::observation::Ratio;
use crate::policy::{EvidenceFrom, Metric, Policy, UpRule};
use crate::time::{Span, Timestamp};

#[derive(Clone, Debug)]
struct Watch {
    metric: Metric,
    above: Ratio,
    window: Span,
    /// By the times of the samples, as a controller that reads metrics counts.
    sampled: Clock,
    /// By the times of the looks at them, as Prometheus counts.
    looked: Clock,
}

/// For how long a metric was past its threshold.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// Since when each true sample has been.
    since: Option<Timestamp>,
    /// For how long they had been when they last were, and when that was.
    held: Span,
    last: Timestamp,
    /// Since when each had been until one was not, and when that was.
    broken: Option<(Timestamp, Timestamp)>,
    /// When one last was not.
    not_past: Option<Timestamp>,
}

impl Clock {
    /// A value that rests on the same samples as one before it tells nothing new.
    fn take(&mut self, past: bool, at: Timestamp, grace: Span) {
        if past {
            let since = *self.since.get_or_insert(at);
            (self.held, self.last) = (at.since(since), at);
        } else if at != self.last {
            self.not_past = Some(at);
            let old = self.broken.is_none_or(|(_, broke)| at.since(broke) > grace);
            if let Some(since) = self.since.take().filter(|_| old) {
                self.broken = Some((since, at));
            }
        }
    }

    /// A host took over at `at`: what came while there was none, nobody saw.
    fn overlook(&mut self, at: Timestamp, grace: Span) {
        let unseen = self.broken.take_if(|(_, broke)| at.since(*broke) <= grace);
        self.since = unseen.map(|(since, _)| since).or(self.since);
    }

    fn held(&self, at: Timestamp, grace: Span) -> Span {
        let counts = self.since.is_some() || at.since(self.last) <= grace;
        if counts { self.held } else { Span::ZERO }
    }
}

#[derive(Clone, Debug)]
pub(super) struct OnlyWhenRequired {
    watches: Vec<Watch>,
    /// The controller sees the truth a little later: for so long a condition still counts.
    grace: Span,
    /// Whether Prometheus keeps the windows.
    from_alerts: bool,
    /// Whether the looks are not those of Prometheus, which may have seen the metric past its
    /// threshold at any time since the look at which it was not.
    between_looks: bool,
    /// Servers that ran at first, or that rules have asked for since and not given up.
    granted: Option<u16>,
    verdict: Verdict,
}

impl OnlyWhenRequired {
    pub fn new(policy: &Policy) -> Self {
        let watch = |rule: &UpRule| Watch {
            metric: rule.metric,
            above: rule.above,
            window: rule.window,
            sampled: Clock::default(),
            looked: Clock::default(),
        };
        Self {
            watches: policy.up.iter().map(watch).collect(),
            grace: policy.evidence.stale_after,
            from_alerts: policy.evidence.from == EvidenceFrom::Alerts,
            between_looks: false,
            granted: None,
            verdict: Verdict::new("only-when-required"),
        }
    }

    /// The looks are a live host's own.
    pub const fn see_between_looks(&mut self) {
        self.between_looks = true;
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        if let Fact::TookOver { .. } = fact {
            for watch in &mut self.watches {
                watch.sampled.overlook(at, self.grace);
                watch.looked.overlook(at, self.grace);
            }
        }
        let Fact::Sampled { cpu, memory, taken } = fact else { return };
        for watch in &mut self.watches {
            let value = match watch.metric {
                Metric::Cpu => cpu,
                Metric::Memory => memory,
            };
            watch.sampled.take(value > watch.above, taken, self.grace);
            watch.looked.take(value > watch.above, at, self.grace);
        }
    }

    pub fn step(&mut self, at: Timestamp, decision: &Decision, servers: &[Condition]) {
        let granted = self.grant(at, decision);
        let target = match decision.verdict {
            Decided::Hold => return,
            Decided::ScaleUp(by) => decision.servers + by,
            Decided::ScaleDown(by) => {
                if matches!(decision.source, Some(Source::Rule(_) | Source::Bounds)) {
                    self.granted = Some(decision.servers.saturating_sub(by).max(1));
                }
                return;
            }
        };
        if let Some(Source::Rule(rule)) = decision.source
            && target > granted
        {
            // A proxy that still sends requests to what was released moves the mean.
            let receive = servers.iter().filter(|server| server.receives).count();
            if receive <= usize::from(decision.servers) {
                self.judge(at, usize::from(rule.0));
            }
            self.granted = Some(target);
        }
    }

    /// Servers that rules may have: one more than there are, from when a rule is right to ask and
    /// somebody keeps it from having it for a while.
    fn grant(&mut self, at: Timestamp, decision: &Decision) -> u16 {
        let servers = decision.servers;
        let keeps = |veto: &Veto| {
            matches!(veto, Veto::Outranked { .. } | Veto::AtMaximum | Veto::NoStandby { .. })
        };
        let kept = decision.vetoes().any(keeps);
        let asks =
            (0..self.watches.len()).any(|rule| self.held(at, rule) >= self.watches[rule].window);
        let granted = self.granted.get_or_insert(servers);
        if asks && kept {
            *granted = (*granted).max(servers.saturating_add(1));
        }
        *granted
    }

    /// For how long a rule's metric has been past its threshold.
    fn held(&self, at: Timestamp, rule: usize) -> Span {
        let watch = &self.watches[rule];
        let held = watch.sampled.held(at, self.grace);
        // Prometheus sees more than a live host: what no look has contradicted may have been so.
        let looked = if self.between_looks {
            at.since(watch.looked.not_past.unwrap_or_default())
        } else {
            watch.looked.held(at, self.grace)
        };
        if self.from_alerts { held.max(looked) } else { held }
    }

    fn judge(&mut self, at: Timestamp, rule: usize) {
        self.verdict.checked += 1;
        let Some(window) = self.watches.get(rule).map(|watch| watch.window) else { return };
        let held = self.held(at, rule);
        if held < window {
            self.verdict.violate(at, || {
                format!("rule {} scaled up after {held} past its threshold, not {window}", rule + 1)
            });
        }
    }

    pub const fn verdict(&mut self) -> &mut Verdict {
        &mut self.verdict
    }

    pub fn close(self) -> Verdict {
        self.verdict
    }
}
