use tidegate_core::Span;

use super::*;
use crate::model::{Dist, Place};

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
fn a_file_that_redis_cannot_append_to_is_refused() {
    for (redis, words) in [
        ("append_only = {}", "needs `takes`"),
        ("append_only = { fsync = \"no\", takes = \"1ms\" }", "nobody waits for the disk"),
        ("servers = 2\nappend_only = { takes = \"1ms\" }", "has one server"),
        (
            "append_only = { fsync = \"no\", rewrite = { data = \"1GiB\", every = \"5s\" } }",
            "take longer than 5s",
        ),
    ] {
        let text = SMALL.replace("[[load]]", &format!("[redis]\n{redis}\n[[load]]"));
        let error = parsed(&text, &Overrides::default()).unwrap_err();
        assert!(error.position().is_some() && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_impossible_value_is_refused_where_it_stands() {
    let cases = [
        ("cpu = \"20ms\"", "cpu = { mean = \"20ms\", cv = nan }", "`cv` lies between"),
        ("cpu = \"20ms\"", "cpu = { mean = \"20ms\" }", "a duration is"),
        ("cpu = \"20ms\"", "cpu = 20", "needs its unit"),
        ("cpu = \"20ms\"", "cpu = { exponentiall = \"20ms\" }", "unknown field"),
        ("memory = \"4GiB\"", "memory = \"1GiB\"", "MiB, the plan has 1024"),
        (
            "[[load]]",
            "[[request]]\nname = \"page\"\nphases = [{ cpu = \"1s\" }]\n[[load]]",
            "another",
        ),
        (
            "[[load]]",
            "[monitoring]\nscrape = \"5m\"\n[[policy.down]]\nmetric = \"cpu\"\n\
             below = \"9%\"\n[[load]]",
            "no rule could fire",
        ),
        ("[[load]]", "[monitoring]\nrange = \"30s\"\n[[load]]", "which a `rate` needs"),
        ("[[load]]", "[monitoring]\nrange = \"25h\"\n[[load]]", "at most 1d"),
        ("[[load]]", "[monitoring]\nlook_back = \"16s\"\n[[load]]", "always hold a sample"),
        (
            "[[load]]",
            "[monitoring]\nscrape = \"10ms\"\nrange = \"1h\"\n[[load]]",
            "more than 100000 samples",
        ),
        ("[[load]]", "[monitoring.alerts]\n[[load]]", "does not listen to alerts"),
        (
            "[[load]]",
            "[policy.evidence]\nfrom = \"alerts\"\n[[policy.down]]\nmetric = \"cpu\"\n\
             below = \"9%\"\n[[load]]",
            "nobody sends alerts",
        ),
        (
            "[[load]]",
            "[policy.evidence]\nfrom = \"alerts\"\nalert_up = \"1h\"\n\
             [monitoring.alerts]\n[[load]]",
            "counts for 1h",
        ),
        (
            "[[load]]",
            "[policy.evidence]\nfrom = \"alerts\"\n\
             [monitoring.alerts]\ngroup_interval = \"0s\"\n[[load]]",
            "must be 1s to 1d",
        ),
        ("[[load]]", "[nfs]\nqueue = 1000001\n[[load]]", "at most 1000000"),
        ("[[load]]", "[cache]\ncold = 0.5\n[[load]]", "must be 1 to 100"),
        ("[[load]]", "[cache]\ncold = nan\n[[load]]", "must be 1 to 100"),
        ("[[load]]", "[cache]\nwarm_after = 0\n[[load]]", "must be 1 to 1000000"),
        ("[[load]]", "[memory]\nrestart = \"2h\"\n[[load]]", "at most 1h"),
        (
            "[[load]]",
            "[memory]\nmax_requests = 0\nmax_requests_jitter = 9\n[[load]]",
            "no worker is replaced",
        ),
        ("[group]", "[group]\nsite_skew = nan", "must be 0 to 10"),
        ("[group]", "[group]\nsite_skew = -1", "must be 0 to 10"),
        ("[[load]]", "[proxy]\nretries = 65\n[[load]]", "must be at most 64"),
        (
            "[[load]]",
            "[[operator]]\nat = \"2026-03-02T01:00[UTC]\"\naction = \"scale-up\"\n[[load]]",
            "outside the run",
        ),
    ];
    for (from, to, message) in cases {
        let error = parsed(&SMALL.replace(from, to), &Overrides::default()).unwrap_err();
        assert!(error.position().is_some(), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn ranks_of_hot_sites_are_dealt_to_the_benches_in_turn() {
    let shares = |skew: &str| {
        let bench = |(index, sites)| format!("[[bench]]\nname = \"{index}\"\nsites = {sites}\n");
        let benches: String = [3, 1, 2].iter().enumerate().map(bench).collect();
        let text = SMALL.replace("[group]", &format!("[group]\nsite_skew = {skew}"));
        let model = parsed(&format!("{text}{benches}"), &Overrides::default()).unwrap();
        model.benches.iter().map(|bench| bench.share).collect::<Vec<_>>()
    };
    assert_eq!(shares("0"), [3.0, 1.0, 2.0]);
    // The first bench has ranks 1, 4 and 6, the second 2, the third 3 and 5.
    let expected = [1.0 + 1.0 / 4.0 + 1.0 / 6.0, 1.0 / 2.0, 1.0 / 3.0 + 1.0 / 5.0];
    let far = |(ours, exact): (&f64, &f64)| (ours - exact).abs() > 1e-12;
    assert!(!shares("1").iter().zip(&expected).any(far), "{:?}", shares("1"));
}

#[test]
fn requests_and_jobs_touch_what_is_shared_unless_they_name_it_or_are_told_not_to() {
    let places = |text: &str| {
        let model = parsed(text, &Overrides::default()).unwrap();
        model.requests[0].phases.iter().map(|phase| phase.place).collect::<Vec<_>>()
    };
    assert_eq!(places(SMALL), [Place::Redis, Place::Nfs, Place::Cpu]);
    let named = SMALL.replace("{ cpu = \"20ms\" }", "{ cpu = \"20ms\" }, { nfs = \"1ms\" }");
    assert_eq!(places(&named), [Place::Redis, Place::Cpu, Place::Nfs]);
    let untouched = SMALL.replace("[group]", "redis.touch = \"0s\"\nnfs.touch = \"0s\"\n[group]");
    let untouched = untouched.replace("[plans.small]", "").replace("vcpu = 2\n", "");
    let top = "plans.small.vcpu = 2\n".to_owned() + &untouched;
    let top =
        top.replace("memory =", "plans.small.memory =").replace("price =", "plans.small.price =");
    assert_eq!(places(&top), [Place::Cpu]);
}

#[test]
fn set_replaces_or_adds_a_value_and_refuses_what_is_no_key() {
    let set = |sets: &[&str]| Overrides {
        set: sets.iter().map(ToString::to_string).collect(),
        ..Overrides::default()
    };
    let read = |sets: &[&str]| parsed(SMALL, &set(sets));
    assert_eq!(read(&["duration=5m"]).unwrap().duration.to_string(), "5m");
    assert_eq!(read(&["plans.small.vcpu=4"]).unwrap().servers[0].vcpu, 4);
    assert_eq!(read(&["proxy.timeout=9s"]).unwrap().proxy.timeout.to_string(), "9s");
    assert_eq!(
        read(&["policy.steps.warm.deadline=9m", "policy.steps.warm.attempts=1"])
            .unwrap()
            .group
            .policy
            .steps
            .warm
            .attempts,
        1
    );
    let phases = read(&["request.0.phases.0.cpu=7ms"]).unwrap().requests[0].phases.clone();
    assert_eq!(phases.last().unwrap().demand, Dist::Constant(Span::from_millis(7)));
    let rules = [
        "policy.up.0.metric=cpu",
        "policy.up.0.above=70%",
        "policy.down.0.metric=cpu",
        "policy.down.0.below=30%",
    ];
    assert_eq!(read(&rules).unwrap().group.policy.up.len(), 1);
    assert_eq!(read(&["load.1.kind=constant", "load.1.rate=2.5"]).unwrap().loads.len(), 2);
    for (wrong, message) in [
        ("nothing=1", "unknown field"),
        ("duration", "key=value"),
        ("load.7.rate=1", "no position 7"),
        ("plans.small=1", "is a table"),
        ("duration.x=1", "not a table"),
        ("a..b=1", "empty"),
    ] {
        let error = read(&[wrong]).unwrap_err();
        assert!(error.to_string().contains(message), "{wrong}: {error}");
    }
}
