//! What is in flight: requests and jobs in recycled records, linked where order matters.

/// No record.
pub const NONE: u32 = u32::MAX;

/// What a record stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not in use.
    Free,
    /// A request, until its answer.
    Request,
    /// A request whose client was answered with an error while the server still works on it.
    Abandoned,
    /// A background job.
    Job,
}

/// A request or a job in flight.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// What it stands for.
    pub kind: Kind,
    /// Position of its class among all classes, requests first.
    pub class: u16,
    /// The phase that it is in.
    pub phase: u8,
    /// The server that it was sent to, or [`u16::MAX`].
    pub server: u16,
    /// The bench of its site; for a job the kind of worker that runs it.
    pub bench: u16,
    /// The worker that holds it, or [`NONE`].
    pub worker: u32,
    /// Its number as a request or as a job.
    pub id: u64,
    /// Arrival, in nanoseconds from the start of the run.
    pub arrived: u64,
    /// When a worker took it up.
    pub started: u64,
    /// The person who waits for it, or [`NONE`].
    pub user: u32,
    previous: u32,
    next: u32,
}

impl Task {
    /// A task of `kind` and `class` that arrives at `now`.
    pub const fn new(kind: Kind, class: u16, id: u64, now: u64) -> Self {
        Self {
            kind,
            class,
            phase: 0,
            server: u16::MAX,
            bench: 0,
            worker: NONE,
            id,
            arrived: now,
            started: now,
            user: NONE,
            previous: NONE,
            next: NONE,
        }
    }
}

/// Records and the demands of their phases; the requests among them in the order of arrival.
#[derive(Debug)]
pub struct Slab {
    tasks: Vec<Task>,
    demands: Vec<u64>,
    stride: usize,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl Slab {
    /// An empty slab for tasks of at most `stride` phases.
    pub const fn new(stride: usize) -> Self {
        Self {
            tasks: Vec::new(),
            demands: Vec::new(),
            stride,
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
        }
    }

    /// Stores a task.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub fn insert(&mut self, task: Task) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.tasks[slot as usize] = task;
            return slot;
        }
        self.grow(task)
    }

    #[cold]
    fn grow(&mut self, task: Task) -> u32 {
        self.tasks.push(task);
        self.demands.resize(self.demands.len() + self.stride, 0);
        (self.tasks.len() - 1) as u32
    }

    /// Frees a record. It must not be in the line of requests any more.
    pub fn remove(&mut self, slot: u32) {
        self.tasks[slot as usize].kind = Kind::Free;
        self.free.push(slot);
    }

    /// The task.
    pub fn get(&self, slot: u32) -> &Task {
        &self.tasks[slot as usize]
    }

    /// The task, to change.
    pub fn get_mut(&mut self, slot: u32) -> &mut Task {
        &mut self.tasks[slot as usize]
    }

    /// The demands of its phases, in nanoseconds.
    pub fn demands_mut(&mut self, slot: u32) -> &mut [u64] {
        let from = slot as usize * self.stride;
        &mut self.demands[from..from + self.stride]
    }

    /// The demand of one of its phases.
    pub fn demand(&self, slot: u32, phase: u8) -> u64 {
        self.demands[slot as usize * self.stride + usize::from(phase)]
    }

    /// All slots in use whose task is on `server`.
    pub fn on_server(&self, server: u16) -> Vec<u32> {
        let here = |&slot: &u32| {
            let task = self.get(slot);
            task.kind != Kind::Free && task.server == server
        };
        (0..self.tasks.len() as u32).filter(here).collect()
    }

    /// When each request of the line arrived, added up.
    pub fn arrivals(&self) -> u128 {
        let (mut sum, mut slot) = (0, self.oldest);
        while slot != NONE {
            let task = self.get(slot);
            sum += u128::from(task.arrived);
            slot = task.next;
        }
        sum
    }

    /// The request that has waited longest, or [`NONE`].
    pub const fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Puts a request at the end of the line.
    pub fn line_up(&mut self, slot: u32) {
        self.get_mut(slot).previous = self.newest;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.get_mut(newest).next = slot,
        }
        self.newest = slot;
    }

    /// Takes a request out of the line.
    pub fn leave_line(&mut self, slot: u32) {
        let Task { previous, next, .. } = *self.get(slot);
        match previous {
            NONE => self.oldest = next,
            before => self.get_mut(before).next = next,
        }
        match next {
            NONE => self.newest = previous,
            after => self.get_mut(after).previous = previous,
        }
        let task = self.get_mut(slot);
        (task.previous, task.next) = (NONE, NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_keeps_the_order_of_arrival_whoever_leaves() {
        let mut slab = Slab::new(1);
        let slots: Vec<u32> =
            (0..3).map(|id| slab.insert(Task::new(Kind::Request, 0, id, id))).collect();
        for &slot in &slots {
            slab.line_up(slot);
        }
        slab.leave_line(slots[1]);
        assert_eq!(slab.oldest(), slots[0]);
        slab.leave_line(slots[0]);
        assert_eq!(slab.oldest(), slots[2]);
        slab.leave_line(slots[2]);
        assert_eq!(slab.oldest(), NONE);
        slab.remove(slots[0]);
        assert_eq!(slab.insert(Task::new(Kind::Job, 0, 9, 9)), slots[0]);
    }
}
