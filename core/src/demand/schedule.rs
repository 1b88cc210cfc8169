//! Schedules: windows of the calendar, as demands.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::policy::{Fold, Gap, Schedule, WallTime};
use crate::time::{Span, Timestamp};

/// Parses a cron expression of five fields, or six with seconds first.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub fn parse_cron(text: &str) -> Result<croner::Cron, String> {
    let parser =
        croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Optional).build();
    parser.parse(text).map_err(|why| why.to_string())
}

/// A clock's reading, for the cron library: it searches wall-clock times, zones come after.
#[derive(Clone, Copy, Debug)]
struct Civil(DateTime);

impl CronDateTime for Civil {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0;
        let date = CivilDate::from_ymd_opt(at.year().into(), at.month() as u32, at.day() as u32);
        let time =
            CivilTime::from_hms_opt(at.hour() as u32, at.minute() as u32, at.second() as u32);
        let epoch = CivilDate::from_ymd_opt(1970, 1, 1);
        match date.or(epoch) {
            Some(date) => CivilDateTime::new(date, time.unwrap_or(CivilTime::MIDNIGHT)),
            None => unreachable!("1970-01-01 is a date"),
        }
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.0.weekday().to_sunday_zero_offset() as u32)
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (civil.month() as i8, civil.day() as i8);
        let (hour, minute, second) =
            (civil.hour() as i8, civil.minute() as i8, civil.second() as i8);
        let at = DateTime::new(year, month, day, hour, minute, second, 0);
        at.map(|at| Resolution::Single(Self(at))).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// The last year of which a [`Timestamp`] can tell.
const LAST_YEAR: i16 = 2262;

/// When a schedule's windows begin.
#[derive(Clone, Debug)]
enum Starts {
    Once { from: Timestamp, until: Timestamp },
    Cron { cron: Box<croner::Cron>, zone: TimeZone, length: Span },
    Never,
}

/// A schedule with its calendar looked up; what it says is kept until it changes.
#[derive(Clone, Debug)]
pub struct Calendar {
    starts: Starts,
    gap: Gap,
    fold: Fold,
    lead: Span,
    state: Option<(bool, Timestamp)>,
}

impl Calendar {
    /// The calendar of a schedule that passed its check.
    pub fn new(schedule: &Schedule) -> Self {
        let starts = match (&schedule.from, &schedule.until, &schedule.cron, &schedule.zone) {
            (Some(from), Some(until), ..) => once(schedule, from, until),
            (_, _, Some(cron), Some(zone)) => match (parse_cron(cron), TimeZone::get(zone)) {
                (Ok(cron), Ok(zone)) => Starts::Cron {
                    cron: Box::new(cron),
                    zone,
                    length: schedule.length.unwrap_or_default(),
                },
                _ => Starts::Never,
            },
            _ => Starts::Never,
        };
        Self { starts, gap: schedule.gap, fold: schedule.fold, lead: schedule.lead, state: None }
    }

    /// Whether a window is open at `now`, its lead included, and when to ask again.
    pub fn at(&mut self, now: Timestamp) -> (bool, Timestamp) {
        if let Some((open, edge)) = self.state.filter(|(_, edge)| now < *edge) {
            return (open, edge);
        }
        let state = self.look_up(now);
        self.state = Some(state);
        state
    }

    fn look_up(&self, now: Timestamp) -> (bool, Timestamp) {
        match &self.starts {
            Starts::Never => (false, Timestamp::MAX),
            Starts::Once { from, until } => edge(now, *from - self.lead, *until),
            Starts::Cron { cron, zone, length } => {
                match self.next_start(cron, zone, now - *length) {
                    Some(start) => edge(now, start - self.lead, start + *length),
                    None => (false, Timestamp::MAX),
                }
            }
        }
    }

    /// The first start after `after`. Folds reorder times, so the search begins three hours early
    /// on the clock and ends three hours past the best.
    fn next_start(
        &self,
        cron: &croner::Cron,
        zone: &TimeZone,
        after: Timestamp,
    ) -> Option<Timestamp> {
        let margin = jiff::SignedDuration::from_hours(3);
        let mut civil = Civil(zone.to_datetime(after.to_jiff()).checked_sub(margin).ok()?);
        let mut best: Option<(Timestamp, DateTime)> = None;
        while let Ok(found) = cron.find_next_occurrence(&civil, false) {
            if best.is_some_and(|(_, at)| at.checked_add(margin).is_ok_and(|end| found.0 > end)) {
                break;
            }
            if found.0.year() > LAST_YEAR {
                break;
            }
            let times = resolve(found.0, zone, self.gap, self.fold);
            for start in times.into_iter().flatten().filter(|start| *start > after) {
                if best.is_none_or(|(earliest, _)| start < earliest) {
                    best = Some((start, found.0));
                }
            }
            civil = found;
        }
        best.map(|(start, _)| start)
    }
}

