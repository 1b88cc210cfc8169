//! `tidegate check` from the outside: exit codes, what is printed, what is written.

mod exhaustive;
mod interrupted;
mod refused;

use crate::desk::{Answer, Desk, SCENARIO};

/// Short runs in which nothing but what a test plants can go wrong.
const BOUNDS: &str = "requests = 500\nload = [1.0, 1.0]\nstandbys = [1, 1]\nfaults = [0, 0]\n\
    policy = false\ntopology = false\noperator = 0\n";

/// The scenario with a defect that breaks `route-ready` each time a standby joins.
fn broken() -> String {
    format!("defects = [\"route-before-ready\"]\n{SCENARIO}")
}

/// A desk with a scenario that holds, one that does not, and bounds.
fn desk(name: &str) -> Desk {
    let desk = Desk::new(&format!("check-{name}"));
    desk.put("broken.toml", &broken());
    desk.put("bounds.toml", BOUNDS);
    desk
}

/// `tidegate check` within the bounds.
fn check(desk: &Desk, arguments: &[&str]) -> Answer {
    desk.tidegate(&[&["check", "--bounds", "bounds.toml"], arguments].concat())
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|why| panic!("{why}: {}", answer.out))
}

fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn violated(summary: &serde_json::Value) -> Vec<&str> {
    let all = summary["properties"].as_array().unwrap().iter();
    let broken = all.filter(|one| one["holds"] == false);
    broken.map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn a_check_that_holds_exits_0_and_writes_nothing() {
    let desk = desk("holds");
    let answer = check(&desk, &["scenario.toml", "--runs", "4"]);
    assert_eq!(answer.code, Some(0), "{}", answer.complaint);
    assert!(answer.out.starts_with("held over 0.1 simulated days in 4 runs\n"), "{}", answer.out);
    assert!(answer.complaint.starts_with("runs: 4, scenarios: 1, seed: 1, threads: "));
    assert!(!desk.directory.join("scenarios").exists() && !desk.directory.join("out").exists());
}

#[test]
fn a_failure_is_written_where_told_and_the_command_printed_fails_in_the_same_way() {
    let desk = desk("fails");
    let told = ["broken.toml", "--runs", "3", "--regressions", "found here"];
    let answer = check(&desk, &told);
    assert_eq!(answer.code, Some(1), "{}", answer.complaint);
    assert!(answer.out.starts_with("3 of 3 runs failed\n"), "{}", answer.out);
    let violates = |line: &str| line.starts_with("run ") && line.ends_with(" violates route-ready");
    assert_eq!(answer.complaint.lines().filter(|line| violates(line)).count(), 1);
    let (_, after) = answer.out.split_once("route-ready violated in run 0\n").unwrap();
    let command = after.lines().nth(1).unwrap().trim();
    assert_eq!(command, "tidegate run 'found here/route-ready-1-0.toml'");
    let again = desk.shell(&format!("{command} --format json"));
    assert_eq!(again.code, Some(1), "{}", again.complaint);
    assert!(violated(&json(&again)).contains(&"route-ready"), "{}", again.out);
    assert!(!desk.directory.join("scenarios").exists());
    let file = desk.directory.join("found here/route-ready-1-0.toml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.starts_with("# route-ready: ") && text.lines().count() < 50, "{text}");
    let found_by = "tidegate check broken.toml --seed 1 --bounds bounds.toml --runs 3";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(found_by), "{text}");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let desk = desk("jobs");
    for format in ["text", "json"] {
        let answers: Vec<_> = ["1", "2"]
            .iter()
            .map(|jobs| {
                let all = ["broken.toml", "scenario.toml", "--runs", "10", "--jobs", jobs];
                check(&desk, &[&all[..], &["--format", format]].concat())
            })
            .collect();
        assert_eq!(answers[0].code, Some(1), "{}", answers[0].complaint);
        assert_eq!(answers[0].out, answers[1].out);
    }
}

#[test]
fn the_json_has_its_documented_keys() {
    let desk = desk("json");
    let all = json(&check(&desk, &["broken.toml", "--runs", "2", "--format", "json"]));
    let mut expected = vec![
        "holds",
        "seed",
        "runs",
        "runs_wanted",
        "ended_early",
        "simulated_days",
        "requests",
        "requests_failed",
        "jobs",
        "scale_events",
        "faults",
        "faults_never",
        "failures",
    ];
    expected.sort_unstable();
    let mut found = keys(&all);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(
        (&all["holds"], &all["runs"], &all["ended_early"]),
        (&false.into(), &2.into(), &false.into())
    );
    let [first, second] = &all["failures"].as_array().unwrap()[..] else { panic!("{all:#}") };
    assert_eq!(keys(first), ["draw", "run", "violated"]);
    let of = |run: &serde_json::Value| {
        let all = run["violated"].as_array().unwrap();
        all.iter().find(|one| one["property"] == "route-ready").unwrap().clone()
    };
    assert_eq!(keys(&of(first)), ["command", "file", "property", "what"]);
    assert_eq!(of(first)["command"], "tidegate run scenarios/regressions/route-ready-1-0.toml");
    // Of each property only the first failure is shrunk; any other is drawn again.
    assert!(of(second)["file"].is_null() && of(second)["command"].is_null());
    let drawn = desk.shell(second["draw"].as_str().unwrap());
    assert_eq!(drawn.code, Some(0), "{}", drawn.complaint);
    desk.put("drawn.toml", &drawn.out);
    let again = desk.tidegate(&["run", "drawn.toml", "--format", "json"]);
    assert_eq!(again.code, Some(1), "{}", again.complaint);
    assert!(violated(&json(&again)).contains(&"route-ready"));
}

#[test]
fn a_drawn_scenario_runs_wherever_it_lies_with_its_trace_and_the_policy_it_takes_in() {
    let desk = desk("draw");
    std::fs::create_dir_all(desk.directory.join("of/traces")).unwrap();
    std::fs::create_dir_all(desk.directory.join("policies")).unwrap();
    std::fs::create_dir_all(desk.directory.join("elsewhere")).unwrap();
    desk.put("of/traces/t.csv", "seconds,requests_per_minute\n0,40\n60,2\n120,0\n");
    let policy = "defects = [\"stay-faulted\"]\n[[policy.up]]\nmetric = \"cpu\"\nabove = \"75%\"\n\
        [[policy.down]]\nmetric = \"cpu\"\nbelow = \"30%\"\n";
    desk.put("policies/p.toml", policy);
    let load = "kind = \"trace\"\nfile = \"traces/t.csv\"";
    let traced = SCENARIO.replace("kind = \"constant\"\nrate = 5.0", load);
    desk.put("of/traced.toml", &format!("policy_file = \"../policies/p.toml\"\n{traced}"));
    let drawn = desk.tidegate(&["check", "of/traced.toml", "--draw", "5"]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.complaint);
    assert_eq!(drawn.complaint, "");
    assert!(drawn.out.contains("title = \"run 5 of a swarm on traced\""), "{}", drawn.out);
    assert!(drawn.out.contains("stay-faulted") && drawn.out.contains("[[policy.up]]"));
    desk.put("elsewhere/drawn.toml", &drawn.out);
    let run = desk.tidegate(&["run", "elsewhere/drawn.toml", "--format", "json"]);
    assert!(matches!(run.code, Some(0 | 1)), "{}", run.complaint);
    assert_ne!(json(&run)["requests"]["arrived"], 0);
    let other = desk.tidegate(&["check", "of/traced.toml", "--draw", "5", "--seed", "2"]);
    assert_ne!(drawn.out, other.out);
}

#[test]
fn a_time_limit_ends_with_the_report_so_far() {
    let desk = desk("time-limit");
    let answer = check(&desk, &["scenario.toml", "--runs", "1000000000", "--time-limit", "1"]);
    assert_eq!(answer.code, Some(0), "{}", answer.complaint);
    assert!(answer.out.starts_with("held over "), "{}", answer.out);
    assert!(answer.out.contains("\n  ended early: 1000000000 runs were asked for\n"));
}
