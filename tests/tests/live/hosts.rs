//! What a host does besides dying: it stops, only watches, follows its configuration, and lets no
//! group wait for another.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_core::decision::Verdict;
use tidegate_core::{
    CommandKind, Failure, GroupConfig, Input, OperatorRequest, ServerId, Span, StepName, Timestamp,
};
use tidegate_driver::fakes::{Answer, Applied, FakeGroup, Times};
use tidegate_driver::ports::{
    Accepted, Ask, Metrics, Order, PortError, Ports, PowerChange, PowerState, Provider, Usage,
};
use tidegate_driver::runtime::{Deaf, Fault, Group, Host, Limits, Mode, RequestError, Setup};

use crate::day::{Day, GROUP, config, minute};

/// A provider that never answers.
struct Silent;

#[async_trait]
impl Provider for Silent {
    async fn power(&self, _: Ask) -> Result<Vec<PowerState>, PortError> {
        std::future::pending().await
    }

    async fn power_on(&self, _: Order) -> Result<Accepted, PortError> {
        std::future::pending().await
    }

    async fn power_off(&self, _: Order) -> Result<Accepted, PortError> {
        std::future::pending().await
    }

    async fn changes(&self, _: Timestamp, _: Ask) -> Result<Vec<PowerChange>, PortError> {
        std::future::pending().await
    }
}

fn steps(applied: &[Applied]) -> Vec<StepName> {
    let mut steps: Vec<_> = applied.iter().map(|one| one.step).collect();
    steps.dedup();
    steps
}

