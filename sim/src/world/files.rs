//! Files on the shared storage: opened, read, written and closed as NFS does it.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Defect, FileId, ServerId};

use crate::chance::Uniforms;
use crate::cpu::Cpu;
use crate::model::{Model, Place};
use crate::slab::NONE;

use super::hosted::Service;
use super::{World, cumulative, pick};

/// No version of a file.
const NOTHING: u32 = u32::MAX;

/// What a server knows of a file.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The version that its attributes tell of.
    version: u32,
    /// The version whose data it holds, or [`NOTHING`].
    data: u32,
    /// Until when it takes the attributes for valid.
    valid: u64,
}

const UNSEEN: Seen = Seen { version: 0, data: NOTHING, valid: 0 };

/// All files, and which of them each request and job works on.
#[derive(Debug)]
pub(super) struct Files {
    /// Each server has files of its own, which is a defect.
    apart: bool,
    close_to_open: bool,
    attribute_cache: u64,
    /// What the transfers share; a task's work is what its transfer takes alone.
    link: Option<Cpu>,
    /// Of each bench: its first file, and the shares of its sites.
    benches: Vec<(u32, Vec<f64>)>,
    request: Uniforms,
    job: Uniforms,
    /// How often each file was written.
    versions: Vec<u32>,
    /// By server, then by file.
    seen: Vec<Seen>,
    /// By record: the file that it works on, and the version whose data it fetches.
    works: Vec<(u32, u32)>,
}

impl Files {
    pub fn new(model: &Model) -> Option<Self> {
        let files = model.files.as_ref()?;
        let mut count = 0;
        let bench = |shares: &Vec<f64>| {
            let first = count;
            count += shares.len() as u32;
            (first, cumulative(shares.iter().copied()))
        };
        let benches = files.sites.iter().map(bench).collect();
        Some(Self {
            apart: model.group.defects.has(Defect::DiskPerServer),
            close_to_open: files.close_to_open,
            attribute_cache: files.attribute_cache.as_nanos().cast_unsigned(),
            link: files.linked.then(|| Cpu::new(1)),
            benches,
            request: Uniforms::new(model.seed, "request/site"),
            job: Uniforms::new(model.seed, "job/site"),
            versions: vec![0; count as usize],
            seen: vec![UNSEEN; count as usize * model.servers.len()],
            works: Vec::new(),
        })
    }

    /// The file of a request to `bench`.
    pub fn of_bench(&mut self, bench: u16) -> u32 {
        let draw = self.request.draw();
        self.site(usize::from(bench), draw)
    }

    /// The file of a job that no request enqueued.
    pub fn of_clock(&mut self, bench_shares: &[f64]) -> u32 {
        let bench = pick(bench_shares, self.job.draw());
        let draw = self.job.draw();
        self.site(bench, draw)
    }

    fn site(&self, bench: usize, draw: f64) -> u32 {
        let (first, shares) = &self.benches[bench];
        first + shares.partition_point(|&share| share < draw).min(shares.len() - 1) as u32
    }

    /// The record at `slot` works on `file` from now on.
    pub fn assign(&mut self, slot: u32, file: u32) {
        let slot = slot as usize;
        if slot >= self.works.len() {
            self.works.resize(slot + 1, (0, NOTHING));
        }
        self.works[slot] = (file, NOTHING);
    }

    /// The file that the record at `slot` works on.
    pub fn of_record(&self, slot: u32) -> u32 {
        self.works[slot as usize].0
    }

    fn seen(&mut self, server: u16, file: u32) -> &mut Seen {
        &mut self.seen[usize::from(server) * self.versions.len() + file as usize]
    }

    /// A server starts afresh: it holds nothing.
    pub fn forget(&mut self, server: ServerId) {
        let count = self.versions.len();
        self.seen[server.index() * count..][..count].fill(UNSEEN);
    }

    /// Whether an open at `now` has to ask the storage.
    fn must_ask(&mut self, now: u64, server: u16, file: u32) -> bool {
        !self.apart && (self.close_to_open || now >= self.seen(server, file).valid)
    }

    /// A file was opened to be read: the version to be seen, and whether its data are here.
    fn open(&mut self, now: u64, server: u16, slot: u32) -> (u32, bool) {
        let file = self.of_record(slot);
        let (asked, last) = (self.must_ask(now, server, file), self.versions[file as usize]);
        let valid = now.saturating_add(self.attribute_cache);
        let apart = self.apart;
        let seen = self.seen(server, file);
        if !apart && (asked || seen.data != seen.version) {
            (seen.version, seen.valid) = (last, valid);
        }
        let (version, here) = (seen.version, seen.data == seen.version);
        self.works[slot as usize].1 = version;
        (version, here)
    }

