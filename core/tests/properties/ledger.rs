//! The ledger, computed again from scratch in rational numbers.

use proptest::prelude::*;
use tidegate_core::billing::{LedgerLine, Meter, Pricing, Unit};
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Money, ServerId, Span, TimeZone, Timestamp};

use crate::config;

const SERVERS: u16 = 3;
const SECOND: i128 = 1_000_000_000;

#[derive(Clone, Debug)]
enum Act {
    Power(bool),
    Plan(Pricing),
}

fn pricing() -> impl Strategy<Value = Pricing> {
    let price = prop_oneof![0..10i64, 0..5_000_000_000i64].prop_map(Money::from_micros);
    let minimum = prop_oneof![Just(0), Just(60_000), 0..4_000_000i64].prop_map(Span::from_millis);
    prop_oneof![
        (price.clone(), minimum)
            .prop_map(|(hourly, minimum)| Pricing::PerSecond { hourly, minimum }),
        price.clone().prop_map(|hourly| Pricing::PerStartedHour { hourly }),
        price.prop_map(|monthly| Pricing::Monthly { monthly }),
    ]
}

/// Acts on a server, each some milliseconds after the one before.
fn acts() -> impl Strategy<Value = Vec<(i64, u16, Act)>> {
    let act = prop_oneof![
        6 => any::<bool>().prop_map(Act::Power),
        1 => pricing().prop_map(Act::Plan),
    ];
    let gap = prop_oneof![
        1 => Just(0i64),
        4 => 0..90_000i64,
        4 => 0..9_000_000i64,
        1 => 0..5_000_000_000i64,
    ];
    prop::collection::vec((gap, 0..SERVERS, act), 1..40)
}

fn start() -> Timestamp {
    let start = "2026-01-30T22:00:00Z".parse::<jiff::Timestamp>().unwrap();
    Timestamp::from_jiff(start).unwrap()
}

/// Where months begin on the clocks of `zone`, for ten years.
fn months(zone: &TimeZone) -> Vec<Timestamp> {
    let begins = |month: i32| {
        let year = 2025 + (month / 12) as i16;
        let first = jiff::civil::date(year, (month % 12 + 1) as i8, 1).at(0, 0, 0, 0);
        Timestamp::from_jiff(zone.to_timestamp(first).unwrap()).unwrap()
    };
    (0..120).map(begins).collect()
}

/// `numerator ÷ denominator`, rounded half up.
fn rounded(numerator: i128, denominator: i128) -> i64 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    i64::try_from(whole + i128::from(2 * rest >= denominator)).unwrap()
}

/// One after another the stretches of power, cut where the pricing says, and what each costs.
fn lines(
    server: ServerId,
    plan: &str,
    pricing: Pricing,
    (from, to): (Timestamp, Timestamp),
    months: &[Timestamp],
) -> Vec<LedgerLine> {
    let inside = |month: &&Timestamp| **month > from && **month < to;
    let cuts: Vec<Timestamp> = match pricing {
        Pricing::Monthly { .. } => months.iter().filter(inside).copied().collect(),
        Pricing::PerSecond { .. } | Pricing::PerStartedHour { .. } => Vec::new(),
    };
    let ends: Vec<Timestamp> = [from].into_iter().chain(cuts).chain([to]).collect();
    let stretches = ends.windows(2).filter(|pair| pair[0] < pair[1]);
    stretches.map(|pair| line(server, plan, pricing, (pair[0], pair[1]), months)).collect()
}

fn line(
    server: ServerId,
    plan: &str,
    pricing: Pricing,
    (from, to): (Timestamp, Timestamp),
    months: &[Timestamp],
) -> LedgerLine {
    let used = i128::from(to.as_nanos()) - i128::from(from.as_nanos());
    let started = |length: i128, unit: i128| length / unit + i128::from(length % unit > 0);
    let (charged, unit, unit_price, of) = match pricing {
        Pricing::PerSecond { hourly, minimum } => {
            let least = started(i128::from(minimum.as_nanos()), SECOND);
            (started(used, SECOND).max(least), Unit::Hour, hourly, 3_600)
        }
        Pricing::PerStartedHour { hourly } => {
            (started(used, 3_600 * SECOND) * 3_600, Unit::Hour, hourly, 3_600)
        }
        Pricing::Monthly { monthly } => {
            let next = months.iter().position(|month| *month > from).unwrap();
            let length = months[next].as_nanos() - months[next - 1].as_nanos();
            (started(used, SECOND), Unit::Month, monthly, i128::from(length) / SECOND)
        }
    };
    let amount = rounded(i128::from(unit_price.micros()) * charged, of);
    LedgerLine {
        server,
        plan: plan.to_owned(),
        from,
        to,
        accounted: Span::from_nanos(i64::try_from(used).unwrap()),
        charged: Span::from_secs(i64::try_from(charged).unwrap()),
        unit,
        unit_price,
        amount: Money::from_micros(amount),
    }
}

