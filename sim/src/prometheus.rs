//! What Prometheus keeps of one target, and what its queries make of that.
//!
//! Times are nanoseconds from the start of the run; what lies before it is negative.

use std::collections::VecDeque;

use tidegate_core::Ratio;

/// A sample, or without a value the mark that the target is gone.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: i64,
    value: Option<Value>,
}

#[derive(Clone, Copy, Debug)]
struct Value {
    /// The counter as it was read.
    idle: u64,
    /// The same, as if it had never been reset.
    raised: u64,
    /// How many samples came before.
    number: u64,
    memory: Ratio,
}

/// How a query looks at the samples.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The moment that it is for.
    pub now: i64,
    /// Samples that are younger are not seen yet.
    pub delay: i64,
    /// How far back it looks: to `now − back`, that moment left out.
    pub back: i64,
}

/// What a counter gains in a unit of time: `part ÷ whole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The last sample that it rests on.
    pub at: i64,
    /// Its numerator.
    pub part: u128,
    /// Its denominator.
    pub whole: u128,
}

/// The samples of a server's idle time and memory.
#[derive(Debug)]
pub struct Target {
    entries: VecDeque<Entry>,
    keep: i64,
}

impl Target {
    /// A target without samples, which are to be kept for so long.
    pub const fn new(keep: i64) -> Self {
        Self { entries: VecDeque::new(), keep }
    }

    /// The target answered. A counter that has fallen was reset in between.
    /// One that is not younger than the last is refused.
    pub fn scrape(&mut self, at: i64, idle: u64, memory: Ratio) {
        if self.entries.back().is_some_and(|last| at <= last.at) {
            return;
        }
        let before = self.entries.iter().rev().find_map(|entry| entry.value);
        let (gained, number) = before.map_or((idle, 0), |before| {
            let since_reset = idle.checked_sub(before.idle).unwrap_or(idle);
            (before.raised + since_reset, before.number + 1)
        });
        self.push(at, Some(Value { idle, raised: gained, number, memory }));
    }

    /// The target is down, or not to be scraped any more.
    pub fn miss(&mut self, at: i64) {
        if self.entries.back().is_some_and(|last| last.value.is_some()) {
            self.push(at, None);
        }
    }

    fn push(&mut self, at: i64, value: Option<Value>) {
        while self.entries.get(1).is_some_and(|second| second.at <= at - self.keep) {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, value });
    }

    /// `rate` of the idle time over the range.
    pub fn rate(&self, query: Query) -> Option<Rate> {
        let Query { now, delay, back: range } = query;
        let end = self.entries.partition_point(|entry| entry.at <= now - delay);
        let start = self.entries.partition_point(|entry| entry.at <= now - range).min(end);
        let value = |entry: &Entry| Some((entry.at, entry.value?));
        let mut samples = self.entries.range(start..end).filter_map(value);
        let first = samples.next()?;
        let last = samples.next_back()?;
        Some(extrapolated(first, last, now, range))
    }

    /// The memory of the last sample that is not too old, unless the target is gone since.
    pub fn memory(&self, query: Query) -> Option<(i64, Ratio)> {
        let end = self.entries.partition_point(|entry| entry.at <= query.now - query.delay);
        let last = self.entries.get(end.checked_sub(1)?)?;
        let value = last.value.filter(|_| last.at > query.now - query.back)?;
        Some((last.at, value.memory))
    }
}

/// The gain between two samples, carried on to both ends of the range where they are nearer than
/// 1.1 times the mean gap between samples, else by half of that gap, and never to before the moment
/// at which the counter would have been zero.
fn extrapolated(first: (i64, Value), last: (i64, Value), now: i64, range: i64) -> Rate {
    let ((from, first), (at, last)) = (first, last);
    let gained = i128::from(last.raised - first.raised);
    let sampled = i128::from(at - from);
    let gaps = i128::from(last.number - first.number);
    let within = |side: i64| {
        let side = i128::from(side);
        if side * 10 * gaps < sampled * 11 { side } else { sampled / (2 * gaps) }
    };
    let (mut before, after) = (within(from - (now - range)), within(now - at));
    if gained > 0 {
        before = before.min(sampled * i128::from(first.idle) / gained);
    }
    let part = gained * (sampled + before + after);
    let whole = sampled * i128::from(range);
    Rate { at, part: part.cast_unsigned(), whole: whole.cast_unsigned() }
}

#[cfg(test)]
mod tests;
