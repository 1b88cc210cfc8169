//! What is asked of the controller and of its program, as a person asks it: by its commands.

use std::process::{Command, ExitStatus, Stdio};

use tidegate_core::OperatorRequest;
use tidegate_sim::model::Model;
use tidegate_sim::run::judge_json;

use crate::command::root;

use super::failure::{Failure, read};
use super::host::{Host, folder};
use super::spawn;

/// The group's name in the controller's configuration.
pub(super) const GROUP: &str = "staging";

/// The program.
pub(super) fn tidegate() -> String {
    root().join("target/debug/tidegate").display().to_string()
}

/// The controller's configuration.
pub(super) fn config() -> String {
    folder().join("live.toml").display().to_string()
}

/// Asks the controller for something; whether it has it on disk.
pub(super) fn ask(request: &OperatorRequest) -> Result<bool, Failure> {
    let (what, more) = match request {
        OperatorRequest::ScaleUp { by, hold } => ("scale-up", many(*by, hold.as_ref())),
        OperatorRequest::ScaleDown { by, hold } => ("scale-down", many(*by, hold.as_ref())),
        OperatorRequest::PauseUntil(until) => {
            ("pause", vec!["--until".to_owned(), until.to_jiff().to_string()])
        }
        OperatorRequest::Resume => ("resume", Vec::new()),
        OperatorRequest::SetPolicy(_) => {
            return Err(Failure::said("ask the controller", "a policy cannot be asked for"));
        }
    };
    let (program, config) = (tidegate(), config());
    let mut words = vec![&*program, "ask", &config, GROUP, what, "--who", "rehearsal"];
    words.extend(more.iter().map(String::as_str));
    let ended = spawn::command(Host::Mon, &words).output();
    let ended = ended.map_err(|why| Failure::io("ask the controller", why))?;
    match ended.status.code() {
        Some(0) => Ok(true),
        // The host does not answer, for one of being started anew.
        Some(3) => Ok(false),
        _ => {
            Err(Failure::said("ask the controller", String::from_utf8_lossy(&ended.stderr).trim()))
        }
    }
}

/// Whether the controller tells how its groups are.
pub(super) fn answers() -> Result<bool, Failure> {
    let (program, config) = (tidegate(), config());
    let ended = spawn::command(Host::Mon, &[&program, "status", &config]).output();
    let ended = ended.map_err(|why| Failure::io("ask the controller", why))?;
    Ok(ended.status.success())
}

fn many(by: u16, hold: Option<&tidegate_core::Span>) -> Vec<String> {
    let by = ["--by".to_owned(), by.to_string()];
    let hold = hold.map(|hold| ["--hold".to_owned(), hold.to_string()]);
    by.into_iter().chain(hold.into_iter().flatten()).collect()
}

/// What the program prints under these arguments.
pub(super) fn printed(arguments: &[&str]) -> Result<String, Failure> {
    let what = || format!("run `tidegate {}`", arguments.join(" "));
    let mut command = Command::new(tidegate());
    command.args(arguments).stdin(Stdio::null());
    let ended = command.output().map_err(|why| Failure::io(what(), why))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(Failure::said(what(), String::from_utf8_lossy(&ended.stderr).trim()))
}

/// What the scenario expects of its summary and the run's own does not have.
pub(super) fn unmet(model: &Model) -> Result<Vec<String>, Failure> {
    let judged = judge_json(&model.expectations, &summary()?).into_iter();
    let unmet = judged.filter(|one| !one.holds);
    Ok(unmet
        .map(|one| format!("{} is {}, expected {}", one.name, one.actual, one.expected))
        .collect())
}

/// The properties that a summary says do not hold.
pub(super) fn violated(summary: &serde_json::Value) -> Vec<String> {
    let properties = summary["properties"].as_array().into_iter().flatten();
    let violated = properties.filter(|one| one["holds"] == false);
    violated.filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect()
}

/// The summary of the record.
pub(super) fn summary() -> Result<serde_json::Value, Failure> {
    let text = read(&folder().join(GROUP).join("summary.json"))?;
    serde_json::from_str(&text).map_err(|why| Failure::said("read the summary", why.to_string()))
}

/// The record of the run with what the clients and the jobs tell, judged as a simulated one; it is
/// printed. Whether all properties hold, whether the record gives the same run again, and whether
/// its ledger is what the provider tells.
pub(super) fn record() -> Result<[bool; 3], Failure> {
    let folder = folder();
    let (config, out) = (config(), folder.display().to_string());
    let names = ["requests.jsonl", "jobs.jsonl", "faults.jsonl"];
    let [requests, jobs, faults] = names.map(|name| format!("{out}/{name}"));
    let facts = ["--facts", &requests, "--facts", &jobs, "--facts", &faults];
    let held = run(&[&["record", &config, "--group", GROUP, "--out", &out], &facts[..]].concat())?;
    let recorded = folder.join(GROUP).display().to_string();
    let same = run(&["replay", &recorded])?;
    let agree = run(&["reconcile", &config, "--group", GROUP])?;
    Ok([succeeded("record", held)?, succeeded("replay", same)?, succeeded("reconcile", agree)?])
}

fn run(arguments: &[&str]) -> Result<ExitStatus, Failure> {
    let mut command = Command::new(tidegate());
    command.args(arguments).stdin(Stdio::null());
    let what = || format!("run `tidegate {}`", arguments.join(" "));
    command.status().map_err(|why| Failure::io(what(), why))
}

fn succeeded(what: &str, status: ExitStatus) -> Result<bool, Failure> {
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(Failure::said(format!("run `tidegate {what}`"), status.to_string())),
    }
}
