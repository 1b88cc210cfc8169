//! `tidegate enable` and `disable` from the outside.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::{CONFIG, Desk, Live};

/// A group that nothing scales, with a set-up whose second command needs a file.
fn desk(name: &str) -> Desk {
    let desk = Desk::new(name);
    let setup = r#"
[[group.setup.servers]]
prepare = [["sh", "-c", "echo one >> prepared"], ["sh", "-c", "test -e ready"]]
undo = [["sh", "-c", "echo undone >> prepared"]]
"#;
    let config = CONFIG.replace("min_standbys = 1", "min_standbys = 0");
    let config = config.replace("[group.ports]\n", &format!("{setup}[group.ports]\n"));
    let fast = "jobs = \"100ms\"\nrequests = \"100ms\"\nstop = \"100ms\"\n";
    fs::write(desk.0.join("live.toml"), config + fast).unwrap();
    desk
}

/// A run under way, whose log is read.
fn begin(desk: &Desk, arguments: &[&str]) -> Live {
    let mut child = desk.tidegate(arguments).stdout(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    Live { child, lines }
}

#[test]
fn a_group_is_enabled_step_by_step_and_disabled_again() {
    let desk = desk("enable");
    let enable = || desk.program(&["enable", "live.toml", "demo"]);
    let mut live = desk.start(&[]);
    live.until("demo: it has `setup` and was never enabled");
    assert_eq!(live.stop(), Some(0));
    let (code, said) = enable();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("FAILED  prepare primary, 2") && said.contains("failed to"), "{said}");
    fs::write(desk.0.join("ready"), "").unwrap();
    let (code, said) = enable();
    assert_eq!(code, Some(0), "{said}");
    let steps = [
        "before  checks",
        "before  prepare primary, 1",
        "ok      prepare primary, 2",
        "ok      power-on standby-1",
        "ok      start-services standby-1",
        "ok      health of standby-1, all parts in a row",
        "ok      standby-1 known to the proxy, without traffic",
        "ok      scale-up",
        "ok      no request in flight at standby-1",
        "ok      no job running on standby-1",
        "ok      power-off standby-1",
        "ok      scale-down",
        "ok      machines off",
        "ok      enabled",
    ];
    let mut rest = &*said;
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("`{step}` is not next in {said}"));
        rest = &rest[at..];
    }
    let mut live = desk.start(&[]);
    assert!(!live.until("taken over in term").contains("never enabled"));
    assert_eq!(live.stop(), Some(0));
    let (code, said) = desk.program(&["disable", "live.toml", "demo"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("ok      undo primary, 1") && said.contains("ok      disabled"),
        "{said}"
    );
    let prepared = fs::read_to_string(desk.0.join("prepared")).unwrap();
    assert_eq!(prepared, "one\nundone\n");
}

#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let desk = desk("enable-killed");
    fs::write(desk.0.join("ready"), "").unwrap();
    let mut first = begin(&desk, &["enable", "live.toml", "demo", "--with-traffic"]);
    first.until("command 0: power-on standby-1");
    first.child.kill().unwrap();
    drop(first);
    let (code, said) = desk.program(&["disable", "live.toml", "demo"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("say `--force`"), "{said}");
    let (code, said) = desk.program(&["enable", "live.toml", "demo", "--with-traffic"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("before  prepare primary, 2"), "{said}");
    assert!(said.contains("ok      enabled"), "{said}");
    assert_eq!(fs::read_to_string(desk.0.join("prepared")).unwrap(), "one\n");
}

#[test]
fn a_group_that_is_scaled_up_is_disabled_by_force_alone_and_not_beside_a_live_host() {
    let desk = desk("disable");
    let text = fs::read_to_string(desk.0.join("live.toml")).unwrap();
    let up = text.replace("min_standbys = 0", "min_standbys = 1");
    fs::write(desk.0.join("live.toml"), up).unwrap();
    let disable = |more: &[&str]| desk.program(&[&["disable", "live.toml", "demo"], more].concat());
    let mut live = desk.start(&[]);
    live.until("command 2 done");
    let (code, said) = disable(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("a live host is at work on the store"), "{said}");
    assert_eq!(live.stop(), Some(0));
    let (code, said) = disable(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("standby-1 is serving"), "{said}");
    let (code, said) = disable(&["--force"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok      machines off") && said.contains("ok      disabled"), "{said}");
    let (code, said) = desk.program(&["enable", "live.toml", "x"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no group `x`"), "{said}");
}
