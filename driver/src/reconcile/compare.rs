//! Stretches of time in which a machine was billed, and in which it ran.

use serde::Serialize;
use tidegate_core::{Power, ServerId, Span, Timestamp};

use crate::ports::PowerChange;

/// From when, until when.
pub(super) type Stretch = (Timestamp, Timestamp);

/// What the ledger and the provider do not agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The machine ran, and no line of the ledger has it.
    Unbilled,
    /// A line of the ledger has it, and the machine was off.
    BilledWhileOff,
    /// The machine runs now, and by the ledger it is off.
    RunsUnbilled,
    /// By the ledger the machine runs now, and it is off.
    OffButBilled,
}

/// A stretch of time on which they do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whose.
    pub server: ServerId,
    /// What.
    pub what: What,
    /// From when on.
    pub from: Timestamp,
    /// Until when; absent for what is so now.
    pub to: Option<Timestamp>,
}

/// When the provider says that a machine was powered, within a period.
pub(super) fn powered(
    server: ServerId,
    changes: &[PowerChange],
    (start, end): Stretch,
) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut since = None;
    for change in changes.iter().filter(|change| change.server == server) {
        match (since, change.on) {
            (None, true) => since = Some(change.at),
            (Some(from), false) => {
                stretches.push((from, change.at));
                since = None;
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    stretches.extend(since.map(|from| (from, end.max(from))));
    let within = stretches.into_iter().map(|(from, to)| (from.max(start), to.min(end)));
    within.filter(|(from, to)| from < to).collect()
}

/// How long they are together.
pub(super) fn total(stretches: &[Stretch]) -> Span {
    stretches.iter().fold(Span::ZERO, |sum, (from, to)| sum + to.since(*from))
}

/// Where one has what the other has not. What has changed since the provider was asked for the last
/// look belongs to the next one.
pub(super) fn differences(
    server: ServerId,
    billed: &[Stretch],
    powered: &[Stretch],
    looks: Looks,
) -> Vec<Difference> {
    let named = |what, stretches: Vec<Stretch>| {
        let known = stretches.into_iter().filter(move |(from, _)| *from < looks.asked);
        known.map(move |(from, to)| Difference { server, what, from, to: Some(to) })
    };
    let unbilled = named(What::Unbilled, without(powered, billed));
    unbilled.chain(named(What::BilledWhileOff, without(billed, powered))).collect()
}

/// What is left of `stretches` without those in `taken`; both in the order of time, neither with
/// any that overlap.
fn without(stretches: &[Stretch], taken: &[Stretch]) -> Vec<Stretch> {
    let mut left = Vec::new();
    for &(from, to) in stretches {
        let mut rest = from;
        for &(begin, end) in taken.iter().filter(|(begin, end)| *begin < to && *end > from) {
            if begin > rest {
                left.push((rest, begin));
            }
            rest = rest.max(end);
        }
        if rest < to {
            left.push((rest, to));
        }
    }
    left
}

/// The last look that is stored, when at the earliest the provider was asked for it, and from when
/// on a change may await the next one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    pub asked: Timestamp,
    pub last: Timestamp,
    pub next: Timestamp,
}

/// Whether the ledger's last line and the machine's state fit; a machine between on and off fits
/// either. A line that is open ends with the last look. What has changed since the provider was
/// asked for that belongs to the next one, which a machine that runs does not wait for long.
pub(super) fn present(
    server: ServerId,
    billed: &[Stretch],
    power: Option<Power>,
    changes: &[PowerChange],
    looks: Looks,
) -> Option<Difference> {
    let is_open = billed.last().is_some_and(|(_, to)| *to == looks.last);
    let later = changes.iter().rfind(|one| one.server == server && one.at >= looks.asked);
    let (what, from) = match (power?, is_open) {
        (Power::On, false) => (What::RunsUnbilled, later.map_or(looks.last, |one| one.at)),
        (Power::Off, true) if later.is_none() => (What::OffButBilled, looks.last),
        (Power::On | Power::Booting | Power::Stopping | Power::Off, _) => return None,
    };
    (from < looks.next).then_some(Difference { server, what, from, to: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDBY: ServerId = ServerId(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn stretches(seconds: &[(i64, i64)]) -> Vec<Stretch> {
        seconds.iter().map(|(from, to)| (at(*from), at(*to))).collect()
    }

    fn change(on: bool, seconds: i64) -> PowerChange {
        PowerChange { server: STANDBY, on, at: at(seconds) }
    }

    #[test]
    fn a_machine_is_powered_from_each_start_to_the_next_stop_within_the_period() {
        let other = PowerChange { server: ServerId(2), on: false, at: at(6) };
        let changes = [
            change(true, 1),
            change(false, 5),
            change(true, 7),
            other,
            change(true, 8),
            change(false, 9),
            change(false, 10),
            change(true, 20),
        ];
        let within = |period| powered(STANDBY, &changes, period);
        assert_eq!(within((at(0), at(30))), stretches(&[(1, 5), (7, 9), (20, 30)]));
        assert_eq!(within((at(3), at(8))), stretches(&[(3, 5), (7, 8)]));
        assert_eq!(within((at(10), at(15))), []);
        assert_eq!(total(&stretches(&[(1, 5), (7, 9)])), Span::from_secs(6));
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_found() {
        let found = |billed: &[(i64, i64)], powered: &[(i64, i64)]| {
            let looks = Looks { asked: at(9), last: at(10), next: at(20) };
            let found = differences(STANDBY, &stretches(billed), &stretches(powered), looks);
            let seconds = |at: Timestamp| at.as_nanos() / 1_000_000_000;
            let short = |one: &Difference| (one.what, seconds(one.from), one.to.map(seconds));
            found.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(found(&[(1, 5), (7, 9)], &[(1, 5), (7, 9)]), []);
        assert_eq!(found(&[(1, 10)], &[(1, 9)]), [], "the next look has it");
        assert_eq!(found(&[], &[(1, 5)]), [(What::Unbilled, 1, Some(5))]);
        assert_eq!(found(&[(1, 5)], &[]), [(What::BilledWhileOff, 1, Some(5))]);
        assert_eq!(
            found(&[(2, 4), (6, 9)], &[(1, 8)]),
            [
                (What::Unbilled, 1, Some(2)),
                (What::Unbilled, 4, Some(6)),
                (What::BilledWhileOff, 8, Some(9)),
            ]
        );
    }

    #[test]
    fn what_runs_now_is_on_the_ledger_and_what_is_off_is_not() {
        let looks = Looks { asked: at(8), last: at(9), next: at(20) };
        let now = |billed: &[(i64, i64)], power, changes: &[PowerChange]| {
            let found = present(STANDBY, &stretches(billed), Some(power), changes, looks);
            found.map(|one| (one.what, one.from))
        };
        assert_eq!(now(&[(1, 9)], Power::On, &[]), None);
        assert_eq!(now(&[(1, 9)], Power::Off, &[]), Some((What::OffButBilled, at(9))));
        for seconds in [8, 11] {
            assert_eq!(now(&[(1, 9)], Power::Off, &[change(false, seconds)]), None);
        }
        let told = Some((What::OffButBilled, at(9)));
        assert_eq!(now(&[(1, 9)], Power::Off, &[change(false, 7)]), told);
        assert_eq!(now(&[(1, 5)], Power::On, &[]), Some((What::RunsUnbilled, at(9))));
        let since = Some((What::RunsUnbilled, at(12)));
        assert_eq!(now(&[(1, 5)], Power::On, &[change(true, 12)]), since);
        assert_eq!(now(&[(1, 5)], Power::On, &[change(true, 21)]), None);
        assert_eq!(now(&[(1, 5)], Power::Off, &[]), None);
        assert_eq!(now(&[(1, 9)], Power::Stopping, &[]), None);
        assert_eq!(present(STANDBY, &[], None, &[], looks), None);
    }
}
