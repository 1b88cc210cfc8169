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
            self.kill_request(slot, ServerId(server as u16));
        }
        self.replace(server, bench, worker);
        self.serve_queue(server, bench);
    }

    /// The cores are free of it at once; a station finishes what it is at, and answers to nobody.
    fn kill_request(&mut self, slot: u32, server: ServerId) {
        self.lose(slot, server, Demise::OutOfMemory);
        if self.awaits_event(slot) {
            self.tasks.get_mut(slot).server = u16::MAX;
        } else {
            self.servers[server.index()].cpu.remove(self.now, slot);
            self.cpu_changed(server.index());
            self.tasks.remove(slot);
        }
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
