//! A group whose standby is asked for once and released again, and the hosts it is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tidegate_core::journal::Entry;
use tidegate_core::policy::Policy;
use tidegate_core::{Defects, GroupConfig, Span, Timestamp};
use tidegate_driver::clock::Clock;
use tidegate_driver::fakes::{FakeGroup, MemoryStore, Times, VirtualClock};
use tidegate_driver::ports::Ports;
use tidegate_driver::runtime::{Deaf, Group, Host, Limits, Mode, Setup};
use tidegate_driver::store::{Asked, Checkpoint, Mark, Past, Record, Store, StoreError, Stored};
use tokio::sync::Notify;

pub const GROUP: &str = "group";

const POLICY: &str = r#"
    stabilization.down = "1m"
    [[schedule]]
    servers = 2
    from = "2026-03-02T08:01[UTC]"
    until = "2026-03-02T08:05[UTC]"
"#;

/// 2026-03-02T08:00Z.
const START: Timestamp = Timestamp::from_nanos(1_772_438_400_000_000_000);

pub fn config(policy: &str) -> GroupConfig {
    let policy: Policy = toml::from_str(policy).unwrap();
    policy.check(1).unwrap();
    let defects = Defects::default();
    GroupConfig { standbys: 1, primary_weight: 1, standby_weight: 1, policy, defects }
}

/// So many minutes after the day's start.
pub fn minute(minutes: i64) -> Timestamp {
    START + Span::from_mins(minutes)
}

/// One group, what it is kept in, and the time.
pub struct Day {
    pub clock: VirtualClock,
    pub store: Arc<dyn Store>,
    pub servers: Arc<FakeGroup>,
    pub mode: Mode,
    pub policy: String,
}

impl Day {
    pub fn new() -> Self {
        Self::stored_in(Arc::new(MemoryStore::default()))
    }

    pub fn stored_in(store: Arc<dyn Store>) -> Self {
        let clock = VirtualClock::new(START);
        let servers = FakeGroup::new(Arc::new(clock.clone()), 1, Times::default());
        let (mode, policy) = (Mode::Act, POLICY.to_owned());
        Self { clock, store, servers: Arc::new(servers), mode, policy }
    }

    pub async fn host(&self, store: Arc<dyn Store>) -> Host {
        self.host_of(store, config(&self.policy), FakeGroup::ports(&self.servers)).await
    }

    /// One that is configured so, with this behind its ports.
    pub async fn host_of(&self, store: Arc<dyn Store>, config: GroupConfig, ports: Ports) -> Host {
        let setup = Setup {
            store,
            clock: Arc::new(self.clock.clone()),
            listener: Arc::new(Deaf),
            limits: Limits::default(),
            mode: self.mode,
        };
        let group = Group { name: GROUP.to_owned(), config, ports };
        Host::start(&setup, vec![group]).await.unwrap()
    }

    /// A host until then, which is stopped.
    pub async fn hosted_until(&self, until: Timestamp) {
        let host = self.host(self.store.clone()).await;
        let handle = host.handle();
        let time = async {
            self.clock.run_until(until).await;
            handle.stop();
        };
        let (ended, ()) = tokio::join!(host.run(), time);
        ended.unwrap();
    }

    /// So much time without a host.
    pub async fn unattended(&self, length: Span) {
        self.clock.run_until(self.clock.now() + length).await;
    }

    pub async fn journal(&self) -> Vec<Entry> {
        let lines = self.store.journal(GROUP, 1).await.unwrap();
        lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

/// A store whose host dies at one of its writes.
pub struct Deadly {
    store: Arc<dyn Store>,
    at: usize,
    written: bool,
    writes: AtomicUsize,
    died: Notify,
}

impl Deadly {
    /// The host dies at write number `at`, from 1 on, which is done or not by then.
    pub fn new(store: Arc<dyn Store>, at: usize, written: bool) -> Self {
        Self { store, at, written, writes: AtomicUsize::new(0), died: Notify::new() }
    }

    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    pub async fn died(&self) {
        self.died.notified().await;
    }

    async fn write<F: Future<Output = Result<(), StoreError>>>(
        &self,
        write: F,
    ) -> Result<(), StoreError> {
        if self.writes.fetch_add(1, Ordering::Relaxed) + 1 < self.at {
            return write.await;
        }
        if self.written {
            write.await?;
        }
        self.died.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Store for Deadly {
    async fn begin_term(&self) -> Result<u32, StoreError> {
        self.store.begin_term().await
    }

    async fn load(&self, group: &str) -> Result<Option<Stored>, StoreError> {
        self.store.load(group).await
    }

    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError> {
        self.write(self.store.append(term, group, record)).await
    }

    async fn checkpoint(
        &self,
        term: u32,
        group: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.write(self.store.checkpoint(term, group, checkpoint)).await
    }

    async fn journal(&self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.journal(group, from).await
    }

    async fn past(&self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError> {
        self.store.past(group, since).await
    }

    async fn asked(&self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        self.store.asked(group, most).await
    }

    async fn marks(&self, group: &str) -> Result<Vec<Mark>, StoreError> {
        self.store.marks(group).await
    }

    async fn mark(&self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError> {
        self.write(self.store.mark(term, group, marks)).await
    }
}
