//! The report on the terminal: within a screen, the verdict first.

use std::fmt::Write;

use jiff::tz::TimeZone;
use tidegate_core::Money;
use tidegate_core::decision::Veto;
use tidegate_core::explain;
use tidegate_core::record::{
    Distribution, LocalTime, PropertyResult, RunRecord, Simulation, Summary,
};

const EVENTS_SHOWN: usize = 8;

/// Whether every property and every expectation held. A property that the scenario expects to be
/// violated counts as held when it is.
pub fn held(summary: &Summary) -> bool {
    let properties = summary.properties.iter();
    summary.expectations.iter().all(|expectation| expectation.holds)
        && properties
            .clone()
            .all(|property| property.holds || expected_violation(summary, property))
}

fn expected_violation(summary: &Summary, property: &PropertyResult) -> bool {
    let name = format!("properties.{}.holds", property.name);
    let mut expectations = summary.expectations.iter();
    expectations.any(|expectation| expectation.name == name && expectation.expected == "== false")
}

/// The report, in at most a screen of text without colours.
pub fn terminal(record: &RunRecord, simulation: &Simulation) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = verdict(&mut out, record)
        .and_then(|()| scaling(&mut out, record))
        .and_then(|()| requests(&mut out, record))
        .and_then(|()| bill(&mut out, record))
        .and_then(|()| judged(&mut out, record))
        .and_then(|()| speed(&mut out, record, simulation));
    out
}

fn verdict(out: &mut String, record: &RunRecord) -> std::fmt::Result {
    let summary = &record.summary;
    let word = if held(summary) { "HELD" } else { "FAILED" };
    let properties = summary.properties.iter().filter(|property| property.holds).count();
    let expectations = summary.expectations.iter().filter(|one| one.holds).count();
    writeln!(
        out,
        "{word}: {properties} of {} properties and {expectations} of {} expectations hold",
        summary.properties.len(),
        summary.expectations.len()
    )?;
    writeln!(out, "{}: {}\n", summary.scenario, record.title)
}

fn scaling(out: &mut String, record: &RunRecord) -> std::fmt::Result {
    let scaling = &record.summary.scaling;
    writeln!(
        out,
        "scaling    {} up, {} down, {} failed",
        scaling.ups, scaling.downs, scaling.failed
    )?;
    for event in scaling.events.iter().take(EVENTS_SHOWN) {
        writeln!(out, "  {}  {}", clock(event.at), event.reason)?;
    }
    if scaling.events.len() > EVENTS_SHOWN {
        writeln!(out, "  and {} more, see journal.jsonl", scaling.events.len() - EVENTS_SHOWN)?;
    }
    for call in &record.closest {
        writeln!(out, "  nearest    {}  {}", clock(call.at), explain::sentence(&call.vote))?;
        for veto in call.decision.vetoes() {
            writeln!(out, "             held by: {}", words(veto))?;
        }
    }
    Ok(())
}

fn clock(at: LocalTime) -> String {
    let zone = jiff::tz::Offset::from_seconds(at.offset_seconds).unwrap_or(jiff::tz::Offset::UTC);
    let civil = TimeZone::fixed(zone).to_datetime(at.at.to_jiff());
    civil.strftime("%a %d %b %H:%M:%S").to_string()
}

fn words(veto: &Veto) -> String {
    match veto {
        Veto::WindowNotFull { filled, window, .. } => {
            format!("the window was not full: {filled} of {window}")
        }
        Veto::CoolDown { .. } => "the cool-down".to_owned(),
        Veto::Stabilization { .. } => "the stabilization window".to_owned(),
        Veto::Stale { .. } | Veto::Unknown { .. } => "missing evidence".to_owned(),
        Veto::Paused { .. } => "a pause".to_owned(),
        Veto::AtMaximum => "all servers are in use".to_owned(),
        Veto::AtMinimum => "no server may be released".to_owned(),
        Veto::Outranked { .. } => "a demand of higher priority".to_owned(),
        Veto::NotAllAgree { .. } => "not all down rules agree".to_owned(),
        Veto::FlapProjection { projected, limit, .. } => {
            format!("the rest would read {projected}, above {limit}")
        }
        Veto::Busy { server } => format!("{server} is on its way"),
        Veto::NoStandby { .. } => "no standby is ready".to_owned(),
        Veto::Overdue { server } => format!("work on {server} outlives its deadline"),
    }
}

