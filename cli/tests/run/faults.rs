//! When faults were on, in what a run writes.

use crate::desk::{Desk, SCENARIO};

fn written(desk: &Desk, name: &str) -> String {
    String::from_utf8(desk.report("out/scenario").remove(name).unwrap()).unwrap()
}

#[test]
fn the_page_and_the_plots_say_when_faults_were_on() {
    let desk = Desk::new("faults");
    assert_eq!(desk.run(&[]).code, Some(0));
    assert!(!written(&desk, "index.html").contains("Fault"));
    let faults = r#"
[[fault]]
kind = "scrapes-missing"
at = "4m"
for = "90s"

[[fault]]
kind = "command-late"
step = "power-on"
nth = 1
"#;
    let (before, expected) = SCENARIO.split_at(SCENARIO.find("[expect]").unwrap());
    desk.put("scenario.toml", &format!("{before}{faults}\n{expected}"));
    let answer = desk.run(&[]);
    assert_eq!((answer.code, answer.complaint.as_str()), (Some(0), ""));
    let page = written(&desk, "index.html");
    let row = "scrapes-missing</th><td>2026-03-02 10:04:00</td><td>2026-03-02 10:05:30</td>";
    assert!(page.contains(row), "{page}");
    assert!(page.contains("command-late</th><td>2026-03-02 10:02:00</td>"), "{page}");
    for plot in ["load.svg", "utilization.svg", "latency.svg", "servers.svg", "cost.svg"] {
        let plot = written(&desk, plot);
        assert!(plot.contains("fault: scrapes-missing") && plot.contains("fault: command-late"));
    }
}

#[test]
fn of_faults_that_come_by_the_hundred_few_are_kept_and_the_rest_is_counted() {
    let desk = Desk::new("faults-often");
    let fault = ["kind=metrics-twice", "every=1s", "for=1s"].map(|set| format!("fault.0.{set}"));
    let set: Vec<&str> = fault.iter().flat_map(|set| ["--set", set]).collect();
    assert_eq!(desk.run(&set).code, Some(0));
    let page = written(&desk, "index.html");
    assert_eq!(page.matches("metrics-twice</th>").count(), 200);
    let (_, more) = page.split_once("They were on ").unwrap();
    let more: u64 = more.split_once(" more").unwrap().0.replace(',', "").parse().unwrap();
    assert!((700..1_300).contains(&more), "{more}");
}
