//! How powered time becomes an amount.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Unit;
use crate::money::{Money, Per, Price};
use crate::time::{Span, Timestamp};

/// A pricing and its rounding.
///
/// - [`Pricing::PerSecond`]: charged = started seconds, at least the minimum;
///   amount = hourly × charged ÷ 3600 s, rounded half up to the micro-unit
///   (Amazon EC2 Linux since October 2017, with a minimum of 60 s).
/// - [`Pricing::PerStartedHour`]: charged = started hours; amount = hourly × hours
///   (Amazon EC2 before October 2017).
/// - [`Pricing::Monthly`]: charged = started seconds; amount = monthly × charged ÷ the seconds of
///   that calendar month, rounded half up to the micro-unit. A line never crosses a month's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pricing {
    /// Per second, with a minimum for each start.
    PerSecond {
        /// Price of an hour.
        hourly: Money,
        /// Least time charged for a start.
        minimum: Span,
    },
    /// Per started hour.
    PerStartedHour {
        /// Price of an hour.
        hourly: Money,
    },
    /// Per month, accrued by the second.
    Monthly {
        /// Price of a calendar month.
        monthly: Money,
    },
}

/// How power is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "BillingFile")]
pub enum Terms {
    /// Per second with a minimum.
    #[default]
    PerSecond,
    /// Per started hour.
    PerStartedHour,
    /// Per month, accrued by the second.
    Monthly,
}

impl Terms {
    /// The pricing of a standby. `minimum` is charged for a start, per second; 60 s if absent.
    pub fn pricing(self, price: Price, minimum: Option<Span>) -> Pricing {
        let hourly = price.hourly();
        match self {
            Self::PerSecond => {
                Pricing::PerSecond { hourly, minimum: minimum.unwrap_or(Span::from_secs(60)) }
            }
            Self::PerStartedHour => Pricing::PerStartedHour { hourly },
            Self::Monthly => Pricing::always_on(price),
        }
    }
}

/// What a stretch of powered time costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Time charged.
    pub charged: Span,
    /// What the unit price is for.
    pub unit: Unit,
    /// Price of one unit.
    pub unit_price: Money,
    /// The amount.
    pub amount: Money,
}

impl Pricing {
    /// Of a server that is always on: a price of a month is billed by the month, one of an hour by
    /// the second.
    pub const fn always_on(price: Price) -> Self {
        match price.per {
            Per::Hour => Self::PerSecond { hourly: price.amount, minimum: Span::ZERO },
            Per::Month => Self::Monthly { monthly: price.amount },
        }
    }

    /// The charge for power from `from` to `to`, with months as the clocks of `zone` have them.
    pub fn charge(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Charge {
        let seconds = to.since(from).as_secs_ceil();
        match *self {
            Self::PerSecond { hourly, minimum } => {
                let charged = seconds.max(minimum.as_secs_ceil());
                hourly_charge(hourly, charged, hourly.scaled(charged, 3_600))
            }
            Self::PerStartedHour { hourly } => {
                let hours = seconds.saturating_add(3_599) / 3_600;
                hourly_charge(hourly, hours * 3_600, hourly.scaled(hours, 1))
            }
            Self::Monthly { monthly } => Charge {
                charged: Span::from_secs(seconds),
                unit: Unit::Month,
                unit_price: monthly,
                amount: monthly.scaled(seconds, seconds_of_month(from, zone)),
            },
        }
    }

    /// Where a stretch that begins at `from` must be cut: for a monthly price its month's end.
    pub fn period_end(&self, from: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::PerSecond { .. } | Self::PerStartedHour { .. } => Timestamp::MAX,
            Self::Monthly { .. } => month_bounds(from, zone).1,
        }
    }
}

const fn hourly_charge(hourly: Money, seconds: i64, amount: Money) -> Charge {
    Charge { charged: Span::from_secs(seconds), unit: Unit::Hour, unit_price: hourly, amount }
}

fn seconds_of_month(at: Timestamp, zone: &TimeZone) -> i64 {
    let (from, to) = month_bounds(at, zone);
    to.since(from).as_secs_ceil()
}

fn month_bounds(at: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let first = zone.to_datetime(at.to_jiff()).date().first_of_month();
    let instant = |date: jiff::civil::Date| {
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        Timestamp::from_jiff(zone.to_timestamp(midnight).ok()?)
    };
    let next = first.checked_add(jiff::Span::new().months(1)).ok().and_then(instant);
    (instant(first).unwrap_or(at), next.unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap_or_default()).unwrap_or_default()
    }

    #[test]
    fn per_second_charges_started_seconds_and_a_minimum() {
        let pricing = Pricing::PerSecond {
            hourly: Money::from_micros(3_600_000),
            minimum: Span::from_secs(60),
        };
        let charge = |ms| {
            pricing.charge(
                at("2026-01-01T00:00Z"),
                at("2026-01-01T00:00Z") + Span::from_millis(ms),
                &TimeZone::UTC,
            )
        };
        assert_eq!(charge(1).amount, Money::from_micros(60_000));
        assert_eq!(charge(60_001).amount, Money::from_micros(61_000));
        assert_eq!(charge(60_001).charged, Span::from_secs(61));
    }

    #[test]
    fn per_started_hour_rounds_up() {
        let pricing = Pricing::PerStartedHour { hourly: Money::from_micros(420_000) };
        let from = at("2026-01-01T00:00Z");
        assert_eq!(
            pricing.charge(from, from + Span::from_secs(1), &TimeZone::UTC).amount.micros(),
            420_000
        );
        assert_eq!(
            pricing.charge(from, from + Span::from_secs(3_601), &TimeZone::UTC).amount.micros(),
            840_000
        );
    }

    #[test]
    fn a_whole_month_costs_its_price_whatever_its_length() {
        let pricing = Pricing::Monthly { monthly: Money::from_micros(300_000_000) };
        for month in ["2026-02-01T00:00Z", "2024-02-01T00:00Z", "2026-03-01T00:00Z"] {
            let (from, to) = month_bounds(at(month), &TimeZone::UTC);
            assert_eq!(
                pricing.charge(from, to, &TimeZone::UTC).amount.micros(),
                300_000_000,
                "{month}"
            );
            assert_eq!(pricing.period_end(from, &TimeZone::UTC), to);
        }
    }
}
