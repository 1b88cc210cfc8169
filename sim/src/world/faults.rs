//! Faults: which are on, whom they befall, and how they begin and end.

mod commands;
mod frozen;
mod parts;
mod seen;
mod visits;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Command, CommandId, ServerId, Span};

use crate::chance::{Uniforms, ln};
use crate::model::{CommandCount, FaultKind, Injection, Model, Onset, Part};

use super::{Event, Notice, World};

/// A fault that is on.
#[derive(Clone, Copy, Debug)]
struct Active {
    fault: u16,
    until: u64,
}

/// A command that faults concern, and how many of its attempts.
#[derive(Clone, Copy, Debug)]
struct Armed {
    fault: u16,
    command: CommandId,
    attempts: u32,
}

/// The faults of a run.
#[derive(Debug)]
pub(super) struct Faults {
    active: Vec<Active>,
    armed: Vec<Armed>,
    given: CommandCount,
    /// How often each befell something.
    hits: Vec<u64>,
    /// Counts the health checks of each server, while they flap.
    checks: Vec<u32>,
    /// When those come again that come at random times.
    chance: Vec<Uniforms>,
}

impl Faults {
    pub fn new(model: &Model) -> Option<Box<Self>> {
        (!model.faults.is_empty()).then(|| {
            Box::new(Self {
                active: Vec::new(),
                armed: Vec::new(),
                given: CommandCount::default(),
                hits: vec![0; model.faults.len()],
                checks: vec![0; model.servers.len()],
                chance: (0..model.faults.len())
                    .map(|fault| Uniforms::new(model.seed, &format!("fault/{fault}")))
                    .collect(),
            })
        })
    }
}

impl<S: FactSink> World<S> {
    /// Each fault that begins at a time is an event.
    pub(super) fn open_faults(&mut self) {
        for fault in 0..self.model.faults.len() {
            match self.model.faults[fault].onset {
                Onset::At(at) => {
                    self.at(at.as_nanos().cast_unsigned(), Event::Fault, 2 * fault as u32);
                }
                Onset::Every(every) => self.again(fault, every),
                Onset::Command { .. } => {}
            }
        }
    }

    /// A fault that comes at random times comes again.
    fn again(&mut self, fault: usize, every: Span) {
        let Some(faults) = &mut self.faults else { return };
        let wait = -ln(faults.chance[fault].draw()) * every.as_nanos() as f64;
        let at = self.now.saturating_add(wait as u64);
        self.at(at, Event::Fault, 2 * fault as u32);
    }

    /// How often each fault befell something.
    pub fn fault_hits(&self) -> Vec<u64> {
        self.faults.as_ref().map_or_else(Vec::new, |faults| faults.hits.clone())
    }

    /// A fault that the world does not know of begins or ends.
    pub fn tell_fault(&mut self, fault: u16, begins: bool) {
        if begins {
            self.count_fault(fault);
            self.tell(Fact::FaultBegan { fault });
        } else {
            self.tell(Fact::FaultEnded { fault });
        }
    }

    /// A fault that befell the controller's host.
    pub fn count_fault(&mut self, fault: u16) {
        if let Some(faults) = &mut self.faults {
            faults.hits[usize::from(fault)] += 1;
        }
    }

    /// A fault begins, or with the lowest bit it ends.
    pub(super) fn fault(&mut self, index: u32) -> Option<Notice> {
        let (fault, ends) = ((index / 2) as u16, index % 2 == 1);
        let injection = &self.model.faults[usize::from(fault)];
        let (kind, length) = (injection.kind, injection.length.as_nanos().cast_unsigned());
        let faults = self.faults.as_mut()?;
        if ends {
            let found = faults.active.iter().position(|one| one.fault == fault)?;
            faults.active.remove(found);
            self.fault_ends(fault);
            self.tell(Fact::FaultEnded { fault });
        } else {
            let until = self.now.saturating_add(length);
            faults.active.push(Active { fault, until });
            self.at(until, Event::Fault, index + 1);
            self.tell(Fact::FaultBegan { fault });
            self.fault_begins(fault);
            if let Onset::Every(every) = self.model.faults[usize::from(fault)].onset {
                self.again(usize::from(fault), every);
            }
        }
        self.impeded = self.impedes();
        kind.is_of_the_host().then_some(Notice::Fault { fault, begins: !ends })
    }

    /// A command begins the faults that wait for it, and is armed with those that concern it.
    fn arm(&mut self, command: Command) {
        let Some(faults) = &mut self.faults else { return };
        let Some(given) = faults.given.count(&command) else { return };
        for fault in 0..self.model.faults.len() {
            let Injection { kind, onset, .. } = self.model.faults[fault];
            let Onset::Command { step: of, nth, attempts, delay } = onset else { continue };
            if (of, nth) != given {
                continue;
            }
            if kind.is_of_commands() {
                let armed = Armed { fault: fault as u16, command: command.id, attempts };
                faults.armed.push(armed);
            } else if kind != FaultKind::ControllerKilled {
                let at = self.now.saturating_add(delay.as_nanos().cast_unsigned());
                self.events.push(at, Event::Fault.payload(2 * fault as u32));
            }
        }
    }

    /// The first fault of this kind that is on and that `concerns` the matter.
    fn active(&self, concerns: impl Fn(&Injection) -> bool) -> Option<Active> {
        let faults = self.faults.as_ref()?;
        let on = |one: &&Active| concerns(&self.model.faults[usize::from(one.fault)]);
        faults.active.iter().find(on).copied()
    }

    /// The same; the fault counts as having befallen something.
    fn befalls(&mut self, concerns: impl Fn(&Injection) -> bool) -> Option<Active> {
        let active = self.active(concerns)?;
        self.count_fault(active.fault);
        Some(active)
    }

    /// A fault of this kind that concerns this server.
    pub(super) fn befalls_server(&mut self, kind: FaultKind, server: ServerId) -> bool {
        self.faults.is_some()
            && self.befalls(|one| one.kind == kind && one.concerns(server)).is_some()
    }

    /// Whether `part` cannot reach this server.
    pub(super) fn is_cut_off(&mut self, part: Part, server: ServerId) -> bool {
        self.faults.is_some() && self.befalls(|one| cuts(one, part, server)).is_some()
    }

    /// Whether the controller cannot reach `part`.
    fn is_unheard(&mut self, part: Part) -> bool {
        self.befalls(|one| one.kind == FaultKind::Cut && one.is_between(Part::Controller, part))
            .is_some()
    }
}

/// Whether a fault cuts the way between `part` and a server.
fn cuts(fault: &Injection, part: Part, server: ServerId) -> bool {
    fault.kind == FaultKind::Cut && lies_between(fault, part, server)
}

/// Whether a fault is about the way between `part` and a server.
fn lies_between(fault: &Injection, part: Part, server: ServerId) -> bool {
    if server.is_primary() {
        return fault.is_between(part, Part::Primary);
    }
    fault.is_between(part, Part::Standby) && fault.concerns(server)
}
