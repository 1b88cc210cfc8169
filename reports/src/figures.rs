//! The figures of a run as short texts, shared by the terminal and the page.

use std::fmt::Write as _;

use tidegate_core::Money;
use tidegate_core::record::{
    Action, Baseline, Billing, ClosestCall, Distribution, Fidelity, Jobs, Kind, Requests,
    RunRecord, Summary,
};

use crate::format::{Clock, count, length_of_seconds, millis};
use crate::words;

/// A name and what there is to say under it.
pub struct Line {
    /// The name.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Line {
    fn new(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), text }
    }
}

/// What tells the run from others: its seed, or that it is none of a simulation.
pub fn origin(summary: &Summary) -> String {
    match summary.kind {
        Kind::Simulated => format!("seed {}", summary.seed),
        Kind::Live => "on real servers".to_owned(),
    }
}

/// How closely requests were followed, where that was a choice.
pub fn fidelity(summary: &Summary) -> Option<Line> {
    let what = match summary.fidelity {
        Fidelity::Request => "request: each was followed",
        Fidelity::Fluid => "fluid: requests are flows, counts are means, latencies are estimates",
    };
    let chosen = summary.fidelity_because.as_ref().map(|why| format!("; chosen because {why}"));
    let told = chosen.is_some() || summary.fidelity == Fidelity::Fluid;
    told.then(|| Line::new("Fidelity", format!("{what}{}", chosen.unwrap_or_default())))
}

/// How many groups there are, and how their provider fared.
pub fn fleet(summary: &Summary) -> Option<Line> {
    let fleet = summary.fleet?;
    let mut text = format!("{} groups, {} held", count(fleet.groups), count(fleet.held));
    if let Some(starts) = fleet.starts {
        let waited = starts.mean_wait_s.map_or_else(String::new, |mean| {
            let longest = length_of_seconds(starts.longest_wait_s);
            format!(", waited {} on average and {longest} at most", length_of_seconds(mean))
        });
        let _ = write!(
            text,
            "; provider: {} starts asked for, {} refused{waited}, {} machines at once at most",
            count(starts.asked),
            count(starts.refused),
            count(starts.most_machines)
        );
    }
    Some(Line::new("Fleet", text))
}

/// What became of the requests.
pub fn requests(requests: &Requests) -> Line {
    let text = format!(
        "{} arrived, {} served, {} failed ({} by scaling), {} in flight at the end",
        count(requests.arrived),
        count(requests.served),
        count(requests.failed),
        count(requests.failed_by_scaling),
        count(requests.in_flight_at_end)
    );
    Line::new("Requests", text)
}

/// Why requests failed, if any did.
pub fn failures(record: &RunRecord) -> Option<Line> {
    let causes: Vec<String> = record
        .failures
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(cause, number)| format!("{} {}", count(*number), words::failure(*cause)))
        .collect();
    (!causes.is_empty()).then(|| Line::new("Failures", causes.join(", ")))
}

/// Latency and wait.
pub fn times(requests: &Requests) -> [Line; 2] {
    [
        Line::new("Latency", distribution(&requests.latency_ms)),
        Line::new("Wait", distribution(&requests.wait_ms)),
    ]
}

fn distribution(times: &Distribution) -> String {
    if times.max.is_none() && times.p50.is_none() {
        return "no sample".to_owned();
    }
    let percentiles =
        format!("p50 {}, p95 {}, p99 {}", millis(times.p50), millis(times.p95), millis(times.p99));
    match times.max {
        Some(_) => format!("{percentiles}, max {}", millis(times.max)),
        None => percentiles,
    }
}

/// What became of the jobs.
pub fn jobs(jobs: &Jobs) -> Line {
    let text = format!(
        "{} enqueued, {} completed{}, {} lost, {} duplicated, {} pending at the end",
        count(jobs.enqueued),
        count(jobs.completed),
        if jobs.failed > 0 { format!(", {} failed", count(jobs.failed)) } else { String::new() },
        count(jobs.lost),
        count(jobs.duplicated),
        count(jobs.pending_at_end)
    );
    Line::new("Jobs", text)
}

/// The bill.
pub fn bill(billing: &Billing) -> Line {
    let text = format!(
        "{} {}: primary {}, standbys {} (powered {}, billed {})",
        billing.total,
        billing.currency,
        billing.primary,
        billing.standby,
        length_of_seconds(billing.standby_seconds_powered),
        length_of_seconds(billing.standby_seconds_billed)
    );
    Line::new("Bill", text)
}

/// A baseline and how this run compares to it.
pub fn baseline(baseline: &Baseline, billing: &Billing) -> Line {
    let text = format!(
        "{} {}{}",
        baseline.total,
        billing.currency,
        difference(billing.total, baseline.total)
    );
    Line { name: baseline.name.clone(), text }
}

fn difference(total: Money, baseline: Money) -> String {
    if total == baseline {
        return "; this run costs the same".to_owned();
    }
    if baseline <= Money::ZERO {
        return String::new();
    }
    let percent = (total - baseline).as_f64() / baseline.as_f64() * 100.0;
    let way = if percent < 0.0 { "less" } else { "more" };
    format!("; this run costs {:.1} % {way}", percent.abs())
}

/// What scaled, in numbers.
pub fn scaling(record: &RunRecord) -> Line {
    let scaling = &record.summary.scaling;
    let text = if scaling.ups + scaling.downs + scaling.failed == 0 && scaling.events.is_empty() {
        "nothing scaled".to_owned()
    } else {
        format!("{} up, {} down, {} failed", scaling.ups, scaling.downs, scaling.failed)
    };
    Line::new("Scaling", text)
}

/// What a scale event did, in a word.
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::ScaleUp => "up",
        Action::ScaleDown => "down",
        Action::Failed => "failed",
    }
}

/// How near a rule came, in a sentence, with the vetoes that held.
pub fn closest(call: &ClosestCall, clock: &Clock) -> Line {
    let vetoes: Vec<String> =
        call.decision.vetoes().map(|veto| words::veto(veto, clock.zone())).collect();
    let held = if vetoes.is_empty() {
        String::new()
    } else {
        format!(". Held back: {}", vetoes.join("; "))
    };
    Line { name: clock.show(call.at.at), text: format!("{}{held}", words::vote(&call.vote)) }
}
