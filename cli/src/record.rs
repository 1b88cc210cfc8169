//! `tidegate record`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tidegate_core::Timestamp;
use tidegate_core::record::{RunRecord, Told};
use tidegate_driver::record::{Recorded, judged, record};
use tidegate_reports::{Style, passed, summary_json, terminal, write_all};

use crate::config::{self, moment};
use crate::folder::{FACTS, JOURNAL, ORIGIN, lines};
use crate::{Format, refuse, tell};

/// What `tidegate record --help` ends with.
const HELP: &str = "\
Exit codes: 0 all properties held, 1 one did not, 2 bad input. `tidegate replay` steps through \
what was written.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct RecordArguments {
    /// The configuration file of the live host.
    config: PathBuf,
    /// The group; may be left out if there is one alone.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// From when on, as RFC 3339; from the oldest that is kept if absent.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Until when; to the last that was stored if absent.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Facts from elsewhere, a line each, such as those of a load generator. May be repeated.
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// Where the state is kept, a file or the address of a database, in place of what the
    /// configuration says.
    #[arg(long, value_name = "PLACE")]
    store: Option<PathBuf>,
    /// Where the files of the report go, in a folder of the group's name.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// How to print the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// `tidegate record`: writes down what a live group did, judged as a simulated run is.
pub(crate) fn run(arguments: &RecordArguments) -> ExitCode {
    let (place, name) = (arguments.store.as_deref(), arguments.group.as_deref());
    let (config, store, group) = match config::read_with_group(&arguments.config, place, name) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let (since, until) = (arguments.since.unwrap_or_default(), arguments.until);
    let recorded = record(&config, &store, &group, since, until.unwrap_or(Timestamp::MAX));
    let mut recorded = match recorded {
        Ok(recorded) => recorded,
        Err(why) => return refuse::plain("there is no record", &why),
    };
    for path in &arguments.facts {
        match lines::<Told>(path) {
            Ok(told) => recorded.told.extend(told),
            Err(why) => return refuse::plain("the facts cannot be read", &why),
        }
    }
    let directory = arguments.out.join(&group.name);
    match written(&mut recorded, &directory) {
        Ok(record) => report(&record, arguments.format),
        Err(why) => refuse::plain("the record cannot be written", &*why),
    }
}

/// Facts may go on for a little after the controller's last step.
fn written(
    recorded: &mut Recorded,
    directory: &Path,
) -> Result<RunRecord, Box<dyn std::error::Error + Send + Sync>> {
    let Recorded { origin, lines, journal, told } = recorded;
    told.sort_by_key(Told::at);
    origin.end = told.last().map_or(origin.end, |last| origin.end.max(last.at()));
    let record = judged(origin, lines, journal, told)?;
    fs::create_dir_all(directory)?;
    fs::write(directory.join(ORIGIN), serde_json::to_vec(origin)?)?;
    fs::write(directory.join(JOURNAL), lines.concat())?;
    let mut text = Vec::new();
    for line in told.iter() {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    fs::write(directory.join(FACTS), text)?;
    write_all(&record, directory)?;
    Ok(record)
}

fn report(record: &RunRecord, format: Format) -> ExitCode {
    let style = Style { colour: io::stdout().is_terminal() };
    let text = match format {
        Format::Text => terminal(record, None, style),
        Format::Json => summary_json(&record.summary),
    };
    tell(&text, if passed(&record.summary) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
