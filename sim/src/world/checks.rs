//! The proxy's own checks: a server that does not answer them is taken out until it does.

use tidegate_core::fact::FactSink;
use tidegate_core::{Power, ServerId};

use crate::model::Part;

use super::{Event, World};

/// What the proxy's checks say of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The proxy takes it for up.
    pub passes: bool,
    /// Checks in a row that ended otherwise.
    contrary: u32,
}

impl Standing {
    /// Of a server that has just begun to receive traffic.
    pub const GOOD: Self = Self { passes: true, contrary: 0 };
}

impl<S: FactSink> World<S> {
    /// Every server that receives traffic is checked. One whose services are down refuses at once,
    /// a machine that does not run lets the check time out.
    pub(super) fn check(&mut self) {
        let Some(checks) = self.model.proxy.health else { return };
        self.at(self.now + checks.every.as_nanos().cast_unsigned(), Event::Check, 0);
        for server in 0..self.servers.len() {
            if !self.servers[server].receives {
                continue;
            }
            let id = ServerId(server as u16);
            let cut = self.is_cut_off(Part::Proxy, id) || self.frozen(id).is_some();
            let target = &self.servers[server];
            if target.ready && !cut {
                self.checked(server, true);
            } else if target.power == Power::On && !cut {
                self.checked(server, false);
            } else {
                let timeout = checks.timeout.as_nanos().cast_unsigned();
                self.at(self.now + timeout, Event::CheckTimedOut, server as u32);
            }
        }
    }

    /// A check has ended. As many bad ones in a row as `fall` take a server out, as many good ones
    /// as `rise` bring it back.
    pub(super) fn checked(&mut self, server: usize, good: bool) {
        let Some(checks) = self.model.proxy.health else { return };
        let standing = &mut self.servers[server].standing;
        if good == standing.passes {
            standing.contrary = 0;
            return;
        }
        standing.contrary += 1;
        if standing.contrary >= if good { checks.rise } else { checks.fall } {
            *standing = Standing { passes: good, contrary: 0 };
            if good {
                self.serve_backlog();
            }
        }
    }
}
