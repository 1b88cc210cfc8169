//! What the bench prints.

use std::process::ExitCode;

use crate::contest::{Contest, Contestant, Row, Run, median};

/// One line a contestant: medians of its rounds.
#[expect(clippy::print_stdout, reason = "the table is what a bench is for")]
pub(crate) fn print(contest: &Contest, rows: &[Row]) {
    println!("\n{}", contest.title);
    let (mean, p99) = (format!("mean {}", contest.times), "p99");
    println!(
        "{:<20}{:>11}{:>17}{:>11}{mean:>17}{p99:>12}{:>12}",
        "", "requests/s", "min – max", "events/s", "tidegate ÷"
    );
    for (contestant, row) in contest.contestants.iter().zip(rows) {
        println!("{:<20}{}", contestant.name, line(contestant, row));
    }
    if let Some(theory) = contest.theory {
        println!("{:<59}{}", "theory", times(theory.mean_ms, theory.p99_ms));
    }
}

fn line(contestant: &Contestant, row: &Row) -> String {
    let figures = figures(row).unwrap_or_default();
    let ratio = ratio(contestant, row).unwrap_or_default();
    let fault = row.fault.as_ref().map(|why| format!("  {}", why.trim()));
    format!("{figures}{ratio}{}", fault.unwrap_or_default())
}

fn figures(row: &Row) -> Option<String> {
    let mut rates: Vec<f64> = row.runs.iter().map(Run::requests_per_second).collect();
    rates.sort_by(f64::total_cmp);
    let range = format!("{} – {}", millions(*rates.first()?), millions(*rates.last()?));
    let rate = millions(median(rates)?);
    let events = row.runs.iter().filter_map(|run| Some(run.events? as f64 / run.seconds));
    let events = median(events.collect()).map_or_else(String::new, |rate| millions(rate) + " M");
    let Run { mean_ms, p99_ms, .. } = row.runs.last()?;
    let times = times(*mean_ms, Some(*p99_ms));
    Some(format!("{:>11}{range:>17}{events:>11}{times}", rate + " M"))
}

fn times(mean_ms: f64, p99_ms: Option<f64>) -> String {
    let p99 = p99_ms.map_or_else(String::new, |p99| format!("{p99:.1} ms"));
    format!("{:>17}{p99:>12}", format!("{mean_ms:.3} ms"))
}

fn ratio(contestant: &Contestant, row: &Row) -> Option<String> {
    let ratio = row.ratio?;
    let verdict = |&(name, wanted): &(&str, f64)| {
        let verdict = if ratio >= wanted { "reached" } else { "missed" };
        format!("  {name} {wanted} {verdict}")
    };
    Some(format!("{ratio:>12.2}{}", contestant.wanted.iter().map(verdict).collect::<String>()))
}

fn millions(rate: f64) -> String {
    let digits = if rate < 1e5 { 4 } else { 2 };
    format!("{:.digits$}", rate / 1e6)
}

/// The bench was asked for something that it does not have.
#[expect(clippy::print_stderr, reason = "the message is for the person at the terminal")]
pub(crate) fn refuse(why: &str) -> ExitCode {
    eprintln!("bench: {why}");
    ExitCode::from(2)
}
