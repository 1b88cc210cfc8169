//! The out-of-memory killer.

use tidegate_core::ServerId;
use tidegate_core::fact::FactSink;

use crate::slab::Kind;

use super::World;
use super::machine::Demise;

impl<S: FactSink> World<S> {
    /// The kernel kills the web worker that has grown most, until memory suffices again.
    pub(super) fn out_of_memory(&mut self, server: usize) {
        while self.servers[server].is_out_of_memory() {
            let Some((bench, worker)) = self.servers[server].most_grown() else { return };
            self.kill_worker(server, bench, worker);
        }
    }

    fn kill_worker(&mut self, server: usize, bench: usize, worker: u32) {
        let idle = &mut self.servers[server].pools[bench].idle;
        if let Some(position) = idle.iter().position(|&other| other == worker) {
            idle.remove(position);
        } else if let Some(slot) = self.held_by(server, bench, worker) {
            self.servers[server].open -= 1;
            self.cut_short(slot, ServerId(server as u16), Demise::OutOfMemory);
        }
        self.replace(server, bench, worker);
        self.serve_queue(server, bench);
    }

    /// The request that a worker is busy with.
    fn held_by(&self, server: usize, bench: usize, worker: u32) -> Option<u32> {
        let held = |&slot: &u32| {
            let task = self.tasks.get(slot);
            matches!(task.kind, Kind::Request | Kind::Abandoned)
                && (usize::from(task.bench), task.worker) == (bench, worker)
        };
        self.tasks.on_server(server as u16).into_iter().find(held)
    }
}
