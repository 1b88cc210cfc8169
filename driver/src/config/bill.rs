//! What a group's servers are and cost, for the ledger of its record.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_core::billing::{Pricing, Terms};
use tidegate_core::money::Price;
use tidegate_core::record::{Member, ServerInfo};
use tidegate_core::size::Size;
use tidegate_core::{Currency, Money, ServerId, Span};

/// A plan.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Cores.
    pub vcpu: u32,
    /// Memory.
    pub memory: Size,
    /// Its monthly or hourly price.
    pub price: Price,
}

/// What the servers of a group cost: the same keys as in a scenario's `group`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillFile {
    /// Plan of the primary. Default: one that costs nothing.
    pub primary: Option<String>,
    /// Plan of the standbys. Default: the primary's.
    pub standby: Option<String>,
    /// Price of a standby. Default: its plan's.
    pub standby_price: Option<Price>,
    /// How a standby is billed. Default `per-second`.
    #[serde(default)]
    pub standby_billing: Terms,
    /// Least time charged for a start, per second. Default 60s.
    pub minimum: Option<Span>,
}

/// Of which nothing is said.
const UNKNOWN: &str = "unpriced";

impl BillFile {
    /// The key that names no plan or another currency, and what is wrong with it.
    pub(super) fn check(
        &self,
        plans: &BTreeMap<String, PlanFile>,
    ) -> Result<(), (&'static str, String)> {
        for (key, name) in [("primary", &self.primary), ("standby", &self.standby)] {
            if let Some(name) = name
                && !plans.contains_key(name)
            {
                return Err((key, format!("there is no plan `{name}`")));
            }
        }
        let prices = plans.values().map(|plan| plan.price).chain(self.standby_price);
        let mut currencies = prices.map(|price| price.currency);
        let first = currencies.next();
        if currencies.any(|other| Some(other) != first) {
            return Err(("primary", "all prices need one currency".to_owned()));
        }
        Ok(())
    }

    /// The servers, the primary first, and the currency of their prices.
    pub fn members(
        &self,
        plans: &BTreeMap<String, PlanFile>,
        standbys: u16,
    ) -> (Vec<Member>, Currency) {
        let member = |server, name: Option<&String>| {
            let plan = name.and_then(|name| plans.get(name));
            let free = Pricing::Monthly { monthly: Money::ZERO };
            let pricing = match (plan, server == ServerId::PRIMARY) {
                (None, _) => free,
                (Some(plan), true) => Pricing::always_on(plan.price),
                (Some(plan), false) => {
                    let price = self.standby_price.unwrap_or(plan.price);
                    self.standby_billing.pricing(price, self.minimum)
                }
            };
            let info = ServerInfo {
                server,
                plan: name.map_or(UNKNOWN, String::as_str).to_owned(),
                vcpu: plan.map_or(0, |plan| plan.vcpu),
                memory_bytes: plan.map_or(0, |plan| plan.memory.0),
                web_workers: 0,
                job_workers: 0,
            };
            Member { info, pricing }
        };
        let standby = self.standby.as_ref().or(self.primary.as_ref());
        let standbys = (1..=standbys).map(|id| member(ServerId(id), standby));
        let members =
            std::iter::once(member(ServerId::PRIMARY, self.primary.as_ref())).chain(standbys);
        let price = plans.values().next().map(|plan| plan.price);
        (members.collect(), price.map_or(Currency::USD, |price| price.currency))
    }
}
