//! A rule's window, evaluated over a list of all samples.

use proptest::prelude::*;
use tidegate_core::decision::{Direction, Opinion};
use tidegate_core::demand::trigger::{Rule, Window, group_value};
use tidegate_core::policy::{Metric, Missing};
use tidegate_core::{Dated, Ratio, RuleId, ServerId, ServerView, Span, Timestamp};

use crate::config;

const STALE: Span = Span::from_secs(120);

/// What a vote is given: nothing, or a value and by how much it is younger than the one before.
type Reading = Option<(u32, i64)>;

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let ages = prop_oneof![6 => 1..60i64, 1 => Just(0), 1 => -60..0i64, 1 => 100..200i64];
    let near = prop_oneof![Just(49u32), Just(50), Just(51), 0..=100u32];
    prop::collection::vec(prop::option::weighted(0.95, (near, ages)), 1..60)
}

fn rule(up: bool, hold: bool, window: i64) -> Rule {
    Rule {
        id: RuleId(0),
        direction: if up { Direction::Up } else { Direction::Down },
        metric: Metric::Cpu,
        threshold: Ratio::from_percent(50),
        window: Span::from_secs(window),
        missing: if hold { Missing::Hold } else { Missing::Reset },
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::default() + Span::from_secs(second)
}

/// What was given until now: whether there was a value, whether it was past the threshold, when.
#[derive(Clone, Copy)]
enum Given {
    Nothing,
    Sample { holds: bool, second: i64 },
}

/// Seconds for which the condition holds after all that was given, or `None` if it does not.
fn held(given: &[Given], rule: &Rule) -> Option<i64> {
    let resets = rule.missing == Missing::Reset;
    let breaks = |one: &Given| match *one {
        Given::Nothing => resets,
        Given::Sample { holds, .. } => !holds,
    };
    let from = given.iter().rposition(breaks).map_or(0, |broken| broken + 1);
    let second = |one: &Given| match *one {
        Given::Nothing => None,
        Given::Sample { second, .. } => Some(second),
    };
    let run: Vec<i64> = given[from..].iter().filter_map(second).collect();
    let gaps = run.windows(2).map(|pair| pair[1] - pair[0]);
    let stale = STALE.as_nanos() / Span::from_secs(1).as_nanos();
    let last_gap = gaps.clone().collect::<Vec<_>>().iter().rposition(|gap| *gap > stale);
    let skipped = if resets { last_gap.map_or(0, |gap| gap + 1) } else { 0 };
    (!run.is_empty()).then(|| gaps.skip(skipped).filter(|gap| *gap <= stale).sum())
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_window_is_what_the_list_of_samples_says(
        readings in readings(),
        up in any::<bool>(),
        hold in any::<bool>(),
        window in 0..300i64,
    ) {
        let (rule, mut kept) = (rule(up, hold, window), Window::default());
        let (mut second, mut youngest, mut given) = (1_000, i64::MIN, Vec::new());
        for reading in readings {
            let value = reading.map(|(percent, younger)| {
                second += younger;
                Dated::new(Ratio::from_percent(percent), at(second))
            });
            match reading {
                None => given.push(Given::Nothing),
                Some((percent, _)) => {
                    let holds = if up { percent > 50 } else { percent < 50 };
                    if second > youngest || !holds {
                        given.push(Given::Sample { holds, second });
                    }
                    youngest = second.max(youngest);
                }
            }
            let vote = rule.vote(&mut kept, value, STALE);
            let held = held(&given, &rule);
            let expected = match (value, held) {
                (None, _) => Opinion::Missing,
                (Some(_), None) => Opinion::Disagrees,
                (Some(_), Some(held)) if held >= window => Opinion::Agrees,
                (Some(_), Some(_)) => Opinion::Filling,
            };
            prop_assert_eq!(vote.opinion, expected);
            prop_assert_eq!(vote.filled, Span::from_secs(held.unwrap_or(0)));
            prop_assert_eq!(vote.sampled_at, value.map(|value| value.at));
        }
    }

    /// The mean of those that are fresh, dated by the oldest of them; of all, or of none.
    #[test]
    fn the_group_s_value_is_the_mean_of_fresh_samples(
        samples in prop::collection::vec(prop::option::of((0..=1_000_000u32, 0..300i64)), 0..6),
        memory in any::<bool>(),
        complete in any::<bool>(),
    ) {
        let now = at(1_000);
        let metric = if memory { Metric::Memory } else { Metric::Cpu };
        let view = |sample: &Option<(u32, i64)>| {
            let mut view = ServerView::unknown(ServerId(0));
            let dated = sample.map(|(ppm, age)| Dated::new(Ratio::from_ppm(ppm), at(1_000 - age)));
            if memory { view.memory = dated } else { view.cpu = dated }
            view
        };
        let views: Vec<ServerView> = samples.iter().map(view).collect();
        let found = group_value(views.iter().map(Some), metric, now, STALE, complete);
        let fresh: Vec<(u32, i64)> =
            samples.iter().flatten().copied().filter(|(_, age)| *age <= 120).collect();
        let sum: u64 = fresh.iter().map(|(ppm, _)| u64::from(*ppm)).sum();
        let oldest = fresh.iter().map(|(_, age)| *age).max();
        let known = !complete || fresh.len() == samples.len();
        let expected = oldest.filter(|_| known).map(|age| {
            Dated::new(Ratio::from_ppm((sum / fresh.len() as u64) as u32), at(1_000 - age))
        });
        prop_assert_eq!(found, expected);
    }
}
