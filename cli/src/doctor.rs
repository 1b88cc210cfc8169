//! `tidegate doctor`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_driver::doctor::{Diagnosis, DoctorError, Finding, Verdict, examine};

use crate::{Format, config, refuse, tell};

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The configuration file of live mode.
    config: PathBuf,
    /// One group. All are asked without it.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Where the state is kept, a file or the address of a database, in place of what the
    /// configuration says.
    #[arg(long, value_name = "PLACE")]
    store: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `tidegate doctor`: whether the groups could be scaled.
pub(crate) fn run(arguments: &DoctorArguments) -> ExitCode {
    let read = config::read_with_store(&arguments.config, arguments.store.as_deref());
    let (config, store) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    match examine(&config, &store, arguments.group.as_deref()) {
        Ok(diagnosis) => tell(&shown(&diagnosis, arguments.format), exit_code(&diagnosis)),
        Err(why @ DoctorError::Unknown(_)) => {
            refuse::option(&why.to_string(), "name one of its `[[group]]`")
        }
        Err(why @ DoctorError::Runtime(_)) => refuse::fault(&why),
    }
}

fn exit_code(diagnosis: &Diagnosis) -> ExitCode {
    match diagnosis.verdict() {
        Verdict::Ok | Verdict::Warn => ExitCode::SUCCESS,
        Verdict::Missing => ExitCode::from(1),
    }
}

fn shown(diagnosis: &Diagnosis, format: Format) -> String {
    match format {
        Format::Json => {
            format!("{}\n", serde_json::to_string_pretty(diagnosis).unwrap_or_default())
        }
        Format::Text => {
            let mut text = String::new();
            for section in &diagnosis.sections {
                let name = section.group.as_deref().unwrap_or("all groups");
                let _never = writeln!(text, "{name}");
                text.extend(section.findings.iter().map(line));
            }
            text
        }
    }
}

/// A finding in words, with what to do about it.
pub(crate) fn line(finding: &Finding) -> String {
    let Finding { verdict, part, found, advice } = finding;
    let verdict = match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "WARN",
        Verdict::Missing => "MISSING",
    };
    let advice = advice.iter().map(|advice| format!("{:19}-> {advice}\n", ""));
    format!("  {verdict:8}{part:9}{found}\n{}", advice.collect::<String>())
}
