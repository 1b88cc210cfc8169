//! How an alerting rule says which rule of a policy it stands for.

use std::collections::BTreeMap;

use tidegate_core::decision::Direction;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::policy::Metric;

/// The label with the group's name.
pub const GROUP: &str = "tidegate_group";
/// The label with the rule's number.
pub const RULE: &str = "tidegate_rule";
/// The label with what the rule means. An alerting rule that was made for another policy differs in
/// it, and its alerts do not count.
pub const CONDITION: &str = "tidegate_condition";

/// What a rule means: `cpu > 75% for 5m`.
pub fn condition(rule: &Rule) -> String {
    let metric = metric(rule);
    let side = match rule.direction {
        Direction::Up => '>',
        Direction::Down => '<',
    };
    let percent = rule.threshold.as_percent();
    format!("{metric} {side} {percent}% for {}", rule.window)
}

/// The name of what a rule measures, as in a policy.
pub const fn metric(rule: &Rule) -> &'static str {
    match rule.metric {
        Metric::Cpu => "cpu",
        Metric::Memory => "memory",
    }
}

/// The labels that tell the rule of a group.
pub fn labels(group: &str, rule: &Rule) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (GROUP, group.to_owned()),
        (RULE, rule.id.0.to_string()),
        (CONDITION, condition(rule)),
    ])
}

#[cfg(test)]
mod tests {
    use tidegate_core::policy::{DownRule, Missing, Policy, UpRule};
    use tidegate_core::{Ratio, Span};

    use super::*;

    #[test]
    fn a_rule_is_told_apart_from_that_of_another_policy() {
        let up = UpRule {
            metric: Metric::Cpu,
            above: Ratio::from_ppm(755_000),
            window: Span::from_mins(5),
            missing: Missing::Reset,
        };
        let down = DownRule {
            metric: Metric::Memory,
            below: Ratio::from_percent(30),
            window: Span::from_secs(90),
            missing: Missing::Reset,
        };
        let policy = Policy { up: vec![up], down: vec![down], ..Policy::default() };
        let conditions: Vec<_> = Rule::all(&policy).map(|rule| condition(&rule)).collect();
        assert_eq!(conditions, ["cpu > 75.5% for 5m", "memory < 30% for 1m 30s"]);
    }
}
