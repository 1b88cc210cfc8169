//! `tidegate run` of a fleet.

use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use tidegate_reports::{Style, passed, run_json, terminal, write_fleet};
use tidegate_sim::fleet;
use tidegate_sim::model::{Fleet, Model};

use super::{figures, progress_bar};
use crate::{Format, refuse, tell};

pub(super) fn run(
    model: &Model,
    groups: &Fleet,
    jobs: Option<NonZeroUsize>,
    directory: &Path,
    format: Format,
) -> ExitCode {
    let started = Instant::now();
    let jobs = jobs.or_else(|| std::thread::available_parallelism().ok());
    let bar = progress_bar(1_000);
    let finished = fleet::run(model, groups, jobs.unwrap_or(NonZeroUsize::MIN), &|progress| {
        let share = progress.simulated.as_secs_f64() / progress.of.as_secs_f64();
        bar.set_position((share * 1_000.0) as u64);
        bar.set_message(format!("{} groups", groups.groups.len()));
    });
    bar.finish_and_clear();
    let finished = match finished {
        Ok(finished) => finished,
        Err(why) => return refuse::plain("the fleet cannot be run", &why),
    };
    let (record, seconds) = (&finished.record, model.duration.as_secs_f64());
    let simulation = figures(record, finished.events, seconds, started.elapsed());
    if let Err(why) = write_fleet(record, &finished.groups, directory) {
        return refuse::plain("the report is not complete", &why);
    }
    let text = match format {
        Format::Text => terminal(record, &simulation, Style { colour: io::stdout().is_terminal() }),
        Format::Json => run_json(&record.summary, &simulation),
    };
    let held = passed(&record.summary);
    tell(&text, if held { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