fn edge(now: Timestamp, from: Timestamp, until: Timestamp) -> (bool, Timestamp) {
    if now < from {
        (false, from)
    } else if now < until {
        (true, until)
    } else {
        (false, Timestamp::MAX)
    }
}

/// Whether the window from `from` until `until` ends before it begins, by what the schedule says of
/// gaps and folds. One that they skip does not.
pub(crate) fn is_inverted(schedule: &Schedule, from: &WallTime, until: &WallTime) -> bool {
    matches!(once(schedule, from, until), Starts::Once { from, until } if until <= from)
}

fn once(schedule: &Schedule, from: &WallTime, until: &WallTime) -> Starts {
    let resolved =
        |wall: &WallTime| resolve(wall.civil, &wall.time_zone(), schedule.gap, schedule.fold);
    let start = resolved(from).into_iter().flatten().min();
    let end = resolved(until).into_iter().flatten().max();
    match (start, end) {
        (Some(from), Some(until)) => Starts::Once { from, until },
        _ => Starts::Never,
    }
}

/// The moments at which the clocks of `zone` show `civil`, as the policies for gaps and folds say.
fn resolve(civil: DateTime, zone: &TimeZone, gap: Gap, fold: Fold) -> [Option<Timestamp>; 2] {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let kept = |at: Result<jiff::Timestamp, jiff::Error>| at.ok().and_then(Timestamp::from_jiff);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => [kept(ambiguous.unambiguous()), None],
        AmbiguousOffset::Gap { before, after } => match gap {
            Gap::Skip => [None, None],
            Gap::After => {
                let length = after.seconds() - before.seconds();
                [kept(ambiguous.later()).map(|late| end_of_gap(late, zone, length)), None]
            }
        },
        AmbiguousOffset::Fold { .. } => match fold {
            Fold::First => [kept(ambiguous.earlier()), None],
            Fold::Second => [kept(ambiguous.later()), None],
            Fold::Both => {
                [kept(zone.to_ambiguous_timestamp(civil).earlier()), kept(ambiguous.later())]
            }
        },
    }
}

/// The first moment after the gap that ended within `length` seconds before `late`.
fn end_of_gap(late: Timestamp, zone: &TimeZone, length: i32) -> Timestamp {
    let before = (late - Span::from_secs(length.into())).to_jiff();
    let next = zone.following(before).next();
    next.and_then(|transition| Timestamp::from_jiff(transition.timestamp()))
        .map_or(late, |at| at.min(late))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap_or_default()).unwrap_or_default()
    }

    fn calendar(toml_like: &str) -> Calendar {
        let schedule: Schedule =
            serde_json::from_str(toml_like).unwrap_or_else(|why| panic!("{why}"));
        Calendar::new(&schedule)
    }

    fn recurring(cron: &str, gap: &str, fold: &str) -> Calendar {
        calendar(&format!(
            r#"{{"servers":2,"cron":"{cron}","for":"10m","zone":"Europe/Berlin",
                "gap":"{gap}","fold":"{fold}"}}"#
        ))
    }

    #[test]
    fn a_start_in_the_gap_moves_behind_it_or_is_left_out() {
        let before = at("2026-03-29T00:30:00Z");
        let mut after = recurring("30 2 * * *", "after", "first");
        assert_eq!(after.at(before), (false, at("2026-03-29T01:00:00Z")));
        let mut skip = recurring("30 2 * * *", "skip", "first");
        assert_eq!(skip.at(before), (false, at("2026-03-30T00:30:00Z")));
    }

    #[test]
    fn a_start_in_the_fold_is_the_first_the_second_or_both() {
        let before = at("2026-10-25T00:00:00Z");
        let (first, second) = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
        assert_eq!(recurring("30 2 * * *", "after", "first").at(before), (false, first));
        assert_eq!(recurring("30 2 * * *", "after", "second").at(before), (false, second));
        let mut both = recurring("30 2 * * *", "after", "both");
        assert_eq!(both.at(before), (false, first));
        assert_eq!(both.at(first), (true, first + Span::from_mins(10)));
        assert_eq!(both.at(first + Span::from_mins(10)), (false, second));
    }

    #[test]
    fn a_date_that_never_comes_ends_the_search() {
        assert_eq!(
            recurring("0 0 30 2 *", "after", "first").at(at("2026-01-01T00:00Z")),
            (false, Timestamp::MAX)
        );
    }

    #[test]
    fn a_lead_opens_the_window_early_and_leaves_its_end() {
        let mut once = calendar(
            r#"{"servers":2,"from":"2026-03-02T08:30[Asia/Kolkata]",
                "until":"2026-03-02T11:00[Asia/Kolkata]","lead":"10m"}"#,
        );
        assert_eq!(once.at(at("2026-03-02T02:00:00Z")), (false, at("2026-03-02T02:50:00Z")));
        assert_eq!(once.at(at("2026-03-02T02:50:00Z")), (true, at("2026-03-02T05:30:00Z")));
    }
}
