//! Demands, resolved by trying every number of servers.

use std::cmp::Reverse;

use proptest::prelude::*;
use tidegate_core::decision::Source;
use tidegate_core::demand::{Demand, resolve};
use tidegate_core::policy::Bound;
use tidegate_core::{RuleId, ScheduleId};

use crate::config;

fn demand() -> impl Strategy<Value = Demand> {
    let bound = prop_oneof![Just(Bound::Floor), Just(Bound::Ceiling), Just(Bound::Pin)];
    let source = prop_oneof![
        (0..3u8).prop_map(|id| Source::Rule(RuleId(id))),
        (0..3u8).prop_map(|id| Source::Schedule(ScheduleId(id))),
        Just(Source::Manual),
    ];
    (source, bound, 0..9u16, 0..4u8).prop_map(|(source, bound, servers, priority)| Demand {
        source,
        bound,
        servers,
        priority,
    })
}

fn allows(demand: Demand, servers: u16) -> bool {
    match demand.bound {
        Bound::Floor => servers >= demand.servers,
        Bound::Ceiling => servers <= demand.servers,
        Bound::Pin => servers == demand.servers,
    }
}

/// The numbers of servers that remain: each demand in turn leaves those that it allows, or if it
/// allows none of them the one that is nearest.
fn remaining(minimum: u16, maximum: u16, demands: &[Demand]) -> Vec<u16> {
    let mut order = demands.to_vec();
    let kinds = [Bound::Pin, Bound::Floor, Bound::Ceiling];
    let kind = |bound| kinds.iter().position(|kind| *kind == bound);
    order.sort_by_key(|one| (Reverse(one.priority), kind(one.bound), one.source));
    let mut left: Vec<u16> = (minimum..=maximum.max(minimum)).collect();
    for demand in order {
        let allowed: Vec<u16> =
            left.iter().copied().filter(|servers| allows(demand, *servers)).collect();
        let nearest = left.iter().copied().min_by_key(|one| one.abs_diff(demand.servers));
        left = if allowed.is_empty() { nearest.into_iter().collect() } else { allowed };
    }
    left
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn the_least_number_that_satisfies_all_is_wanted(
        minimum in 1..5u16,
        maximum in 0..8u16,
        demands in prop::collection::vec(demand(), 0..6),
    ) {
        let left = remaining(minimum, maximum, &demands);
        let found = resolve(minimum, maximum, &demands);
        prop_assert_eq!(Some(&found.servers), left.first());
        prop_assert_eq!(Some(&found.most), left.last());
    }

    /// Whoever is named had a part in it: without what that source demands, the number differs,
    /// or another source demands the same.
    #[test]
    fn who_is_named_asked_for_it(
        maximum in 1..8u16,
        demands in prop::collection::vec(demand(), 0..6),
    ) {
        let found = resolve(1, maximum, &demands);
        let of = |source: Source| demands.iter().filter(move |one| one.source == source);
        if found.asked_by == Source::Bounds {
            prop_assert!(found.servers == 1 || found.servers == maximum);
        } else {
            let fits = |one: &Demand| one.servers == found.servers || one.servers <= 1;
            prop_assert!(of(found.asked_by).any(fits), "{found:?}");
        }
        if found.limited_by == Source::Bounds {
            prop_assert_eq!(found.most, maximum);
        } else {
            prop_assert!(found.most < maximum);
            prop_assert!(of(found.limited_by).any(|one| one.bound != Bound::Floor));
        }
        let named = found.source(found.most + 1);
        prop_assert_eq!(named, found.limited_by);
        prop_assert_eq!(found.source(found.most), found.asked_by);
    }

    /// In whatever order they come.
    #[test]
    fn the_order_of_demands_changes_nothing(
        demands in prop::collection::vec(demand(), 0..6).prop_shuffle(),
    ) {
        let mut sorted = demands.clone();
        sorted.sort_by_key(|one| (one.source, one.servers));
        let (one, other) = (resolve(1, 6, &demands), resolve(1, 6, &sorted));
        prop_assume!(distinct(&demands));
        prop_assert_eq!(one, other);
    }
}

/// A source pins once; what the same source pins twice is a matter of order.
fn distinct(demands: &[Demand]) -> bool {
    let key = |one: &Demand| (one.source, one.bound, one.priority);
    let unlike = |(index, one): (usize, &Demand)| {
        demands[..index].iter().all(|other| key(other) != key(one))
    };
    demands.iter().enumerate().all(unlike)
}
