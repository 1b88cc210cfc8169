//! The shipped scenarios under their policies, with a sink of the test's own.

use std::path::PathBuf;

use tidegate_core::fact::FactSink;
use tidegate_core::{Controller, Input, Span};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, read};
use tidegate_sim::world::{Notice, World};
use tidegate_tests::shipped::scenarios;

/// The shipped scenarios.
pub fn shipped() -> Vec<Model> {
    let read = |path: &PathBuf| read(path, &Overrides::default()).unwrap();
    let models: Vec<Model> = scenarios("").iter().map(read).collect();
    assert!(models.len() >= 8, "only {} scenarios found", models.len());
    models
}

/// The world of `model` after its run under its policy.
pub fn run<S: FactSink>(model: &Model, sink: S) -> World<S> {
    let mut world = World::new(model.clone(), Span::from_mins(1), sink);
    let mut controller = Controller::new(model.group.clone(), model.start);
    let end = model.duration.as_nanos().cast_unsigned();
    world.set_moving(true);
    loop {
        let input = match world.advance(end) {
            Some(Notice::Observed(observation)) => Input::Observe(observation),
            Some(Notice::Completed { id, outcome, .. }) => Input::Complete { id, outcome },
            Some(Notice::Asked(request)) => Input::Request(request),
            Some(Notice::Interval | Notice::Fault { .. }) => continue,
            None => return world,
        };
        let step = controller.step(world.timestamp(world.now()), input);
        step.commands.into_iter().for_each(|command| world.execute(command));
    }
}
