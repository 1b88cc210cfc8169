//! Which server the proxy chooses.

use crate::model::{Balance, Model};

use super::server::Server;

/// The proxy's balancing state.
#[derive(Debug)]
pub(super) struct Balancer {
    balance: Balance,
    max_connections: u32,
    /// Smooth weighted round-robin: each server's running credit (as nginx does it).
    credit: Vec<i64>,
}

impl Balancer {
    pub fn new(model: &Model) -> Self {
        Self {
            balance: model.proxy.balance,
            max_connections: model.proxy.max_connections.unwrap_or(u32::MAX),
            credit: vec![0; model.servers.len()],
        }
    }

    /// A server that receives traffic and has a connection to spare, or `None`.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub fn choose(&mut self, servers: &[Server]) -> Option<usize> {
        self.choose_among(servers, |_| true)
    }

    /// The same among the servers whose bit in `tried` is not set.
    pub fn choose_other(&mut self, servers: &[Server], tried: u128) -> Option<usize> {
        self.choose_among(servers, |index| tried >> index & 1 == 0)
    }

    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    fn choose_among(&mut self, servers: &[Server], may: impl Fn(usize) -> bool) -> Option<usize> {
        match self.balance {
            Balance::RoundRobin => self.round_robin(servers, may),
            Balance::LeastConnections => self.least_connections(servers, may),
        }
    }

    /// Whether it receives traffic, passes the checks and has a connection to spare.
    pub fn is_open(&self, server: &Server) -> bool {
        server.receives && server.standing.passes && server.open < self.max_connections
    }

    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    fn round_robin(&mut self, servers: &[Server], may: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<usize> = None;
        let mut total = 0;
        for (index, server) in servers.iter().enumerate() {
            if !self.is_open(server) || !may(index) {
                continue;
            }
            let weight = i64::from(server.share);
            self.credit[index] += weight;
            total += weight;
            if best.is_none_or(|other| self.credit[index] > self.credit[other]) {
                best = Some(index);
            }
        }
        self.credit[best?] -= total;
        best
    }

    fn least_connections(&self, servers: &[Server], may: impl Fn(usize) -> bool) -> Option<usize> {
        let load =
            |server: &Server| (u64::from(server.open) << 32) / u64::from(server.share.max(1));
        let open = servers
            .iter()
            .enumerate()
            .filter(|&(index, server)| self.is_open(server) && may(index));
        open.min_by_key(|(_, server)| load(server)).map(|(index, _)| index)
    }
}
