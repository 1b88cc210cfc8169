//! What a run prints and writes.

use std::fs;
use std::process::Stdio;

use crate::desk::{Answer, Desk, SCENARIO};

/// The documented keys of `tidegate run --format json`, in their order.
const KEYS: &str = "scenario seed fidelity fingerprint command \
    requests requests.arrived requests.served requests.failed requests.failed_by_scaling \
    requests.in_flight_at_end \
    requests.latency_ms requests.latency_ms.mean requests.latency_ms.p50 \
    requests.latency_ms.p95 requests.latency_ms.p99 requests.latency_ms.max \
    requests.wait_ms requests.wait_ms.mean requests.wait_ms.p50 \
    requests.wait_ms.p95 requests.wait_ms.p99 requests.wait_ms.max \
    jobs jobs.enqueued jobs.completed jobs.lost jobs.duplicated jobs.failed \
    jobs.pending_at_end \
    scaling scaling.ups scaling.downs scaling.failed scaling.events \
    scaling.events.at scaling.events.action scaling.events.source scaling.events.reason \
    billing billing.currency billing.primary billing.standby billing.total \
    billing.standby_seconds_powered billing.standby_seconds_billed \
    properties properties.name properties.holds properties.checked properties.violations \
    expectations expectations.name expectations.holds expectations.expected expectations.actual \
    simulation simulation.simulated_seconds simulation.wall_seconds simulation.events \
    simulation.events_per_second simulation.requests_per_second simulation.peak_rss_bytes";

const FILES: [&str; 10] = [
    "cost.svg",
    "index.html",
    "journal.jsonl",
    "latency.svg",
    "ledger.csv",
    "load.svg",
    "servers.svg",
    "summary.json",
    "timeline.csv",
    "utilization.svg",
];

/// The keys of indented JSON as dotted paths, each where it first stands.
fn keys(text: &str) -> Vec<String> {
    let (mut path, mut found) = (Vec::<(usize, &str)>::new(), Vec::new());
    for line in text.lines() {
        let rest = line.trim_start();
        let Some((key, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once("\":")) else {
            continue;
        };
        let indent = line.len() - rest.len();
        path.retain(|(above, _)| *above < indent);
        path.push((indent, key));
        let dotted = path.iter().map(|(_, key)| *key).collect::<Vec<_>>().join(".");
        if !found.contains(&dotted) {
            found.push(dotted);
        }
    }
    found
}

#[test]
fn a_run_that_holds_exits_0_and_one_that_does_not_exits_1() {
    let desk = Desk::new("exit-codes");
    let held = desk.run(&[]);
    assert_eq!((held.code, held.complaint.as_str()), (Some(0), ""));
    assert!(held.out.starts_with("HELD"), "{}", held.out);
    desk.put("scenario.toml", &SCENARIO.replace("\"scaling.ups\" = \"== 1\"", "seed = \"== 2\""));
    let failed = desk.run(&[]);
    assert_eq!((failed.code, failed.complaint.as_str()), (Some(1), ""));
    assert!(!failed.out.starts_with("HELD"), "{}", failed.out);
    assert_eq!(desk.run(&["--format", "json"]).code, Some(1));
}

#[test]
fn the_keys_of_the_json_come_in_their_documented_order() {
    let answer = Desk::new("keys").run(&["--format", "json"]);
    assert_eq!(keys(&answer.out), KEYS.split(' ').collect::<Vec<_>>());
}

#[test]
fn json_is_the_summary_file_and_the_wall_clock_figures_last() {
    let desk = Desk::new("json");
    let answer = desk.run(&["--format", "json"]);
    let (head, _) = answer.out.split_once(",\n  \"simulation\": {").unwrap();
    let file = fs::read_to_string(desk.directory.join("out/scenario/summary.json")).unwrap();
    assert_eq!(format!("{head}\n}}\n"), file);
}

#[test]
fn a_failed_run_prints_the_decision_and_a_command_that_fails_in_the_same_way() {
    let desk = Desk::new("reproduce");
    let planted = ["--set", "defects=[\"route-before-ready\"]", "--seed", "3"];
    let failed = desk.run(&planted);
    assert_eq!(failed.code, Some(1), "{}", failed.out);
    let line = |name: &str| failed.out.lines().find(|line| line.trim_start().starts_with(name));
    let under = line("under ").unwrap();
    assert!(under.ends_with("2 to 2 servers: the policy's bounds"), "{under}");
    let command = line("Reproduce").unwrap().trim_start_matches("Reproduce").trim();
    let expected = "tidegate run scenario.toml --set 'defects=[\"route-before-ready\"]' --seed 3";
    assert_eq!(command, expected);
    let summary = desk.summary(&planted);
    assert_eq!(summary["command"], expected);
    let page = desk.report("out/scenario").remove("index.html").unwrap();
    assert!(String::from_utf8(page).unwrap().contains("under: 2 to 2 servers: the policy"));
    let again = desk.shell(command);
    assert_eq!((again.code, first(&again.out)), (Some(1), first(&failed.out)));
    assert_eq!(desk.summary(&planted)["fingerprint"], summary["fingerprint"]);
    let seeds = desk.run(&[&planted[..], &["--seeds", "2"]].concat());
    assert!(seeds.out.contains(&format!("  {}\n", expected.replace('3', "4"))), "{}", seeds.out);
}

fn first(text: &str) -> Option<&str> {
    text.lines().next()
}

#[test]
fn money_is_a_decimal_string_and_times_carry_the_offset() {
    let summary = Desk::new("forms").summary(&[]);
    let money = summary["billing"]["total"].as_str().unwrap();
    assert!(
        money.split_once('.').is_some_and(|(units, _)| units.parse::<u32>().is_ok()),
        "{money}"
    );
    let up = &summary["scaling"]["events"][0];
    assert_eq!(up["at"], "2026-03-02T10:02:00+05:30");
    assert_eq!((&up["action"], &up["source"]), (&"scale-up".into(), &"manual".into()));
}

#[test]
fn all_files_are_written_and_each_run_writes_the_same_bytes() {
    let desk = Desk::new("files");
    for out in ["first", "second"] {
        assert_eq!(desk.run(&["--out", out]).code, Some(0));
    }
    let (first, second) = (desk.report("first/scenario"), desk.report("second/scenario"));
    for name in FILES {
        assert!(first.get(name).is_some_and(|bytes| !bytes.is_empty()), "{name}");
    }
    assert!(first == second, "the files differ");
    assert!(!desk.directory.join("out").exists());
}

#[test]
fn a_report_fits_a_screen_and_is_plain_where_there_is_no_terminal() {
    let desk = Desk::new("screen");
    let answer = desk.run(&[]);
    assert!(answer.out.lines().count() <= 40, "{}", answer.out);
    let widest = answer.out.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|columns| columns <= 100), "{}", answer.out);
    assert!(!answer.out.contains('\u{1b}'));
    assert!(answer.out.ends_with('\n') && !answer.out.ends_with("\n\n"));
    let refused = desk.run(&["--set", "duration=10"]);
    assert!(!refused.complaint.contains('\u{1b}'), "{}", refused.complaint);
}

