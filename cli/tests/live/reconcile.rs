//! `tidegate reconcile` beside a live host's store.

use crate::Desk;

/// Servers that exist in a process alone are off in the next one.
#[test]
fn a_standby_that_the_ledger_has_on_and_the_provider_off_is_told() {
    let desk = Desk::new("reconcile");
    let mut live = desk.start(&[]);
    live.until("command 1 done");
    live.child.kill().unwrap();
    live.child.wait().unwrap();
    let asked = || desk.program(&["reconcile", "live.toml"]);
    let (mut code, mut said) = asked();
    // For as long as a look takes, what has changed awaits the next one.
    while code == Some(0) {
        (code, said) = asked();
    }
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("standby-1  is off, and by the ledger it runs: now"), "{said}");
    assert!(said.ends_with("DIFFER: 1 difference\n"), "{said}");
    let (code, said) = desk.program(&["reconcile", "live.toml", "--format", "json"]);
    assert_eq!(code, Some(1));
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["differences"][0]["what"], "off-but-billed");
    assert_eq!(told["tells_times"], false);
}

#[test]
fn a_group_that_is_not_there_is_refused() {
    let desk = Desk::new("reconcile-nobody");
    let (code, said) = desk.program(&["reconcile", "live.toml", "--group", "other"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("there is no group `other`"), "{said}");
    let (code, said) = desk.program(&["reconcile", "live.toml"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("failed to read the store tidegate.db: there is no such file"), "{said}");
}
