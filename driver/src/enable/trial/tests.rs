//! Trials that do not come to their end by themselves.

use tidegate_core::Power;

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::Finding;
use crate::fakes::{MemoryStore, VirtualClock};
use crate::ports::Ask;
use crate::store::Place;

const START: Timestamp = Timestamp::from_nanos(1_772_438_400_000_000_000);

struct Mute;

impl Listener for Mute {
    fn tell(&self, _: Timestamp, _: &str, _: &Event<'_>) {}

    fn tell_of_host(&self, _: Timestamp, _: &HostEvent<'_>) {}
}

impl Report for Mute {
    fn ended(&self, _: &str, _: &How) {}

    fn found(&self, _: &Finding) {}
}

/// A group whose standby was set up by nobody yet, and the time.
struct World {
    config: Config,
    place: Place,
    store: MemoryStore,
    clock: VirtualClock,
}

impl World {
    /// With these steps of the policy and these keys of the fake servers.
    fn new(steps: &str, fakes: &str) -> Self {
        let text = format!(
            "look = {{ every = \"10m\", moving = \"10s\", poll = \"1m\" }}\n\
             [policy.steps]\n{steps}\n\
             [[group]]\nname = \"a\"\n[group.ports]\nkind = \"fake\"\n{fakes}\n"
        );
        let config = Config::parse(&text).unwrap();
        let place = Place::File("unused.db".into());
        Self { config, place, store: MemoryStore::default(), clock: VirtualClock::new(START) }
    }

    /// One trial of a host of its own, which ends within so long: why it failed, and whether the
    /// standby is off then.
    async fn tried(&self, within: Span, up_alone: bool) -> (String, bool) {
        let desk = Desk {
            config: &self.config,
            file: &self.config.group[0],
            place: &self.place,
            store: Arc::new(self.store.clone()),
            clock: Arc::new(self.clock.clone()),
            report: Arc::new(Mute),
        };
        let trial = Trial::start(&desk, false).await.unwrap();
        let work = async {
            let up = trial.up().await;
            let down = trial.down().await;
            if up_alone { up } else { up.and(down) }
        };
        let tried = tokio::select! {
            ended = trial.alongside(work) => ended.unwrap_err().to_string(),
            () = self.clock.run_until(self.clock.now() + within) => panic!("it has no end"),
        };
        let (now, deadline) = (self.clock.now(), self.clock.now() + Span::from_secs(1));
        let power = trial.provider.power(Ask { now, deadline }).await.unwrap();
        (tried, power[1].power.value == Power::Off)
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_rests_for_longer_than_a_first_fault_lets_it_is_not_waited_for() {
    let steps = "start = { deadline = \"5m\", attempts = 1 }\nfault_backoff = \"2d\"";
    let world = World::new(steps, "boot = \"1h\"");
    let within = Span::from_hours(3 * 24);
    for _ in 0..2 {
        let (why, is_off) = world.tried(within, true).await;
        assert!(why.starts_with("failed to bring standby-1 up: "), "{why}");
        assert!(!why.contains("rests") && is_off, "{why}");
    }
    let (why, is_off) = world.tried(within, true).await;
    let rests = "it still rests from faults before: try again later";
    assert!(why.starts_with("failed to bring standby-1 up: after 2d 1h 42m"), "{why}");
    assert!(why.contains(rests) && is_off, "{why}");
}

#[tokio::test(start_paused = true)]
async fn jobs_that_do_not_end_are_waited_for_as_long_as_the_steps_allow() {
    let world = World::new("quiesce = { deadline = \"1h\" }", "jobs = \"300d\"");
    let (why, is_off) = world.tried(Span::from_hours(24), false).await;
    assert!(why.starts_with("failed to bring standby-1 down: after 1h 43m"), "{why}");
    assert!(why.contains("it has jobs that run") && !is_off, "{why}");
}
