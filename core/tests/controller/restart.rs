//! A controller that is restored goes on as if nothing had happened, whenever it was stopped.

use proptest::prelude::*;
use tidegate_core::lifecycle::Stage;
use tidegate_core::{
    Alert, Command, CommandId, Controller, Failure, Health, Input, OperatorRequest, Outcome, Power,
    RestoreError, RuleId, ServerId, Snapshot, Span,
};

use crate::host::{Host, listening, policy};

fn stored(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

#[test]
fn unfinished_commands_come_again_under_their_ids() {
    let mut host = Host::new(policy(), 1);
    host.hangs = vec!["start-services"];
    host.reach(Stage::Warming, 90);
    let restored = Controller::restore(stored(&host.controller.snapshot())).unwrap();
    let again: Vec<_> = restored.unfinished().collect();
    assert_eq!(again, [*host.issued.last().unwrap()]);
}

#[test]
fn a_snapshot_of_a_newer_program_is_refused() {
    let snapshot = Host::new(policy(), 1).controller.snapshot();
    let mut value = serde_json::to_value(&snapshot).unwrap();
    value["format"] = 99.into();
    let newer: Snapshot = serde_json::from_value(value).unwrap();
    assert_eq!(Controller::restore(newer).unwrap_err(), RestoreError::Newer(99));
}

#[derive(Clone, Debug)]
enum Act {
    Tick(Option<u32>),
    Complete(u64, bool),
    Up(u16),
    Down(u16),
    Pause(i64),
    Resume,
    Work(usize, u32),
    Power(usize, bool),
    /// The provider says something else than the truth, or the truth again.
    Told(usize, Option<bool>),
    Routed(usize, Option<bool>),
    Health(usize, bool),
    TakeOver,
    /// The controller's clock is so many seconds behind from now on.
    Clock(i64),
    Alert(u8, i64, bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => prop::option::weighted(0.9, 0..=100u32).prop_map(Act::Tick),
        1 => (0..40u64, any::<bool>()).prop_map(|(id, done)| Act::Complete(id, done)),
        1 => (0..3u16).prop_map(Act::Up),
        1 => (0..3u16).prop_map(Act::Down),
        1 => (-100..1_000i64).prop_map(Act::Pause),
        1 => Just(Act::Resume),
        1 => (1..3usize, 0..3u32).prop_map(|(server, work)| Act::Work(server, work)),
        1 => (1..3usize, any::<bool>()).prop_map(|(server, on)| Act::Power(server, on)),
        1 => (1..3usize, any::<Option<bool>>()).prop_map(|(server, on)| Act::Told(server, on)),
        2 => (1..3usize, any::<Option<bool>>()).prop_map(|(server, on)| Act::Routed(server, on)),
        1 => (0..3usize, any::<bool>()).prop_map(|(server, well)| Act::Health(server, well)),
        1 => Just(Act::TakeOver),
        1 => (0..5_000i64).prop_map(Act::Clock),
        2 => (0..3u8, 0..9i64, any::<bool>()).prop_map(|(rule, age, over)| {
            Act::Alert(rule, age, over)
        }),
    ]
}

const fn power(on: bool) -> Power {
    if on { Power::On } else { Power::Off }
}

fn apply(host: &mut Host, act: &Act) {
    match *act {
        Act::Tick(cpu) => {
            for _ in 0..6 {
                match cpu {
                    Some(cpu) => host.tick(cpu),
                    None => host.tick_as_it_is(),
                }
            }
        }
        Act::Complete(id, done) => {
            let outcome = if done { Outcome::Done } else { Outcome::Failed(Failure::Unreachable) };
            host.step(Input::Complete { id: CommandId(id), outcome });
        }
        Act::Up(by) => host.ask(OperatorRequest::ScaleUp { by, hold: None }),
        Act::Down(by) => host.ask(OperatorRequest::ScaleDown { by, hold: None }),
        Act::Pause(seconds) => {
            host.ask(OperatorRequest::PauseUntil(host.now + Span::from_secs(seconds)));
        }
        Act::Resume => host.ask(OperatorRequest::Resume),
        Act::Work(server, work) => {
            (host.machines[server].in_flight, host.machines[server].jobs) = (work, work / 2);
        }
        Act::Power(server, on) => host.machines[server].power = power(on),
        Act::Told(server, on) => host.machines[server].told = on.map(power),
        Act::Routed(server, on) => host.machines[server].routed = on,
        Act::Health(server, well) => {
            host.machines[server].health = if well { Health::ALL } else { Health::SERVICES };
        }
        Act::TakeOver => host.take_over(),
        Act::Clock(seconds) => host.behind = Span::from_secs(seconds),
        Act::Alert(rule, age, resolved) => {
            let since = host.now - Span::from_mins(age);
            host.notify(Alert { rule: RuleId(rule), since, resolved, at: host.now });
        }
    }
}

proptest! {
    #[test]
    fn a_restored_controller_takes_the_same_steps(
        acts in prop::collection::vec(act(), 1..60),
        stop in 0..60usize,
        alerted in any::<bool>(),
    ) {
        let policy = || if alerted { listening() } else { policy() };
        let (mut plain, mut restarted) = (Host::new(policy(), 2), Host::new(policy(), 2));
        for (index, act) in acts.iter().enumerate() {
            if index == stop {
                let snapshot = stored(&restarted.controller.snapshot());
                prop_assert_eq!(&snapshot, &restarted.controller.snapshot());
                restarted.controller = Controller::restore(snapshot).unwrap();
            }
            apply(&mut plain, act);
            apply(&mut restarted, act);
            prop_assert_eq!(&plain.last, &restarted.last);
        }
        prop_assert_eq!(plain.issued, restarted.issued);
    }

    /// A command of a server is new, and then of a greater generation or id than all before it, or
    /// a repetition of that server's last one.
    #[test]
    fn commands_are_numbered_and_fenced(acts in prop::collection::vec(act(), 1..60)) {
        let mut host = Host::new(policy(), 2);
        for act in &acts {
            apply(&mut host, act);
        }
        for server in 1..=2 {
            let of = host.issued.iter().filter(|command| command.server == ServerId(server));
            let issued: Vec<_> = of.collect();
            for pair in issued.windows(2) {
                let again = pair[0].id == pair[1].id && pair[0].kind == pair[1].kind;
                prop_assert!(again || pair[0].id < pair[1].id);
                prop_assert!(pair[0].generation <= pair[1].generation);
            }
        }
        let now = host.taken.last().map_or(host.now, |taken| taken.at);
        prop_assert!(host.last.is_none_or(|step| step.wake_at.is_none_or(|at| at > now)));
    }

    /// Who takes over gets all that has not ended again, under its id and with its own term.
    #[test]
    fn what_has_not_ended_comes_again_to_who_takes_over(
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let mut host = Host::new(policy(), 2);
        host.hangs = vec!["drain", "start-services", "power-off"];
        for act in &acts {
            apply(&mut host, act);
        }
        let before: Vec<_> = host.controller.unfinished().collect();
        host.controller = Controller::restore(stored(&host.controller.snapshot())).unwrap();
        host.take_over();
        for old in before {
            let of = |new: &&Command| new.id == old.id;
            let again = host.last.as_ref().unwrap().commands.iter().find(of).unwrap();
            prop_assert_eq!((again.server, again.kind), (old.server, old.kind));
            prop_assert_eq!(again.generation.term(), host.term);
            prop_assert!(again.generation > old.generation && again.deadline > host.clock());
        }
    }
}
