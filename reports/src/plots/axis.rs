//! Axes: where their ticks are and what these say.

use tidegate_core::record::{LocalTime, RunRecord};
use tidegate_core::{Span, Timestamp};

use crate::format::{local, zone_of};

const TICKS: i64 = 9;
const STEPS: [i64; 21] = [
    1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 31_536_000,
];

/// An axis from `from` to `to` with its ticks and their labels.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Where the ticks are, and what they say.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// The time of the run in seconds since its start, labelled as clocks of its zone show it.
    pub fn time(record: &RunRecord) -> Self {
        let zone = zone_of(record);
        let seconds = record.end.since(record.start).as_secs_ceil().max(1);
        let fits = |step: &&i64| seconds / **step < TICKS;
        let step = STEPS.iter().find(fits).copied().unwrap_or(seconds / TICKS + 1);
        let pattern = match step {
            86_400.. => "%b %d",
            _ if seconds > 86_400 => "%b %d %H:%M",
            60.. => "%H:%M",
            _ => "%H:%M:%S",
        };
        let offset = i64::from(LocalTime::new(record.start, &zone).offset_seconds);
        let start = record.start.as_nanos().div_euclid(1_000_000_000).saturating_add(offset);
        let first = (step - start.rem_euclid(step)) % step;
        let tick = |number: i64| {
            let at = first.saturating_add(step.saturating_mul(number));
            let moment: Timestamp = record.start + Span::from_secs(at);
            (at <= seconds).then(|| (at as f64, local(moment, &zone, pattern)))
        };
        Self { from: 0.0, to: seconds as f64, ticks: (0..=TICKS).map_while(tick).collect() }
    }

    /// From zero to a round number not below `most`.
    pub fn linear(most: f64, label: impl Fn(f64) -> String) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let rough = most / 4.0;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let nice = |factor: &&f64| **factor * magnitude >= rough;
        let step =
            [1.0, 2.0, 2.5, 5.0].iter().find(nice).map_or(10.0, |factor| *factor) * magnitude;
        let number = (most / step).ceil().clamp(1.0, 10.0);
        let tick = |at: u8| (f64::from(at) * step, label(f64::from(at) * step));
        Self { from: 0.0, to: number * step, ticks: (0..=number as u8).map(tick).collect() }
    }

    /// From `least` to `most` by powers of ten; the axis itself counts in logarithms.
    pub fn logarithmic(least: f64, most: f64, label: impl Fn(f64) -> String) -> Self {
        let from = least.log10().floor();
        let to = most.log10().ceil().max(from + 1.0);
        let tick = |power: i32| (f64::from(power), label(10_f64.powi(power)));
        Self { from, to, ticks: (from as i32..=to as i32).map(tick).collect() }
    }
}

/// A number with no more decimals than it needs.
pub fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    let kept = text.trim_end_matches('0').trim_end_matches('.');
    if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }
}
