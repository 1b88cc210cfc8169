//! What `HAProxy` says of how its file declares the servers.

use serde::Deserialize;
use tidegate_core::{ServerId, Span};

use super::Haproxy;
use crate::doctor::Finding;
use crate::doctor::proxy::{missing, ok, primary_weight, warn};
use crate::ports::PortError;

/// Bits of `srv_admin_state`: the line says `disabled`; of `srv_check_state`: it has a `check`.
const DISABLED: u32 = 0x04;
const CHECKED: u32 = 0x02;

/// A line of `show servers state`.
#[derive(Debug, Deserialize)]
struct Declared {
    #[serde(rename = "srv_name")]
    name: String,
    #[serde(rename = "srv_admin_state")]
    admin: u32,
    #[serde(rename = "srv_check_state")]
    check: u32,
    #[serde(rename = "srv_uweight")]
    weight: u32,
}

impl Haproxy {
    /// Whether its API takes orders, and whether its file declares the servers as they must be:
    /// the primary of this weight, a standby disabled and checked, with the policy's slow start.
    pub(crate) async fn examine(&self, weight: u16, slow_start: Span) -> Vec<Finding> {
        let mut findings = vec![self.slow_start(slow_start)];
        findings.extend(self.level().await);
        match self.declared().await {
            Ok(declared) => findings.extend(self.lines(&declared, weight)),
            Err(finding) => findings.extend(finding),
        }
        findings
    }

    fn slow_start(&self, wanted: Span) -> Finding {
        let ours = self.config.slow_start;
        if wanted == ours {
            return ok(format!("the slow start is {ours} here and in the policy"));
        }
        missing(
            format!("the policy's slow start is {wanted}, `haproxy.slow_start` is {ours}"),
            "let `slowstart` on the standbys' lines, `slow_start` and the policy be the same",
        )
    }

    async fn level(&self) -> Option<Finding> {
        // What does not answer at all is told by the port.
        let answer = self.socket.ask("show cli level").await.ok()?;
        Some(match answer.trim() {
            "admin" => ok("its socket takes orders (`level admin`)"),
            level => missing(
                format!("its socket answers `{level}` when asked for its level"),
                "write `level admin` behind `stats socket` in HAProxy's file",
            ),
        })
    }

    async fn declared(&self) -> Result<Vec<Declared>, Option<Finding>> {
        let backend = &self.config.backend;
        let answer = self.socket.ask(&format!("show servers state {backend}")).await;
        let answer = answer.map_err(|_: PortError| None)?;
        let Some((_, table)) = answer.split_once("# ") else {
            let found = format!("HAProxy has no backend `{backend}`: {}", answer.trim());
            let advice = "name the backend of the group's servers as `haproxy.backend`";
            return Err(Some(missing(found, advice)));
        };
        let mut rows = csv::ReaderBuilder::new();
        let rows = rows.delimiter(b' ').flexible(true).from_reader(table.trim_end().as_bytes());
        let rows: Result<_, csv::Error> = rows.into_deserialize().collect();
        rows.map_err(|why| {
            let found = format!("HAProxy's table of servers makes no sense: {why}");
            let advice = "look at its lines yourself: they must be `disabled` and have a `check`";
            Some(warn(found, advice))
        })
    }

    /// What is to be said of each server's line. One that has none is told by the port.
    fn lines(&self, declared: &[Declared], weight: u16) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, id) in self.config.servers.iter().zip(0..) {
            let Some(line) = declared.iter().find(|line| line.name == *name) else { continue };
            if ServerId(id).is_primary() {
                findings.push(primary_weight(&line.name, line.weight, weight));
            } else {
                findings.extend(standby(line));
            }
        }
        findings
    }
}

fn standby(line: &Declared) -> Vec<Finding> {
    let name = &line.name;
    let mut findings = Vec::new();
    if line.check & CHECKED == 0 {
        let found = format!("the line of `{name}` has no `check`");
        let advice = "write `check` on it: without one it gets requests before it can answer them";
        findings.push(missing(found, advice));
    }
    if line.admin & DISABLED == 0 {
        let found = format!("the line of `{name}` is not `disabled`");
        let advice = "write `disabled` on it: a restart of HAProxy would let it get requests";
        findings.push(missing(found, advice));
    }
    if findings.is_empty() {
        findings.push(ok(format!("the line of `{name}` is disabled and checked")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn declared(admin: u32, check: u32) -> Declared {
        let name = "app1".to_owned();
        Declared { name, admin, check, weight: 100 }
    }

    #[test]
    fn a_standby_is_disabled_and_checked_whatever_was_ordered_since() {
        for (admin, check) in [(5, 14), (4, 6), (12, 6)] {
            let findings = standby(&declared(admin, check));
            assert_eq!((findings.len(), findings[0].verdict), (1, Verdict::Ok));
        }
        assert_eq!(standby(&declared(1, 8)).len(), 2);
        assert!(standby(&declared(5, 8))[0].found.contains("no `check`"));
    }
}
