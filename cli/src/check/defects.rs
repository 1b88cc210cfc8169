//! `tidegate check --defects`: who catches which planted defect.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;
use tidegate_core::Defect;
use tidegate_sim::check::{Base, Caught, defects};

use super::CheckArguments;
use crate::run::{progress_bar, threads};
use crate::{Format, interrupt, print, tell};

pub(super) fn run(bases: &[Base], arguments: &CheckArguments) -> ExitCode {
    let bar = progress_bar(Defect::ALL.len() as u64);
    interrupt::listen();
    print::complaint("Ctrl-C ends with the report so far");
    let stop = interrupt::asked();
    let all = defects(bases, arguments.seed, threads(arguments.jobs), stop, &|done| {
        bar.set_position(done as u64);
        bar.set_message(format!("{done} of {} defects", Defect::ALL.len()));
    });
    bar.finish_and_clear();
    let right = all.iter().all(Caught::is_right);
    let out = match arguments.format {
        Format::Text => text(&all),
        Format::Json => to_json(&all),
    };
    tell(&out, interrupt::exit_code(right))
}

fn text(all: &[Caught]) -> String {
    let mut out = String::new();
    let right = all.iter().filter(|one| one.is_right()).count();
    // Writing to a String cannot fail.
    let _ =
        writeln!(out, "{right} of {} defects are caught by the property that owns them", all.len());
    if all.len() < Defect::ALL.len() {
        let _ = writeln!(out, "  ended early: there are {} defects", Defect::ALL.len());
    }
    out.push('\n');
    let _ = writeln!(out, "  {:<24}{:<20}{:>5}{:>7}  also", "defect", "owner", "runs", "lines");
    for one in all {
        let owner = one.defect.owner();
        let lines = one.lines().map_or_else(|| "-".to_owned(), |lines| lines.to_string());
        let also: Vec<&str> =
            one.properties.iter().map(String::as_str).filter(|other| *other != owner).collect();
        let (name, runs) = (one.defect.name(), one.runs);
        let _ = writeln!(out, "  {name:<24}{owner:<20}{runs:>5}{lines:>7}  {}", also.join(", "));
        if !one.is_right() {
            let _ = writeln!(out, "    {}", wrong(one));
        }
    }
    out
}

/// What is wrong with how a defect was caught.
fn wrong(one: &Caught) -> String {
    if one.runs == 0 {
        return "NOT TRIED: no scenario names it in `hazard.defects`".to_owned();
    }
    if one.properties.is_empty() {
        return format!("NOT CAUGHT in {} runs", one.runs);
    }
    if one.without.is_empty() {
        return "CAUGHT BY ANOTHER: its owner holds".to_owned();
    }
    format!("NOT ITS DOING: without it {} is violated too", one.without.join(", "))
}

fn to_json(all: &[Caught]) -> String {
    let one = |one: &Caught| {
        json!({
            "defect": one.defect.name(),
            "owner": one.defect.owner(),
            "right": one.is_right(),
            "runs": one.runs,
            "violated": one.properties,
            "violated_without": one.without,
            "lines": one.lines(),
            "scenario": one.shrunk.as_ref().map(|shrunk| &shrunk.case.text),
        })
    };
    let all = json!({
        "holds": all.iter().all(Caught::is_right),
        "ended_early": all.len() < Defect::ALL.len(),
        "defects": all.iter().map(one).collect::<Vec<_>>(),
    });
    format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default())
}