fn requests(out: &mut String, record: &RunRecord) -> std::fmt::Result {
    let (requests, jobs) = (&record.summary.requests, &record.summary.jobs);
    writeln!(
        out,
        "requests   {} arrived, {} served, {} failed ({} by scaling), {} in flight",
        requests.arrived,
        requests.served,
        requests.failed,
        requests.failed_by_scaling,
        requests.in_flight_at_end
    )?;
    for (cause, count) in &record.failures {
        writeln!(out, "  {count} {cause:?}")?;
    }
    writeln!(out, "latency    {}", distribution(&requests.latency_ms))?;
    writeln!(out, "wait       {}", distribution(&requests.wait_ms))?;
    writeln!(
        out,
        "jobs       {} enqueued, {} completed, {} lost, {} duplicated, {} pending",
        jobs.enqueued, jobs.completed, jobs.lost, jobs.duplicated, jobs.pending_at_end
    )
}

fn distribution(times: &Distribution) -> String {
    let names = [
        ("mean", times.mean),
        ("p50", times.p50),
        ("p95", times.p95),
        ("p99", times.p99),
        ("max", times.max),
    ];
    let shown =
        names.iter().filter_map(|(name, value)| Some(format!("{name} {:.1} ms", (*value)?)));
    shown.collect::<Vec<_>>().join(", ")
}

fn bill(out: &mut String, record: &RunRecord) -> std::fmt::Result {
    let billing = &record.summary.billing;
    let currency = billing.currency;
    writeln!(
        out,
        "bill       {} {currency}: primary {}, standby {} ({:.0} s powered, {:.0} s billed)",
        cents(billing.total),
        cents(billing.primary),
        cents(billing.standby),
        billing.standby_seconds_powered,
        billing.standby_seconds_billed
    )?;
    for baseline in &record.baselines {
        let change = 100.0 * (billing.total.as_f64() / baseline.total.as_f64() - 1.0);
        writeln!(
            out,
            "  against {} {currency} for {} ({change:+.1} %): {}",
            cents(baseline.total),
            baseline.name,
            baseline.assumes
        )?;
    }
    Ok(())
}

/// Rounded to a hundredth of a cent, for reading.
fn cents(money: Money) -> String {
    format!("{:.4}", money.as_f64())
}

fn judged(out: &mut String, record: &RunRecord) -> std::fmt::Result {
    let summary = &record.summary;
    writeln!(out, "properties")?;
    for property in &summary.properties {
        let word = match (property.holds, expected_violation(summary, property)) {
            (true, _) => "holds",
            (false, true) => "violated, as the scenario expects",
            (false, false) => "VIOLATED",
        };
        writeln!(out, "  {:<20} {word} ({} checks)", property.name, property.checked)?;
        if let Some(first) = property.violations.first() {
            writeln!(out, "    {}  {}", clock(first.at), first.what)?;
        }
    }
    for one in summary.expectations.iter().filter(|one| !one.holds) {
        writeln!(out, "expected   {} {}, but it is {}", one.name, one.expected, one.actual)?;
    }
    Ok(())
}

fn speed(out: &mut String, record: &RunRecord, simulation: &Simulation) -> std::fmt::Result {
    writeln!(
        out,
        "simulated {:.0} s in {:.2} s: {:.2} M events/s, {:.2} M requests/s; seed {}, fingerprint {}",
        simulation.simulated_seconds,
        simulation.wall_seconds,
        simulation.events_per_second / 1e6,
        simulation.requests_per_second / 1e6,
        record.summary.seed,
        record.summary.fingerprint
    )
}
