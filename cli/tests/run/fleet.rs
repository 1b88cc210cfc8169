//! A fleet from the outside.

use crate::desk::{Desk, SCENARIO};

const HEAD: &str = "[plans.small]";

/// A desk whose scenario is a fleet of `tables`, without what a person does.
fn fleet(name: &str, tables: &str) -> Desk {
    let desk = Desk::new(name);
    let operator = SCENARIO.find("[[operator]]").unwrap();
    let scenario = SCENARIO[..operator].replacen(HEAD, &format!("{tables}\n{HEAD}"), 1);
    desk.put("scenario.toml", &scenario);
    desk
}

#[test]
fn a_fleet_is_reported_as_a_whole_and_group_by_group() {
    let desk = fleet("fleet", "[fleet]\ngroups = 3\n[provider]\nmachines = 1");
    let answers = ["1", "2"].map(|jobs| desk.run(&["--jobs", jobs, "--out", jobs]));
    for answer in &answers {
        assert_eq!(answer.code, Some(0), "{}", answer.complaint);
        assert!(answer.out.contains("3 groups, 3 held; provider: 0 starts"), "{}", answer.out);
    }
    let [one, two] = ["1/scenario", "2/scenario"].map(|directory| desk.report(directory));
    assert_eq!(one, two);
    let table = String::from_utf8(one["groups.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 4);
    assert!(table.starts_with("group,plan,scale,held,violated,arrived,"), "{table}");
    assert!(!one.contains_key("ledger.csv") && one.contains_key("index.html"));
    let summary = desk.summary(&[]);
    let summary = summary.get("summary").unwrap_or(&summary);
    assert_eq!((&summary["fleet"]["groups"], &summary["fleet"]["held"]), (&3.into(), &3.into()));
}

#[test]
fn what_a_fleet_cannot_do_is_refused() {
    let desk = fleet("fleet-options", "[fleet]\ngroups = 2");
    for arguments in [["--seeds", "3"], ["--trace-requests", "requests.csv"]] {
        let answer = desk.run(&arguments);
        assert_eq!(answer.code, Some(2), "{}", answer.out);
        assert!(answer.complaint.contains("a fleet has neither"), "{}", answer.complaint);
    }
    let both = fleet("fleet-both", "[fleet]\ngroups = 2\nfile = \"groups.csv\"").run(&[]);
    assert!(both.complaint.contains("needs either `groups` or `file`"), "{}", both.complaint);
    let none = Desk::new("fleet-person");
    let answer = none.run(&["--set", "fleet.groups=2"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.complaint.contains("a fleet has no `operator`"), "{}", answer.complaint);
    assert_eq!(Desk::new("jobs-alone").run(&["--jobs", "2"]).code, Some(2));
}

#[test]
fn a_wrong_row_of_the_list_of_groups_is_shown_where_it_stands() {
    let desk = fleet("fleet-list", "[fleet]\nfile = \"groups.csv\"");
    for (text, place, words) in [
        ("name,size\na,1\n", "groups.csv", "there is no column `size`"),
        ("name,scale\na,1\nb,-1\n", "groups.csv:3:3", "`-1` is not a factor"),
        ("name,shift\na,1d\n", "groups.csv:2:3", "is not a time within the run"),
        ("name,plan\na,huge\n", "groups.csv:2:3", "there is no plan `huge`"),
        ("name,standbys\na,many\n", "groups.csv:2:3", "is not a number, 0 to 64"),
        ("name\n", "groups.csv", "the list has no rows"),
    ] {
        desk.put("groups.csv", text);
        let answer = desk.run(&[]);
        assert_eq!(answer.code, Some(2), "{text}: {}", answer.out);
        assert!(answer.complaint.contains(words), "{text}: {}", answer.complaint);
        assert!(answer.complaint.contains(place), "{text}: {}", answer.complaint);
    }
}
