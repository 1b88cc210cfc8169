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

/// What a group has of the provider for one of its servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grant {
    /// Nothing.
    #[default]
    Nothing,
    /// A machine that begins to boot at this nanosecond.
    Turn(u64),
    /// A machine.
    Machine,
}

/// A machine that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Return {
    /// When, in nanoseconds from the start of the run.
    pub at: u64,
    /// The turn of a start that was withdrawn before it came.
    pub turn: Option<u64>,
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
    /// Machines that come back, by the time.
    returns: BinaryHeap<Reverse<Return>>,
    /// Turns of starts that were withdrawn, for those who ask next.
    free: BinaryHeap<Reverse<u64>>,
    /// The theoretical arrival time of the generic cell rate algorithm (ITU-T I.371).
    due: u64,
    /// What became of the starts so far.
    pub starts: Starts,
}

impl Provider {
    /// One that has given nothing away.
    pub fn new(limits: ProviderLimits) -> Self {
        let (returns, free) = (BinaryHeap::new(), BinaryHeap::new());
        Self { limits, given: 0, returns, free, due: 0, starts: Starts::default() }
    }

    /// A machine comes back.
    pub fn give_back(&mut self, machine: Return) {
        self.returns.push(Reverse(machine));
    }

    /// Asked at `now` for a machine: when it begins to boot, or nothing if there is none to give.
    pub fn ask(&mut self, now: u64) -> Option<u64> {
        while let Some(Reverse(machine)) = self.returns.peek().filter(|next| next.0.at <= now) {
            self.free.extend(machine.turn.map(Reverse));
            self.returns.pop();
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
        while let Some(Reverse(turn)) = self.free.pop() {
            if turn >= now {
                return turn;
            }
        }
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
        provider.give_back(Return { at: 5, turn: None });
        assert_eq!([provider.ask(4), provider.ask(5), provider.ask(6)], [None, Some(5), None]);
        assert_eq!((provider.starts.refused, provider.starts.most), (3, 2));
    }

    #[test]
    fn a_turn_that_is_withdrawn_goes_to_who_asks_next() {
        let interval = Span::from_nanos(10);
        let limits = ProviderLimits { machines: None, starts: Some((interval, 1)) };
        let mut provider = Provider::new(limits);
        assert_eq!([0, 0, 0, 0].map(|now| provider.ask(now).unwrap()), [0, 10, 20, 30]);
        provider.give_back(Return { at: 5, turn: Some(10) });
        provider.give_back(Return { at: 5, turn: Some(20) });
        assert_eq!([4, 12, 12].map(|now| provider.ask(now).unwrap()), [40, 20, 50]);
    }
}
