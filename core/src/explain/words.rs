//! Decisions and their reasons in sentences. Rules, schedules and so on are counted from 1 here.

use jiff::tz::TimeZone;

use crate::decision::{Decision, Direction, Flip, Opinion, Source, Verdict, Veto, Vote};
use crate::ids::RuleId;
use crate::policy::Metric;
use crate::time::{Span, Timestamp};

/// Date and time on the clocks of `zone`, to the second.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A length, rounded to seconds, or to milliseconds below ten seconds.
pub fn length(span: Span) -> String {
    let unit = if span < Span::from_secs(10) { 1_000_000 } else { 1_000_000_000 };
    let rounded = span.as_nanos().saturating_add(unit / 2) / unit * unit;
    Span::from_nanos(rounded).to_string()
}

/// A rule's name: `rule 1`.
pub fn rule(rule: RuleId) -> String {
    format!("rule {}", u16::from(rule.0) + 1)
}

/// A metric's name within a sentence.
pub const fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Cpu => "CPU",
        Metric::Memory => "memory",
    }
}

/// Who asked, within a sentence.
pub fn source(source: Source) -> String {
    match source {
        Source::Bounds => "the minimum or maximum of the policy".to_owned(),
        Source::Rule(id) => rule(id),
        Source::Schedule(schedule) => format!("schedule {}", u16::from(schedule.0) + 1),
        Source::Manual => "a person".to_owned(),
    }
}

/// What a step set in motion, in a clause.
pub fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Hold => "hold".to_owned(),
        Verdict::ScaleUp(servers) => format!("scale up by {servers}"),
        Verdict::ScaleDown(servers) => format!("scale down by {servers}"),
    }
}

/// What a rule says and upon what: its value against its threshold, and how full its window is.
pub fn vote(vote: &Vote) -> String {
    let way = match vote.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let what = metric(vote.metric);
    let value = vote.value.map_or_else(
        || format!("{what} is unknown"),
        |value| format!("{what} is {value} against {}", vote.threshold),
    );
    let filled = format!("{} of {}", length(vote.filled), length(vote.window));
    let opinion = match vote.opinion {
        Opinion::Agrees => format!("it agrees, for its window is full ({filled})"),
        Opinion::Filling => format!("its window has filled {filled}"),
        Opinion::Disagrees if vote.filled.is_zero() => "its condition does not hold".to_owned(),
        Opinion::Disagrees => {
            format!("its condition does not hold, its window has filled {filled}")
        }
        Opinion::Missing => format!("it has no fresh sample, its window has filled {filled}"),
        Opinion::Unheard => format!("no alert says so, its window has filled {filled}"),
    };
    format!("{} ({way}): {value}; {opinion}", rule(vote.rule))
}

/// What held a change back, with times as the clocks of `zone` show them.
pub fn veto(veto: &Veto, zone: &TimeZone) -> String {
    match *veto {
        Veto::WindowNotFull { rule: id, filled, window } => format!(
            "the window of {} is not full: {} of {}",
            rule(id),
            length(filled),
            length(window)
        ),
        Veto::CoolDown { until } => {
            format!("the group cools down from the last event until {}", moment(until, zone))
        }
        Veto::Stabilization { until } => format!(
            "more servers were wanted a short while ago, which counts until {}",
            moment(until, zone)
        ),
        Veto::Stale { rule: id } => format!("{} has no fresh sample", rule(id)),
        Veto::NoAlert { rule: id } => format!("no alert of {} is known to fire", rule(id)),
        Veto::Unknown { server } => {
            format!("the load of {server} is unknown, for it has no fresh metric")
        }
        Veto::Paused { until } => {
            format!("automatic scaling is paused until {}", moment(until, zone))
        }
        Veto::AtMaximum => "all servers allowed are in use".to_owned(),
        Veto::AtMinimum => "the servers that remain may not be released".to_owned(),
        Veto::Outranked { by } => format!("{} has priority and forbids it", source(by)),
        Veto::NotAllAgree { rule: id } => format!("{} does not agree to fewer servers", rule(id)),
        Veto::FlapProjection { rule: id, projected, limit } => format!(
            "with one server fewer, {} would read {projected}, above the {limit} that it may",
            rule(id)
        ),
        Veto::Busy { server } => format!("a sequence is under way on {server}"),
        Veto::NoStandby { until: Some(until) } => {
            format!("no standby is ready to start before {}", moment(until, zone))
        }
        Veto::NoStandby { until: None } => "no standby is ready to start".to_owned(),
        Veto::Overdue { server } => format!("work on {server} outlives its deadline"),
    }
}

/// What would have led to another verdict.
pub fn flip(flip: &Flip, zone: &TimeZone) -> String {
    match *flip {
        Flip::Metric { rule: id, value } => {
            format!("another verdict with the metric of {} beyond {value}", rule(id))
        }
        Flip::Longer { rule: id, remaining } => {
            format!("another verdict after {} more of the same for {}", length(remaining), rule(id))
        }
        Flip::At { time } => format!("another verdict at {}", moment(time, zone)),
        Flip::Sample { rule: id } => {
            format!("another verdict with a fresh sample for {}", rule(id))
        }
        Flip::Alert { rule: id } => format!("another verdict with an alert of {}", rule(id)),
    }
}

/// A whole decision: a sentence for the verdict, then one for each vote and veto and for the flip.
pub fn decision(decision: &Decision, zone: &TimeZone) -> Vec<String> {
    let asked =
        decision.source.map_or_else(String::new, |who| format!(", asked for by {}", source(who)));
    let head = format!(
        "{}: {} in service or on the way, {} wanted{asked}",
        verdict(decision.verdict),
        decision.servers,
        decision.wanted
    );
    let mut lines = vec![head];
    lines.extend(decision.votes().map(vote));
    lines.extend(decision.vetoes().map(|held| format!("held back: {}", veto(held, zone))));
    lines.extend(decision.flip.as_ref().map(|what| flip(what, zone)));
    lines
}
