//! `tidegate live`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tidegate_core::decision::Verdict;
use tidegate_core::{Command, Input, Outcome, Step, TimeZone, Timestamp};
use tidegate_core::{explain, record::LocalTime};
use tidegate_driver::http::HttpError;
use tidegate_driver::live::{LiveError, live};
use tidegate_driver::runtime::{Event, Handle, Listener, Mode};

use crate::{config, interrupt, print, refuse};

const MILLISECOND: i64 = 1_000_000;

#[derive(Debug, Args)]
pub(crate) struct LiveArguments {
    /// The configuration file.
    config: PathBuf,
    /// Decides and records, and acts on nothing.
    #[arg(long)]
    shadow: bool,
    /// Where the state is kept, in place of the configuration's `store.path`.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
}

/// `tidegate live`: until a signal stops it, or a fault.
pub(crate) fn run(arguments: &LiveArguments) -> ExitCode {
    let config = match config::read(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let store = arguments.store.as_ref().unwrap_or(&config.store.path);
    let mode = if arguments.shadow { Mode::Shadow } else { Mode::Act };
    match live(&config, store, mode, Arc::new(Log), stop_on_signal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(LiveError::Ports(why)) => refuse::plain(&why.to_string(), &*why.source),
        Err(LiveError::Http(why @ HttpError::Token(_))) => {
            refuse::plain(&why.to_string(), why.source().unwrap_or(&why))
        }
        Err(fault) => refuse::fault(&fault),
    }
}

/// The first signal lets the host finish what it is writing, a second one does not.
fn stop_on_signal(host: Handle) {
    interrupt::stop_with(move || {
        print::complaint("stopping: what is under way is left to the next start");
        host.stop();
    });
}

/// Tells on standard error what happens, a line each, by the clock of Greenwich.
struct Log;

impl Listener for Log {
    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        let whole = Timestamp::from_nanos(at.as_nanos() - at.as_nanos() % MILLISECOND);
        let now = LocalTime::new(whole, &TimeZone::UTC);
        for line in lines(event) {
            print::complaint(&format!("{now} {group}: {line}"));
        }
    }
}

fn lines(event: &Event<'_>) -> Vec<String> {
    let line = match event {
        Event::TakenUp { lines: 0 } => "begun".to_owned(),
        Event::TakenUp { lines } => format!("taken up after {lines} lines of its journal"),
        Event::Stepped { input, step } => return step_lines(input, step),
        Event::Ended { id, outcome: Outcome::Done, .. } => format!("command {} done", id.0),
        Event::Ended { id, why, .. } => {
            let why = why.map_or_else(String::new, ToString::to_string);
            format!("command {} failed: {why}", id.0)
        }
        Event::Dropped { command } => {
            format!("command {} dropped: it did not end", command.id.0)
        }
        Event::Blind { what, why } => format!("failed to read {what}: {why}"),
        Event::AlertLeftOut { why } => format!("an alert was left out: {why}"),
        Event::SeesAgain { what } => format!("{what} can be read again"),
    };
    vec![line]
}

fn step_lines(input: &Input, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    match input {
        Input::TakeOver { term } => lines.push(format!("taken over in term {term}")),
        Input::Request(_) => lines.push("a person asked".to_owned()),
        Input::Observe(_) | Input::Complete { .. } | Input::Wake => {}
    }
    if step.decision.verdict != Verdict::Hold {
        lines.push(explain::reason(&step.decision));
    }
    let command = |command: &Command| {
        let (id, step) = (command.id.0, command.kind.step().name());
        format!("command {id}: {step} {}", command.server)
    };
    lines.extend(step.commands.iter().map(command));
    lines
}
