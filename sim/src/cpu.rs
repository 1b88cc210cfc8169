//! Processor sharing over k cores by virtual time: each of n tasks runs at rate min(1, k ÷ n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tidegate_core::oracle::Work;

/// Fractions of a nanosecond of virtual time, so that rounding stays below the clock's.
const SCALE: u64 = 1 << 10;

/// Virtual time at which it is counted anew: 52 days, far from the end of its range.
const REBASE_AT: u64 = 1 << 62;

/// The cores of one server.
///
/// A task's virtual finishing time is fixed when it enters, so entering and leaving cost O(log n).
#[derive(Debug)]
pub struct Cpu {
    cores: u64,
    tasks: BinaryHeap<Reverse<(u64, u32)>>,
    virtual_time: u64,
    updated: u64,
    busy: u64,
    visits: u64,
    begun: u64,
    dropped: u64,
}

impl Cpu {
    /// Idle cores.
    pub fn new(cores: u32) -> Self {
        Self {
            cores: u64::from(cores),
            tasks: BinaryHeap::new(),
            virtual_time: 0,
            updated: 0,
            busy: 0,
            visits: 0,
            begun: 0,
            dropped: 0,
        }
    }

    /// Adds a task with `demand` nanoseconds of work on a core of its own.
    #[expect(clippy::inline_always, reason = "each visit of each scenario comes through here")]
    #[inline(always)]
    pub fn enter(&mut self, now: u64, demand: u64, task: u32) {
        self.advance(now);
        self.visits += 1;
        self.begun += demand;
        if self.tasks.is_empty() {
            self.virtual_time = 0;
        } else if self.virtual_time > REBASE_AT {
            self.rebase();
        }
        self.tasks
            .push(Reverse((self.virtual_time.saturating_add(demand.saturating_mul(SCALE)), task)));
    }

    /// Counts virtual time from the present on, so that cores may stay busy for ever.
    fn rebase(&mut self) {
        let now = std::mem::take(&mut self.virtual_time);
        let tasks = std::mem::take(&mut self.tasks).into_vec();
        let moved = |Reverse((finish, task))| Reverse((finish - now.min(finish), task));
        self.tasks = tasks.into_iter().map(moved).collect();
    }

    /// When the next task finishes, if none enters before.
    #[expect(clippy::inline_always, reason = "each visit of each scenario comes through here")]
    #[inline(always)]
    pub fn next_finish(&self) -> u64 {
        let Some(Reverse((finish, _))) = self.tasks.peek() else { return u64::MAX };
        let left = finish - self.virtual_time.min(*finish);
        if self.cores == 0 {
            return u64::MAX;
        }
        let real = if self.tasks.len() as u64 <= self.cores {
            left.div_ceil(SCALE)
        } else {
            scaled(left, self.tasks.len() as u64, self.cores * SCALE, true)
        };
        self.updated.saturating_add(real)
    }

    /// Takes the task that finishes at `now`, which is [`Cpu::next_finish`].
    #[expect(clippy::inline_always, reason = "each visit of each scenario comes through here")]
    #[inline(always)]
    pub fn finish(&mut self, now: u64) -> Option<u32> {
        self.advance(now);
        let Reverse((finish, task)) = self.tasks.pop()?;
        self.virtual_time = self.virtual_time.max(finish);
        Some(task)
    }

    /// Counts work that was done without a task of its own.
    pub const fn credit(&mut self, work: u64) {
        self.busy += work;
        self.begun += work;
    }

    /// Core-nanoseconds of work done until `now`.
    pub fn busy(&mut self, now: u64) -> u64 {
        self.advance(now);
        self.busy
    }

    /// Cuts a task off at `now`. It is looked for among all, so that nothing else pays for it.
    pub fn remove(&mut self, now: u64, task: u32) {
        self.advance(now);
        let before = self.left();
        self.tasks.retain(|Reverse((_, other))| *other != task);
        self.dropped += before - self.left();
    }

    /// Drops all tasks.
    pub fn clear(&mut self, now: u64) {
        self.advance(now);
        self.dropped += self.left();
        self.tasks.clear();
    }

    /// What became of all that was begun until `now`.
    pub fn work(&mut self, now: u64) -> Work {
        self.advance(now);
        Work {
            cores: self.cores,
            visits: self.visits,
            begun: self.begun,
            done: self.busy,
            left: self.left(),
            dropped: self.dropped,
        }
    }

