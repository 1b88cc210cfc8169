//! Sentences for decisions, made where someone reads them.

pub mod words;

use crate::decision::{Decision, Direction, Source, Verdict, Vote};
use crate::policy::Metric;
use crate::time::Span;

/// Why a decision changed the number of servers, in a sentence.
pub fn reason(decision: &Decision) -> String {
    let target = match decision.verdict {
        Verdict::Hold => decision.servers,
        Verdict::ScaleUp(by) => decision.servers.saturating_add(by),
        Verdict::ScaleDown(by) => decision.servers.saturating_sub(by),
    };
    let change = format!("{} to {target} servers", decision.servers);
    if let Verdict::ScaleDown(_) = decision.verdict
        && matches!(decision.source, Some(Source::Rule(_) | Source::Bounds) | None)
    {
        if decision.agreed_down().is_none() {
            return format!("{change}: nothing asks for more");
        }
        let down = decision.votes().filter(|vote| vote.direction == Direction::Down);
        return format!("{change}: {}", down.map(sentence).collect::<Vec<_>>().join(", "));
    }
    match decision.source {
        Some(Source::Rule(rule)) => {
            let vote = decision.votes().find(|vote| vote.rule == rule);
            vote.map_or_else(|| change.clone(), |vote| format!("{change}: {}", sentence(vote)))
        }
        Some(Source::Schedule(id)) => format!("{change}: schedule {} is open", id.0 + 1),
        Some(Source::Manual) => format!("{change}: a person asked"),
        Some(Source::Bounds) | None => format!("{change}: the policy's bounds"),
    }
}

/// Without the part of a second, where that is not all there is.
fn whole(span: Span) -> Span {
    let seconds = Span::from_secs(span.as_nanos() / Span::from_secs(1).as_nanos());
    if seconds.is_zero() { span } else { seconds }
}

/// A rule's vote, with its numbers.
pub fn sentence(vote: &Vote) -> String {
    let metric = match vote.metric {
        Metric::Cpu => "CPU",
        Metric::Memory => "memory",
    };
    let side = match vote.direction {
        Direction::Up => "above",
        Direction::Down => "below",
    };
    let value = vote.value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
    let (threshold, filled, window) = (vote.threshold, whole(vote.filled), vote.window);
    format!("{metric} {value} {side} {threshold} for {filled} of {window}")
}