#[tokio::test(start_paused = true)]
async fn in_shadow_mode_everything_is_decided_and_nothing_is_done() {
    let mut day = Day::new();
    day.mode = Mode::Shadow;
    day.hosted_until(minute(10)).await;
    assert_eq!(day.servers.applied(), []);
    let journal = day.journal().await;
    let commands = journal.iter().flat_map(|entry| &entry.commands);
    let starts = commands.filter(|command| command.kind == CommandKind::PowerOn);
    assert!(starts.count() > 1, "as long as it is asked for, a start is decided on");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_stopped_leaves_what_is_under_way_to_the_next() {
    let day = Day::new();
    let booting = minute(1) + Span::from_secs(10);
    day.hosted_until(booting).await;
    assert_eq!(steps(&day.servers.applied()), [StepName::PowerOn]);
    day.hosted_until(minute(10)).await;
    let applied = day.servers.applied();
    assert_eq!(applied[0].id, applied[1].id, "the start, again under its id");
    assert!(applied[1].generation > applied[0].generation, "and a higher fence");
    assert_eq!(steps(&applied).len(), 7);
    assert_eq!(day.servers.harm(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_late_lost_or_bad_are_overcome() {
    let day = Day::new();
    let refused = Answer { failure: Some(Failure::OutOfCapacity), ..Answer::default() };
    let lost = Answer { lost: true, ..Answer::default() };
    let late = Answer { late: Span::from_mins(2), ..Answer::default() };
    day.servers.script(StepName::PowerOn, refused);
    day.servers.script(StepName::Join, lost);
    day.servers.script(StepName::Drain, late);
    day.hosted_until(minute(20)).await;
    assert_eq!(steps(&day.servers.applied()).len(), 7);
    assert_eq!(day.servers.harm(), Vec::<String>::new());
    let power = day.servers.power_record();
    assert_eq!(power.iter().map(|change| change.on).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_provider_is_silent_goes_on_and_delays_no_other() {
    let alone = Day::new();
    alone.hosted_until(minute(10)).await;
    let day = Day::new();
    let (silent, sound) = ("a-silent", "b-sound");
    let dead = FakeGroup::new(Arc::new(day.clock.clone()), 1, Times::default());
    let dead = Ports { provider: Arc::new(Silent), ..FakeGroup::ports(&Arc::new(dead)) };
    let group = |name: &str, ports| Group { name: name.into(), config: config(&day.policy), ports };
    let setup = Setup {
        store: day.store.clone(),
        clock: Arc::new(day.clock.clone()),
        listener: Arc::new(Deaf),
        limits: Limits { grace: Span::from_mins(1), ..Limits::default() },
        mode: Mode::Act,
    };
    let groups = vec![group(sound, FakeGroup::ports(&day.servers)), group(silent, dead)];
    let host = Host::start(&setup, groups).await.unwrap();
    let handle = host.handle();
    let time = async {
        day.clock.run_until(minute(10)).await;
        handle.stop();
    };
    let (ended, ()) = tokio::join!(host.run(), time);
    ended.unwrap();
    assert_eq!(day.servers.applied(), alone.servers.applied());
    let entries = day.store.journal(silent, 1).await.unwrap();
    let looks = entries.iter().filter(|line| line.windows(9).any(|part| part == b"in_flight"));
    assert!(looks.count() >= 30, "what can be seen is seen every fifteen seconds at least");
}

/// An adapter with a defect.
struct Broken;

#[async_trait]
impl Metrics for Broken {
    async fn usage(&self, _: Ask) -> Result<Vec<Usage>, PortError> {
        panic!("this adapter is broken")
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_panics_ends_the_host_and_says_so() {
    let day = Day::new();
    let ports = Ports { metrics: Arc::new(Broken), ..FakeGroup::ports(&day.servers) };
    let host = day.host_of(day.store.clone(), config(&day.policy), ports).await;
    let fault = host.run().await.unwrap_err();
    assert!(matches!(fault, Fault::Broke(_)), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_person_asks_and_a_new_policy_replaces_the_old() {
    let mut day = Day::new();
    day.policy = "stabilization.down = \"1m\"".to_owned();
    let host = day.host(day.store.clone()).await;
    let handle = host.handle();
    let up = OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_hours(1)) };
    let decision = handle.request(GROUP, "ann", up.clone()).await.unwrap();
    assert_eq!(decision.verdict, Verdict::ScaleUp(1));
    let unknown = handle.request("nobody", "ann", up.clone()).await;
    assert_eq!(unknown, Err(RequestError::Unknown("nobody".to_owned())));
    let asked = day.store.asked(GROUP, 9).await.unwrap();
    let asked: Vec<_> = asked.into_iter().map(|asked| (asked.who, asked.request)).collect();
    assert_eq!(asked, [("ann".to_owned(), up)]);
    let time = async {
        day.clock.run_until(minute(5)).await;
        handle.stop();
    };
    let (ended, ()) = tokio::join!(host.run(), time);
    ended.unwrap();
    assert_eq!(steps(&day.servers.applied()).last(), Some(&StepName::Join));
    day.policy = "max_standbys = 0\nmanual.priority = 1\nstabilization.down = \"1m\"".to_owned();
    day.hosted_until(minute(15)).await;
    assert_eq!(steps(&day.servers.applied()).last(), Some(&StepName::PowerOff));
    let journal = day.journal().await;
    let set = |input: &Input| matches!(input, Input::Request(OperatorRequest::SetPolicy(_)));
    assert_eq!(journal.iter().filter(|entry| set(&entry.input)).count(), 1);
}

/// How the host ends that takes up a group whose configuration is changed so.
async fn refused(change: impl FnOnce(&mut GroupConfig)) -> Fault {
    let day = Day::new();
    day.hosted_until(minute(1)).await;
    let mut config = config(&day.policy);
    change(&mut config);
    let host = day.host_of(day.store.clone(), config, FakeGroup::ports(&day.servers)).await;
    let fault = host.run().await.unwrap_err();
    assert!(day.servers.applied().iter().all(|one| one.server == ServerId(1)));
    fault
}

#[tokio::test(start_paused = true)]
async fn a_group_that_has_other_standbys_or_weights_by_now_is_refused() {
    let fault = refused(|config| config.standbys = 2).await;
    assert!(matches!(fault, Fault::Standbys { stored: 1, given: 2, .. }), "{fault}");
    let fault = refused(|config| config.standby_weight = 3).await;
    assert!(matches!(fault, Fault::Weights { stored: (_, 1), given: (_, 3), .. }), "{fault}");
}
