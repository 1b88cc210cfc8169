//! What a recorded run of a model begins with.

use tidegate_core::record::{FORMAT, Kind, Member, Origin, ServerInfo};
use tidegate_core::{Controller, ServerId};

use super::{Hardware, Model};

impl Model {
    /// The beginning of its run: with the run's journal, all that the controller did.
    pub fn origin(&self) -> Origin {
        Origin {
            format: FORMAT,
            kind: Kind::Simulated,
            name: self.name.clone(),
            title: self.title.clone(),
            zone: self.zone.clone(),
            start: self.start,
            end: self.start + self.duration,
            currency: self.currency,
            servers: self.server_infos().zip(&self.servers).map(member).collect(),
            controller: Controller::new(self.group.clone(), self.start).snapshot(),
            last: None,
        }
    }

    /// The servers as a report shows them, the primary first.
    pub(crate) fn server_infos(&self) -> impl Iterator<Item = ServerInfo> {
        (0..).map(ServerId).zip(&self.servers).map(|(server, hardware)| ServerInfo {
            server,
            plan: hardware.plan.clone(),
            vcpu: hardware.vcpu,
            memory_bytes: hardware.memory_bytes,
            web_workers: hardware.web_workers.iter().sum(),
            job_workers: hardware.job_workers.iter().sum(),
        })
    }
}

fn member((info, hardware): (ServerInfo, &Hardware)) -> Member {
    Member { info, pricing: hardware.pricing }
}
