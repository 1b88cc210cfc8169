//! What the flows of many groups have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::erlang::Delay;
use super::latency::Latencies;
use crate::model::{Hardware, Model};

/// Tables that follow from a scenario alone; the groups of a fleet share them.
#[derive(Debug)]
pub(crate) struct Tables {
    /// How long requests take.
    pub latencies: Latencies,
    delays: BTreeMap<u32, Arc<Delay>>,
}

impl Tables {
    /// Those of `model`, with so many requests of each kind that stand for all.
    pub fn new(model: &Model, atoms: usize) -> Self {
        let mut tables = Self { latencies: Latencies::new(model, atoms), delays: BTreeMap::new() };
        let sizes = model.fleet.iter().flat_map(|fleet| &fleet.sizes);
        let servers = sizes.flat_map(|size| &size.servers).chain(&model.servers);
        for hardware in servers {
            tables.know(hardware.vcpu);
            tables.know(workers_of_a_pool(hardware));
        }
        for station in [model.redis, model.database, model.nfs] {
            tables.know(station.servers);
        }
        tables
    }

    fn know(&mut self, servers: u32) {
        self.delays.entry(servers).or_insert_with(|| Arc::new(Delay::new(servers)));
    }

    /// The delays of so many servers.
    pub fn delay(&self, servers: u32) -> Arc<Delay> {
        self.delays.get(&servers).map_or_else(|| Arc::new(Delay::new(servers)), Arc::clone)
    }
}

/// Web workers of one bench, where all are taken as alike.
pub(super) fn workers_of_a_pool(hardware: &Hardware) -> u32 {
    let pools = hardware.web_workers.len().max(1) as u32;
    hardware.web_workers.iter().sum::<u32>().div_ceil(pools)
}
