//! One group of fake servers, a database, and hosts that share both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use async_trait::async_trait;
use tidegate_core::journal::Entry;
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::Policy;
use tidegate_core::{
    CommandId, Controller, GroupConfig, Input, ServerId, Span, StepName, Timestamp,
};
use tidegate_driver::fakes::{FakeGroup, Times};
use tidegate_driver::live::{Control, TurnError, host};
use tidegate_driver::ports::{
    Accepted, Ask, Order, PortError, Ports, PowerChange, PowerState, Provider,
};
use tidegate_driver::runtime::{Event, Group, HostEvent, Limits, Listener, Mode, Setup};
use tidegate_driver::store::Place;
use tidegate_driver::words;
use tokio::task::JoinHandle;

use crate::support::{clock, eventually};

pub const LEASE: Span = Span::from_secs(3);
const GROUP: &str = "group";
const STANDBY: ServerId = ServerId(1);

/// A database, and a group whose standby is asked for at once.
pub struct Scene {
    place: Place,
    pub servers: Arc<FakeGroup>,
    provider: Arc<Ordered>,
}

/// A provider that knows which orders reached it, whatever became of them.
struct Ordered {
    servers: Arc<FakeGroup>,
    terms: Mutex<Vec<u32>>,
}

#[async_trait]
impl Provider for Ordered {
    async fn power(&self, ask: Ask) -> Result<Vec<PowerState>, PortError> {
        self.servers.power(ask).await
    }

    async fn power_on(&self, order: Order) -> Result<Accepted, PortError> {
        self.terms.lock().unwrap().push(order.generation.term());
        self.servers.power_on(order).await
    }

    async fn power_off(&self, order: Order) -> Result<Accepted, PortError> {
        self.servers.power_off(order).await
    }

    async fn changes(&self, since: Timestamp, ask: Ask) -> Result<Vec<PowerChange>, PortError> {
        self.servers.changes(since, ask).await
    }
}

/// A host under way.
pub struct Hosted {
    pub control: Control,
    told: Arc<Told>,
    task: JoinHandle<Result<(), TurnError>>,
}

/// What a host was heard to say. The first step with a command may hold it up.
#[derive(Default)]
struct Told {
    lines: Mutex<Vec<String>>,
    hold_up: Option<(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>)>,
    held_up: AtomicBool,
}

impl Told {
    fn contains(&self, part: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|line| line.contains(part))
    }
}

impl Listener for Told {
    fn tell(&self, _: Timestamp, _: &str, event: &Event<'_>) {
        let Some((reached, go_on)) = &self.hold_up else { return };
        let orders = matches!(event, Event::Stepped { step, .. } if !step.commands.is_empty());
        if orders && !self.held_up.swap(true, Ordering::Relaxed) {
            reached.send(()).unwrap();
            go_on.lock().unwrap().recv().unwrap();
        }
    }

    fn tell_of_host(&self, _: Timestamp, event: &HostEvent<'_>) {
        self.lines.lock().unwrap().push(words::of_host(event));
    }
}

impl Hosted {
    pub fn told(&self, part: &str) -> bool {
        self.told.contains(part)
    }

    /// Ends it without a word.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub async fn stop(self) {
        self.control.stop();
        self.task.await.unwrap().unwrap();
    }
}

impl Scene {
    pub fn new(place: Place) -> Self {
        let brief = Span::from_millis(50);
        let boot = Span::from_millis(1_500);
        let times = Times {
            boot,
            services: brief,
            requests: brief,
            jobs: brief,
            stop: brief,
            answer: brief,
        };
        let servers = Arc::new(FakeGroup::new(clock(), 1, times));
        let terms = Mutex::default();
        let provider = Arc::new(Ordered { servers: Arc::clone(&servers), terms });
        Self { place, servers, provider }
    }

    async fn setup(place: &Place, told: &Arc<Told>) -> Setup {
        let brief = Span::from_millis(100);
        let limits = Limits { look: brief, look_moving: brief, poll: brief, ..Limits::default() };
        let store = place.open(None).await.unwrap();
        Setup { store, clock: clock(), listener: told.clone(), limits, mode: Mode::Act }
    }

    fn group(&self) -> Group {
        let policy = Policy { min_standbys: 1, ..Policy::default() };
        let config = GroupConfig {
            standbys: 1,
            primary_weight: 1,
            standby_weight: 1,
            policy,
            defects: tidegate_core::Defects::default(),
        };
        let ports = FakeGroup::ports(&self.servers);
        let ports = Ports { provider: self.provider.clone(), ..ports };
        Group { name: GROUP.to_owned(), config, ports }
    }

