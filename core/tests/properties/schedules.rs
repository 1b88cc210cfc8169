//! Schedules against every minute of a year, in zones whose clocks go forward and back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::DateTime;
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tidegate_core::demand::schedule::Calendar;
use tidegate_core::policy::{Bound, Fold, Gap, Policy, Schedule, WallTime};
use tidegate_core::{Span, TimeZone, Timestamp};

use crate::config;

/// By an hour both ways, north and south; by half an hour; never.
const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
];

/// Every minute of the year 2026, and what a zone's clocks show in it.
struct Year {
    zone: &'static str,
    first: i64,
    clocks: Vec<DateTime>,
    /// Every wall-clock minute of the year, those in gaps too.
    walls: Vec<DateTime>,
    /// The minutes, from the first on, in which the clocks show this.
    shown: BTreeMap<DateTime, Vec<usize>>,
}

impl Year {
    fn of(zone: &'static str) -> Self {
        let rules = TimeZone::get(zone).unwrap();
        let begins = "2026-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let first = begins.as_second() / 60;
        let clock = |minute: i64| {
            rules.to_datetime(jiff::Timestamp::from_second((first + minute) * 60).unwrap())
        };
        let clocks: Vec<DateTime> = (0..365 * 24 * 60).map(clock).collect();
        let mut shown = BTreeMap::<DateTime, Vec<usize>>::new();
        for (minute, clock) in clocks.iter().enumerate() {
            shown.entry(*clock).or_default().push(minute);
        }
        let next = |wall: &DateTime| wall.checked_add(1.minute()).ok();
        let walls = std::iter::successors(Some(clocks[0]), next)
            .take_while(|wall| *wall <= clocks[clocks.len() - 1])
            .collect();
        Self { zone, first, clocks, walls, shown }
    }

    fn at(&self, minute: usize) -> Timestamp {
        Timestamp::default() + Span::from_mins(self.first + minute as i64)
    }

    /// The minutes in which a wall-clock time counts as come.
    fn resolve(&self, wall: DateTime, gap: Gap, fold: Fold) -> Vec<usize> {
        match (self.shown.get(&wall).map(Vec::as_slice), gap, fold) {
            (Some([first, _]), _, Fold::First) => vec![*first],
            (Some([_, second]), _, Fold::Second) => vec![*second],
            (Some(minutes), ..) => minutes.to_vec(),
            (None, Gap::Skip, _) => Vec::new(),
            (None, Gap::After, _) => {
                let past = |clock: &DateTime| *clock > wall;
                self.clocks.iter().position(past).into_iter().collect()
            }
        }
    }

    /// In which minutes one of these windows is open, its lead included.
    fn open(&self, windows: impl Iterator<Item = (usize, usize)>, lead: usize) -> Vec<bool> {
        let mut open = vec![false; self.clocks.len()];
        for (start, end) in windows {
            let end = end.min(open.len());
            let start = start.saturating_sub(lead).min(end);
            open[start..end].fill(true);
        }
        open
    }

    /// Compares `schedule` with the minutes in which it must be open, a week from either end.
    fn compare(&self, schedule: &Schedule, open: &[bool]) -> Result<(), TestCaseError> {
        let week = 7 * 24 * 60;
        let mut calendar = Calendar::new(schedule);
        for (minute, expected) in open.iter().enumerate().take(open.len() - week).skip(week) {
            let (is_open, edge) = calendar.at(self.at(minute));
            prop_assert_eq!(is_open, *expected, "{} {:?}", self.clocks[minute], schedule);
            prop_assert!(edge > self.at(minute));
            if minute % 9_973 == 0 {
                prop_assert_eq!(Calendar::new(schedule).at(self.at(minute)).0, is_open);
            }
        }
        Ok(())
    }
}

/// Some of the fields of a cron expression, the rest are stars.
#[derive(Clone, Debug)]
struct Cron {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    days: BTreeSet<i8>,
    months: BTreeSet<i8>,
    /// 0 is Sunday.
    weekdays: BTreeSet<i8>,
}

impl Cron {
    fn text(&self) -> String {
        let list = |set: &BTreeSet<i8>| {
            let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
            if texts.is_empty() { "*".to_owned() } else { texts.join(",") }
        };
        [&self.minutes, &self.hours, &self.days, &self.months, &self.weekdays].map(list).join(" ")
    }

    fn matches(&self, wall: DateTime) -> bool {
        let has = |set: &BTreeSet<i8>, value: i8| set.is_empty() || set.contains(&value);
        has(&self.minutes, wall.minute())
            && has(&self.hours, wall.hour())
            && has(&self.days, wall.day())
            && has(&self.months, wall.month())
            && has(&self.weekdays, wall.weekday().to_sunday_zero_offset())
    }
}

