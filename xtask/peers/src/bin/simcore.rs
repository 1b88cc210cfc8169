//! The queue in simcore: one component that sends events to itself.

use std::cell::RefCell;
use std::rc::Rc;

use peers::{Queue, measure};
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {}

struct Station {
    queue: Queue,
    context: SimulationContext,
}

impl Station {
    fn expect_arrival(&mut self) {
        if let Some(gap) = self.queue.gap() {
            self.context.emit_self(Arrival {}, gap);
        }
    }

    fn serve(&self, service: Option<f64>) {
        if let Some(service) = service {
            self.context.emit_self(Departure {}, service);
        }
    }
}

impl EventHandler for Station {
    fn on(&mut self, event: Event) {
        let now = event.time;
        cast!(match event.data {
            Arrival {} => {
                self.expect_arrival();
                let service = self.queue.arrive(now);
                self.serve(service);
            }
            Departure {} => {
                let service = self.queue.depart(now);
                self.serve(service);
            }
        })
    }
}

fn main() {
    measure(|queue| {
        let mut simulation = Simulation::new(1);
        let context = simulation.create_context("station");
        let station = Rc::new(RefCell::new(Station { queue, context }));
        simulation.add_handler("station", station.clone());
        station.borrow_mut().expect_arrival();
        simulation.step_until_no_events();
        station.borrow().queue.found()
    });
}
