//! Demands on the number of servers, and who wins.

pub mod schedule;
pub mod trigger;

use crate::decision::Source;
use crate::policy::Bound;

/// Priority of the servers that rules hold.
pub const RULE_PRIORITY: u8 = 10;

/// Somebody wants so many servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Who.
    pub source: Source,
    /// At least, at most, or exactly.
    pub bound: Bound,
    /// So many servers, the primary included.
    pub servers: u16,
    /// Higher wins.
    pub priority: u8,
}

/// What all demands come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Servers wanted: the least that satisfies them.
    pub servers: u16,
    /// Who asks for so many.
    pub asked_by: Source,
    /// The most that they allow.
    pub most: u16,
    /// Who allows no more.
    pub limited_by: Source,
}

impl Resolution {
    /// Who is to be named for a change from `committed` servers.
    pub const fn source(&self, committed: u16) -> Source {
        if self.most < committed { self.limited_by } else { self.asked_by }
    }
}

/// Resolves `demands` between the least and the most servers that the policy allows.
///
/// From the highest priority down, each demand narrows the interval that those before it left; a
/// demand outside it is moved to its nearest end. At equal priority pins come first, then floors,
/// then ceilings, which is the safe side. The least number that remains is wanted.
pub fn resolve(minimum: u16, maximum: u16, demands: &[Demand]) -> Resolution {
    let bounds = Source::Bounds;
    let mut found = Resolution {
        servers: minimum,
        asked_by: bounds,
        most: maximum.max(minimum),
        limited_by: bounds,
    };
    let mut order = demands.to_vec();
    let rank = |bound| match bound {
        Bound::Pin => 0,
        Bound::Floor => 1,
        Bound::Ceiling => 2,
    };
    order.sort_by_key(|demand| {
        (std::cmp::Reverse(demand.priority), rank(demand.bound), demand.source)
    });
    for demand in order {
        found.narrow(demand);
    }
    found
}

impl Resolution {
    fn narrow(&mut self, demand: Demand) {
        let servers = demand.servers.clamp(self.servers, self.most);
        if matches!(demand.bound, Bound::Pin | Bound::Ceiling) && servers < self.most {
            (self.most, self.limited_by) = (servers, demand.source);
        }
        if matches!(demand.bound, Bound::Pin | Bound::Floor) && servers > self.servers {
            // A floor that was cut down to a ceiling yields what the ceiling says.
            let cut = demand.servers > servers;
            self.asked_by = if cut { self.limited_by } else { demand.source };
            self.servers = servers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{RuleId, ScheduleId};

    fn demand(source: Source, bound: Bound, servers: u16, priority: u8) -> Demand {
        Demand { source, bound, servers, priority }
    }

    #[test]
    fn the_higher_priority_wins_and_a_floor_beats_a_ceiling() {
        let rule = Source::Rule(RuleId(0));
        let schedule = Source::Schedule(ScheduleId(0));
        let cases = [
            (vec![], 1, Source::Bounds),
            (vec![demand(rule, Bound::Floor, 3, 10)], 3, rule),
            (vec![demand(rule, Bound::Floor, 9, 10)], 4, Source::Bounds),
            (
                vec![
                    demand(rule, Bound::Floor, 3, 10),
                    demand(Source::Manual, Bound::Ceiling, 2, 100),
                ],
                2,
                Source::Manual,
            ),
            (
                vec![demand(schedule, Bound::Floor, 3, 50), demand(rule, Bound::Ceiling, 2, 50)],
                3,
                schedule,
            ),
            (
                vec![demand(schedule, Bound::Pin, 2, 50), demand(rule, Bound::Floor, 4, 10)],
                2,
                schedule,
            ),
        ];
        for (demands, servers, source) in cases {
            let found = resolve(1, 4, &demands);
            assert_eq!((found.servers, found.asked_by), (servers, source), "{demands:?}");
        }
    }

    #[test]
    fn a_ceiling_below_what_runs_is_what_is_named() {
        let found = resolve(1, 4, &[demand(Source::Manual, Bound::Ceiling, 1, 100)]);
        assert_eq!((found.servers, found.source(1)), (1, Source::Bounds));
        assert_eq!(found.source(2), Source::Manual);
    }
}
