//! A rule of a policy in `PromQL`.

use std::fmt::Write;

use tidegate_core::Span;
use tidegate_core::decision::Direction;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::policy::Metric;

use crate::config::ServersFile;

/// The expression that has a value while the rule's condition holds; a label that is no name of one
/// in its place.
pub(super) fn expression(
    servers: &ServersFile,
    rule: &Rule,
    stale_after: Span,
) -> Result<String, String> {
    let prometheus = &servers.prometheus;
    let label = &prometheus.label;
    if !is_label(label) {
        return Err(label.clone());
    }
    let quantity = match rule.metric {
        Metric::Cpu => &prometheus.cpu,
        Metric::Memory => &prometheus.memory,
    };
    let mut text = format!("avg(\n  (\n{}\n  ) > -Inf < Inf\n", indented(&quantity.value));
    let mut keep = |expression: &str| {
        // A comment in an expression ends at the end of its line.
        let _never = write!(text, "  and on ({label}) (\n{}\n  )\n", indented(expression));
    };
    keep(&members(label, &prometheus.servers));
    let fresh = prometheus.stale_after.min(stale_after).as_secs_f64();
    keep(&format!("time() - (\n{}\n) < {fresh}", quantity.sampled));
    if let Some(serving) = servers.alertmanager.as_ref().and_then(|one| one.serving.as_ref()) {
        keep(serving);
    }
    let side = match rule.direction {
        Direction::Up => '>',
        Direction::Down => '<',
    };
    let _never = write!(text, ") {side} {}", f64::from(rule.threshold.ppm()) / 1e6);
    Ok(text)
}

/// A series for each server of the group, whoever else is measured.
fn members(label: &str, servers: &[String]) -> String {
    let one = |name: &String| {
        let name = quoted(&name.replace('$', "$$"));
        format!("label_replace(vector(1), \"{label}\", {name}, \"\", \"\")")
    };
    servers.iter().map(one).collect::<Vec<_>>().join(" or\n")
}

fn indented(text: &str) -> String {
    text.trim().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// `text` as a string of `PromQL`, and of the matchers of Alertmanager.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn is_label(text: &str) -> bool {
    let of = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.chars().all(of) && text.starts_with(|first: char| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_are() {
        let text = members("instance", &["a\"b".to_owned(), "c$1".to_owned()]);
        let (one, other) = text.split_once(" or\n").unwrap();
        assert_eq!(one, "label_replace(vector(1), \"instance\", \"a\\\"b\", \"\", \"\")");
        assert_eq!(other, "label_replace(vector(1), \"instance\", \"c$$1\", \"\", \"\")");
    }

    #[test]
    fn labels_are_words() {
        assert!(is_label("instance") && is_label("_1"));
        assert!(!is_label("") && !is_label("1a") && !is_label("a-b") && !is_label("a b"));
    }
}
