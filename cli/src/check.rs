//! `tidegate check`: drawn scenarios with faults, by the thousand.

mod defects;
mod exhaustive;
mod report;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use tidegate_sim::check::{Base, Bounds, Failure, Shrunk, Swarm, Swept, regression, shrink, swarm};

use crate::command::CommandLine;
use crate::run::{progress_bar, threads};
use crate::{Format, print, refuse, tell};

use report::{Found, Report};

/// Runs that shrinking one failure may take.
const BUDGET: u32 = 600;
/// Failures that are shrunk, one of each property.
const SHRUNK: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The scenario files that runs are drawn from, in turn.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// How many runs.
    #[arg(long, default_value = "200")]
    runs: u64,
    /// The seed of all draws.
    #[arg(long, default_value = "1")]
    seed: u64,
    /// Threads. The result does not depend on it. Default: one for each core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Ends with the runs that are done after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<u64>,
    /// Within what is drawn: a TOML file.
    #[arg(long, value_name = "FILE")]
    bounds: Option<PathBuf>,
    /// Prints the scenario of this run and ends.
    #[arg(long, value_name = "RUN")]
    draw: Option<u64>,
    /// Tries every fault at every step of both sequences instead, and at every input around them.
    #[arg(long, conflicts_with_all = ["runs", "seed", "time_limit", "bounds", "draw"])]
    exhaustive: bool,
    /// Plants each defect of the catalogue instead, one at a time, in the scenarios that name it.
    #[arg(long, conflicts_with_all = ["runs", "time_limit", "bounds", "draw", "exhaustive"])]
    defects: bool,
    /// Where the scenarios of failures go.
    #[arg(long, value_name = "DIR", default_value = "scenarios/regressions")]
    regressions: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// `tidegate check`.
pub(crate) fn check(arguments: &CheckArguments) -> ExitCode {
    let bounds = match arguments.bounds.as_deref().map(Bounds::read).transpose() {
        Ok(bounds) => bounds.unwrap_or_default(),
        Err(error) => return refuse::scenario(error),
    };
    let read = |path: &PathBuf| Base::read(path);
    let bases = match arguments.scenarios.iter().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(bases) => bases,
        Err(error) => return refuse::scenario(error),
    };
    if arguments.defects {
        return defects::run(&bases, arguments);
    }
    if arguments.exhaustive {
        return exhaustive::run(&bases, arguments);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let all = Swarm {
        bases: &bases,
        bounds: &bounds,
        seed: arguments.seed,
        runs: arguments.runs,
        jobs: threads(arguments.jobs),
        stop: &stop,
    };
    if let Some(number) = arguments.draw {
        return tell(&all.case(number).text, ExitCode::SUCCESS);
    }
    stop_by_hand(&stop);
    let started = Instant::now();
    let swept = sweep(&all, started, arguments.time_limit);
    let wall = started.elapsed();
    let found = match save(&all, &swept, arguments) {
        Ok(found) => found,
        Err((path, why)) => {
            let what = format!("{} cannot be written", path.display());
            return refuse::plain(&what, &why);
        }
    };
    let report = Report {
        swept: &swept,
        bounds: &bounds,
        found: &found,
        wanted: arguments.runs,
        seed: arguments.seed,
        wall,
    };
    let text = match arguments.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
    };
    tell(&text, if swept.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Ends a swarm when the person at the terminal has enough.
fn stop_by_hand(stop: &Arc<AtomicBool>) {
    let by_hand = Arc::clone(stop);
    // A second Ctrl-C ends the program at once.
    let end = move || {
        if by_hand.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    if let Err(why) = ctrlc::set_handler(end) {
        print::complaint(&format!("note: Ctrl-C ends without a report: {why}"));
    }
}

/// No run begins after `limit` seconds.
fn sweep(all: &Swarm<'_>, started: Instant, limit: Option<u64>) -> Swept {
    let bar = progress_bar(all.runs);
    let swept = swarm(all, &|done, seconds| {
        let elapsed = started.elapsed();
        if limit.is_some_and(|limit| elapsed.as_secs() >= limit) {
            all.stop.store(true, Ordering::Relaxed);
        }
        let rate = seconds / 86_400.0 / elapsed.as_secs_f64().max(1e-3);
        bar.set_position(done);
        bar.set_message(format!("{done} of {} runs, {rate:.0} simulated days/s", all.runs));
    });
    bar.finish_and_clear();
    swept
}

/// Shrinks the first failure of each property, and writes it as a scenario.
fn save(
    all: &Swarm<'_>,
    swept: &Swept,
    arguments: &CheckArguments,
) -> Result<Vec<Found>, (PathBuf, std::io::Error)> {
    let mut firsts: Vec<(u64, &Failure)> = Vec::new();
    for (run, failures) in &swept.failed {
        for failure in failures {
            if firsts.iter().all(|(_, first)| first.property != failure.property) {
                firsts.push((*run, failure));
            }
        }
    }
    let mut found = Vec::new();
    for (number, failure) in firsts.into_iter().take(SHRUNK) {
        let shrunk = shrink(&all.case(number), failure, BUDGET);
        let name = format!("{}-{number}", arguments.seed);
        let path = write(&shrunk, &name, arguments)?;
        found.push(Found { run: number, shrunk, path });
    }
    Ok(found)
}

/// The command that draws the same again.
fn command_of(arguments: &CheckArguments) -> CommandLine {
    let files = |command: CommandLine, path: &PathBuf| command.path(path);
    let command = arguments.scenarios.iter().fold(CommandLine::new("check"), files);
    if arguments.exhaustive {
        return command.flag("--exhaustive");
    }
    let bounds = arguments.bounds.as_deref().map(Path::display);
    let command = command.option("--seed", arguments.seed).option("--runs", arguments.runs);
    command.maybe("--bounds", bounds)
}

/// Writes a shrunk case where regressions lie.
fn write(
    shrunk: &Shrunk,
    name: &str,
    arguments: &CheckArguments,
) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let directory = &arguments.regressions;
    let path = directory.join(format!("{}-{name}.toml", shrunk.failure.property));
    let text = regression(shrunk, directory, &command_of(arguments).to_string());
    let failed = |why| (path.clone(), why);
    fs::create_dir_all(directory).map_err(failed)?;
    fs::write(&path, text).map_err(failed)?;
    Ok(path)
}
