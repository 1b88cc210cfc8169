//! Loads come as they are written: shapes, sums and scales, within the bounds of chance.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;

use tidegate_sim::arrivals::Arrivals;
use tidegate_sim::model::{Load, Model};
use tidegate_sim::scenario::{Overrides, parse};

const MINUTE: u64 = 60_000_000_000;

fn model(start: &str, duration: &str, loads: &str) -> Model {
    let text = format!(
        r#"
start = "{start}"
duration = "{duration}"
plans.one = {{ vcpu = 1, memory = "4GiB", price = "10 USD/month" }}
group = {{ primary = "one" }}
request = [{{ name = "page", phases = [{{ cpu = "1ms" }}] }}]
load = [{loads}]
"#
    );
    parse("load", "load.toml", &text, Path::new("."), &Overrides::default()).unwrap()
}

/// Arrivals of all loads in each ten minutes.
fn counts(model: &Model) -> Vec<u64> {
    let bins = model.duration.as_nanos().cast_unsigned().div_ceil(10 * MINUTE);
    let mut counts = vec![0; bins as usize];
    for (index, load) in model.loads.iter().enumerate() {
        let Load::Open(open) = load else { continue };
        let mut arrivals = Arrivals::new(open, model.seed, &format!("load/{index}"));
        let times = std::iter::from_fn(|| Some(arrivals.draw()).filter(|&time| time < u64::MAX));
        times.for_each(|time| counts[(time / (10 * MINUTE)) as usize] += 1);
    }
    counts
}

/// A straight line through the points of hour and rate.
fn on_line(points: &[(f64, f64)], hour: f64) -> f64 {
    let pair = points.windows(2).find(|pair| (pair[0].0..=pair[1].0).contains(&hour)).unwrap();
    let share = (hour - pair[0].0) / (pair[1].0 - pair[0].0);
    pair[0].1 + share * (pair[1].1 - pair[0].1)
}

/// Each count is Poisson with the mean of `rate` over its ten minutes, whose corners fall on their
/// ends: within five standard deviations, which one in two million misses.
fn assert_follows(counts: &[u64], rate: impl Fn(f64) -> f64) {
    for (bin, &count) in counts.iter().enumerate() {
        let from = bin as f64 / 6.0;
        let mean = 600.0 * f64::midpoint(rate(from + 1e-9), rate(from + 1.0 / 6.0 - 1e-9));
        let off = (count as f64 - mean).abs();
        assert!(off <= 5.0 * mean.sqrt() + 0.01, "{count} at {from:.2} h, {mean:.1} expected");
    }
}

#[test]
fn business_hours_follow_the_clock_of_the_zone_and_leave_the_weekend_out() {
    let load = r#"{ kind = "business-hours", peak = 20, base = 2 }"#;
    let day = [
        (0.0, 2.0),
        (8.0, 2.0),
        (10.0, 20.0),
        (12.0, 20.0),
        (13.0, 14.6),
        (14.0, 20.0),
        (17.0, 16.4),
        (19.0, 2.0),
        (24.0, 2.0),
    ];
    for zone in ["Asia/Kolkata", "America/New_York"] {
        let friday = model(&format!("2026-03-20T00:00[{zone}]"), "2d", load);
        assert_follows(
            &counts(&friday),
            |hour| if hour < 24.0 { on_line(&day, hour) } else { 2.0 },
        );
    }
}

#[test]
fn a_curve_is_followed_and_nothing_comes_before_or_after_it() {
    let load =
        r#"{ kind = "curve", points = [["1h", 5.0], ["2h", 30], ["2h", 10.0], ["3h", 0.0]] }"#;
    let rising = [(1.0, 5.0), (2.0, 30.0)];
    let falling = [(2.0, 10.0), (3.0, 0.0)];
    assert_follows(&counts(&model("2026-03-02T00:00[UTC]", "4h", load)), |hour| match hour {
        ..1.0 => 0.0,
        1.0..2.0 => on_line(&rising, hour),
        2.0..3.0 => on_line(&falling, hour),
        _ => 0.0,
    });
}

#[test]
fn a_flash_sale_rises_holds_and_falls() {
    let load = r#"{ kind = "flash-sale", base = 3.0, peak = 40.0, at = "1h", rise = "10m",
        hold = "30m", decay = "20m" }"#;
    let points =
        [(0.0, 3.0), (1.0, 3.0), (7.0 / 6.0, 40.0), (10.0 / 6.0, 40.0), (2.0, 3.0), (3.0, 3.0)];
    let counts = counts(&model("2026-03-02T00:00[UTC]", "3h", load));
    assert_follows(&counts, |hour| on_line(&points, hour));
}

#[test]
fn loads_add_up_and_each_is_scaled() {
    let loads = r#"{ kind = "constant", rate = 4.0, scale = 2.5 },
                   { kind = "constant", rate = 6.0, from = "1h", for = "30m" },
                   { kind = "curve", points = [["0s", 0.0], ["2h", 12.0]], scale = 0.5 }"#;
    assert_follows(&counts(&model("2026-03-02T00:00[UTC]", "2h", loads)), |hour| {
        let burst = if (1.0..1.5).contains(&hour) { 6.0 } else { 0.0 };
        10.0 + burst + 3.0 * hour
    });
}
