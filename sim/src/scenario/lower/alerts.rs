//! Alerting rules, and whether the policy listens to them.

use tidegate_core::Span;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::policy::{EvidenceFrom, Policy};

use crate::model::Alerts;
use crate::scenario::Fault;
use crate::scenario::file::{AlertsFile, ScenarioFile};

pub(super) fn alerts(file: &ScenarioFile) -> Result<Option<Alerts>, Fault> {
    let policy = &file.policy;
    let listens = policy.evidence.from == EvidenceFrom::Alerts;
    let Some(given) = file.monitoring.alerts else {
        if listens && !(policy.up.is_empty() && policy.down.is_empty()) {
            return Err(Fault::at(
                "policy.evidence.from",
                "nobody sends alerts: no rule could fire",
            )
            .hint("add the table `[monitoring.alerts]`"));
        }
        return Ok(None);
    };
    if !listens {
        return Err(Fault::at("monitoring.alerts", "the policy does not listen to alerts")
            .hint("set `policy.evidence.from` to \"alerts\""));
    }
    check_lengths(&given)?;
    let alerts = Alerts {
        rules: Rule::all(policy).collect(),
        group_wait: given.group_wait.unwrap_or(Span::from_mins(1)),
        group_interval: given.group_interval.unwrap_or(Span::from_mins(5)),
        repeat_up: given.repeat_up.unwrap_or(Span::from_hours(1)),
        repeat_down: given.repeat_down.unwrap_or(Span::from_mins(5)),
        delay: given.delay.unwrap_or(Span::from_secs(1)),
    };
    check_repeats(policy, &alerts)?;
    Ok(Some(alerts))
}

fn check_lengths(given: &AlertsFile) -> Result<(), Fault> {
    let day = Span::from_hours(24);
    let shortest = Span::from_secs(1);
    for (name, span, least) in [
        ("group_wait", given.group_wait, Span::ZERO),
        ("group_interval", given.group_interval, shortest),
        ("repeat_up", given.repeat_up, shortest),
        ("repeat_down", given.repeat_down, shortest),
        ("delay", given.delay, Span::ZERO),
    ] {
        if span.is_some_and(|span| span < least || span > day) {
            let path = format!("monitoring.alerts.{name}");
            return Err(Fault::at(&path, format!("must be {least} to 1d")));
        }
    }
    Ok(())
}

/// A repeat comes with the first flush after its time, and has to arrive before the last one is too
/// old to count.
fn check_repeats(policy: &Policy, alerts: &Alerts) -> Result<(), Fault> {
    let evidence = policy.evidence;
    let late = alerts.group_interval + alerts.delay;
    for (name, repeat, counts) in [
        ("up", alerts.repeat_up, evidence.alert_up),
        ("down", alerts.repeat_down, evidence.alert_down),
    ] {
        if repeat + late + alerts.delay > counts {
            let message = format!(
                "an alert may be told again only after {}, and counts for {counts}",
                repeat + late + alerts.delay
            );
            let hint = format!("raise `policy.evidence.alert_{name}`");
            return Err(Fault::at("monitoring.alerts", message).hint(hint));
        }
    }
    Ok(())
}
