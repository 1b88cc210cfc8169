//! `no-flap`: a rule does not ask for a server again that was released under the same load.

use super::Verdict;
use super::servers::Condition;
use crate::decision::{Decision, Source, Verdict as Decided};
use crate::fact::Fact;
use crate::policy::{Metric, Policy};
use crate::time::{Span, Timestamp};

/// More load than this share of that at the release is another load, in per cent.
const SAME: u64 = 105;

/// What the serving servers carry together, in millionths of one server.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    cpu: u64,
    memory: u64,
}

#[derive(Clone, Copy, Debug)]
struct Release {
    at: Timestamp,
    load: Load,
    /// Servers that it left: to replace one of them that is lost is no flap.
    left: u16,
}

#[derive(Clone, Debug)]
pub(super) struct NoFlap {
    metrics: Vec<Metric>,
    /// A release longer ago than this was right at its time.
    window: Span,
    /// The means over the servers that receive traffic.
    means: Load,
    released: Option<Release>,
    verdict: Verdict,
}

impl NoFlap {
    pub fn new(policy: &Policy) -> Self {
        let longest = policy.up.iter().map(|rule| rule.window).max().unwrap_or(Span::ZERO);
        Self {
            metrics: policy.up.iter().map(|rule| rule.metric).collect(),
            window: longest + policy.cool_down.up + policy.stabilization.down,
            means: Load::default(),
            released: None,
            verdict: Verdict::new("no-flap"),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, fact: Fact) {
        if let Fact::Sampled { cpu, memory, .. } = fact {
            self.means = Load { cpu: u64::from(cpu.ppm()), memory: u64::from(memory.ppm()) };
        } else if let Fact::FaultBegan { .. } | Fact::Broke { .. } = fact {
            self.released = None;
        }
    }

    pub fn step(&mut self, at: Timestamp, decision: &Decision, servers: &[Condition]) {
        match decision.verdict {
            Decided::Hold => {}
            Decided::ScaleDown(by) => {
                let by_a_person = decision.source == Some(Source::Manual);
                let left = decision.servers.saturating_sub(by);
                let release = || Release { at, load: self.load(servers), left };
                self.released = (!by_a_person).then(release);
            }
            Decided::ScaleUp(by) => {
                self.verdict.checked += 1;
                let more = |release: &Release| decision.servers.saturating_add(by) > release.left;
                let Some(release) = self.released.take_if(|release| more(release)) else { return };
                if let Some(Source::Rule(rule)) = decision.source
                    && at.since(release.at) <= self.window
                {
                    self.judge(at, usize::from(rule.0), release.load, self.load(servers));
                }
            }
        }
    }

    /// CPU work is shared among those that serve; memory is each one's own.
    fn load(&self, servers: &[Condition]) -> Load {
        let serving = servers.iter().filter(|server| server.receives).count() as u64;
        Load { cpu: self.means.cpu * serving, ..self.means }
    }

    fn judge(&mut self, at: Timestamp, rule: usize, before: Load, now: Load) {
        let (then, now) = match self.metrics.get(rule) {
            Some(Metric::Cpu) => (before.cpu, now.cpu),
            Some(Metric::Memory) => (before.memory, now.memory),
            None => return,
        };
        if now * 100 <= then * SAME {
            self.verdict.violate(at, || {
                format!(
                    "rule {} asked for a server again that had been released under the same load",
                    rule + 1
                )
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
