//! Exact money: whole millionths of a currency's unit, never a float.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Micro-units in one unit of a currency.
pub const MICROS: i64 = 1_000_000;

/// An amount in micro-units of the group's currency; as text a decimal number, `"12.34"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `micros` millionths of a unit.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Millionths of a unit.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// As a float, for plots only.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / MICROS as f64
    }

    /// `self × numerator ÷ denominator`, rounded half up to the micro-unit, at most `i64::MAX`.
    /// A denominator of zero counts as one.
    #[must_use]
    pub fn scaled(self, numerator: i64, denominator: i64) -> Self {
        let denominator = i128::from(denominator.max(1));
        let product = i128::from(self.0) * i128::from(numerator);
        let rounded = (2 * product + denominator).div_euclid(2 * denominator);
        Self(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// At least two decimals, and as many more as the amount needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (units, fraction) = (micros / MICROS.unsigned_abs(), micros % MICROS.unsigned_abs());
        let digits = format!("{fraction:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{units}.{}", &digits[..kept])
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_micros(text).map(Self).ok_or_else(|| MoneyError(text.to_owned()))
    }
}

fn parse_micros(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(units) || !numeric(fraction) || fraction.len() > 6 {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let total = units.parse::<i64>().ok()?.checked_mul(MICROS)?.checked_add(micros)?;
    Some(if negative { -total } else { total })
}

/// Why a text is not an amount, a price or a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not money: write an amount, a currency and for a price its period, \
     such as \"0.42 USD/hour\""
)]
pub struct MoneyError(String);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An ISO 4217 code such as `USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError(text.to_owned())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| write!(f, "{}", char::from(letter)))
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Sixty minutes.
    Hour,
    /// A calendar month, of whatever length.
    Month,
}

/// An amount of a currency for a period, such as `"300 USD/month"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The amount for one period.
    pub amount: Money,
    /// Its currency.
    pub currency: Currency,
    /// The period.
    pub per: Per,
}

impl Price {
    /// For an hour: 730 are the twelfth of a year, by which clouds turn one price into the other.
    pub fn hourly(self) -> Money {
        match self.per {
            Per::Hour => self.amount,
            Per::Month => self.amount.scaled(1, 730),
        }
    }
}

impl FromStr for Price {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let refused = || MoneyError(text.to_owned());
        let (sum, period) = text.split_once('/').ok_or_else(refused)?;
        let (amount, currency) = sum.trim().split_once(' ').ok_or_else(refused)?;
        let per = match period.trim() {
            "hour" => Per::Hour,
            "month" => Per::Month,
            _ => return Err(refused()),
        };
        let amount: Money = amount.parse().map_err(|_| refused())?;
        let currency = currency.trim().parse().map_err(|_| refused())?;
        if amount < Money::ZERO { Err(refused()) } else { Ok(Self { amount, currency, per }) }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Hour => "hour",
            Per::Month => "month",
        };
        write!(f, "{} {}/{per}", self.amount, self.currency)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An amount, a currency and a period: 0.42 USD/hour, 300 USD/month.",
            "pattern": r"^[0-9]+(\.[0-9]{1,6})? [A-Z]{3}/(hour|month)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_back_what_it_wrote() {
        for (micros, text) in
            [(0, "0.00"), (120_000, "0.12"), (-1, "-0.000001"), (7_500_000, "7.50")]
        {
            let money = Money::from_micros(micros);
            assert_eq!(money.to_string(), text);
            assert_eq!(text.parse(), Ok(money));
        }
    }

    #[test]
    fn scaling_rounds_half_up_without_overflow() {
        assert_eq!(Money::from_micros(1).scaled(1, 2).micros(), 1);
        assert_eq!(Money::from_micros(1).scaled(49, 100).micros(), 0);
        assert_eq!(Money::from_micros(i64::MAX / 2).scaled(3_600, 3_600).micros(), i64::MAX / 2);
    }

    #[test]
    fn a_price_needs_currency_and_period() {
        assert!("300 USD/month".parse::<Price>().is_ok());
        for text in
            ["300", "300 USD", "300 usd/month", "-1 USD/hour", "1 USD/week", "1.2.3 USD/hour"]
        {
            assert!(text.parse::<Price>().is_err(), "{text}");
        }
    }
}