    /// The data of a file have come, or have gone.
    fn moved(&mut self, server: u16, slot: u32) {
        let (file, version) = self.works[slot as usize];
        let seen = self.seen(server, file);
        if version == seen.version {
            seen.data = version;
        }
        self.works[slot as usize].1 = NOTHING;
    }

    /// A file that was written is closed; its version from now on.
    fn close(&mut self, now: u64, server: u16, file: u32) -> u32 {
        let version = self.versions[file as usize] + 1;
        self.versions[file as usize] = version;
        let valid = now.saturating_add(self.attribute_cache);
        *self.seen(server, file) = Seen { version, data: version, valid };
        version
    }
}

impl<S: FactSink> World<S> {
    /// The file that a job works on: that of the request that enqueued it, if one did.
    pub(super) fn file_of_job(&mut self, enqueued_by: u32) -> Option<u32> {
        let files = self.files.as_mut()?;
        if enqueued_by == NONE {
            return Some(files.of_clock(&self.choose.bench_weights));
        }
        Some(files.of_record(enqueued_by))
    }

    /// A step of reading or writing a file begins.
    #[inline(never)]
    pub(super) fn file_step(&mut self, place: Place, slot: u32) {
        let (now, server) = (self.now, self.tasks.get(slot).server);
        let Some(files) = &mut self.files else { return };
        let file = files.of_record(slot);
        match place {
            Place::Open if !files.must_ask(now, server, file) => self.next_phase(slot),
            Place::Fetch => self.read(slot, server),
            Place::Transfer => self.transfer(slot, server),
            Place::Close => {
                let version = files.close(now, server, file);
                let (file, server) = (FileId(file), ServerId(server));
                self.tell(Fact::FileWritten { file, version, server });
                self.next_phase(slot);
            }
            Place::Open
            | Place::Commit
            | Place::Cpu
            | Place::Redis
            | Place::Sync
            | Place::Database
            | Place::Miss
            | Place::Nfs
            | Place::Wait => self.visit_storage(slot),
        }
    }

    /// The file is open. Data that the server holds need not be fetched.
    fn read(&mut self, slot: u32, server: u16) {
        let Some(files) = &mut self.files else { return };
        let (version, here) = files.open(self.now, server, slot);
        let file = FileId(files.of_record(slot));
        self.tell(Fact::FileRead { file, version, server: ServerId(server) });
        if here {
            self.tasks.get_mut(slot).phase += 1;
            self.next_phase(slot);
        } else {
            self.visit_storage(slot);
        }
    }

    fn transfer(&mut self, slot: u32, server: u16) {
        let demand = self.tasks.demand(slot, self.tasks.get(slot).phase);
        let Some(files) = &mut self.files else { return };
        if let Some(link) = &mut files.link {
            link.enter(self.now, demand, slot);
            self.link_changed();
        } else {
            files.moved(server, slot);
            self.next_phase(slot);
        }
    }

    fn visit_storage(&mut self, slot: u32) {
        let demand = self.tasks.demand(slot, self.tasks.get(slot).phase);
        match &mut self.nfs {
            Service::Own(station) => {
                let visit = station.enter(self.now, demand);
                self.await_answer(slot, visit);
            }
            Service::Hosted(_) => self.visit(Place::Nfs, slot),
        }
    }

    fn link_changed(&mut self) {
        let link = self.files.as_ref().and_then(|files| files.link.as_ref());
        let next = link.map_or(u64::MAX, Cpu::next_finish);
        self.set_clock(self.link_clock(), next);
    }

    /// The link is done with a transfer, if only for a request or job that was killed.
    pub(super) fn transferred(&mut self) {
        let Some(files) = &mut self.files else { return };
        let done = files.link.as_mut().and_then(|link| link.finish(self.now));
        if let Some(slot) = done {
            let server = self.tasks.get(slot).server;
            if server != u16::MAX {
                files.moved(server, slot);
            }
        }
        self.link_changed();
        if let Some(slot) = done {
            self.phase_done(slot);
        }
    }

    /// The storage goes down or comes back: transfers stand still meanwhile.
    pub(super) fn set_link(&mut self, up: bool) {
        let link = self.files.as_mut().and_then(|files| files.link.as_mut());
        if let Some(link) = link {
            link.set_cores(self.now, u32::from(up));
            self.link_changed();
        }
    }
}