/// The whole ledger of one server, from the list of what happened to it.
fn ledger_of(
    server: ServerId,
    first: Pricing,
    acts: &[(Timestamp, Act)],
    end: Timestamp,
    months: &[Timestamp],
) -> Vec<LedgerLine> {
    let (mut since, mut plan, mut tariff) = (None, "first".to_owned(), first);
    let mut ledger = Vec::new();
    for (at, act) in acts {
        match act {
            Act::Power(true) => since = since.or(Some(*at)),
            Act::Power(false) => {
                let stretch = since.take().map(|since| (since, *at));
                ledger.extend(stretch.map(|of| lines(server, &plan, tariff, of, months)));
            }
            Act::Plan(pricing) => {
                let stretch = since.map(|since| (since, *at));
                ledger.extend(stretch.map(|of| lines(server, &plan, tariff, of, months)));
                since = since.map(|_| *at);
                (plan, tariff) = ("next".to_owned(), *pricing);
            }
        }
    }
    ledger.extend(since.map(|since| lines(server, &plan, tariff, (since, end), months)));
    ledger.concat()
}

fn told(meter: &mut Meter, at: Timestamp, server: ServerId, act: &Act) {
    match act {
        Act::Power(on) => {
            meter.fact(at, Fact::PowerChanged { server, on: *on, commanded: true });
        }
        Act::Plan(pricing) => meter.change_plan(at, server, "next".to_owned(), *pricing),
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn the_ledger_is_what_the_list_of_power_says(
        acts in acts(),
        first in pricing(),
        zone in prop::sample::select(vec![
            "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
        ]),
        rest in 0..4_000_000_000i64,
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let months = months(&zone);
        let plans = (0..SERVERS).map(|_| ("first".to_owned(), first));
        let mut meter = Meter::new(plans, zone);
        let mut now = start();
        let mut happened = Vec::new();
        for (gap, server, act) in acts {
            now = now + Span::from_millis(gap);
            told(&mut meter, now, ServerId(server), &act);
            happened.push((server, (now, act)));
        }
        let end = now + Span::from_millis(rest);
        let mut expected: Vec<LedgerLine> = (0..SERVERS)
            .flat_map(|server| {
                let of = happened.iter().filter(|(whose, _)| *whose == server);
                let acts: Vec<_> = of.map(|(_, act)| act.clone()).collect();
                ledger_of(ServerId(server), first, &acts, end, &months)
            })
            .collect();
        expected.sort_by_key(|line| (line.from, line.server));
        let sum: i64 = expected.iter().map(|line| line.amount.micros()).sum();
        prop_assert_eq!(meter.total(end), Money::from_micros(sum));
        prop_assert_eq!(meter.into_ledger(end), expected);
    }

    /// A share of an amount, to the micro-unit, and below zero too.
    #[test]
    fn a_scaled_amount_is_rounded_half_up(
        micros in -1_000_000_000_000i64..1_000_000_000_000,
        numerator in 0..100_000_000i64,
        denominator in 0..100_000_000i64,
    ) {
        let of = i128::from(denominator.max(1));
        let exact = i128::from(micros) * i128::from(numerator);
        let down = exact.div_euclid(of);
        let up = i128::from(2 * exact.rem_euclid(of) >= of);
        let expected = i64::try_from(down + up).unwrap_or(i64::MAX);
        let scaled = Money::from_micros(micros).scaled(numerator, denominator);
        prop_assert_eq!(scaled.micros(), expected);
    }
}
