//! Machines, services, workers and the proxy: how they break, and how they come back.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Power, ServerId};

use crate::model::{FaultKind, Injection};
use crate::slab::Kind;
use crate::world::World;
use crate::world::machine::Demise;

impl<S: FactSink> World<S> {
    pub(super) fn fault_begins(&mut self, fault: u16) {
        let injection = self.model.faults[usize::from(fault)];
        let kind = injection.kind;
        if kind == FaultKind::Deploy {
            self.deploy(fault);
        } else if kind == FaultKind::ProxyRestarts {
            self.proxy_restarts(fault);
        } else if kind == FaultKind::RedisRestarts {
            self.redis_restarts(fault, injection.keeps_data);
        } else if kind == FaultKind::RetryStorm {
            self.storm = injection.factor as u32;
            self.count_fault(fault);
        }
        for server in self.concerned(&injection) {
            let befallen = self.befall(injection, server);
            if befallen {
                self.count_fault(fault);
            }
        }
    }

    /// What a fault does to a server as it begins; whether there was anything to be done.
    fn befall(&mut self, injection: Injection, server: ServerId) -> bool {
        let kind = injection.kind;
        if kind == FaultKind::MemoryLeak {
            self.servers[server.index()].leak = injection.factor as u64;
        }
        kind == FaultKind::MemoryLeak
            || kind == FaultKind::ServerDies && self.lose_power(server)
            || kind == FaultKind::StartsUnasked && self.start_unasked(server)
            || kind == FaultKind::ServerFrozen && self.freeze(server, injection.length)
            || kind == FaultKind::ServicesCrash && self.lose_services(server)
            || kind == FaultKind::WorkerDies && self.lose_worker(server)
    }

    /// What a fault took away comes back, unless a command has taken it away since.
    pub(super) fn fault_ends(&mut self, fault: u16) {
        let injection = self.model.faults[usize::from(fault)];
        let kind = injection.kind;
        if kind == FaultKind::RetryStorm {
            self.storm = 1;
        } else if kind == FaultKind::Deploy {
            for index in 0..self.servers.len() {
                self.bring_back(ServerId(index as u16));
            }
        }
        for server in self.concerned(&injection) {
            let machine = &mut self.servers[server.index()];
            if kind == FaultKind::MemoryLeak {
                machine.leak = 1;
            } else if kind == FaultKind::ServerFrozen && machine.thaws == self.now {
                self.thaw(server);
            } else if kind == FaultKind::ServicesCrash {
                self.bring_back(server);
            } else if kind == FaultKind::ServerDies && server.is_primary() {
                machine.come_up(self.now);
                self.tell(Fact::PowerChanged { server, on: true, commanded: false });
                self.bring_back(server);
            }
        }
    }

    fn concerned(&self, injection: &Injection) -> Vec<ServerId> {
        let all = (0..self.servers.len()).map(|index| ServerId(index as u16));
        all.filter(|server| injection.concerns(*server)).collect()
    }

    /// A machine is off from one moment to the next, and what ran on it is lost.
    fn lose_power(&mut self, server: ServerId) -> bool {
        if self.servers[server.index()].power == Power::Off {
            return false;
        }
        self.thaw(server);
        self.lose_services(server);
        self.servers[server.index()].power = Power::Off;
        self.give_back(server);
        self.tell(Fact::PowerChanged { server, on: false, commanded: false });
        true
    }

    fn start_unasked(&mut self, server: ServerId) -> bool {
        let machine = &mut self.servers[server.index()];
        if machine.power != Power::Off {
            return false;
        }
        machine.come_up(self.now);
        self.tell(Fact::PowerChanged { server, on: true, commanded: false });
        true
    }

    fn lose_services(&mut self, server: ServerId) -> bool {
        if !self.servers[server.index()].ready {
            return false;
        }
        self.tell(Fact::Broke { server });
        self.kill_all(server, Demise::Broke);
        let machine = &mut self.servers[server.index()];
        (machine.ready, machine.takes_jobs, machine.comes_back) = (false, false, true);
        self.tell(Fact::ReadyChanged { server, ready: false });
        true
    }

    fn bring_back(&mut self, server: ServerId) {
        let machine = &self.servers[server.index()];
        if machine.comes_back && machine.power == Power::On {
            self.services_started(server);
        }
    }

    /// Benches restart wherever they run.
    fn deploy(&mut self, fault: u16) {
        for index in 0..self.servers.len() {
            if self.lose_services(ServerId(index as u16)) {
                self.count_fault(fault);
            }
        }
    }

    /// The job that was begun first ends with an error; its worker is started anew at once.
    fn lose_worker(&mut self, server: ServerId) -> bool {
        let jobs = self.tasks.on_server(server.0).into_iter();
        let begun = |slot: &u32| (self.tasks.get(*slot).started, *slot);
        let found = jobs.filter(|slot| self.tasks.get(*slot).kind == Kind::Job).min_by_key(begun);
        let Some(slot) = found else { return false };
        let task = *self.tasks.get(slot);
        self.cut_short(slot, server, Demise::Broke);
        self.worker_is_free(server.index(), usize::from(task.bench));
        true
    }

    /// The proxy has its file alone to go by, in which no standby has joined.
    fn proxy_restarts(&mut self, fault: u16) {
        for index in 1..self.servers.len() {
            if self.servers[index].receives {
                self.count_fault(fault);
                self.set_receives(ServerId(index as u16), false);
            }
        }
    }

    /// Visits wait until it is back; without its data, so do no jobs.
    fn redis_restarts(&mut self, fault: u16, keeps_data: bool) {
        self.count_fault(fault);
        if keeps_data {
            return;
        }
        for queue in 0..self.queues.len() {
            while self.drop_job(queue, |job| Fact::JobLost { job }) {}
        }
        self.stored(crate::world::redis::Store::clear);
    }
}
