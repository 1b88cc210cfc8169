//! What Prometheus says of its clock, and of how servers are told apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_core::{ServerId, Span, Timestamp};

use super::{Prometheus, answer};
use crate::clock::Clock;
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "metrics";
/// A difference between clocks that is worth a look.
const APART: Span = Span::from_secs(1);
/// So many values of a label are shown.
const SHOWN: usize = 8;

impl Prometheus {
    /// How far its clock is from this one, and by what its servers are told apart if some of
    /// `servers` are not known to it. An error is told by the port.
    pub(crate) async fn examine(
        &self,
        clock: &dyn Clock,
        servers: &BTreeSet<ServerId>,
    ) -> Vec<Finding> {
        let (difference, labels) = tokio::join!(self.difference(clock), self.unknown(servers));
        let difference = difference.ok().map(|apart| told(apart, self.config.stale_after));
        difference.into_iter().chain(labels.ok().flatten()).collect()
    }

    /// Between its clock and the middle of the question, either way.
    async fn difference(&self, clock: &dyn Clock) -> Result<Span, PortError> {
        let asked = clock.now();
        let data = self.server.get("query", &[("query", "time()")]).await?;
        let answered = clock.now();
        let seconds = data.pointer("/result/1").and_then(Value::as_str);
        let seconds: Option<f64> = seconds.and_then(|text| text.parse().ok());
        let stranger = || PortError::refused("what answers is not Prometheus");
        let theirs = Timestamp::from_nanos((seconds.ok_or_else(stranger)? * 1e9) as i64);
        // Within the time that the answer took, nothing is known.
        Ok(if theirs < asked {
            asked.since(theirs)
        } else if theirs > answered {
            theirs.since(answered)
        } else {
            Span::ZERO
        })
    }

    async fn unknown(&self, servers: &BTreeSet<ServerId>) -> Result<Option<Finding>, PortError> {
        let answer = answer::read(self.server.get("query", &[("query", &self.query)]).await?)?;
        let label = &self.config.label;
        let known = answer.values_of(label);
        let named = servers.iter().filter_map(|server| self.config.servers.get(server.index()));
        let missing: Vec<_> = named.filter(|name| !known.contains(name.as_str())).collect();
        let Some(first) = missing.first() else { return Ok(None) };
        let found = format!("no series of its expressions has `{label}=\"{first}\"`");
        let advice = if known.is_empty() {
            let labels: Vec<_> = answer.labels().into_iter().collect();
            let labels = if labels.is_empty() { "no labels".to_owned() } else { labels.join(", ") };
            format!("correct `prometheus.label`: the series have {labels}")
        } else {
            let known: Vec<_> = known.into_iter().take(SHOWN).collect();
            format!("correct `prometheus.servers`: there are {}", known.join(", "))
        };
        Ok(Some(Finding::missing(PART, found, advice)))
    }
}

fn told(apart: Span, stale_after: Span) -> Finding {
    if apart < APART {
        return Finding::ok(PART, "its clock and this one agree");
    }
    let found = format!("its clock and this one are {} apart", rounded(apart));
    let advice = "let both follow a time server: samples look older or younger than they are";
    if apart < stale_after {
        Finding::warn(PART, found, advice)
    } else {
        Finding::missing(PART, found, advice)
    }
}

fn rounded(span: Span) -> Span {
    const MILLISECOND: i64 = 1_000_000;
    Span::from_millis(span.as_nanos() / MILLISECOND)
}

impl answer::Answer {
    fn values_of(&self, label: &str) -> BTreeSet<&str> {
        self.metrics().filter_map(|metric| metric.get(label)).map(String::as_str).collect()
    }

    fn labels(&self) -> BTreeSet<&str> {
        let labels = self.metrics().flat_map(BTreeMap::keys).map(String::as_str);
        labels.filter(|label| *label != answer::LABEL && *label != "__name__").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn clocks_that_are_apart_are_told() {
        let verdict = |millis| told(Span::from_millis(millis), Span::from_mins(1)).verdict;
        assert_eq!(verdict(999), Verdict::Ok);
        assert_eq!(verdict(1_000), Verdict::Warn);
        assert_eq!(verdict(60_000), Verdict::Missing);
    }
}
