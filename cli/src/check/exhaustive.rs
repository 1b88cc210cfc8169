//! `tidegate check --exhaustive`: the table of step by fault.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use serde_json::json;
use tidegate_sim::check::{Base, Cell, Table, exhaustive, shrink};

use super::{CheckArguments, SHRUNK, effort, write};
use crate::command::run_of;
use crate::run::{progress_bar, threads};
use crate::{Format, interrupt, print, refuse, tell};

/// A failing case that was shrunk, and where it lies.
type Written = (String, String, PathBuf);

pub(super) fn run(bases: &[Base], arguments: &CheckArguments) -> ExitCode {
    let (mut out, mut tables, mut held) = (String::new(), Vec::new(), true);
    let mut left = bases.iter();
    interrupt::listen();
    print::complaint("Ctrl-C ends with the report so far");
    while !interrupt::asked().load(Ordering::Relaxed)
        && let Some(base) = left.next()
    {
        let bar = progress_bar(1);
        let table = exhaustive(base, threads(arguments.jobs), interrupt::asked(), &|done, of| {
            bar.set_length(of);
            bar.set_position(done);
            bar.set_message(format!("{done} of {of} runs"));
        });
        bar.finish_and_clear();
        let table = match table {
            Ok(table) => table,
            Err(why) => {
                let what = format!("{}: {}", base.file, why.what);
                return refuse::option(&what, "`tidegate run` shows more");
            }
        };
        let written = match save(base, &table, arguments) {
            Ok(written) => written,
            Err((path, why)) => {
                return refuse::plain(&format!("{} cannot be written", path.display()), &why);
            }
        };
        held &= table.holds();
        // Writing to a String cannot fail.
        let _ = text(base, &table, &written, &mut out);
        tables.push(to_json(base, &table, &written));
    }
    let untried: Vec<&str> = left.map(|base| base.name.as_str()).collect();
    if !untried.is_empty() {
        let _ = writeln!(out, "ended early, not tried: {}", untried.join(", "));
    }
    if arguments.format == Format::Json {
        let all = json!({ "holds": held, "scenarios": tables, "scenarios_not_tried": untried });
        out = format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    tell(&out, interrupt::exit_code(held))
}

fn save(
    base: &Base,
    table: &Table,
    arguments: &CheckArguments,
) -> Result<Vec<Written>, (PathBuf, std::io::Error)> {
    let mut written = Vec::new();
    for (case, failure) in table.failing.iter().take(SHRUNK) {
        let shrunk = shrink(case, failure, effort());
        let path = write(&shrunk, &base.name, arguments)?;
        written.push((failure.property.clone(), shrunk.failure.what, path));
    }
    Ok(written)
}

fn text(base: &Base, table: &Table, written: &[Written], out: &mut String) -> std::fmt::Result {
    let failed = table.cells.values().filter(|cell| cell.failed > 0).count();
    let verdict = if failed == 0 {
        "every cell holds".to_owned()
    } else {
        format!("{failed} of {} cells fail", table.cells.len())
    };
    writeln!(out, "{}: {verdict}, {} runs", base.name, table.tried())?;
    if table.tried() < table.wanted {
        writeln!(out, "  ended early: {} runs were to be made", table.wanted)?;
    }
    if !table.calm.is_empty() {
        let calm = table.calm.join(", ");
        writeln!(out, "  violated without a fault, and left out here: {calm}")?;
    }
    let columns = Table::columns();
    write!(out, "\n  {:<26}", "")?;
    for column in &columns {
        write!(out, "{column:>15}")?;
    }
    writeln!(out)?;
    for (row, fault) in Table::faults().iter().enumerate() {
        write!(out, "  {fault:<26}")?;
        for column in 0..columns.len() {
            write!(out, "{:>15}", shown(table.cells.get(&(row, column))))?;
        }
        writeln!(out)?;
    }
    for (property, what, path) in written {
        writeln!(out, "\n  {property}: {what}\n    {}", run_of(path))?;
    }
    writeln!(out)
}

/// How many of how many runs held; nothing where there was nothing to try.
fn shown(cell: Option<&Cell>) -> String {
    match cell {
        None => "-".to_owned(),
        Some(cell) if cell.missed == cell.tried => "not befallen".to_owned(),
        Some(cell) if cell.failed == 0 => format!("ok {}", cell.tried),
        Some(cell) => format!("FAIL {}/{}", cell.failed, cell.tried),
    }
}

fn to_json(base: &Base, table: &Table, written: &[Written]) -> serde_json::Value {
    let (faults, columns) = (Table::faults(), Table::columns());
    let cells = table.cells.iter().map(|(&(row, column), cell)| {
        json!({
            "fault": faults[row],
            "step": columns[column],
            "tried": cell.tried,
            "failed": cell.failed,
            "not_befallen": cell.missed,
            "violated": cell.first.as_ref().map(|first| &first.property),
            "what": cell.first.as_ref().map(|first| &first.what),
        })
    });
    let files = written.iter().map(|(property, what, path)| {
        json!({
            "property": property,
            "what": what,
            "file": path.to_string_lossy(),
            "command": run_of(path).to_string(),
        })
    });
    json!({
        "scenario": base.name,
        "holds": table.holds(),
        "runs": table.tried(),
        "runs_wanted": table.wanted,
        "violated_without": table.calm,
        "never_taken": table.untried.iter().map(|step| step.name()).collect::<Vec<_>>(),
        "cells": cells.collect::<Vec<_>>(),
        "failures": files.collect::<Vec<_>>(),
    })
}
