//! Whether servers can be reached and have their units, without an order.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tidegate_core::{Failure, ServerId};

use super::{Ssh, SshServer, program};
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "services";

impl Ssh {
    /// What can be told of those of the servers that are on.
    pub(crate) async fn examine(&self, on: &BTreeSet<ServerId>) -> Vec<Finding> {
        let own = on.iter().filter_map(|id| Some((*id, self.config.servers.get(id.index())?)));
        let own = own.filter(|(_, own)| !own.units.is_empty() || !own.workers.is_empty());
        let found = own.map(|(id, own)| async move {
            match self.unloaded(own).await {
                Ok(missing) if missing.is_empty() => {
                    vec![Finding::ok(PART, format!("{id} is reached, and has its units"))]
                }
                Ok(missing) => missing.iter().map(|what| absent(id, own, what)).collect(),
                Err(why) => vec![unreached(id, own, &why)],
            }
        });
        join_all(found).await.concat()
    }

    /// Units that systemd has not, with its word for what is with them.
    async fn unloaded(&self, own: &SshServer) -> Result<Vec<(String, String)>, PortError> {
        let mut missing = Vec::new();
        for unit in [&*own.units, &*own.workers].concat() {
            let what = ["show", "--property=LoadState", "--value"];
            let words = self.config.systemctl(own, &what, std::slice::from_ref(&unit));
            let told = program::answer(&words, "").await?;
            if told.trim() != "loaded" {
                missing.push((unit.name().to_owned(), told.trim().to_owned()));
            }
        }
        Ok(missing)
    }
}

fn absent(server: ServerId, own: &SshServer, (unit, word): &(String, String)) -> Finding {
    let found = format!("`{unit}` of {server} ({}) is {word}, not loaded", own.host);
    Finding::missing(PART, found, "install the unit there, or correct `ssh.servers`")
}

fn unreached(server: ServerId, own: &SshServer, why: &PortError) -> Finding {
    let advice = match why.failure {
        Failure::Unreachable => {
            "see whether it lets this user in with `ssh.identity`, and `known_hosts` has its key"
        }
        Failure::Refused
        | Failure::TimedOut
        | Failure::Fenced
        | Failure::OutOfCapacity
        | Failure::RateLimited => "see what `systemctl` says there to this user",
    };
    Finding::missing(PART, format!("{server} ({}): {why}", own.host), advice)
}