#[test]
fn a_seed_and_a_value_set_take_effect() {
    let desk = Desk::new("overrides");
    let plain = desk.summary(&[]);
    let seeded = desk.summary(&["--seed", "2"]);
    assert_eq!((&plain["seed"], &seeded["seed"]), (&1.into(), &2.into()));
    assert_ne!(plain["requests"]["arrived"], seeded["requests"]["arrived"]);
    assert_ne!(plain["fingerprint"], seeded["fingerprint"]);
    let set = desk.summary(&["--set", "duration=10m", "--set", "load.0.rate=50.0"]);
    assert_eq!(set["simulation"]["simulated_seconds"], 600.0);
    let arrived = |summary: &serde_json::Value| summary["requests"]["arrived"].as_u64().unwrap();
    assert!(arrived(&set) > 3 * arrived(&plain), "{} {}", arrived(&set), arrived(&plain));
}

#[test]
fn each_request_is_written_where_it_is_asked_for_and_changes_nothing() {
    let desk = Desk::new("trace-requests");
    let plain = desk.summary(&[]);
    let traced = desk.summary(&["--trace-requests", "requests.csv"]);
    assert_eq!(plain["fingerprint"], traced["fingerprint"]);
    let text = fs::read_to_string(desk.directory.join("requests.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("request,arrived,server,latency_ms,wait_ms,outcome"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(traced["requests"]["served"], rows.len());
    assert!(rows.iter().all(|row| row.len() == 6 && row[5] == "served"));
    assert!(rows.iter().all(|row| row[1].starts_with("2026-03-02T10:")), "{:?}", rows[0]);
    let total: f64 = rows.iter().map(|row| row[3].parse::<f64>().unwrap()).sum();
    let mean = traced["requests"]["latency_ms"]["mean"].as_f64().unwrap();
    assert!((total / rows.len() as f64 - mean).abs() < 1e-5, "{total} {mean}");
    let refused = desk.run(&["--trace-requests", "nowhere/requests.csv"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.complaint.contains("nowhere/requests.csv"), "{}", refused.complaint);
}

#[test]
fn flows_are_told_from_requests_and_have_no_maximum() {
    let desk = Desk::new("flows");
    let plain = desk.run(&[]);
    assert!(!plain.out.contains("Fidelity") && plain.out.contains(", max "), "{}", plain.out);
    let fluid = desk.run(&["--set", "fidelity=fluid"]);
    assert_eq!((fluid.code, fluid.complaint.as_str()), (Some(0), ""));
    let line = |name: &str| fluid.out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("Fidelity").contains("fluid: requests are flows"), "{}", fluid.out);
    assert!(line("Latency").contains("p99 ") && !line("Latency").contains("max"), "{}", fluid.out);
    let said = fluid.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("not exercised by this run (littles-law, work-conservation,"), "{said}");
    let page = desk.report("out/scenario").remove("index.html").unwrap();
    assert!(String::from_utf8(page).unwrap().contains("requests are flows"));
    let summary = desk.summary(&["--set", "fidelity=fluid"]);
    assert_eq!(summary["fidelity"], "fluid");
    assert!(summary["requests"]["latency_ms"]["max"].is_null());
    assert!(summary["requests"]["latency_ms"]["p99"].is_f64());
    let seeds = desk.run(&["--set", "fidelity=fluid", "--seeds", "2"]);
    assert!(seeds.out.contains("Fidelity fluid"), "{}", seeds.out);
}

#[test]
fn auto_chooses_by_the_number_of_requests_and_says_why() {
    let desk = Desk::new("auto");
    let chosen = |more: &[&str]| {
        let answer = desk.run(&[&["--set", "fidelity=auto"], more].concat());
        assert_eq!(answer.complaint, "");
        answer.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let few = chosen(&[]);
    let because = "request: each was followed; chosen because about 6.0 thousand requests";
    assert!(few.contains(because), "{few}");
    let many = chosen(&["--set", "load.0.rate=1e6"]);
    assert!(many.contains("fluid: requests are flows"), "{many}");
    assert!(many.contains("chosen because about 1.2 billion requests are expected"), "{many}");
    let sticky = chosen(&["--set", "proxy.sticky=true"]);
    assert!(sticky.contains("chosen because flows do not know `proxy.sticky`"), "{sticky}");
}

#[test]
fn many_seeds_give_means_and_the_same_bytes_on_any_number_of_threads() {
    let desk = Desk::new("seeds");
    let answers: Vec<Answer> = ["1", "3"]
        .iter()
        .map(|jobs| desk.run(&["--seeds", "4", "--jobs", jobs, "--seed", "5", "--format", "json"]))
        .collect();
    assert_eq!(answers[0].code, Some(0), "{}", answers[0].complaint);
    assert_eq!(answers[0].out, answers[1].out);
    let all: serde_json::Value = serde_json::from_str(&answers[0].out).unwrap();
    let seeds: Vec<_> = all["runs"].as_array().unwrap().iter().map(|run| &run["seed"]).collect();
    assert_eq!(seeds, [5, 6, 7, 8]);
    assert_eq!(all["runs"][0]["fingerprint"], desk.summary(&["--seed", "5"])["fingerprint"]);
    let rows = std::fs::read_to_string(desk.directory.join("out/scenario/seeds.csv")).unwrap();
    assert_eq!(rows.lines().count(), 5);
    let text = desk.run(&["--seeds", "2", "--set", "expect.scaling\\.ups=1"]);
    assert_eq!(text.code, Some(2), "{}", text.out);
}

#[test]
fn a_trace_takes_the_place_of_the_load_and_sets_the_length() {
    let desk = Desk::new("trace");
    desk.put("trace.csv", "seconds,requests_per_minute\n0,40\n60,2\n120,0\n");
    let summary = desk.summary(&["--load", "trace.csv"]);
    assert_eq!(summary["requests"]["arrived"], 42);
    assert_eq!(summary["simulation"]["simulated_seconds"], 180.0);
}

#[test]
fn the_schema_is_json_and_describes_every_table() {
    let answer = Desk::new("schema").tidegate(&["schema"]);
    assert_eq!((answer.code, answer.complaint.as_str()), (Some(0), ""));
    let schema: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let scenario: toml::Table = SCENARIO.parse().unwrap();
    for key in scenario.keys() {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}

/// Runs with a standard output whose reader has left before anything is written.
fn unheard(desk: &Desk, arguments: &[&str]) -> Answer {
    let mut command = desk.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Answer::from(child.wait_with_output().unwrap())
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let desk = Desk::new("pipe");
    let run = ["run", "scenario.toml"];
    for arguments in [&run[..], &["run", "scenario.toml", "--format", "json"], &["schema"]] {
        let answer = unheard(&desk, arguments);
        assert_eq!((answer.code, answer.complaint.as_str()), (Some(0), ""), "{arguments:?}");
    }
    desk.put("scenario.toml", &SCENARIO.replace("== 1", "== 7"));
    assert_eq!(unheard(&desk, &run).code, Some(1));
}

#[test]
fn what_lies_past_the_end_of_a_shortened_run_is_noted() {
    let desk = Desk::new("shortened");
    let whole = desk.run(&[]);
    assert!(!whole.complaint.contains("note"), "{}", whole.complaint);
    let answer = desk.run(&["--set", "duration=5m"]);
    let note =
        "note: `operator.1` at 2026-03-02T10:10:00[Asia/Kolkata] comes after the end of the run";
    assert_eq!(answer.complaint.trim(), note);
}