/// Starts in the hours in which clocks are changed, and in any; a day of the month or of the week,
/// for with both cron means either.
fn cron() -> impl Strategy<Value = Cron> {
    let days = prop_oneof![
        2 => Just((BTreeSet::new(), BTreeSet::new())),
        1 => btree_set(1..=31i8, 1..=4).prop_map(|days| (days, BTreeSet::new())),
        2 => btree_set(0..=6i8, 1..=3).prop_map(|weekdays| (BTreeSet::new(), weekdays)),
    ];
    let hours =
        prop_oneof![btree_set(0..=3i8, 1..=2), btree_set(0..=23i8, 1..=3), Just(BTreeSet::new()),];
    let months = prop_oneof![2 => Just(BTreeSet::new()), 1 => btree_set(1..=12i8, 1..=6)];
    (btree_set(0..=59i8, 1..=2), hours, days, months).prop_map(
        |(minutes, hours, (days, weekdays), months)| Cron {
            minutes,
            hours,
            days,
            months,
            weekdays,
        },
    )
}

fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![Just(Gap::After), Just(Gap::Skip)]
}

fn fold() -> impl Strategy<Value = Fold> {
    prop_oneof![Just(Fold::First), Just(Fold::Second), Just(Fold::Both)]
}

fn schedule(gap: Gap, fold: Fold, lead: usize) -> Schedule {
    Schedule {
        servers: 2,
        bound: Bound::Floor,
        from: None,
        until: None,
        cron: None,
        length: None,
        zone: None,
        gap,
        fold,
        lead: Span::from_mins(lead as i64),
        priority: 50,
    }
}

fn recurs(
    year: &Year,
    cron: &Cron,
    kinds: (Gap, Fold),
    length: usize,
    lead: usize,
) -> TestCaseResult {
    let schedule = Schedule {
        cron: Some(cron.text()),
        length: Some(Span::from_mins(length as i64)),
        zone: Some(year.zone.to_owned()),
        ..schedule(kinds.0, kinds.1, lead)
    };
    let walls = year.walls.iter().filter(|wall| cron.matches(**wall));
    let starts = walls.flat_map(|wall| year.resolve(*wall, kinds.0, kinds.1));
    let windows = starts.map(|start| (start, start + length));
    year.compare(&schedule, &year.open(windows, lead))
}

type TestCaseResult = Result<(), TestCaseError>;

#[test]
fn a_recurring_window_is_open_in_the_minutes_that_an_enumeration_finds() {
    for zone in ZONES {
        let year = Year::of(zone);
        let given = (cron(), gap(), fold(), 1..2_000usize, prop_oneof![Just(0), 0..700usize]);
        let run = TestRunner::new(config(12)).run(&given, |(cron, gap, fold, length, lead)| {
            recurs(&year, &cron, (gap, fold), length, lead)
        });
        run.unwrap_or_else(|why| panic!("{zone}: {why}"));
    }
}

/// The wall-clock minutes around which this zone's clocks are changed, and any other.
fn walls(year: &Year) -> impl Strategy<Value = DateTime> + use<> {
    let jumps = year.clocks.windows(2).filter(|pair| pair[1] - pair[0] != 1.minute().fieldwise());
    let mut near: Vec<DateTime> = jumps.map(|pair| pair[0]).collect();
    near.push(year.clocks[100_000]);
    (prop::sample::select(near), -90..90i64, 0..4_000i64).prop_map(|(near, minutes, more)| {
        let more = if minutes % 3 == 0 { more } else { 0 };
        near.checked_add((minutes + more).minutes()).unwrap()
    })
}

#[test]
fn a_single_window_is_open_in_the_minutes_that_an_enumeration_finds() {
    for zone in ZONES {
        let year = Year::of(zone);
        let length = prop_oneof![1..60i64, 1..3_000i64];
        let given = (walls(&year), length, gap(), fold(), 0..700usize);
        let run = TestRunner::new(config(24)).run(&given, |(from, length, gap, fold, lead)| {
            let until = from.checked_add(length.minutes()).unwrap();
            let wall = |civil| Some(WallTime { civil, zone: zone.to_owned() });
            let (begin, end) = (wall(from), wall(until));
            let schedule = Schedule { from: begin, until: end, ..schedule(gap, fold, lead) };
            let refused = Policy { schedule: vec![schedule.clone()], ..Policy::default() }.check(1);
            let start = year.resolve(from, gap, fold).into_iter().min();
            let end = year.resolve(until, gap, fold).into_iter().max();
            let windows = start.zip(end);
            let inverted = windows.is_some_and(|(start, end)| end <= start);
            prop_assert_eq!(refused.is_err(), inverted, "{:?}", refused);
            year.compare(&schedule, &year.open(windows.into_iter(), lead))
        });
        run.unwrap_or_else(|why| panic!("{zone}: {why}"));
    }
}
