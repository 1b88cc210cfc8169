//! What is found of a proxy, whichever it is.

use tidegate_core::Span;

use super::Finding;

const PART: &str = "proxy";

pub(crate) fn ok(found: impl Into<String>) -> Finding {
    Finding::ok(PART, found)
}

pub(crate) fn warn(found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding::warn(PART, found, advice)
}

pub(crate) fn missing(found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding::missing(PART, found, advice)
}

/// The weight that the proxy has for the primary, against the group's.
pub(crate) fn primary_weight(name: &str, given: u32, wanted: u16) -> Finding {
    if given == u32::from(wanted) {
        return ok(format!("`{name}` has the weight {wanted} of the primary"));
    }
    warn(
        format!("`{name}` has the weight {given}, the group's `primary_weight` is {wanted}"),
        "let them be the same: a standby joins with `standby_weight`, and shares by that",
    )
}

/// The policy's slow start, of which this proxy has none.
pub(crate) fn no_slow_start(proxy: &str, slow_start: Span) -> Finding {
    if slow_start.is_zero() {
        return ok(format!("the policy has no slow start, as {proxy} has none"));
    }
    missing(
        format!("the policy's slow start is {slow_start}, and {proxy} has none"),
        "let the policy's `steps.slow_start` be \"0s\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn another_weight_is_worth_a_look() {
        assert_eq!(primary_weight("app1", 100, 100).verdict, Verdict::Ok);
        assert_eq!(primary_weight("app1", 1, 100).verdict, Verdict::Warn);
    }
}
