use std::path::Path;

use tidegate_core::Span;

use crate::model::{Dist, Place};
use crate::scenario::{Overrides, ScenarioError, parse};

/// A scenario whose requests take so long.
fn scenario(length: &str) -> Result<Dist, ScenarioError> {
    let text = format!(
        r#"
start = "2026-03-02T00:00[UTC]"
duration = "1h"
plans.small = {{ vcpu = 2, memory = "4GiB", price = "125 USD/month" }}
group = {{ primary = "small" }}
load = [{{ kind = "constant", rate = 1 }}]
request = [{{ name = "page", phases = [
{{ cpu = {length} }}
] }}]
"#
    );
    let model = parse("length", "length.toml", &text, Path::new("."), &Overrides::default())?;
    let phases = &model.requests[0].phases;
    Ok(phases.iter().find(|phase| phase.place == Place::Cpu).unwrap().demand.clone())
}

#[test]
fn a_shape_is_given_by_its_mean_or_by_quantiles() {
    let Dist::Exponential(mean) = scenario("{ exponential = { p95 = \"30ms\" } }").unwrap() else {
        panic!("another shape");
    };
    // The 95 % quantile of an exponential is ln 20 means.
    assert!((mean.as_secs_f64() * 20.0_f64.ln() - 0.03).abs() < 1e-8, "{mean}");
    for length in [
        "{ erlang = { p50 = \"20ms\", p95 = \"42ms\" } }",
        "{ erlang = { p95 = \"42.27ms\" }, stages = 4 }",
        "{ erlang = \"21.8ms\", stages = 4 }",
    ] {
        let dist = scenario(length).unwrap();
        let Dist::Erlang { mean, stages: 4 } = dist else { panic!("{dist:?}") };
        assert!((mean.as_secs_f64() - 0.0218).abs() < 1e-4, "{length}: {mean}");
    }
    for length in [
        "{ hyperexponential = { p50 = \"20ms\", p95 = \"120ms\" } }",
        "{ hyperexponential = { p95 = \"120ms\" }, cv = 1.319 }",
    ] {
        let dist = scenario(length).unwrap();
        let Dist::HyperExponential { cv, mean } = dist else { panic!("{dist:?}") };
        assert!((cv - 1.319).abs() < 1e-3, "{length}: {cv}");
        assert!((mean.as_secs_f64() - 0.034_85).abs() < 1e-4, "{length}: {mean}");
    }
    for length in [
        "{ pareto = { p50 = \"20ms\", p99 = \"600ms\" }, max = \"9s\" }",
        "{ pareto = { p50 = \"20ms\" }, alpha = 1.1366, max = \"9s\" }",
    ] {
        let dist = scenario(length).unwrap();
        let Dist::Pareto { least, most, alpha } = dist else { panic!("{dist:?}") };
        assert_eq!(most, Span::from_secs(9));
        assert!((alpha - 1.1366).abs() < 1e-4, "{length}: {alpha}");
        assert!((least.as_secs_f64() - 0.010_873).abs() < 1e-5, "{length}: {least}");
    }
}

#[test]
fn quantiles_that_are_none_are_refused_where_they_stand() {
    let quantiles = "{ p50 = \"20ms\", p95 = \"55ms\" }";
    for (length, column, words) in [
        ("{ erlang = { p50 = \"20ms\", p95 = \"20ms\" } }", 20, "they must grow"),
        ("{ erlang = { p50 = \"0s\", p95 = \"20ms\" } }", 20, "more than zero"),
        ("{ erlang = { p50 = \"20ms\", p95 = \"367d\" } }", 20, "longer than 366 days"),
        ("{ exponential = {} }", 25, "one or two of `p50`"),
        ("{ exponential = { p95 = \"1s\", p51 = \"1s\" } }", 39, "unknown field `p51`"),
        ("{ exponential = 20 }", 25, "a mean such as \"20ms\""),
        (&format!("{{ exponential = {quantiles} }}"), 9, "one quantile is needed, not two"),
        (&format!("{{ erlang = {quantiles} }}"), 9, "no Erlang distribution has a p50 of 20ms"),
        (&format!("{{ erlang = {quantiles}, stages = 2 }}"), 9, "one quantile is needed, not two"),
        (&format!("{{ hyperexponential = {quantiles} }}"), 9, "4.33 to 8.24 times its p50"),
        (&format!("{{ pareto = {quantiles}, max = \"55ms\" }}"), 9, "`max` is above all quantiles"),
        (&format!("{{ pareto = {quantiles}, max = \"56ms\" }}"), 9, "no Pareto distribution up to"),
        ("{ pareto = { p50 = \"9ms\" }, alpha = 2.0, max = \"9ms\" }", 9, "has a p50 of 9ms"),
        (&format!("{{ pareto = {quantiles} }}"), 9, "a duration is"),
        ("{ erlang = { p50 = \"20ms\" } }", 9, "a duration is"),
        ("{ empirical = { p50 = \"20ms\" } }", 23, "invalid type"),
    ] {
        let error = scenario(length).unwrap_err();
        assert!(error.to_string().contains(words), "{length}: {error}");
        assert_eq!(error.position(), Some((8, column)), "{length}: {error}");
    }
}
