use super::*;

const SMALL: &str = r#"
start = "2026-03-02T08:00[Asia/Kolkata]"
duration = "10m"
[plans.small]
vcpu = 2
memory = "4GiB"
price = "125 USD/month"
[group]
primary = "small"
[[request]]
name = "page"
phases = [{ cpu = "20ms" }]
[[load]]
kind = "constant"
rate = 10.0
"#;

fn parsed(text: &str, overrides: &Overrides) -> Result<Model, ScenarioError> {
    parse("small", "small.toml", text, Path::new("."), overrides)
}

#[test]
fn a_small_scenario_is_read_with_its_defaults() {
    let model = parsed(SMALL, &Overrides::default()).unwrap();
    assert_eq!(model.servers.len(), 2);
    assert_eq!(model.servers[0].web_workers, [12]);
    assert_eq!(model.servers[0].job_workers, [5; 3]);
}

#[test]
fn workers_follow_from_the_memory_of_the_plan() {
    for (memory, web) in [("4GiB", 12), ("8GiB", 25), ("16GiB", 36)] {
        let model = parsed(&SMALL.replace("4GiB", memory), &Overrides::default()).unwrap();
        assert_eq!(model.servers[0].web_workers, [web], "{memory}");
    }
}

#[test]
fn an_error_has_its_place_and_a_hint() {
    let cases = [
        ("vcpu = 2", "vcpuu = 2", 5, "did you mean `vcpu`?"),
        ("primary = \"small\"", "primary = \"smal\"", 9, "did you mean `small`?"),
    ];
    for (from, to, line, hint) in cases {
        let error = parsed(&SMALL.replace(from, to), &Overrides::default()).unwrap_err();
        assert_eq!(error.position().map(|(line, _)| line), Some(line), "{error}");
        assert_eq!(error.hint.as_deref(), Some(hint), "{error}");
    }
    for (from, to) in [("\"10m\"", "10"), ("10.0", "-1.0"), ("10.0", "nan"), ("\"4GiB\"", "\"4\"")]
    {
        let error = parsed(&SMALL.replace(from, to), &Overrides::default()).unwrap_err();
        assert!(error.position().is_some(), "{error}");
    }
}

#[test]
fn set_replaces_a_value_and_refuses_an_unknown_key() {
    let set = |set: &str| Overrides { set: vec![set.to_owned()], ..Overrides::default() };
    assert_eq!(parsed(SMALL, &set("duration=5m")).unwrap().duration.to_string(), "5m");
    assert_eq!(parsed(SMALL, &set("plans.small.vcpu=4")).unwrap().servers[0].vcpu, 4);
    assert!(parsed(SMALL, &set("nothing=1")).is_err());
}
