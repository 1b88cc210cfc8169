//! `billing-exact`: what is billed is what had power, without gap or overlap.
//!
//! Recomputed from the power facts alone, apart from the meter that it judges.

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
            judge_amount(&mut verdict, line);
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

/// An hourly line costs its charged seconds: price × seconds ÷ 3600, to within half a micro-unit.
fn judge_amount(verdict: &mut Verdict, line: &LedgerLine) {
    let used = line.accounted.as_secs_ceil();
    let charged = line.charged.as_secs_ceil();
    let exact = i128::from(line.unit_price.micros()) * i128::from(charged);
    let billed = i128::from(line.amount.micros()) * 3_600;
    let wrong = match line.unit {
        Unit::Hour => (billed - exact).abs() > 1_800 || charged < used,
        Unit::Month => charged != used,
    };
    if wrong {
        let server = line.server;
        verdict.violate(line.to, || {
            format!("a line of {server} is {}, which is not its price", line.amount)
        });
    }
}
