//! `tidegate check`: drawn scenarios with faults, by the thousand.

mod defects;
mod exhaustive;
mod progress;
mod report;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, value_parser};
use tidegate_sim::check::{Base, Bounds, Effort, Shrunk, Swarm, Swept, regression, shrink};

use crate::command::CommandLine;
use crate::run::threads;
use crate::{Format, interrupt, refuse, tell};

use progress::{announce, rate, sweep};
use report::{Found, Report};

/// Runs that shrinking one failure may take.
const BUDGET: u32 = 600;
/// Failures that are shrunk, one of each property.
const SHRUNK: usize = 5;

/// What `tidegate check --help` ends with.
const HELP: &str = "\
Draws runs from the scenarios, judges them by all properties, and shrinks the first failure of \
each property into a scenario file. The result depends on the scenarios, --seed, --runs and \
--bounds alone. Ctrl-C ends with the report so far, a second one at once.

Exit codes: 0 all held, 1 a property was violated, 2 bad input, 130 Ctrl-C ended it and nothing \
had failed.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct CheckArguments {
    /// The scenario files that runs are drawn from, in turn.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// How many runs to draw.
    #[arg(long, value_name = "N", default_value = "200")]
    #[arg(value_parser = value_parser!(u64).range(1..))]
    runs: u64,
    /// The seed of all draws, or with `--defects` of the runs in which defects are planted.
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Threads; one for each core if absent. The result is the same.
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Begins no run after so many seconds; what failed by then is shrunk all the same.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    time_limit: Option<u64>,
    /// A TOML file that says within which bounds to draw: how many faults, of which kinds, and so
    /// on. `scenarios/README.md` lists its keys.
    #[arg(long, value_name = "FILE")]
    bounds: Option<PathBuf>,
    /// Prints the scenario of run number RUN, counted from 0, for `tidegate run`, and runs nothing.
    #[arg(long, value_name = "RUN")]
    draw: Option<u64>,
    /// Draws nothing: tries every fault at every step of both sequences of each scenario, and a
    /// crash of the controller's host at every input around them.
    #[arg(long, conflicts_with_all = ["runs", "seed", "time_limit", "bounds", "draw"])]
    exhaustive: bool,
    /// Draws nothing: plants each defect of the catalogue, one at a time, in the scenarios whose
    /// `hazard.defects` name it. A defect that its owner does not catch is a failure.
    #[arg(long, conflicts_with_all = ["runs", "time_limit", "bounds", "draw", "exhaustive"])]
    defects: bool,
    /// Where to write the scenarios of failures, `<property>-<seed>-<run>.toml`.
    #[arg(long, value_name = "DIR", default_value = "scenarios/regressions")]
    regressions: PathBuf,
    /// How to print the report.
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
    let all = Swarm {
        bases: &bases,
        bounds: &bounds,
        seed: arguments.seed,
        runs: arguments.runs,
        jobs: threads(arguments.jobs),
        stop: interrupt::asked(),
    };
    if let Some(number) = arguments.draw {
        return tell(&all.case(number).file_text(), ExitCode::SUCCESS);
    }
    interrupt::listen();
    announce(&all);
    let started = Instant::now();
    let swept = sweep(&all, started, arguments.time_limit);
    rate(&swept.tally, started.elapsed());
    let found = match save(&all, &swept, arguments) {
        Ok(found) => found,
        Err((path, why)) => {
            let what = format!("{} cannot be written", path.display());
            return refuse::plain(&what, &why);
        }
    };
    let report = Report { swept: &swept, bounds: &bounds, found: &found, arguments };
    let text = match arguments.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
    };
    tell(&text, interrupt::exit_code(swept.failed.is_empty()))
}

/// Shrinks the first failures, one of each property, and writes them as scenarios.
fn save(
    all: &Swarm<'_>,
    swept: &Swept,
    arguments: &CheckArguments,
) -> Result<Vec<Found>, (PathBuf, std::io::Error)> {
    let mut found = Vec::new();
    for (number, failure) in swept.firsts().into_iter().take(SHRUNK) {
        let shrunk = shrink(&all.case(number), failure, effort());
        let name = format!("{}-{number}", arguments.seed);
        let path = write(&shrunk, &name, arguments)?;
        found.push(Found { run: number, shrunk, path });
    }
    Ok(found)
}

/// What shrinking one failure may take.
fn effort() -> Effort<'static> {
    Effort { runs: BUDGET, stop: interrupt::asked() }
}

/// The command that finds the same again.
fn command_of(arguments: &CheckArguments) -> CommandLine {
    if arguments.exhaustive {
        return command_on(arguments).flag("--exhaustive");
    }
    draws(arguments).option("--runs", arguments.runs)
}

/// The command that prints the scenario of a run.
fn draw_of(arguments: &CheckArguments, run: u64) -> CommandLine {
    draws(arguments).option("--draw", run)
}

/// `tidegate check` with all that decides what is drawn.
fn draws(arguments: &CheckArguments) -> CommandLine {
    let bounds = arguments.bounds.as_deref().map(Path::display);
    command_on(arguments).option("--seed", arguments.seed).maybe("--bounds", bounds)
}

fn command_on(arguments: &CheckArguments) -> CommandLine {
    let files = |command: CommandLine, path: &PathBuf| command.path(path);
    arguments.scenarios.iter().fold(CommandLine::new("check"), files)
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
