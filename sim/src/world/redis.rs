//! What Redis keeps in memory: objects that are read through it, what requests write, and jobs.

use std::collections::VecDeque;

use tidegate_core::JobId;
use tidegate_core::fact::{Fact, FactSink};

use crate::chance::Uniforms;
use crate::lru::Lru;
use crate::model::{Eviction, Model, Store as Config};

use super::World;
use super::hosted::Service;

/// Parts of its time to live within which what a kind of request writes is kept as one.
const PARTS: u64 = 256;
/// The least share of all objects that is evicted at once, as one in so many.
const AT_ONCE: u64 = 64;

/// When something was used last.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// So many objects had been read by then.
    reads: u64,
    at: u64,
}

/// What was written within a part of its time to live.
#[derive(Clone, Copy, Debug)]
struct Written {
    used: Used,
    expires: u64,
    bytes: u64,
}

/// What is evicted next.
enum Victim {
    Object,
    Written(usize),
    Job(usize),
}

/// The memory of Redis.
#[derive(Debug)]
pub(super) struct Store {
    config: Config,
    lru: Option<Lru>,
    hit: Uniforms,
    objects: u64,
    /// Objects that were read so far.
    reads: u64,
    /// By kind of request.
    written: Vec<VecDeque<Written>>,
    written_bytes: u64,
    job_bytes: u64,
    /// By record: when its job was enqueued.
    enqueued: Vec<Used>,
}

impl Store {
    /// With as many of the objects as there is memory for.
    pub fn new(model: &Model) -> Option<Self> {
        let config = model.store?;
        let cache = config.cache;
        Some(Self {
            config,
            lru: cache.map(|objects| Lru::new(objects.count, objects.skew)),
            hit: Uniforms::new(model.seed, "redis/hit"),
            objects: cache.map_or(0, |all| u64::from(all.count).min(config.limit / all.size)),
            reads: 0,
            written: vec![VecDeque::new(); model.requests.len()],
            written_bytes: 0,
            job_bytes: 0,
            enqueued: Vec::new(),
        })
    }

    fn object_size(&self) -> u64 {
        self.config.cache.map_or(1, |objects| objects.size)
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.objects * self.object_size() + self.written_bytes + self.job_bytes
    }

    /// Reads an object; whether it was there.
    fn read(&mut self) -> bool {
        self.reads += 1;
        let ratio = self.lru.as_ref().map_or(0.0, |lru| lru.hits(self.objects));
        self.hit.draw() <= ratio
    }

    /// Whether there are objects that it does not hold.
    fn lacks_objects(&self) -> bool {
        self.config.cache.is_some_and(|all| self.objects < u64::from(all.count))
    }

    fn expire(&mut self, now: u64) {
        for written in &mut self.written {
            while let Some(first) = written.front().filter(|first| first.expires <= now) {
                self.written_bytes -= first.bytes;
                written.pop_front();
            }
        }
    }

    /// A request of `class` writes `bytes`, which expire after `ttl`.
    fn write(&mut self, now: u64, class: usize, bytes: u64, ttl: u64) {
        let part = (ttl / PARTS).max(1);
        let expires = (now / part + 1).saturating_mul(part).saturating_add(ttl);
        self.written_bytes += bytes;
        let used = Used { reads: self.reads, at: now };
        match self.written[class].back_mut() {
            Some(last) if last.expires == expires => last.bytes += bytes,
            _ => self.written[class].push_back(Written { used, expires, bytes }),
        }
    }

    /// It lost what it kept; a cache of objects fills again as they are read.
    pub fn clear(&mut self) {
        self.objects = 0;
        self.written.iter_mut().for_each(VecDeque::clear);
        self.written_bytes = 0;
    }

    /// How much must go before `bytes` more fit in.
    fn excess(&self, bytes: u64) -> u64 {
        self.used().saturating_add(bytes).saturating_sub(self.config.limit)
    }

    /// The least recently used of what may be evicted; `waiting` are the oldest jobs of the queues.
    fn victim(&self, waiting: [Option<u32>; 3]) -> Option<Victim> {
        if self.config.eviction == Eviction::None {
            return None;
        }
        let jobs = waiting
            .into_iter()
            .enumerate()
            .filter(|_| self.config.eviction == Eviction::AllKeysLru)
            .filter_map(|(queue, slot)| Some((self.enqueued[slot? as usize], Victim::Job(queue))));
        let written =
            self.written.iter().enumerate().filter_map(|(class, written)| {
                Some((written.front()?.used, Victim::Written(class)))
            });
        let oldest = jobs.chain(written).min_by_key(|(used, _)| (used.at, used.reads));
        let age = self.lru.as_ref().map_or(0.0, |lru| lru.age(self.objects));
        match oldest {
            Some((used, victim)) if self.objects == 0 || (self.reads - used.reads) as f64 > age => {
                Some(victim)
            }
            _ if self.objects > 0 => Some(Victim::Object),
            _ => None,
        }
    }