    pub async fn host(&self) -> Hosted {
        let (control, told) = (Control::default(), Arc::new(Told::default()));
        let (setup, group) = (Self::setup(&self.place, &told).await, self.group());
        let theirs = control.clone();
        let task = tokio::spawn(async move { host(&setup, &[group], &theirs).await });
        Hosted { control, told, task }
    }

    /// Whether the standby serves, as this host knows it.
    pub async fn serves(&self, host: &Hosted) -> Option<()> {
        let status = host.control.groups().await.ok()?.status(GROUP).await.ok()?;
        status.stages.contains(&(STANDBY, Stage::Serving)).then_some(())
    }

    /// The terms in which a machine was ordered to start.
    pub fn terms_of_starts(&self) -> Vec<u32> {
        self.provider.terms.lock().unwrap().clone()
    }

    pub async fn journal(&self) -> Vec<Entry> {
        let lines = self.place.read().await.unwrap().journal(GROUP, 1).await.unwrap();
        lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// The standby was started once, under the same ids whatever happened to hosts, one host acted
    /// at a time, and nothing is left under way.
    pub async fn came_to_its_end(&self) {
        let applied = self.servers.applied();
        let effects: BTreeMap<_, _> = applied.iter().map(|one| (one.id, one.step)).collect();
        let steps = [StepName::PowerOn, StepName::StartServices, StepName::Join];
        assert_eq!(effects, (0..).map(CommandId).zip(steps).collect());
        assert_eq!(self.servers.harm(), Vec::<String>::new());
        let journal = self.journal().await;
        self.had_one_writer(&journal);
        let store = self.place.read().await.unwrap();
        let stored = store.load(GROUP).await.unwrap().unwrap();
        assert_eq!(stored.tail.len(), 0, "a host that stops leaves a checkpoint");
        let controller = Controller::restore(stored.checkpoint.snapshot).unwrap();
        assert_eq!(controller.stage(STANDBY), Stage::Serving);
        assert_eq!(controller.unfinished().count(), 0);
    }

    fn had_one_writer(&self, journal: &[Entry]) {
        let mut before = 0;
        for entry in journal {
            if let Input::TakeOver { term } = entry.input {
                assert!(term > before, "terms rise");
                before = term;
            }
            let terms = entry.commands.iter().map(|command| command.generation.term());
            assert!(terms.into_iter().all(|term| term == before), "{entry:?}");
        }
        let writers = self.servers.one_writer(journal).unwrap();
        assert!(writers.checked >= 3, "the commands were judged");
        assert_eq!(writers.violated, 0);
    }
}

/// A host on a thread of its own, which stands still, with all that it consists of, between a
/// decision that is on disk and the first order that follows from it.
pub struct Frost {
    control: Control,
    told: Arc<Told>,
    reached: Mutex<mpsc::Receiver<()>>,
    go_on: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Result<(), TurnError>>,
}

impl Frost {
    pub fn over(scene: &Scene) -> Self {
        let (reach, reached) = mpsc::channel();
        let (go_on, gone_on) = mpsc::channel();
        let hold_up = Some((reach, Mutex::new(gone_on)));
        let told = Arc::new(Told { hold_up, ..Told::default() });
        let control = Control::default();
        let (place, group) = (scene.place.clone(), scene.group());
        let (theirs, listener) = (control.clone(), Arc::clone(&told));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let setup = Scene::setup(&place, &listener).await;
                host(&setup, &[group], &theirs).await
            })
        });
        Self { control, told, reached: Mutex::new(reached), go_on, thread }
    }

    /// It stands still.
    pub async fn fallen(&self) {
        let reached = async || self.reached.lock().unwrap().try_recv().ok();
        eventually("it stands still", reached).await;
    }

    pub fn thaw(&self) {
        self.go_on.send(()).unwrap();
    }

    pub fn told(&self, part: &str) -> bool {
        self.told.contains(part)
    }

    pub async fn stop(self) {
        self.control.stop();
        tokio::task::spawn_blocking(|| self.thread.join()).await.unwrap().unwrap().unwrap();
    }

    /// Whether the standby serves, as it knows.
    pub async fn serves(&self) -> Option<()> {
        let status = self.control.groups().await.ok()?.status(GROUP).await.ok()?;
        status.stages.contains(&(STANDBY, Stage::Serving)).then_some(())
    }
}
