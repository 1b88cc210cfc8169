//! `billing-exact`: what is billed is what had power, without gap or overlap.
//!
//! Recomputed from the power facts alone, apart from the meter that it judges.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Closing, Verdict};
use crate::billing::{LedgerLine, Unit};
use crate::fact::Fact;
use crate::ids::ServerId;
use crate::time::{Span, Timestamp};

#[derive(Clone, Debug)]
pub(super) struct BillingExact {
    since: Vec<Option<Timestamp>>,
    powered: Vec<Vec<(Timestamp, Timestamp)>>,
}

impl BillingExact {
    pub fn new(servers: usize) -> Self {
        Self { since: vec![None; servers], powered: vec![Vec::new(); servers] }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        let Fact::PowerChanged { server, on, .. } = fact else { return };
        let since = &mut self.since[server.index()];
        match (on, *since) {
            (true, None) => *since = Some(at),
            (false, Some(from)) => {
                *since = None;
                self.powered[server.index()].push((from, at));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    pub fn close(mut self, closing: &Closing<'_>) -> Verdict {
        let mut verdict = Verdict::new("billing-exact");
        for index in 0..self.since.len() {
            if let Some(from) = self.since[index].take() {
                self.powered[index].push((from, closing.end));
            }
            judge_server(&mut verdict, ServerId(index as u16), &self.powered[index], closing);
        }
        for line in closing.ledger {
            verdict.checked += 1;
            judge_amount(&mut verdict, line, closing.zone);
        }
        verdict
    }
}

/// Stretches, joined where one ends as the next begins.
fn joined(stretches: impl Iterator<Item = (Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    let mut all: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in stretches {
        match all.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => all.push((from, to)),
        }
    }
    all
}

/// The lines of a server, joined where one ends as the next begins, are its powered stretches.
fn judge_server(
    verdict: &mut Verdict,
    server: ServerId,
    powered: &[(Timestamp, Timestamp)],
    closing: &Closing<'_>,
) {
    let lines = closing.ledger.iter().filter(|line| line.server == server);
    let billed = joined(lines.map(|line| (line.from, line.to)));
    let powered = joined(powered.iter().copied().filter(|(from, to)| from < to));
    if powered != billed {
        let total = |stretches: &[(Timestamp, Timestamp)]| {
            stretches.iter().fold(Span::ZERO, |sum, (from, to)| sum + to.since(*from))
        };
        let (had, paid) = (total(&powered), total(&billed));
        verdict.violate(closing.end, || {
            format!("{server} had power for {had} and is billed for {paid}")
        });
    }
}

/// A line costs its charged seconds: price × seconds ÷ those of its unit, to within half a
/// micro-unit. A month is that in which the line begins.
fn judge_amount(verdict: &mut Verdict, line: &LedgerLine, zone: &TimeZone) {
    let used = line.accounted.as_secs_ceil();
    let charged = line.charged.as_secs_ceil();
    let (unit, fits) = match line.unit {
        Unit::Hour => (Some(3_600), charged >= used),
        Unit::Month => (seconds_of_month(line.from, zone), charged == used),
    };
    let exact = i128::from(line.unit_price.micros()) * i128::from(charged);
    let off = |unit: i64| (i128::from(line.amount.micros()) * i128::from(unit) - exact).abs();
    if !fits || unit.is_none_or(|unit| 2 * off(unit) > i128::from(unit)) {
        let server = line.server;
        verdict.violate(line.to, || {
            format!("a line of {server} is {}, which is not its price", line.amount)
        });
    }
}

/// From the first midnight of the month to that after its last day, by the clocks of `zone`.
fn seconds_of_month(at: Timestamp, zone: &TimeZone) -> Option<i64> {
    let day = zone.to_datetime(at.to_jiff()).date();
    let midnight = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let next = midnight(day.last_of_month().tomorrow().ok()?)?;
    Some(next.as_second() - midnight(day.first_of_month())?.as_second())
}
