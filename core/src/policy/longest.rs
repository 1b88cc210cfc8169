//! How long the steps of a sequence take at most, which follows from their limits.

use super::{StepLimits, Steps};
use crate::time::Span;

/// How often a wait between attempts doubles at most.
const DOUBLINGS: u8 = 6;

impl StepLimits {
    /// The wait after so many attempts that failed.
    pub fn wait_after(&self, attempts: u8) -> Span {
        self.backoff.times(1 << attempts.saturating_sub(1).min(DOUBLINGS))
    }

    /// All attempts, with the waits between them.
    pub fn longest(&self) -> Span {
        let waits = (1..self.attempts).map(|attempts| self.wait_after(attempts));
        waits.fold(self.deadline.times(i64::from(self.attempts)), |sum, wait| sum + wait)
    }
}

impl Steps {
    /// From the start of a standby until it serves, or a step is given up: power on, services up,
    /// healthy, told to the proxy.
    pub fn longest_up(&self) -> Span {
        self.start.longest() + self.warm.longest() + self.warm.deadline + self.join.longest()
    }

    /// From the drain of a server until it is off: told to the proxy, requests end, told to the
    /// workers, jobs end, services stopped, power off. Longer where work outlives its deadline, or
    /// a stop its attempts.
    pub fn longest_down(&self) -> Span {
        let (told, stopped) = (self.join.longest(), self.stop.longest());
        told + self.drain.deadline + told + self.quiesce.deadline + stopped + stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_all_attempts_count() {
        let limits = |attempts| StepLimits {
            deadline: Span::from_mins(1),
            attempts,
            backoff: Span::from_secs(10),
        };
        let waits: Vec<_> =
            [1, 2, 3, 7, 8, 255].map(|attempts| limits(9).wait_after(attempts)).into();
        assert_eq!(waits, [10, 20, 40, 640, 640, 640].map(Span::from_secs));
        assert_eq!(limits(1).longest(), Span::from_mins(1));
        assert_eq!(limits(3).longest(), Span::from_secs(3 * 60 + 10 + 20));
    }

    #[test]
    fn a_sequence_takes_the_sum_of_its_steps() {
        let one = |deadline| StepLimits {
            deadline: Span::from_secs(deadline),
            attempts: 1,
            backoff: Span::ZERO,
        };
        let steps = Steps {
            start: one(1),
            warm: one(10),
            join: one(100),
            drain: one(1_000),
            quiesce: one(10_000),
            stop: one(100_000),
            ..Steps::default()
        };
        assert_eq!(steps.longest_up(), Span::from_secs(121));
        assert_eq!(steps.longest_down(), Span::from_secs(211_200));
    }
}
