//! Turns power facts into ledger lines.

use jiff::tz::TimeZone;

use super::{Charge, LedgerLine, Pricing};
use crate::fact::{Fact, FactSink};
use crate::ids::ServerId;
use crate::money::Money;
use crate::time::Timestamp;

/// What a server's power costs.
#[derive(Clone, Debug)]
struct Tariff {
    plan: String,
    pricing: Pricing,
    since: Option<Timestamp>,
}

/// Meters each server's power. Lines appear as soon as they are closed.
#[derive(Clone, Debug)]
pub struct Meter {
    zone: TimeZone,
    tariffs: Vec<Tariff>,
    lines: Vec<LedgerLine>,
    closed: Money,
}

impl Meter {
    /// A meter for servers with these plans and pricings, in the order of their numbers; months
    /// are those of `zone`.
    pub fn new(plans: impl IntoIterator<Item = (String, Pricing)>, zone: TimeZone) -> Self {
        let tariff = |(plan, pricing)| Tariff { plan, pricing, since: None };
        Self {
            zone,
            tariffs: plans.into_iter().map(tariff).collect(),
            lines: Vec::new(),
            closed: Money::ZERO,
        }
    }

    /// From `at` on, `server` has another plan. A line that is open is closed and opened anew.
    pub fn change_plan(&mut self, at: Timestamp, server: ServerId, plan: String, pricing: Pricing) {
        let powered = self.tariffs[server.index()].since.is_some();
        self.power_off(at, server);
        let since = powered.then_some(at);
        self.tariffs[server.index()] = Tariff { plan, pricing, since };
    }

    /// The ledger, with what is still powered charged as if it stopped at `end`.
    pub fn into_ledger(mut self, end: Timestamp) -> Vec<LedgerLine> {
        for index in 0..self.tariffs.len() {
            self.power_off(end, ServerId(index as u16));
        }
        self.lines.sort_by_key(|line| (line.from, line.server));
        self.lines
    }

    /// All charges up to `now`, open lines included.
    pub fn total(&self, now: Timestamp) -> Money {
        let open = self.tariffs.iter().filter_map(|tariff| {
            let since = tariff.since?;
            Some(
                stretches(tariff.pricing, since, now, &self.zone)
                    .map(|(_, _, charge)| charge.amount)
                    .sum(),
            )
        });
        self.closed + open.sum()
    }

    fn power_on(&mut self, at: Timestamp, server: ServerId) {
        let tariff = &mut self.tariffs[server.index()];
        tariff.since = tariff.since.or(Some(at));
    }

    fn power_off(&mut self, at: Timestamp, server: ServerId) {
        let tariff = &mut self.tariffs[server.index()];
        let Some(since) = tariff.since.take() else { return };
        for (from, to, charge) in stretches(tariff.pricing, since, at, &self.zone) {
            self.closed += charge.amount;
            self.lines.push(LedgerLine {
                server,
                plan: tariff.plan.clone(),
                from,
                to,
                accounted: to.since(from),
                charged: charge.charged,
                unit: charge.unit,
                unit_price: charge.unit_price,
                amount: charge.amount,
            });
        }
    }
}

/// Cuts a powered stretch where its pricing says that a line ends.
fn stretches(
    pricing: Pricing,
    since: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> impl Iterator<Item = (Timestamp, Timestamp, Charge)> {
    let mut from = since;
    std::iter::from_fn(move || {
        if from >= until {
            return None;
        }
        let to = pricing.period_end(from, zone).min(until);
        let line = (from, to, pricing.charge(from, to, zone));
        from = to;
        Some(line)
    })
}

impl FactSink for Meter {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        if let Fact::PowerChanged { server, on, .. } = fact {
            if on { self.power_on(at, server) } else { self.power_off(at, server) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn meter() -> Meter {
        let hourly =
            Pricing::PerSecond { hourly: Money::from_micros(3_600_000), minimum: Span::ZERO };
        let monthly = Pricing::Monthly { monthly: Money::from_micros(31_000_000) };
        Meter::new([("big".to_owned(), monthly), ("big".to_owned(), hourly)], TimeZone::UTC)
    }

    fn power(meter: &mut Meter, seconds: i64, server: u16, on: bool) {
        let at = Timestamp::default() + Span::from_secs(seconds);
        meter.fact(at, Fact::PowerChanged { server: ServerId(server), on, commanded: true });
    }

    #[test]
    fn a_standby_is_billed_for_its_powered_time_alone() {
        let mut meter = meter();
        power(&mut meter, 10, 1, true);
        power(&mut meter, 20, 1, true);
        power(&mut meter, 110, 1, false);
        power(&mut meter, 120, 1, false);
        let ledger = meter.into_ledger(Timestamp::default() + Span::from_secs(500));
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger[0].accounted, Span::from_secs(100));
        assert_eq!(ledger[0].amount, Money::from_micros(100_000));
    }

    #[test]
    fn a_monthly_line_ends_with_its_month_and_the_lines_sum_to_the_total() {
        let mut meter = meter();
        power(&mut meter, 0, 0, true);
        let end = Timestamp::default() + Span::from_hours(24 * 45);
        let total = meter.total(end);
        let ledger = meter.into_ledger(end);
        assert_eq!(ledger.len(), 2);
        assert_eq!(ledger[0].amount, Money::from_micros(31_000_000));
        assert_eq!(ledger.iter().map(|line| line.amount).sum::<Money>(), total);
    }
}
