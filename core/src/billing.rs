//! The billing meter and its ledger. It runs on facts (power on, power off), not on intentions.

mod meter;
mod pricing;

use serde::{Deserialize, Serialize};

pub use meter::Meter;
pub use pricing::{Charge, Pricing, Terms};

use crate::ids::ServerId;
use crate::money::Money;
use crate::time::{Span, Timestamp};

/// A line of the bill: one server, powered without a break, at one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Whose power it was.
    pub server: ServerId,
    /// The plan, by name.
    pub plan: String,
    /// Power on, or the start of the accounting period.
    pub from: Timestamp,
    /// Power off, or the end of the accounting period.
    pub to: Timestamp,
    /// Time used: `to − from`.
    pub accounted: Span,
    /// Time charged, after the pricing's rounding.
    pub charged: Span,
    /// What [`LedgerLine::unit_price`] is for.
    pub unit: Unit,
    /// Price of one unit.
    pub unit_price: Money,
    /// Charged: see [`Pricing`] for the formula and its rounding.
    pub amount: Money,
}

/// What a unit price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One hour.
    Hour,
    /// One calendar month.
    Month,
}
