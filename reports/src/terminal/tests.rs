use super::*;
use crate::fixture;

fn shown(record: &RunRecord) -> String {
    terminal(record, Some(&fixture::simulation()), Style::default())
}

fn fits(text: &str) {
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn the_verdict_comes_first_on_one_screen() {
    let text = shown(&fixture::record());
    fits(&text);
    assert!(
        text.starts_with(
            "HELD: 2 properties and 2 expectations; 1 property violated, as the scenario expects\n"
        ),
        "{text}"
    );
    assert!(text.contains("and 4 more, see journal.jsonl"), "{text}");
    assert!(text.contains("40.0 % less"), "{text}");
}

#[test]
fn a_failed_run_says_so_within_a_screen() {
    let text = shown(&fixture::failed());
    fits(&text);
    assert!(text.starts_with("FAILED: "), "{text}");
    assert!(text.contains("expected <= 0"), "{text}");
}

#[test]
fn a_violation_has_its_decision_and_the_command_that_gives_it_again() {
    let mut record = fixture::failed();
    let command = "tidegate run a.toml --set 'b=\"c d\"' ".repeat(9);
    record.summary.command = Some(command.clone());
    let text = shown(&record);
    assert!(text.contains("    under      2 to 2 servers: a reason"), "{text}");
    assert!(text.contains(&format!("Reproduce      {command}\n")), "{text}");
    record.summary.properties.iter_mut().for_each(|one| one.holds = true);
    record.summary.expectations.iter_mut().for_each(|one| one.holds = true);
    assert!(!shown(&record).contains("Reproduce"), "{text}");
    let mut first = fixture::failed();
    for property in &mut first.summary.properties {
        property.violations.iter_mut().for_each(|one| one.under = None);
    }
    assert!(shown(&first).contains("no decision yet"));
}

#[test]
fn the_longest_report_fits() {
    let mut record = fixture::failed();
    record.summary.scaling.events = vec![record.summary.scaling.events[0].clone(); 60];
    let most = u64::MAX;
    record.summary.requests.arrived = most;
    record.summary.requests.served = most;
    record.summary.jobs.enqueued = most;
    record.summary.jobs.completed = most;
    record.summary.jobs.lost = most;
    record.summary.billing.standby_seconds_billed = f64::INFINITY;
    fits(&shown(&record));
}

#[test]
fn without_scaling_the_closest_calls_are_told() {
    let text = shown(&fixture::quiet());
    fits(&text);
    assert!(text.contains("nothing scaled"), "{text}");
    assert!(text.contains("2m 45s of 5m"), "{text}");
    assert!(text.contains("CPU is 81% against 75%"), "{text}");
    assert!(text.contains("cools down"), "{text}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let record = fixture::record();
    let coloured = terminal(&record, Some(&fixture::simulation()), Style { colour: true });
    let stripped =
        coloured.replace("\u{1b}[1;32m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    assert_ne!(coloured, stripped);
    let trimmed = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&stripped), trimmed(&shown(&record)));
}

#[test]
fn an_empty_record_fits() {
    fits(&shown(&fixture::empty()));
}

#[test]
fn a_run_in_flows_says_so_and_knows_no_maximum() {
    let text = shown(&fixture::fluid());
    fits(&text);
    assert!(text.contains("Fidelity       fluid: requests are flows"), "{text}");
    assert!(text.contains("about 3.6 billion requests are expected"), "{text}");
    assert!(text.contains("p99 ") && !text.contains("max"), "{text}");
}
