//! The plots of values over time.

use plotters::style::RGBColor;
use tidegate_core::decision::Direction;
use tidegate_core::record::{Baseline, RuleInfo, RunRecord, TimelineRow};

use super::axis::{Axis, plain};
use super::chart::{Chart, Curve, Stroke};
use crate::format::millis;
use crate::words;

const POINTS: usize = 1_500;
/// From there on the slowest and the fastest latency need a logarithmic axis.
const LOG_FROM: f64 = 20.0;

// Okabe and Ito: told apart by people who do not see all colours.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const PURPLE: RGBColor = RGBColor(158, 72, 128);

/// How the points of a bucket become one.
#[derive(Clone, Copy, Debug)]
enum Fold {
    Mean,
    Max,
}

/// Requests a second against capacity.
pub fn load(record: &RunRecord) -> Chart {
    let curve = |label, colour, stroke, value: &dyn Fn(&TimelineRow, f64) -> f64| {
        let pieces = pieces(record, Fold::Mean, |row, seconds| Some(value(row, seconds)));
        Curve { label: String::from(label), colour, stroke, pieces }
    };
    let curves = vec![
        curve("capacity", GREEN, Stroke::Dashed(8), &|row, _| row.capacity_per_second),
        curve("arrived", ORANGE, Stroke::Solid(2), &|row, seconds| row.arrived as f64 / seconds),
        curve("served", BLUE, Stroke::Solid(1), &|row, seconds| row.served as f64 / seconds),
    ];
    let y = Axis::linear(highest(&curves), plain);
    chart("Load, requests per second", record, y, curves)
}

/// CPU and memory with the thresholds of the rules.
pub fn utilization(record: &RunRecord) -> Chart {
    let memory =
        pieces(record, Fold::Mean, |row, _| row.memory.map(tidegate_core::Ratio::as_percent));
    let cpu = pieces(record, Fold::Mean, |row, _| row.cpu.map(tidegate_core::Ratio::as_percent));
    let name = String::from;
    let mut curves = vec![
        Curve { label: name("memory"), colour: ORANGE, stroke: Stroke::Solid(1), pieces: memory },
        Curve { label: name("CPU"), colour: BLUE, stroke: Stroke::Solid(2), pieces: cpu },
    ];
    let x = Axis::time(record);
    curves.extend(record.rules.iter().map(|rule| threshold(rule, &x)));
    let y = Axis::linear(highest(&curves).max(100.0), |value| format!("{} %", plain(value)));
    chart("CPU and memory", record, y, curves)
}

fn threshold(rule: &RuleInfo, x: &Axis) -> Curve {
    let (way, dash) = match rule.direction {
        Direction::Up => ("up above", 10),
        Direction::Down => ("down below", 4),
    };
    let colour = match rule.metric {
        tidegate_core::policy::Metric::Cpu => BLUE,
        tidegate_core::policy::Metric::Memory => ORANGE,
    };
    let level = rule.threshold.as_percent();
    let label = format!("{way} {} {}", rule.threshold, words::metric(rule.metric));
    let pieces = vec![vec![(x.from, level), (x.to, level)]];
    Curve { label, colour, stroke: Stroke::Dashed(dash), pieces }
}

/// Percentiles of the latency.
pub fn latency(record: &RunRecord) -> Chart {
    let curve = |label, colour, stroke, value: fn(&TimelineRow) -> Option<f64>| {
        let pieces = pieces(record, Fold::Max, |row, _| value(row));
        Curve { label: String::from(label), colour, stroke, pieces }
    };
    let mut curves = vec![
        curve("p99", ORANGE, Stroke::Solid(1), |row| row.p99_ms),
        curve("p95", PURPLE, Stroke::Dashed(6), |row| row.p95_ms),
        curve("p50", BLUE, Stroke::Solid(2), |row| row.p50_ms),
    ];
    let (least, most) = (lowest_positive(&curves), highest(&curves));
    if !least.is_finite() || most / least < LOG_FROM {
        let y = Axis::linear(most, |ms| format!("{} ms", plain(ms)));
        return chart("Latency", record, y, curves);
    }
    for point in curves.iter_mut().flat_map(|curve| curve.pieces.iter_mut().flatten()) {
        point.1 = point.1.max(least).log10();
    }
    let y = Axis::logarithmic(least, most, |ms| millis(Some(ms)).replace(".0 ", " "));
    chart("Latency, logarithmic", record, y, curves)
}

