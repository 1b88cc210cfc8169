//! The rules of a configuration's policies as alerting rules of Prometheus, and where Alertmanager
//! is to send what they say.
//!
//! An alerting rule means what the rule of the policy means: the mean over the servers that serve
//! and have a fresh sample, past the threshold, for the whole window. A gap begins its window anew,
//! whatever the policy's `missing` says: Prometheus knows no other way.

mod expression;
mod receiver;

use std::collections::BTreeMap;

use serde::Serialize;
use tidegate_core::Span;
use tidegate_core::decision::Direction;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::policy::{Metric, Policy};

use crate::adapters::alertmanager::rules::labels;
use crate::config::{Config, GroupFile, PortsFile, ServersFile};

pub(crate) use receiver::RECEIVER;
pub use receiver::alertmanager_file;

/// Why there are no rules to be printed.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Prometheus measures none of the groups.
    #[error("no group of the configuration has `[group.ports.prometheus]`")]
    NoPrometheus,
    /// A label cannot be written into an expression.
    #[error("`{label}` of group `{group}` is not the name of a label: letters, digits and `_` are")]
    Label {
        /// The group.
        group: String,
        /// The label.
        label: String,
    },
    /// A text cannot be written.
    #[error("failed to write the file")]
    Write(#[from] serde_saphyr::ser::Error),
}

#[derive(Serialize)]
struct RuleFile {
    groups: Vec<RuleGroup>,
}

#[derive(Serialize)]
struct RuleGroup {
    name: String,
    rules: Vec<AlertingRule>,
}

/// An alerting rule as Prometheus reads it.
#[derive(Debug, Serialize)]
pub(crate) struct AlertingRule {
    /// Its name.
    pub alert: &'static str,
    /// Has a value while it holds.
    pub expr: String,
    r#for: String,
    /// How long it must hold.
    #[serde(skip)]
    pub window: Span,
    /// What it stands for.
    pub labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
}

/// The rule file for Prometheus: a group for each group that it measures, an alert for each rule.
///
/// # Errors
/// If it measures none, or a label has no name.
pub fn rule_file(config: &Config) -> Result<String, RulesError> {
    let mut groups = Vec::new();
    for (file, servers) in measured(config) {
        groups.push(rule_group(file, servers, config.policy(file))?);
    }
    if groups.is_empty() {
        return Err(RulesError::NoPrometheus);
    }
    Ok(serde_saphyr::to_string(&RuleFile { groups })?)
}

/// The groups that Prometheus measures.
fn measured(config: &Config) -> impl Iterator<Item = (&GroupFile, &ServersFile)> {
    config.group.iter().filter_map(|file| match &file.ports {
        PortsFile::Fake(_) => None,
        PortsFile::Servers(servers) => Some((file, &**servers)),
    })
}

fn rule_group(
    file: &GroupFile,
    servers: &ServersFile,
    policy: &Policy,
) -> Result<RuleGroup, RulesError> {
    let name = format!("tidegate-{}", file.name);
    Ok(RuleGroup { name, rules: alerting_rules(file, servers, policy)? })
}

/// An alerting rule for each rule of a group's policy.
///
/// # Errors
/// If the label that tells servers apart has no name.
pub(crate) fn alerting_rules(
    file: &GroupFile,
    servers: &ServersFile,
    policy: &Policy,
) -> Result<Vec<AlertingRule>, RulesError> {
    let rules = Rule::all(policy).map(|rule| {
        let expr = expression::expression(servers, &rule, policy.evidence.stale_after);
        let expr = expr.map_err(|label| RulesError::Label { group: file.name.clone(), label })?;
        Ok(alerting_rule(&file.name, &rule, expr))
    });
    rules.collect()
}

fn alerting_rule(group: &str, rule: &Rule, expr: String) -> AlertingRule {
    let (alert, side, asks) = match rule.direction {
        Direction::Up => ("TidegateScaleUp", "above", "asks for one server more"),
        Direction::Down => ("TidegateScaleDown", "below", "allows one server less"),
    };
    let metric = match rule.metric {
        Metric::Cpu => "CPU",
        Metric::Memory => "memory",
    };
    let Rule { threshold, window, .. } = rule;
    let name = literal(group);
    let summary = format!("{name}: mean {metric} is {side} {threshold} for {window}");
    let description = format!(
        "The serving servers of {name} use {{{{ $value | humanizePercentage }}}} of their {metric} \
         in the mean. This {asks}."
    );
    let mut labels = labels(group, rule);
    for value in labels.values_mut() {
        *value = literal(value);
    }
    labels.insert("severity", "info".to_owned());
    let annotations = BTreeMap::from([("summary", summary), ("description", description)]);
    let (window, r#for) = (*window, duration(*window));
    AlertingRule { alert, expr, r#for, window, labels, annotations }
}

/// `text`, where Prometheus reads a template.
fn literal(text: &str) -> String {
    text.replace("{{", "{{ `{{` }}")
}

/// A duration as Prometheus and Alertmanager read it, which know nothing below a millisecond: a
/// part of one counts as a whole.
fn duration(span: Span) -> String {
    const MILLISECOND: i64 = 1_000_000;
    let whole = span.as_nanos().saturating_add(MILLISECOND - 1) / MILLISECOND;
    Span::from_millis(whole).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_no_spaces_and_no_part_of_a_millisecond() {
        assert_eq!(duration(Span::from_mins(90)), "1h30m");
        assert_eq!(duration(Span::from_nanos(1_500_000)), "2ms");
        assert_eq!(duration(Span::ZERO), "0s");
    }

    #[test]
    fn a_name_is_no_template() {
        assert_eq!(literal("a{{b}}"), "a{{ `{{` }}b}}");
    }
}
