//! What RQ's workers say of themselves.

use std::collections::BTreeSet;

use redis::cmd;
use tidegate_core::ServerId;

use super::Rq;
use super::registry::Registry;
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "jobs";

impl Rq {
    /// Whether the workers of these servers are as many as they should be, are of a version that
    /// is known, and can be resumed. An error is told by the port.
    pub(crate) async fn examine(&self, servers: &BTreeSet<ServerId>) -> Vec<Finding> {
        let mut findings = self.unresumable();
        let Ok(registry) = self.registry().await else { return findings };
        for server in servers {
            let Some(own) = self.config.servers.get(server.index()) else { continue };
            let (count, able) = (own.count as usize, registry.able(own).count());
            if able < count {
                let found = format!("{able} of {count} RQ workers of {server} are registered");
                let others: Vec<_> = registry.names().take(8).collect();
                let advice = match others.join(", ") {
                    none if none.is_empty() => "no worker at all is registered there".to_owned(),
                    names => format!("registered there are: {names}"),
                };
                findings.push(Finding::missing(PART, found, advice));
            }
        }
        findings.extend(self.versions(&registry).await.unwrap_or_default());
        findings
    }

    /// Standbys whose workers cannot be started again when a scale-down is called off.
    fn unresumable(&self) -> Vec<Finding> {
        let standbys = self.config.servers.iter().zip(0..).skip(1);
        let unable = standbys.filter(|(own, _)| own.count > 0 && own.start.is_none());
        let finding = |(_, id)| {
            let found = format!("the workers of {} cannot be started again", ServerId(id));
            let advice = "give it `start`: without it a scale-down cannot be called off at the end";
            Finding::warn(PART, found, advice)
        };
        unable.map(finding).collect()
    }

    async fn versions(&self, registry: &Registry) -> Result<Vec<Finding>, PortError> {
        let mut versions = BTreeSet::new();
        for name in registry.names() {
            let read = async |redis: &mut redis::aio::MultiplexedConnection| {
                let mut asked = cmd("HGET");
                asked.arg(format!("rq:worker:{name}")).arg("version");
                asked.query_async::<Option<String>>(redis).await
            };
            versions.extend(self.link.with(read).await?);
        }
        Ok(versions.iter().map(|version| told(version)).collect())
    }
}

fn told(version: &str) -> Finding {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    let (major, minor) = (parts.next().unwrap_or(u32::MAX), parts.next().unwrap_or(0));
    if (1, 16) <= (major, minor) && major <= 3 {
        return Finding::ok(PART, format!("workers of RQ {version}"));
    }
    let found = format!("there are workers of RQ {version}; those of 1.16 to 3 are known");
    let advice = "try a scale-down with running jobs before you rely on it";
    Finding::warn(PART, found, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn versions_that_were_never_tried_are_told() {
        for (version, verdict) in [
            ("1.16.0", Verdict::Ok),
            ("3.0.1", Verdict::Ok),
            ("1.15.1", Verdict::Warn),
            ("4.0", Verdict::Warn),
            ("new", Verdict::Warn),
        ] {
            assert_eq!(told(version).verdict, verdict, "{version}");
        }
    }
}
