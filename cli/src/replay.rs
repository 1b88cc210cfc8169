//! `tidegate replay`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tidegate_core::journal::Line;
use tidegate_core::record::Kind;
use tidegate_driver::record::judged;
use tidegate_reports::summary_json;

use crate::folder::{Folder, FolderError, SUMMARY, text};
use crate::{Format, refuse, tell};

/// What `tidegate replay --help` ends with.
const HELP: &str = "\
Exit codes: 0 identical, 1 it differs, 2 the record cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ReplayArguments {
    /// The folder of a run: `out/<name>` of `tidegate run` or `tidegate record`.
    record: PathBuf,
    /// How to print what differs.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What was compared, and where it first differed.
#[derive(Debug, Default)]
struct Compared {
    steps: usize,
    facts: usize,
    /// The first step that differs: its line, and what this program makes of it.
    step: Option<(usize, String)>,
    /// Whether the figures of the report are others.
    summary: bool,
}

/// `tidegate replay`: steps the core through a journal, and judges anew what was told besides.
pub(crate) fn run(arguments: &ReplayArguments) -> ExitCode {
    let directory = &arguments.record;
    let folder = match Folder::read(directory) {
        Ok(folder) => folder,
        Err(why) => return refuse::plain("the record cannot be read", &why),
    };
    let mut replay = match folder.origin.replay() {
        Ok(replay) => replay,
        Err(why) => return refuse::plain("the record cannot be taken up", &why),
    };
    let steps = folder.journal.len();
    let mut compared = Compared { steps, facts: folder.told.len(), ..Compared::default() };
    for (number, entry) in (1..).zip(&folder.journal) {
        let (step, same) = replay.step(entry);
        if !same {
            let line = Line::after(None, entry.at, &entry.input, &step);
            let now = serde_json::to_string(&line).unwrap_or_default();
            compared.step = Some((number, now));
            break;
        }
    }
    if compared.step.is_none() && folder.origin.kind == Kind::Live {
        match judged_otherwise(&folder, directory) {
            Ok(differs) => compared.summary = differs,
            Err(why) => return refuse::plain("the record cannot be judged anew", &*why),
        }
    }
    report(&compared, arguments.format)
}

/// Whether the figures that follow from journal and facts are not those that were written.
fn judged_otherwise(
    folder: &Folder,
    directory: &Path,
) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let written = text(&directory.join(SUMMARY)).map_err(Box::<FolderError>::from)?;
    let lines: Vec<_> = folder.text.split_inclusive('\n').collect();
    let record = judged(&folder.origin, &lines, &folder.journal, &folder.told)?;
    Ok(summary_json(&record.summary) != written)
}

fn report(compared: &Compared, format: Format) -> ExitCode {
    let Compared { steps, facts, step, summary } = compared;
    let identical = step.is_none() && !summary;
    let text = match (format, step) {
        (Format::Json, _) => {
            let step = step.as_ref();
            let value = json!({
                "identical": identical,
                "steps": steps,
                "facts": facts,
                "differs_at_line": step.map(|(number, _)| number),
                "now": step.map(|(_, now)| now),
                "summary_differs": summary,
            });
            format!("{value:#}\n")
        }
        (Format::Text, Some((number, now))) => {
            format!("DIFFERS: line {number} of the journal; this program writes:\n{now}\n")
        }
        (Format::Text, None) if *summary => {
            "DIFFERS: the journal is the same, the figures of its report are not\n".to_owned()
        }
        (Format::Text, None) => format!("IDENTICAL: {steps} steps, {facts} facts\n"),
    };
    tell(&text, if identical { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
