//! Loads, as pieces of a rate or as people.

use std::path::Path;

use jiff::tz::TimeZone;
use tidegate_core::{Span, Timestamp};

use super::LONGEST;
use super::work::class_named;
use crate::model::{Exam, Load, Open, Piece, RATE_MAX};
use crate::scenario::file::ScenarioFile;
use crate::scenario::load::{LoadFile, curve, trace};
use crate::scenario::{Fault, Overrides, keys};

pub(super) fn loads(
    file: &ScenarioFile,
    directory: &Path,
    overrides: &Overrides,
    start: Timestamp,
) -> Result<(Vec<Load>, Span), Fault> {
    let zone = file.start.time_zone();
    let end = file.duration.unwrap_or(LONGEST).min(LONGEST);
    let (mut loads, mut longest) = (Vec::new(), Span::ZERO);
    if let Some(path) = &overrides.load {
        let (pieces, length) = trace(path, 1.0)?;
        return Ok((
            vec![Load::Open(Open { pieces: pieces.into(), scale: 1.0, exact: true, class: None })],
            length,
        ));
    }
    for (index, given) in file.load.iter().enumerate() {
        let path = format!("load.{index}");
        let class = |name: &Option<String>| {
            let name = name.as_ref().map(|name| class_named(file, name, &format!("{path}.class")));
            name.transpose()
        };
        let open = |pieces: Vec<Piece>, exact, class| {
            Load::Open(Open { pieces: pieces.into(), scale: 1.0, exact, class })
        };
        let load = match given {
            LoadFile::Constant { rate, from, length, scale, class: name } => {
                let rate = rate * scale.unwrap_or(1.0);
                let to = length.map_or(end, |length| *from + length);
                let piece = Piece { from: *from, to, rate_from: rate, rate_to: rate };
                open(vec![piece], false, class(name)?)
            }
            LoadFile::Curve { points, scale, class: name } => {
                open(curve(points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::BusinessHours { peak, base, scale, class: name } => {
                let points = business_hours(*peak, *base, start, end, &zone);
                open(curve(&points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::FlashSale { base, peak, at, rise, hold, decay, scale, class: name } => {
                let (top, fall) = (*at + *rise, *at + *rise + *hold);
                let over = fall + *decay;
                let points = [
                    (Span::ZERO, *base),
                    (*at, *base),
                    (top, *peak),
                    (fall, *peak),
                    (over, *base),
                    (end.max(over), *base),
                ];
                open(curve(&points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::Exam { .. } => Load::Exam(exam(file, directory, given, &path)?),
            LoadFile::Trace { file: name, exact, scale, class: kind } => {
                let (pieces, length) = trace(&directory.join(name), scale.unwrap_or(1.0))
                    .map_err(|fault| Fault { path: keys(&format!("{path}.file")), ..fault })?;
                longest = longest.max(length);
                open(pieces, *exact, class(kind)?)
            }
        };
        check_rates(&load, &format!("{path}.{}", rate_key(given)))?;
        loads.push(load);
    }
    if loads.is_empty() {
        return Err(Fault::at("load", "there is no load").hint("add a `[[load]]` table"));
    }
    Ok((loads, longest))
}

/// The factors on the loads, as they are given.
pub(super) fn scales(file: &ScenarioFile) -> Vec<f64> {
    let scale = |load: &LoadFile| match load {
        LoadFile::Constant { scale, .. }
        | LoadFile::Curve { scale, .. }
        | LoadFile::BusinessHours { scale, .. }
        | LoadFile::FlashSale { scale, .. }
        | LoadFile::Exam { scale, .. }
        | LoadFile::Trace { scale, .. } => scale.unwrap_or(1.0),
    };
    file.load.iter().map(scale).collect()
}

/// The key that the rates of a load come from.
const fn rate_key(load: &LoadFile) -> &'static str {
    match load {
        LoadFile::Constant { .. } => "rate",
        LoadFile::Curve { .. } => "points",
        LoadFile::BusinessHours { .. } | LoadFile::FlashSale { .. } => "peak",
        LoadFile::Exam { .. } => "users",
        LoadFile::Trace { .. } => "file",
    }
}

fn check_rates(load: &Load, path: &str) -> Result<(), Fault> {
    let Load::Open(open) = load else { return Ok(()) };
    let sane = |piece: &Piece| {
        let rate = 0.0..=RATE_MAX;
        rate.contains(&piece.rate_from) && rate.contains(&piece.rate_to) && piece.from < piece.to
    };
    if open.pieces.iter().all(sane) && open.pieces.is_sorted_by_key(|piece| piece.from) {
        return Ok(());
    }
    Err(Fault::at(path, format!("rates lie between 0 and {RATE_MAX} a second, times grow")))
}

fn exam(
    file: &ScenarioFile,
    directory: &Path,
    given: &LoadFile,
    path: &str,
) -> Result<Exam, Fault> {
    let LoadFile::Exam {
        users,
        opens,
        login_within,
        length,
        submit_within,
        think,
        login,
        work,
        submit,
        retries,
        backoff,
        scale,
    } = given
    else {
        return Err(Fault::at(path, "is not an exam"));
    };
    let think = think.dist(directory, &format!("{path}.think"))?;
    if think.mean_seconds() < 0.001 {
        return Err(Fault::at(
            &format!("{path}.think"),
            "people think for at least 1ms on average",
        ));
    }
    let users = (f64::from(*users) * scale.unwrap_or(1.0)).round();
    if !(1.0..=1e7).contains(&users) || length.is_zero() {
        return Err(Fault::at(path, "an exam has 1 to 10000000 users and a length"));
    }
    let class = |name: &str, field: &str| class_named(file, name, &format!("{path}.{field}"));
    Ok(Exam {
        users: users as u32,
        opens: *opens,
        login_within: *login_within,
        length: *length,
        submit_within: *submit_within,
        think,
        login: class(login, "login")?,
        work: class(work, "work")?,
        submit: class(submit, "submit")?,
        retries: retries.unwrap_or(3),
        backoff: backoff.unwrap_or(Span::from_secs(2)),
    })
}

/// Hours and shares of the way from base to peak on a working day.
const WORKING_DAY: [(i8, f64); 7] =
    [(8, 0.0), (10, 1.0), (12, 1.0), (13, 0.7), (14, 1.0), (17, 0.8), (19, 0.0)];

/// The knots of every working day that the run touches, cut to the run.
fn business_hours(
    peak: f64,
    base: f64,
    start: Timestamp,
    length: Span,
    zone: &TimeZone,
) -> Vec<(Span, f64)> {
    let end = start + length;
    let first = zone.to_datetime(start.to_jiff()).date();
    let mut knots = vec![(Timestamp::from_nanos(i64::MIN), base)];
    for day in first.series(jiff::Span::new().days(1)) {
        if zone.to_datetime(end.to_jiff()).date() < day {
            break;
        }
        if day.weekday().to_monday_zero_offset() >= 5 {
            continue;
        }
        for (hour, share) in WORKING_DAY {
            let instant = zone.to_ambiguous_timestamp(day.at(hour, 0, 0, 0)).compatible();
            let at = instant.ok().and_then(Timestamp::from_jiff);
            knots.extend(at.map(|at| (at, base + share * (peak - base))));
        }
    }
    knots.push((Timestamp::MAX, base));
    let within = knots.iter().filter(|(at, _)| *at > start && *at < end);
    let mut points = vec![(Span::ZERO, rate_at(&knots, start))];
    points.extend(within.map(|(at, rate)| (at.since(start), *rate)));
    points.push((length, rate_at(&knots, end)));
    points
}

/// The rate of straight lines through `knots`, of which one lies before `at` and one after it.
fn rate_at(knots: &[(Timestamp, f64)], at: Timestamp) -> f64 {
    let next = knots.partition_point(|(knot, _)| *knot <= at).clamp(1, knots.len() - 1);
    let ((from, low), (to, high)) = (knots[next - 1], knots[next]);
    if low.to_bits() == high.to_bits() {
        return low;
    }
    low + (high - low) * (at.since(from).as_secs_f64() / to.since(from).as_secs_f64())
}
