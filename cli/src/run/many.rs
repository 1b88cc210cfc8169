//! `tidegate run --seeds N`: the same scenario under many seeds.

use std::fs;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use tidegate_core::record::Summary;
use tidegate_reports::{Style, all_passed, seeds_csv, seeds_json, seeds_text};
use tidegate_sim::model::Model;
use tidegate_sim::replicate::replicate;

use super::{RunArguments, progress_bar, threads};
use crate::{Format, refuse, tell};

pub(super) fn run(
    model: &Model,
    seeds: NonZeroUsize,
    arguments: &RunArguments,
    directory: &Path,
) -> ExitCode {
    let seeds: Vec<u64> = (0..seeds.get() as u64).map(|n| model.seed.wrapping_add(n)).collect();
    let bar = progress_bar(seeds.len() as u64);
    let mut summaries = replicate(model, &seeds, threads(arguments.jobs), &|done| {
        bar.set_position(done as u64);
        bar.set_message(format!("{done} of {} seeds", seeds.len()));
    });
    bar.finish_and_clear();
    for summary in &mut summaries {
        summary.command = Some(arguments.command(Some(summary.seed)).to_string());
    }
    if let Err(why) = write(&summaries, directory) {
        let what = format!("the report cannot be written to {}", directory.display());
        return refuse::plain(&what, &why);
    }
    let text = match arguments.format {
        Format::Text => seeds_text(&summaries, Style { colour: io::stdout().is_terminal() }),
        Format::Json => seeds_json(&summaries),
    };
    let held = all_passed(&summaries);
    tell(&text, if held { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn write(summaries: &[Summary], directory: &Path) -> io::Result<()> {
    let mut table = Vec::new();
    seeds_csv(summaries, &mut table).map_err(io::Error::other)?;
    fs::create_dir_all(directory)?;
    fs::write(directory.join("seeds.csv"), table)
}
