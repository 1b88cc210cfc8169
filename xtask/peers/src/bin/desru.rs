//! The queue in desru: each event is a closure.

use std::cell::RefCell;
use std::rc::Rc;

use desru::EventScheduler;
use peers::{Queue, measure};

type Shared = Rc<RefCell<Queue>>;

fn expect_arrival(scheduler: &mut EventScheduler, queue: &Shared) {
    let Some(gap) = queue.borrow_mut().gap() else { return };
    let queue = Rc::clone(queue);
    let arrive = move |scheduler: &mut EventScheduler| {
        expect_arrival(scheduler, &queue);
        let service = queue.borrow_mut().arrive(scheduler.current_time);
        serve(scheduler, &queue, service);
        None
    };
    scheduler.timeout(gap, Some(Box::new(arrive)), None);
}

fn serve(scheduler: &mut EventScheduler, queue: &Shared, service: Option<f64>) {
    let Some(service) = service else { return };
    let queue = Rc::clone(queue);
    let depart = move |scheduler: &mut EventScheduler| {
        let service = queue.borrow_mut().depart(scheduler.current_time);
        serve(scheduler, &queue, service);
        None
    };
    scheduler.timeout(service, Some(Box::new(depart)), None);
}

fn main() {
    measure(|queue| {
        let queue = Rc::new(RefCell::new(queue));
        let mut scheduler = EventScheduler::new();
        expect_arrival(&mut scheduler, &queue);
        // It ends with the last event; logging none keeps its memory small.
        scheduler.run(Box::new(|_| false), Some(Box::new(|_, _| false)));
        queue.borrow().found()
    });
}
