//! `tidegate run`.

mod fleet;
mod many;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tidegate_core::record::{Fidelity, RunRecord, Simulation};
use tidegate_reports::{Style, passed, run_json, terminal, write_all};
use tidegate_sim::run::{Finished, Progress, run_traced};
use tidegate_sim::scenario::{Overrides, read};

use crate::command::{CommandLine, run_of};
use crate::folder::{JOURNAL, ORIGIN};
use crate::{Format, interrupt, print, refuse, tell};

/// The journal of a run under way, so that the report of the run before stays whole until then.
const UNFINISHED: &str = "journal.jsonl.part";

/// What `tidegate run --help` ends with.
const HELP: &str = "\
Exit codes: 0 all held, 1 a property or an expectation failed, 2 bad input, 130 Ctrl-C ended it \
without a report.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct RunArguments {
    /// The scenario file.
    scenario: PathBuf,
    /// Replaces or adds a value of the file, such as `policy.up.0.above=80%`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Another seed.
    #[arg(long)]
    seed: Option<u64>,
    /// A trace in place of the scenario's loads: a CSV whose header names its unit.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Where the files of the report go.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Writes each request as a line of CSV: arrival, server, latency, wait, outcome.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    trace_requests: Option<PathBuf>,
    /// Runs so many seeds, from the scenario's on, and reports means with their confidence.
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroUsize>,
    /// Threads for `--seeds` or a fleet; one for each core if absent. The result is the same.
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// How to print the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl RunArguments {
    /// The command that gives the run of `seed` again; the scenario's own seed if absent.
    fn command(&self, seed: Option<u64>) -> CommandLine {
        let set = |command: CommandLine, one: &String| command.option("--set", one);
        let command = self.set.iter().fold(run_of(&self.scenario), set);
        let load = self.load.as_deref().map(Path::display);
        command.maybe("--load", load).maybe("--seed", seed)
    }
}

/// `tidegate run`, under one seed or many.
pub(crate) fn run(arguments: &RunArguments) -> ExitCode {
    let overrides = Overrides {
        set: arguments.set.clone(),
        seed: arguments.seed,
        load: arguments.load.clone(),
    };
    let model = match read(&arguments.scenario, &overrides) {
        Ok(model) => model,
        Err(error) => return refuse::scenario(error),
    };
    if arguments.trace_requests.is_some() && model.fidelity == Fidelity::Fluid {
        let what = "--trace-requests: the scenario's requests are flows, there is none to trace";
        return refuse::option(what, "add `--set fidelity=request`");
    }
    for note in &model.notes {
        print::complaint(&format!("note: {note}"));
    }
    let directory = arguments.out.join(&model.name);
    if model.fleet.is_some() && (arguments.seeds.is_some() || arguments.trace_requests.is_some()) {
        let what = "--seeds and --trace-requests: a fleet has neither";
        return refuse::option(what, "run it without, under one seed at a time");
    }
    let unfinished = directory.join(UNFINISHED);
    interrupt::end_with(move || {
        // It is not there before the run begins, and where no single group is run.
        let _absent = fs::remove_file(&unfinished);
        print::complaint("interrupted: there is no report of this run");
    });
    if let Some(seeds) = arguments.seeds {
        return many::run(&model, seeds, arguments, &directory);
    }
    if let Some(fleet) = &model.fleet {
        return fleet::run(&model, fleet, arguments, &directory);
    }
    if arguments.jobs.is_some() {
        let what = "--jobs: one run of one group takes one thread";
        return refuse::option(what, "take it out, or add `--seeds`");
    }
    let started = Instant::now();
    let requests = arguments.trace_requests.as_deref();
    let mut finished = match simulate(&model, &directory, requests, started) {
        Ok(finished) => finished,
        Err((path, why)) => {
            let what = format!("the report cannot be written to {}", path.display());
            return refuse::plain(&what, &why);
        }
    };
    finished.record.summary.command = Some(arguments.command(arguments.seed).to_string());
    let simulation =
        figures(&finished.record, finished.events, model.duration.as_secs_f64(), started.elapsed());
    if let Err(why) = write_all(&finished.record, &directory) {
        return refuse::plain("the report is not complete", &why);
    }
    report(&finished.record, &simulation, arguments.format)
}

/// Prints the report of a run that is written; the exit code says whether all held.
fn report(record: &RunRecord, simulation: &Simulation, format: Format) -> ExitCode {
    let style = Style { colour: io::stdout().is_terminal() };
    let text = match format {
        Format::Text => terminal(record, Some(simulation), style),
        Format::Json => run_json(&record.summary, simulation),
    };
    let held = passed(&record.summary);
    tell(&text, if held { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// So many threads, or one for each core.
pub(crate) fn threads(jobs: Option<NonZeroUsize>) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().ok();
    jobs.or_else(cores).unwrap_or(NonZeroUsize::MIN)
}

fn simulate(
    model: &tidegate_sim::model::Model,
    directory: &Path,
    requests: Option<&Path>,
    started: Instant,
) -> Result<Finished, (PathBuf, io::Error)> {
    let here = |why| (directory.to_owned(), why);
    fs::create_dir_all(directory).map_err(here)?;
    let create = |path: &Path| File::create(path).map(BufWriter::new);
    let unfinished = directory.join(UNFINISHED);
    let mut journal = create(&unfinished).map_err(here)?;
    let mut trace = match requests {
        Some(path) => Some(create(path).map_err(|why| (path.to_owned(), why))?),
        None => None,
    };
    let bar = progress_bar(1_000);
    let trace = trace.as_mut().map(|out| out as &mut (dyn Write + Send));
    let mut shown = |progress| show(&bar, progress, started);
    let finished = run_traced(model, &mut journal, trace, &mut shown).map_err(here)?;
    journal.flush().map_err(here)?;
    fs::rename(unfinished, directory.join(JOURNAL)).map_err(here)?;
    let origin = serde_json::to_vec(&model.origin()).map_err(|why| here(why.into()))?;
    fs::write(directory.join(ORIGIN), origin).map_err(here)?;
    bar.finish_and_clear();
    Ok(finished)
}

pub(crate) fn progress_bar(steps: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent}% {msg}");
    ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shown from the first second on.
fn show(bar: &ProgressBar, progress: Progress, started: Instant) {
    let elapsed = started.elapsed();
    if elapsed < Duration::from_secs(1) {
        return;
    }
    let share = progress.simulated.as_secs_f64() / progress.of.as_secs_f64();
    let rate = progress.events as f64 / elapsed.as_secs_f64() / 1e6;
    bar.set_position((share * 1_000.0) as u64);
    bar.set_message(format!("{} simulated, {rate:.1} M events/s", progress.simulated));
}

fn figures(
    record: &RunRecord,
    events: u64,
    simulated_seconds: f64,
    elapsed: Duration,
) -> Simulation {
    let wall_seconds = elapsed.as_secs_f64();
    Simulation {
        simulated_seconds,
        wall_seconds,
        events,
        events_per_second: events as f64 / wall_seconds,
        requests_per_second: record.summary.requests.arrived as f64 / wall_seconds,
        peak_rss_bytes: peak_rss(),
    }
}

/// Most memory that this process held, as Linux tells it; zero where it does not.
fn peak_rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
