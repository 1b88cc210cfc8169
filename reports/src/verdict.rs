//! Whether a run did what was asked of it.

use tidegate_core::record::{ExpectationResult, PropertyResult, Summary};

use crate::format::counted;

/// Whether every property holds, or is violated as the scenario expects, and every expectation is
/// met.
pub fn passed(summary: &Summary) -> bool {
    broken(summary).next().is_none() && unmet(summary).next().is_none()
}

/// How a property stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Checked and never violated.
    Holds,
    /// Never checked: the run says nothing about it.
    Silent,
    /// Violated, and the scenario says that it must be.
    Expected,
    /// Violated.
    Violated,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Silent => "not exercised by this run",
            Self::Expected => "violated, as the scenario expects",
            Self::Violated => "violated",
        }
    }
}

/// How `property` stands in `summary`.
pub fn standing(summary: &Summary, property: &PropertyResult) -> Standing {
    let path = format!("properties.{}.holds", property.name);
    let demands_violation = |expectation: &ExpectationResult| {
        let wanted: String = expectation.expected.split_whitespace().collect();
        expectation.name == path && wanted == "==false"
    };
    if property.holds {
        return if property.checked == 0 { Standing::Silent } else { Standing::Holds };
    }
    if summary.expectations.iter().any(demands_violation) {
        Standing::Expected
    } else {
        Standing::Violated
    }
}

/// The properties that stand so.
pub fn standing_so(
    summary: &Summary,
    so: Standing,
) -> impl Iterator<Item = &PropertyResult> + use<'_> {
    summary.properties.iter().filter(move |property| standing(summary, property) == so)
}

/// The properties that are violated without being expected to.
pub fn broken(summary: &Summary) -> impl Iterator<Item = &PropertyResult> {
    standing_so(summary, Standing::Violated)
}

/// The expectations that are not met.
pub fn unmet(summary: &Summary) -> impl Iterator<Item = &ExpectationResult> {
    summary.expectations.iter().filter(|expectation| !expectation.holds)
}

/// The verdict in one line.
pub fn headline(summary: &Summary) -> String {
    if !passed(summary) {
        return format!("FAILED: {}", failures(summary));
    }
    let held = standing_so(summary, Standing::Holds).count();
    let met = summary.expectations.len();
    let expected = standing_so(summary, Standing::Expected).count();
    let aside = if expected == 0 {
        String::new()
    } else {
        let violated = counted(expected, "property", "properties");
        format!("; {violated} violated, as the scenario expects")
    };
    format!(
        "HELD: {} and {}{aside}",
        counted(held, "property", "properties"),
        counted(met, "expectation", "expectations")
    )
}

fn failures(summary: &Summary) -> String {
    let mut parts = Vec::new();
    let violated = broken(summary).count();
    if violated > 0 {
        let all = counted(summary.properties.len(), "property", "properties");
        parts.push(format!("{violated} of {all} violated"));
    }
    let missed = unmet(summary).count();
    if missed > 0 {
        let all = counted(summary.expectations.len(), "expectation", "expectations");
        parts.push(format!("{missed} of {all} not met"));
    }
    parts.join(", ")
}
