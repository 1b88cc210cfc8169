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

/// The number of servers that all demands come to, and the demand that set it.
///
/// From the highest priority down, each demand narrows the interval that those before it left; a
/// demand outside it is moved to its nearest end. At equal priority pins come first, then floors,
/// then ceilings, which is the safe side. The least number that remains is wanted.
pub fn resolve(minimum: u16, maximum: u16, demands: &[Demand]) -> (u16, Source) {
    let (mut low, mut high, mut winner) = (minimum, maximum.max(minimum), Source::Bounds);
    let mut order: Vec<&Demand> = demands.iter().collect();
    let rank = |bound| match bound {
        Bound::Pin => 0,
        Bound::Floor => 1,
        Bound::Ceiling => 2,
    };
    order.sort_by_key(|demand| {
        (std::cmp::Reverse(demand.priority), rank(demand.bound), demand.source)
    });
    let mut lid = Source::Bounds;
    for demand in order {
        let servers = demand.servers.clamp(low, high);
        if matches!(demand.bound, Bound::Pin | Bound::Ceiling) && servers < high {
            (high, lid) = (servers, demand.source);
        }
        if matches!(demand.bound, Bound::Pin | Bound::Floor) && servers > low {
            // A floor that was cut down to a ceiling yields what the ceiling says.
            winner = if demand.servers > servers { lid } else { demand.source };
            low = servers;
        }
    }
    (low, winner)
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
            assert_eq!(resolve(1, 4, &demands), (servers, source), "{demands:?}");
        }
    }
}
