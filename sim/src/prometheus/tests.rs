//! Values as Prometheus gives them for the same samples: computed by the rules of version 3, and
//! read off `promtool test rules` of version 2.42 where its rules are the same.

use super::*;

const SECOND: i64 = 1_000_000_000;

/// A target scraped each minute; a missing value is a scrape that found nobody.
fn target(idle_seconds: &[Option<i64>]) -> Target {
    let mut target = Target::new(240 * SECOND);
    for (minute, idle) in (0..).zip(idle_seconds) {
        let at = minute * 60 * SECOND;
        match idle {
            Some(idle) => target.scrape(at, (idle * SECOND).cast_unsigned(), Ratio::ONE),
            None => target.miss(at),
        }
    }
    target
}

fn query(now: i64, back: i64) -> Query {
    Query { now: now * SECOND, delay: 0, back: back * SECOND }
}

fn rate(idle_seconds: &[Option<i64>], now: i64, range: i64) -> Option<f64> {
    let found = target(idle_seconds).rate(query(now, range))?;
    Some(found.part as f64 / found.whole as f64)
}

#[test]
fn a_rate_is_carried_on_to_the_ends_of_its_range_as_prometheus_does_it() {
    let even = [1_000, 1_048, 1_096, 1_144, 1_192].map(Some);
    let cases: [(&[Option<i64>], i64, i64, f64); 7] = [
        (&even, 250, 240, 0.8),
        (&[None, Some(30), Some(78)], 130, 240, 1.0 / 3.0),
        (&[None, Some(10), Some(58)], 130, 240, 0.275),
        (&[100, 148, 20, 68].map(Some), 190, 200, 0.644_444_444_444_444_4),
        (&[500, 548, 596].map(Some), 230, 240, 0.533_333_333_333_333_3),
        (&[Some(500), None, Some(620)], 130, 240, 1.0),
        (&[Some(500), Some(548), None], 130, 240, 0.4),
    ];
    for (samples, now, range, expected) in cases {
        let found = rate(samples, now, range).unwrap();
        assert!((found - expected).abs() < 1e-12, "{samples:?}: {found}, not {expected}");
    }
}

#[test]
fn a_rate_needs_two_samples_in_its_range() {
    let samples = [500, 548, 596].map(Some);
    assert!(rate(&samples, 120, 61).is_some());
    assert_eq!(rate(&samples, 120, 60), None, "the range begins after its first moment");
    assert_eq!(rate(&samples, 300, 240), None);
}

#[test]
fn a_value_is_dated_by_the_last_sample_that_has_arrived() {
    let mut target = target(&[500, 548, 596].map(Some));
    let late = Query { delay: 2 * SECOND, ..query(121, 240) };
    assert_eq!(target.rate(late).map(|rate| rate.at), Some(60 * SECOND));
    assert_eq!(target.rate(Query { now: 122 * SECOND, ..late }).unwrap().at, 120 * SECOND);
    assert_eq!(target.memory(late), Some((60 * SECOND, Ratio::ONE)));
    target.miss(180 * SECOND);
    assert!(target.memory(Query { now: 181 * SECOND, ..late }).is_some());
    assert_eq!(target.memory(Query { now: 182 * SECOND, ..late }), None);
}

#[test]
fn a_gauge_is_gone_with_its_target_and_else_after_the_look_back() {
    let gone = target(&[Some(500), Some(548), None]);
    assert!(gone.memory(query(119, 300)).is_some());
    assert_eq!(gone.memory(query(121, 300)), None);
    let silent = target(&[500, 548, 596].map(Some));
    assert!(silent.memory(query(419, 300)).is_some());
    assert_eq!(silent.memory(query(421, 300)), None);
}

#[test]
fn no_more_is_kept_than_the_range_needs() {
    let mut target = Target::new(240 * SECOND);
    for minute in 0..1_000 {
        target.scrape(minute * 60 * SECOND, 0, Ratio::ONE);
    }
    assert!(target.entries.len() <= 6, "{}", target.entries.len());
}