    /// Work left of the tasks that are here.
    fn left(&self) -> u64 {
        let left = |Reverse((finish, _)): &Reverse<(u64, u32)>| {
            finish.saturating_sub(self.virtual_time) / SCALE
        };
        self.tasks.iter().map(left).sum()
    }

    /// Replaces the cores; the server is idle.
    pub fn resize(&mut self, cores: u32) {
        self.cores = u64::from(cores);
    }

    /// Changes the cores while tasks share them; with none, all tasks stand still.
    pub fn set_cores(&mut self, now: u64, cores: u32) {
        self.advance(now);
        self.resize(cores);
    }

    fn advance(&mut self, now: u64) {
        let passed = now - self.updated;
        self.updated = now;
        let tasks = self.tasks.len() as u64;
        if tasks == 0 || passed == 0 {
            return;
        }
        self.busy += passed * tasks.min(self.cores);
        self.virtual_time += if tasks <= self.cores {
            passed * SCALE
        } else {
            scaled(passed * SCALE, self.cores, tasks, false)
        };
    }
}

/// `value × factor ÷ divisor`, rounded up or down; narrow where the product fits, which is faster.
fn scaled(value: u64, factor: u64, divisor: u64, up: bool) -> u64 {
    if let Some(product) = value.checked_mul(factor) {
        return if up { product.div_ceil(divisor) } else { product / divisor };
    }
    let (product, divisor) = (u128::from(value) * u128::from(factor), u128::from(divisor));
    (if up { product.div_ceil(divisor) } else { product / divisor }) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tasks_on_one_core_take_twice_as_long() {
        let mut cpu = Cpu::new(1);
        cpu.enter(0, 100, 1);
        cpu.enter(0, 100, 2);
        assert_eq!(cpu.next_finish(), 200);
        assert_eq!(cpu.finish(200), Some(1));
        assert_eq!(cpu.next_finish(), 200);
        assert_eq!(cpu.finish(200), Some(2));
        assert_eq!(cpu.busy(300), 200);
    }

    #[test]
    fn cores_that_are_never_idle_go_on_past_the_range_of_virtual_time() {
        let (mut cpu, day) = (Cpu::new(2), 86_400_000_000_000);
        cpu.enter(0, day * 3 / 2, 0);
        for n in 1..400u32 {
            let morning = u64::from(n) * day;
            cpu.enter(morning, day * 3 / 2, n);
            assert_eq!(cpu.next_finish(), morning + day / 2, "day {n}");
            assert_eq!(cpu.finish(morning + day / 2), Some(n - 1), "day {n}");
        }
        let Work { begun, done, left, .. } = cpu.work(400 * day);
        assert_eq!((done + left, left), (begun, day / 2));
    }

    #[test]
    fn what_is_cut_off_leaves_the_cores_to_the_others_at_once() {
        let mut cpu = Cpu::new(1);
        for (task, demand) in [(1, 100), (2, 60), (3, 60)] {
            cpu.enter(0, demand, task);
        }
        cpu.remove(90, 2);
        assert_eq!(cpu.next_finish(), 150);
        assert_eq!(cpu.finish(150), Some(3));
        cpu.remove(150, 9);
        assert_eq!((cpu.next_finish(), cpu.finish(190)), (190, Some(1)));
        let Work { begun, done, left, dropped, .. } = cpu.work(200);
        assert_eq!((begun, done, left, dropped), (220, 190, 0, 30));
    }

    #[test]
    fn tasks_stand_still_without_cores() {
        let mut cpu = Cpu::new(1);
        cpu.enter(0, 100, 1);
        cpu.set_cores(40, 0);
        assert_eq!(cpu.next_finish(), u64::MAX);
        cpu.enter(50, 10, 2);
        cpu.set_cores(1_000, 1);
        assert_eq!(cpu.next_finish(), 1_020);
        assert_eq!((cpu.finish(1_020), cpu.next_finish()), (Some(2), 1_070));
    }

    #[test]
    fn a_short_task_overtakes_a_long_one() {
        let mut cpu = Cpu::new(1);
        cpu.enter(0, 100, 1);
        cpu.enter(50, 10, 2);
        assert_eq!(cpu.next_finish(), 70);
        assert_eq!(cpu.finish(70), Some(2));
        assert_eq!(cpu.next_finish(), 110);
    }
}