/// How many servers are wanted, have power and receive traffic.
pub fn servers(record: &RunRecord) -> Chart {
    let curve = |label, colour, stroke, value: fn(&TimelineRow) -> u32| {
        let pieces = pieces(record, Fold::Mean, |row, _| Some(value(row).into()));
        Curve { label: String::from(label), colour, stroke, pieces }
    };
    let curves = vec![
        curve("wanted", GREEN, Stroke::Dashed(8), |row| row.wanted),
        curve("with power", ORANGE, Stroke::Solid(2), |row| row.powered),
        curve("serving", BLUE, Stroke::Solid(1), |row| row.serving),
    ];
    let y = Axis::linear(highest(&curves), plain);
    chart("Servers", record, y, curves)
}

/// What was charged so far, against the baselines growing evenly.
pub fn cost(record: &RunRecord) -> Chart {
    let mut charged = pieces(record, Fold::Max, |row, _| Some(row.cost.as_f64()));
    if let Some(first) = charged.first_mut() {
        first.insert(0, (0.0, 0.0));
    }
    let name = String::from("this run");
    let x = Axis::time(record);
    let mut curves =
        vec![Curve { label: name, colour: BLUE, stroke: Stroke::Solid(2), pieces: charged }];
    let looks = [(ORANGE, 10), (GREEN, 4), (PURPLE, 2)];
    let line = |(baseline, (colour, dash)): (&Baseline, (RGBColor, u32))| Curve {
        label: baseline.name.clone(),
        colour,
        stroke: Stroke::Dashed(dash),
        pieces: vec![vec![(x.from, 0.0), (x.to, baseline.total.as_f64())]],
    };
    curves.extend(record.baselines.iter().zip(looks).map(line));
    let y = Axis::linear(highest(&curves), plain);
    chart(&format!("Cost so far, {}", record.summary.billing.currency), record, y, curves)
}

fn chart(title: &str, record: &RunRecord, y: Axis, curves: Vec<Curve>) -> Chart {
    Chart {
        title: title.to_owned(),
        height: 320,
        margin: 70,
        x: Axis::time(record),
        y,
        bands: Vec::new(),
        bars: Vec::new(),
        curves,
        swatches: Vec::new(),
    }
}

fn values(curves: &[Curve]) -> impl Iterator<Item = f64> {
    curves.iter().flat_map(|curve| curve.pieces.iter().flatten().map(|point| point.1))
}

fn highest(curves: &[Curve]) -> f64 {
    values(curves).fold(0.0, f64::max)
}

fn lowest_positive(curves: &[Curve]) -> f64 {
    values(curves).filter(|value| *value >= 0.001).fold(f64::INFINITY, f64::min)
}

/// The curve of `value`, which is given a row and its interval in seconds, in at most
/// [`POINTS`] points; rows without a finite value make gaps.
fn pieces(
    record: &RunRecord,
    fold: Fold,
    value: impl Fn(&TimelineRow, f64) -> Option<f64>,
) -> Vec<Vec<(f64, f64)>> {
    let rows = &record.timeline.rows;
    let length = record.end.since(record.start).as_secs_f64();
    let mut previous = record.start;
    let mut points = Vec::with_capacity(rows.len());
    for row in rows {
        let seconds = row.at.since(previous).as_secs_f64();
        previous = row.at;
        let at = row.at.since(record.start).as_secs_f64().min(length);
        let seconds = if seconds > 0.0 { seconds } else { 1.0 };
        points.push((at, value(row, seconds).filter(|value| value.is_finite())));
    }
    let size = rows.len().div_ceil(POINTS).max(1);
    let folded = points.chunks(size).map(|bucket| merge(bucket, fold));
    let mut pieces = vec![Vec::new()];
    for (at, value) in folded {
        match (value, pieces.last_mut()) {
            (Some(value), Some(piece)) => piece.push((at, value.max(0.0))),
            (None, Some(piece)) if !piece.is_empty() => pieces.push(Vec::new()),
            (Some(_) | None, _) => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn merge(bucket: &[(f64, Option<f64>)], fold: Fold) -> (f64, Option<f64>) {
    let at = bucket.last().map_or(0.0, |point| point.0);
    let known = || bucket.iter().filter_map(|point| point.1);
    let number = known().count();
    let value = match fold {
        Fold::Mean => known().sum::<f64>() / number as f64,
        Fold::Max => known().fold(f64::NEG_INFINITY, f64::max),
    };
    (at, (number > 0).then_some(value))
}
