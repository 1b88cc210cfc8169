//! What is refused, and how: exit code 2, the place, what to do, and nothing left behind.

use crate::desk::{Answer, Desk, SCENARIO};

/// Refused as bad input: nothing printed as a result, nothing written, no panic.
fn refused(desk: &Desk, answer: &Answer) {
    assert_eq!(answer.code, Some(2), "{}", answer.complaint);
    assert_eq!(answer.out, "");
    assert!(!answer.complaint.contains("panicked"), "{}", answer.complaint);
    assert!(!desk.directory.join("out").exists(), "{}", answer.complaint);
}

/// The text on one line, as a narrow screen's line breaks are no part of what is said.
fn unwrapped(complaint: &str) -> String {
    complaint.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// Line and column, from 1, at which `text` stands in `scenario`.
fn place(scenario: &str, text: &str) -> (usize, usize) {
    let start = scenario.find(text).unwrap();
    let before = &scenario[..start];
    (before.matches('\n').count() + 1, start - before.rfind('\n').map_or(0, |at| at + 1) + 1)
}

/// The column under which the pointer of `complaint` begins, below the given line of the file.
fn pointer(complaint: &str, line: usize) -> Option<usize> {
    let shown = format!(" {line} │ ");
    let mut lines = complaint.lines().skip_while(|text| !text.contains(&shown));
    let gutter = lines.next()?.chars().position(|letter| letter == '│')? + 2;
    let marks = lines.next()?.chars().position(|letter| matches!(letter, '─' | '┬' | '▲'))?;
    Some(marks + 1 - gutter)
}

/// A scenario in which `from` reads `to` is refused, with a pointer under `at` and these words.
fn refuses(name: &str, from: &str, to: &str, at: &str, words: &str) {
    let desk = Desk::new(&format!("refused-{name}"));
    let scenario = SCENARIO.replacen(from, to, 1);
    desk.put("scenario.toml", &scenario);
    let answer = desk.run(&[]);
    refused(&desk, &answer);
    let (line, column) = place(&scenario, at);
    let said = unwrapped(&answer.complaint);
    assert!(said.contains(&format!("scenario.toml:{line}:{column}")), "{}", answer.complaint);
    assert_eq!(pointer(&answer.complaint, line), Some(column), "{}", answer.complaint);
    assert!(said.contains(words), "{}", answer.complaint);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    refuses("key", "vcpu = 2", "vcpuu = 2", "vcpuu", "help: did you mean `vcpu`?");
    refuses("table", "[monitoring]", "[monitorin]", "monitorin", "did you mean `monitoring`?");
    refuses("kind", "\"constant\"", "\"constnat\"", "\"constnat\"", "did you mean `constant`?");
}

#[test]
fn a_value_without_its_unit_or_with_a_wrong_one_is_refused() {
    refuses("no-unit", "\"20m\"", "20", "20\n\n[plans", "write \"20s\" or \"20m\"");
    refuses("unit", "\"20m\"", "\"20 miles\"", "\"20 miles\"", "such as \"90s\", \"5m\"");
    refuses("size", "\"4GiB\"", "\"4\"", "\"4\"", "such as \"8GiB\"");
    refuses("price", "125 USD/month", "125", "\"125\"", "such as \"0.42 USD/hour\"");
    refuses("zone", "10:00[Asia/Kolkata]", "10:00[Asia/Kolkota]", "\"2026", "IANA time zone");
}

#[test]
fn a_random_duration_is_refused_for_what_is_wrong_with_it() {
    let cases = [
        ("number", "20", "write \"20ms\" or \"20s\""),
        ("table", "{ mean = \"9ms\" }", "{ mean = \"20ms\", cv = 0.8 }"),
        ("cv", "{ mean = \"9ms\", cv = nan }", "`cv` lies between 0 and 100"),
        ("longest", "{ mean = \"367d\", cv = 1.0 }", "longer than 366 days"),
    ];
    for (name, to, words) in cases {
        let at = format!("{to} }}]");
        refuses(&format!("random-{name}"), "\"20ms\"", to, &at, words);
    }
    let to = "{ exponential = \"367d\" }";
    refuses("random-mean", "\"20ms\"", to, "\"367d\" } }]", "longer than 366 days");
}

#[test]
fn an_impossible_value_is_refused_with_what_is_possible() {
    refuses("too-often", "\"15s\"", "\"1ms\"", "\"1ms\"", "must be at least 10ms");
    refuses("too-long", "\"20m\"", "\"999d\"", "\"999d\"", "at most 366 days");
    refuses("negative", "vcpu = 2", "vcpu = -2", "-2", "write a whole number, 0 or more");
    refuses("comparison", "\"== 0\"", "\"= 0\"", "\"= 0\"", "such as \"== 0\"");
}

#[test]
fn a_name_that_nothing_bears_is_refused_with_the_nearest_one() {
    let (from, to) = ("primary = \"small\"", "primary = \"smal\"");
    refuses("plan", from, to, "\"smal\"", "help: did you mean `small`?");
}

#[test]
fn text_that_is_not_toml_is_refused_where_it_breaks() {
    refuses("toml", "vcpu = 2", "vcpu = = 2", "= 2\nmemory", "scenario.toml");
}

#[test]
fn a_missing_scenario_is_refused() {
    let desk = Desk::new("refused-missing");
    let answer = desk.tidegate(&["run", "nowhere.toml"]);
    refused(&desk, &answer);
    assert!(answer.complaint.contains("nowhere.toml: cannot be read"), "{}", answer.complaint);
}

#[test]
fn a_missing_trace_is_refused_at_the_load_that_names_it() {
    let to = "kind = \"trace\"\nfile = \"nowhere.csv\"";
    let from = "kind = \"constant\"\nrate = 5.0";
    refuses("trace", from, to, "\"nowhere.csv\"", "nowhere.csv cannot be read");
    let desk = Desk::new("refused-load");
    let answer = desk.run(&["--load", "nowhere.csv"]);
    refused(&desk, &answer);
    assert!(answer.complaint.contains("nowhere.csv cannot be read"), "{}", answer.complaint);
}

#[test]
fn a_bad_row_of_a_trace_is_refused_with_its_line() {
    let desk = Desk::new("refused-rows");
    let cases = [
        ("60,many", "`many` is not a count"),
        ("60,-1", "`-1` is not a count"),
        ("noon,1", "`noon` is not a time"),
        ("0,1", "the time does not grow"),
        ("60", "1 field"),
    ];
    for (row, words) in cases {
        desk.put("trace.csv", &format!("seconds,requests_per_minute\n0,1\n{row}\n120,1\n"));
        let answer = desk.run(&["--load", "trace.csv"]);
        refused(&desk, &answer);
        let said = unwrapped(&answer.complaint);
        assert!(said.contains("trace.csv:3") && said.contains(words), "{row}: {said}");
        let column = if words.ends_with("not a count") { 4 } else { 1 };
        assert_eq!(pointer(&answer.complaint, 3), Some(column), "{}", answer.complaint);
    }
    desk.put("trace.csv", "timestamp,visits\n2026-01-01 00:00,1\n");
    let answer = desk.run(&["--load", "trace.csv"]);
    refused(&desk, &answer);
    assert!(answer.complaint.contains("requests_per_minute"), "{}", answer.complaint);
}

#[test]
fn a_bad_override_is_refused_by_its_name() {
    let desk = Desk::new("refused-set");
    let cases = [
        (["--set", "duration"], "needs the form key=value"),
        (["--set", "durations=5m"], "did you mean `duration`?"),
        (["--set", "load.7.rate=1"], "`load.7.rate` has no position 7: there are 1"),
        (["--set", "duration=5"], "write \"5s\" or \"5m\""),
        (["--seed", "one"], "--seed"),
        (["--format", "xml"], "text, json"),
    ];
    for (arguments, words) in cases {
        let answer = desk.run(&arguments);
        refused(&desk, &answer);
        assert!(unwrapped(&answer.complaint).contains(words), "{}", answer.complaint);
    }
}

#[test]
fn what_flows_do_not_know_is_refused_with_what_to_do() {
    let desk = Desk::new("refused-flows");
    let fluid = ["--set", "fidelity=fluid"];
    let traced = desk.run(&[&fluid[..], &["--trace-requests", "requests.csv"]].concat());
    refused(&desk, &traced);
    let said = unwrapped(&traced.complaint);
    assert!(said.contains("are flows") && said.contains("--set fidelity=request"), "{said}");
    assert!(!desk.directory.join("requests.csv").exists());
    let sticky = desk.run(&[&fluid[..], &["--set", "proxy.sticky=true"]].concat());
    refused(&desk, &sticky);
    let said = unwrapped(&sticky.complaint);
    assert!(said.contains("flows do not know `proxy.sticky`"), "{said}");
}

#[test]
fn an_unknown_command_or_none_is_refused() {
    let desk = Desk::new("refused-command");
    for arguments in [&["rum"][..], &["run"], &[]] {
        let answer = desk.tidegate(arguments);
        refused(&desk, &answer);
        assert!(answer.complaint.contains("Usage"), "{}", answer.complaint);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_the_reason() {
    let desk = Desk::new("refused-out");
    desk.put("taken", "");
    let answer = desk.run(&["--out", "taken"]);
    refused(&desk, &answer);
    assert!(answer.complaint.starts_with("error: "), "{}", answer.complaint);
    assert!(answer.complaint.contains("cannot be written to taken/scenario: "));
}
