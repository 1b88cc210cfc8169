//! The queue in NeXosim: one model that schedules its own inputs, on one thread.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nexosim::model::{BuildContext, Context, Model, ProtoModel, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use peers::{Queue, measure};
use serde::{Deserialize, Serialize};

type Shared = Arc<Mutex<Queue>>;

#[derive(Serialize, Deserialize)]
struct Station;

#[Model(type Env=Shared)]
impl Station {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>, queue: &mut Shared) {
        expect_arrival(&mut queue.lock().expect("one thread"), context);
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), context: &Context<Self>, queue: &mut Shared) {
        let queue = &mut queue.lock().expect("one thread");
        expect_arrival(queue, context);
        serve(queue.arrive(now(context)), context);
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, _: (), context: &Context<Self>, queue: &mut Shared) {
        let queue = &mut queue.lock().expect("one thread");
        serve(queue.depart(now(context)), context);
    }
}

fn now(context: &Context<Station>) -> f64 {
    context.time().duration_since(MonotonicTime::EPOCH).as_secs_f64()
}

/// The simulator's delays are whole nanoseconds and not zero.
fn delay(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds).max(Duration::from_nanos(1))
}

fn expect_arrival(queue: &mut Queue, context: &Context<Station>) {
    if let Some(gap) = queue.gap() {
        let arrive = schedulable!(Station::arrive);
        context.schedule_event(delay(gap), arrive, ()).expect("the time lies ahead");
    }
}

fn serve(service: Option<f64>, context: &Context<Station>) {
    if let Some(service) = service {
        let depart = schedulable!(Station::depart);
        context.schedule_event(delay(service), depart, ()).expect("the time lies ahead");
    }
}

struct Prototype(Shared);

impl ProtoModel for Prototype {
    type Model = Station;

    fn build(self, _: &mut BuildContext<Self>) -> (Station, Shared) {
        (Station, self.0)
    }
}

fn main() {
    measure(|queue| {
        let queue = Arc::new(Mutex::new(queue));
        let prototype = Prototype(Arc::clone(&queue));
        let mut simulation = SimInit::with_num_threads(1)
            .add_model(prototype, Mailbox::new(), "station")
            .init(MonotonicTime::EPOCH)
            .expect("the model is valid");
        simulation.run().expect("the simulation ends by itself");
        queue.lock().expect("one thread").found()
    });
}
