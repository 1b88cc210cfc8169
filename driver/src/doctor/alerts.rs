//! Whether Prometheus has the rules of a policy and tells an Alertmanager that tells us.

use super::{Finding, Patient};
use crate::adapters::alertmanager::rules::{CONDITION, GROUP, RULE};
use crate::adapters::prometheus::{LoadedRule, Prometheus};
use crate::config::ServersFile;
use crate::ports::PortError;
use crate::rules::{AlertingRule, RECEIVER, alerting_rules};

const PART: &str = "alerts";
const PRINT: &str =
    "print `tidegate rules CONFIG` into a file of `rule_files`, and reload Prometheus";

pub(super) async fn findings(
    prometheus: &Prometheus,
    servers: &ServersFile,
    patient: &Patient<'_>,
) -> Vec<Finding> {
    let wanted = match alerting_rules(patient.file, servers, patient.policy) {
        Ok(wanted) => wanted,
        Err(why) => {
            let advice = "name a label of Prometheus as `prometheus.label`";
            return vec![Finding::missing(PART, why.to_string(), advice)];
        }
    };
    let (loaded, told) = tokio::join!(prometheus.alerting_rules(), told(prometheus));
    let mut findings = match loaded {
        Ok(loaded) => {
            let mut findings = Vec::new();
            for rule in &wanted {
                findings.push(compared(prometheus, rule, &loaded).await);
            }
            findings
        }
        Err(why) => vec![silent("which rules are loaded", &why)],
    };
    findings.extend(told);
    findings
}

fn silent(what: &str, why: &PortError) -> Finding {
    let advice = "see whether Prometheus answers at `prometheus.url`";
    Finding::missing(PART, format!("failed to ask {what}: {why}"), advice)
}

/// A rule of the policy against what is loaded in its name.
async fn compared(prometheus: &Prometheus, rule: &AlertingRule, loaded: &[LoadedRule]) -> Finding {
    let (name, condition) = (rule.alert, rule.labels.get(CONDITION).cloned().unwrap_or_default());
    let has = |it: &LoadedRule, label| it.labels.get(label) == rule.labels.get(label);
    let Some(ours) = loaded.iter().find(|it| has(it, GROUP) && has(it, RULE)) else {
        let found = format!("Prometheus has no {name} for `{condition}`");
        return Finding::missing(PART, found, PRINT);
    };
    if !has(ours, CONDITION) || (ours.duration - rule.window.as_secs_f64()).abs() > 0.001 {
        let theirs = ours.labels.get(CONDITION).map_or("nothing", String::as_str);
        let found = format!("{name} is loaded for `{theirs}`, the policy says `{condition}`");
        return Finding::missing(PART, found, PRINT);
    }
    if let Some(why) = ours.last_error.as_deref().filter(|why| !why.is_empty()) {
        let found = format!("Prometheus failed to evaluate {name}: {why}");
        return Finding::missing(
            PART,
            found,
            "correct the expressions in `[group.ports.prometheus]`",
        );
    }
    match prometheus.formatted(&rule.expr).await {
        Some(written) if bare(&written) != bare(&ours.query) => {
            let found = format!("{name} for `{condition}` is loaded with another expression");
            Finding::missing(PART, found, PRINT)
        }
        _ => Finding::ok(PART, format!("{name} for `{condition}` is loaded")),
    }
}

/// `text` without white space, which is all in which two ways to write an expression differ.
fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether an Alertmanager hears of what fires, and passes it on.
async fn told(prometheus: &Prometheus) -> Vec<Finding> {
    let alertmanagers = match prometheus.alertmanagers().await {
        Ok(alertmanagers) => alertmanagers,
        Err(why) => return vec![silent("whom it tells of alerts", &why)],
    };
    if alertmanagers.is_empty() {
        let advice = "give it one in `alerting.alertmanagers`";
        return vec![Finding::missing(PART, "Prometheus tells no Alertmanager", advice)];
    }
    let mut findings = Vec::new();
    for one in alertmanagers {
        findings.push(match prometheus.receivers(&one).await {
            Ok(names) if names.iter().any(|name| name == RECEIVER) => {
                Finding::ok(PART, format!("the Alertmanager at {one} has a receiver `{RECEIVER}`"))
            }
            Ok(_) => Finding::missing(
                PART,
                format!("the Alertmanager at {one} has no receiver `{RECEIVER}`"),
                "add what `tidegate rules CONFIG --alertmanager` prints to its file",
            ),
            Err(why) => Finding::warn(
                PART,
                format!("the Alertmanager at {one} cannot be asked from here: {why}"),
                "look yourself whether it has what `tidegate rules CONFIG --alertmanager` prints",
            ),
        });
    }
    findings
}
