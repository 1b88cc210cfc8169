//! The provider of machines: how many it has to give, and how often it may be asked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tidegate_core::Command;

use crate::model::ProviderLimits;
use crate::world::Manner;

/// A start that a group asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// When, in nanoseconds from the start of the run.
    pub at: u64,
    /// What is to be carried out.
    pub command: Command,
    /// How.
    pub(crate) manner: Manner,
}

/// What became of the starts that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// Asked for.
    pub asked: u64,
    /// Refused, for no machine was left.
    pub refused: u64,
    /// Nanoseconds that the others waited for their turn, in all.
    pub waited: u128,
    /// And at most.
    pub longest: u64,
    /// Most machines that were given away at once.
    pub most: u64,
}

/// A provider. It must be asked in the order of time.
#[derive(Debug)]
pub struct Provider {
    limits: ProviderLimits,
    given: u64,
    /// When machines come back.
    releases: BinaryHeap<Reverse<u64>>,
    /// The theoretical arrival time of the generic cell rate algorithm (ITU-T I.371).
    due: u64,
    /// What became of the starts so far.
    pub starts: Starts,
}

impl Provider {
    /// One that has given nothing away.
    pub fn new(limits: ProviderLimits) -> Self {
        Self { limits, given: 0, releases: BinaryHeap::new(), due: 0, starts: Starts::default() }
    }

    /// A machine comes back at `at`.
    pub fn release(&mut self, at: u64) {
        self.releases.push(Reverse(at));
    }

    /// Asked at `now` for a machine: when it begins to boot, or nothing if there is none to give.
    pub fn ask(&mut self, now: u64) -> Option<u64> {
        while self.releases.peek().is_some_and(|Reverse(at)| *at <= now) {
            self.releases.pop();
            self.given -= 1;
        }
        self.starts.asked += 1;
        if self.limits.machines.is_some_and(|machines| self.given >= machines) {
            self.starts.refused += 1;
            return None;
        }
        self.given += 1;
        self.starts.most = self.starts.most.max(self.given);
        let begins = self.turn(now);
        self.starts.waited += u128::from(begins - now);
        self.starts.longest = self.starts.longest.max(begins - now);
        Some(begins)
    }

    /// When the next start may begin: so many at once, and then one each interval.
    fn turn(&mut self, now: u64) -> u64 {
        let Some((interval, burst)) = self.limits.starts else { return now };
        let interval = interval.as_nanos().cast_unsigned();
        let begins = now.max(self.due.saturating_sub(u64::from(burst - 1) * interval));
        self.due = self.due.max(now) + interval;
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn starts_past_the_burst_take_their_turn() {
        let interval = Span::from_nanos(10);
        let limits = ProviderLimits { machines: None, starts: Some((interval, 3)) };
        let mut provider = Provider::new(limits);
        let begins: Vec<_> = (0..6).map(|_| provider.ask(100).unwrap()).collect();
        assert_eq!(begins, [100, 100, 100, 110, 120, 130]);
        assert_eq!(provider.ask(1_000), Some(1_000));
        assert_eq!((provider.starts.waited, provider.starts.longest), (60, 30));
    }

    #[test]
    fn machines_that_are_given_away_must_come_back_first() {
        let mut provider = Provider::new(ProviderLimits { machines: Some(2), starts: None });
        assert_eq!([provider.ask(1), provider.ask(2), provider.ask(3)], [Some(1), Some(2), None]);
        provider.release(5);
        assert_eq!([provider.ask(4), provider.ask(5), provider.ask(6)], [None, Some(5), None]);
        assert_eq!((provider.starts.refused, provider.starts.most), (3, 2));
    }
}