    fn evict_objects(&mut self, excess: u64) {
        let wanted = excess.div_ceil(self.object_size());
        self.objects -= wanted.min((self.objects / AT_ONCE).max(1));
    }

    fn evict_written(&mut self, class: usize, excess: u64) {
        let Some(first) = self.written[class].front_mut() else { return };
        let bytes = first.bytes.min(excess);
        first.bytes -= bytes;
        self.written_bytes -= bytes;
        if first.bytes == 0 {
            self.written[class].pop_front();
        }
    }
}

impl<S: FactSink> World<S> {
    /// A request reads an object: the database is visited if Redis has not got it, and it is kept
    /// if there is room for it.
    #[inline(never)]
    pub(super) fn miss_step(&mut self, slot: u32) {
        if self.store.as_mut().is_none_or(Store::read) {
            return self.next_phase(slot);
        }
        let demand = self.tasks.demand(slot, self.tasks.get(slot).phase);
        let visit = self.database.enter(self.now, demand);
        self.await_answer(slot, visit);
        if visit.is_err() {
            return;
        }
        let size = self.store.as_ref().map_or(0, Store::object_size);
        if self.store.as_ref().is_some_and(Store::lacks_objects) && self.make_room(size) {
            self.stored(|store| store.objects += 1);
        }
    }

    /// A request of `class` leaves behind what it writes and the job that it enqueues; `false` if
    /// Redis refused one of them.
    #[inline(never)]
    pub(super) fn keep(&mut self, class: u16, job: Option<usize>) -> bool {
        let (now, class) = (self.now, usize::from(class));
        if let Some(write) = self.model.requests[class].writes {
            if !self.make_room(write.size) {
                return false;
            }
            let ttl = write.ttl.as_nanos().cast_unsigned();
            self.stored(|store| store.write(now, class, write.size, ttl));
        }
        job.is_none_or(|job| self.admit_job(job))
    }

    /// Whether Redis takes a job; it has its memory from now on.
    pub(super) fn admit_job(&mut self, job: usize) -> bool {
        let payload = self.model.jobs[job].payload;
        let admitted = self.store.is_none() || self.make_room(payload);
        if admitted {
            self.stored(|store| store.job_bytes += payload);
        }
        admitted
    }

    /// A job was enqueued as the record at `slot`.
    pub(super) fn job_stored(&mut self, slot: u32) {
        let now = self.now;
        let Some(store) = &mut self.store else { return };
        let slot = slot as usize;
        if slot >= store.enqueued.len() {
            store.enqueued.resize(slot + 1, Used::default());
        }
        store.enqueued[slot] = Used { reads: store.reads, at: now };
    }

    /// A job of `class` is done or gone.
    pub(super) fn job_forgotten(&mut self, class: u16) {
        let payload = self.model.jobs[usize::from(class) - self.model.requests.len()].payload;
        self.stored(|store| store.job_bytes -= payload);
    }

    /// Changes what is stored, which takes memory of the primary if Redis is there.
    pub(super) fn stored(&mut self, change: impl FnOnce(&mut Store)) {
        let Some(store) = &mut self.store else { return };
        change(store);
        if matches!(self.redis, Service::Hosted(_)) {
            self.servers[0].memory_hosted = store.used();
        }
    }

    /// Whether `bytes` more fit in, after the policy has evicted what it may.
    #[inline(never)]
    fn make_room(&mut self, bytes: u64) -> bool {
        let now = self.now;
        self.stored(|store| store.expire(now));
        loop {
            let waiting = [0, 1, 2].map(|queue: usize| self.queues[queue].front().copied());
            let Some(store) = &mut self.store else { return true };
            let excess = store.excess(bytes);
            if excess == 0 {
                return true;
            } else if bytes > store.config.limit {
                return false;
            }
            match store.victim(waiting) {
                Some(Victim::Object) => store.evict_objects(excess),
                Some(Victim::Written(class)) => store.evict_written(class, excess),
                Some(Victim::Job(queue)) => {
                    self.drop_job(queue, |job| Fact::JobEvicted { job });
                }
                None => return false,
            }
        }
    }

    /// The oldest job of a queue is gone, if there is one, and `told` is what is told of it.
    pub(super) fn drop_job(&mut self, queue: usize, told: impl FnOnce(JobId) -> Fact) -> bool {
        let Some(slot) = self.queues[queue].pop_front() else { return false };
        let task = *self.tasks.get(slot);
        self.tasks.remove(slot);
        self.job_forgotten(task.class);
        self.tell(told(JobId(task.id)));
        true
    }
}
