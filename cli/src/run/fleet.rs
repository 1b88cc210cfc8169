//! `tidegate run` of a fleet.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use tidegate_reports::write_fleet;
use tidegate_sim::fleet;
use tidegate_sim::model::{Fleet, Model};

use super::{RunArguments, figures, progress_bar, report, threads};
use crate::refuse;

pub(super) fn run(
    model: &Model,
    groups: &Fleet,
    arguments: &RunArguments,
    directory: &Path,
) -> ExitCode {
    let started = Instant::now();
    let bar = progress_bar(1_000);
    let finished = fleet::run(model, groups, threads(arguments.jobs), &|progress| {
        let share = progress.simulated.as_secs_f64() / progress.of.as_secs_f64();
        bar.set_position((share * 1_000.0) as u64);
        bar.set_message(format!("{} groups", groups.groups.len()));
    });
    bar.finish_and_clear();
    let mut finished = match finished {
        Ok(finished) => finished,
        Err(why) => return refuse::plain("the fleet cannot be run", &why),
    };
    finished.record.summary.command = Some(arguments.command(arguments.seed).to_string());
    let (record, seconds) = (&finished.record, model.duration.as_secs_f64());
    let simulation = figures(record, finished.events, seconds, started.elapsed());
    if let Err(why) = write_fleet(record, &finished.groups, directory) {
        return refuse::plain("the report is not complete", &why);
    }
    report(record, &simulation, arguments.format)
}
