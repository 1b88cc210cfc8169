//! A decision and its reasons, as data: enums and fixed arrays, no strings.
//!
//! Sentences are made where someone reads them (`tidegate-reports`).

use serde::{Deserialize, Serialize};

use crate::ids::{RuleId, ScheduleId, ServerId};
use crate::observation::Ratio;
use crate::policy::{MAX_RULES, Metric};
use crate::time::{Span, Timestamp};

/// The most vetoes that a decision keeps.
pub const MAX_VETOES: usize = 8;

/// What was decided at one step, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Servers serving or on their way to it, the primary included, before this step.
    pub servers: u16,
    /// Servers that the demands resolve to.
    pub wanted: u16,
    /// What came of it.
    pub verdict: Verdict,
    /// The demand that won, if any did.
    pub source: Option<Source>,
    /// Each rule's vote, up rules first, in the order of the policy; free places are at the end.
    pub votes: [Option<Vote>; MAX_RULES],
    /// What held a change back; free places are at the end.
    pub vetoes: [Option<Veto>; MAX_VETOES],
    /// The smallest change that would have led to another verdict.
    pub flip: Option<Flip>,
}

impl Decision {
    /// The votes that were cast.
    pub fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.votes.iter().map_while(Option::as_ref)
    }

    /// The first down rule, if there is one and all of them agree.
    pub fn agreed_down(&self) -> Option<RuleId> {
        let mut down = self.votes().filter(|vote| vote.direction == Direction::Down);
        let first = down.next().filter(|vote| vote.opinion == Opinion::Agrees)?;
        down.all(|vote| vote.opinion == Opinion::Agrees).then_some(first.rule)
    }

    /// The vetoes that were raised.
    pub fn vetoes(&self) -> impl Iterator<Item = &Veto> {
        self.vetoes.iter().map_while(Option::as_ref)
    }

    /// Adds a veto, unless the decision is full or has it.
    pub fn object(&mut self, veto: Veto) {
        if self.vetoes().any(|held| *held == veto) {
            return;
        }
        if let Some(free) = self.vetoes.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(veto);
        }
    }

    /// Whether `other` decides the same for the same reasons, measured values aside.
    pub fn reads_like(&self, other: &Self) -> bool {
        let shape = |decision: &Self| {
            let opinions = decision.votes.map(|vote| vote.map(|vote| vote.opinion));
            let vetoes = decision.vetoes.map(|veto| veto.map(|veto| std::mem::discriminant(&veto)));
            (decision.servers, decision.wanted, decision.verdict, decision.source, opinions, vetoes)
        };
        shape(self) == shape(other)
    }
}

/// What a step sets in motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing.
    Hold,
    /// This many servers more.
    ScaleUp(u16),
    /// This many servers fewer.
    ScaleDown(u16),
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The policy's minimum or maximum.
    Bounds,
    /// A triggered rule.
    Rule(RuleId),
    /// A schedule.
    Schedule(ScheduleId),
    /// A person.
    Manual,
}

/// One rule's view at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Which rule: up rules count from 0, down rules follow.
    pub rule: RuleId,
    /// Whether it asks for more or for less.
    pub direction: Direction,
    /// What it measures.
    pub metric: Metric,
    /// The group's value, if it is known.
    pub value: Option<Ratio>,
    /// When the oldest sample in that value was taken.
    pub sampled_at: Option<Timestamp>,
    /// The rule's threshold.
    pub threshold: Ratio,
    /// For how long the condition has held.
    pub filled: Span,
    /// For how long it must.
    pub window: Span,
    /// What follows.
    pub opinion: Opinion,
}

/// Which way a rule or an event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More servers.
    Up,
    /// Fewer servers.
    Down,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// The condition has held for the whole window.
    Agrees,
    /// The condition holds, the window is not full.
    Filling,
    /// The condition does not hold.
    Disagrees,
    /// There is no fresh sample.
    Missing,
    /// The condition holds, but no alert says that it did for the whole window.
    Unheard,
}

/// Something that held a change back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Veto {
    /// A condition holds, but not for long enough.
    WindowNotFull {
        /// Whose.
        rule: RuleId,
        /// For how long it has.
        filled: Span,
        /// For how long it must.
        window: Span,
    },
    /// Too soon after the last event.
    CoolDown {
        /// When it ends.
        until: Timestamp,
    },
    /// More servers were wanted a short while ago.
    Stabilization {
        /// When that is long enough ago.
        until: Timestamp,
    },
    /// No fresh evidence.
    Stale {
        /// Whose.
        rule: RuleId,
    },
    /// No alert is known to fire.
    NoAlert {
        /// Whose.
        rule: RuleId,
    },
    /// A serving server has no fresh metric, so its load is unknown.
    Unknown {
        /// Which server.
        server: ServerId,
    },
    /// A person paused automatic scaling.
    Paused {
        /// Until when.
        until: Timestamp,
    },
    /// All servers allowed are in use.
    AtMaximum,
    /// Servers remain that may not be released.
    AtMinimum,
    /// A demand of higher priority forbids it.
    Outranked {
        /// Whose demand.
        by: Source,
    },
    /// A down rule does not agree.
    NotAllAgree {
        /// Which.
        rule: RuleId,
    },
    /// The servers that would remain would ask for one more.
    FlapProjection {
        /// The up rule that would fire.
        rule: RuleId,
        /// What it would read.
        projected: Ratio,
        /// What it may read at most.
        limit: Ratio,
    },
    /// A sequence is under way.
    Busy {
        /// On which server.
        server: ServerId,
    },
    /// No standby is ready to start.
    NoStandby {
        /// When the first one is, if that is known.
        until: Option<Timestamp>,
    },
    /// Work on a server outlives its deadline.
    Overdue {
        /// Which server.
        server: ServerId,
    },
}

/// The smallest change that would have led to another verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// A rule's metric on the other side of this value.
    Metric {
        /// Which rule.
        rule: RuleId,
        /// The value at which its condition changes.
        value: Ratio,
    },
    /// The same for this much longer.
    Longer {
        /// Which rule.
        rule: RuleId,
        /// How much of its window is missing.
        remaining: Span,
    },
    /// The passing of time alone.
    At {
        /// When.
        time: Timestamp,
    },
    /// A fresh sample.
    Sample {
        /// For which rule.
        rule: RuleId,
    },
    /// A notification that its alert fires.
    Alert {
        /// Of which rule.
        rule: RuleId,
    },
}
