//! Ctrl-C, as the terminal sends it: SIGINT to a program that is known to be at work.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use tidegate_core::Defect;

use super::{desk, json};
use crate::desk::{Answer, Desk, SCENARIO};

/// A program at work, of which what it says is read as it comes.
struct AtWork {
    child: Child,
    complaints: BufReader<std::process::ChildStderr>,
    said: String,
}

impl AtWork {
    fn begin(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let complaints = BufReader::new(child.stderr.take().unwrap());
        Self { child, complaints, said: String::new() }
    }

    /// Waits until it says a line with these words on standard error.
    fn hear(&mut self, words: &str) {
        let before = self.said.len();
        while !self.said[before..].contains(words) {
            let read = self.complaints.read_line(&mut self.said).unwrap();
            assert!(read > 0, "it ended without {words:?}: {}", self.said);
        }
    }

    fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// All that it said, once it has ended.
    fn end(mut self) -> Answer {
        let mut answer = Answer { code: None, out: String::new(), complaint: self.said };
        // Standard error is short by then and cannot fill its pipe.
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_string(&mut answer.out).unwrap();
        self.complaints.read_to_string(&mut answer.complaint).unwrap();
        answer.code = self.child.wait().unwrap().code();
        answer
    }
}

const ENDLESS: [&str; 6] = ["check", "--bounds", "bounds.toml", "--runs", "1000000000", "--format"];

#[test]
fn a_check_that_held_so_far_ends_with_its_report_and_130() {
    let desk = desk("interrupted");
    let arguments = [&ENDLESS[..], &["json", "scenario.toml"]].concat();
    let mut at_work = AtWork::begin(&desk, &arguments);
    at_work.hear("Ctrl-C ends with the report so far");
    at_work.interrupt();
    let answer = at_work.end();
    assert_eq!(answer.code, Some(130), "{}", answer.complaint);
    let all = json(&answer);
    assert_eq!((&all["holds"], &all["ended_early"]), (&true.into(), &true.into()));
    assert_eq!(all["runs_wanted"], 1_000_000_000);
}

#[test]
fn a_check_that_had_failed_ends_with_its_report_the_failure_in_a_file_and_1() {
    let desk = desk("interrupted-failed");
    let arguments = [&ENDLESS[..], &["text", "broken.toml"]].concat();
    let mut at_work = AtWork::begin(&desk, &arguments);
    at_work.hear("violates route-ready");
    at_work.interrupt();
    let answer = at_work.end();
    assert_eq!(answer.code, Some(1), "{}", answer.complaint);
    assert!(answer.out.contains("  ended early: 1000000000 runs were asked for"), "{}", answer.out);
    let (_, after) = answer.out.split_once("route-ready violated in run ").unwrap();
    let again = desk.shell(after.lines().nth(2).unwrap());
    assert_eq!(again.code, Some(1), "{}", again.complaint);
    assert!(again.out.contains("route-ready"), "{}", again.out);
}

/// What is printed by a check that is interrupted when it has just begun.
fn interrupted(desk: &Desk, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let more = ["--jobs", "1", "--format", "json"];
    let mut at_work = AtWork::begin(desk, &[&["check"], arguments, &more].concat());
    at_work.hear("Ctrl-C ends with the report so far");
    at_work.interrupt();
    let answer = at_work.end();
    (answer.code, json(&answer))
}

#[test]
fn a_table_ends_with_what_was_tried() {
    let desk = desk("interrupted-table");
    let scenarios = ["scenario.toml"; 500];
    let (code, all) = interrupted(&desk, &[&["--exhaustive"], &scenarios[..]].concat());
    assert_eq!(code, Some(130), "{all:#}");
    assert!(!all["scenarios_not_tried"].as_array().unwrap().is_empty());
}

#[test]
fn defects_that_were_not_tried_are_no_failures() {
    let desk = desk("interrupted-defects");
    // Weeks in which nothing scales, so that no run catches anything soon.
    let (calm, _) = SCENARIO.split_once("[[operator]]").unwrap();
    let names = Defect::ALL.map(|defect| format!("\"{}\"", defect.name())).join(", ");
    let calm = calm.replace("\"20m\"", "\"30d\"");
    desk.put("calm.toml", &format!("hazard = {{ defects = [{names}] }}\n{calm}"));
    let (code, all) = interrupted(&desk, &["--defects", "calm.toml"]);
    assert_eq!(all["ended_early"], true, "{all:#}");
    let held = all["holds"].as_bool().unwrap();
    assert_eq!(code, Some(if held { 130 } else { 1 }), "{all:#}");
}

#[test]
fn a_run_that_is_interrupted_leaves_the_report_of_the_run_before() {
    let desk = desk("interrupted-run");
    assert_eq!(desk.run(&[]).code, Some(0));
    let before = desk.report("out/scenario");
    // Its trace fills the pipe to this test, where it waits until it is read on.
    let mut arguments = vec!["run", "scenario.toml", "--trace-requests", "/dev/stdout"];
    arguments.extend(["--set", "load.0.rate=50.0"]);
    let mut at_work = AtWork::begin(&desk, &arguments);
    let mut first = [0; 1];
    at_work.child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    at_work.interrupt();
    at_work.hear("interrupted: there is no report of this run");
    let answer = at_work.end();
    assert_eq!(answer.code, Some(130), "{}", answer.complaint);
    assert!(desk.report("out/scenario") == before, "the report before is not what it was");
}
