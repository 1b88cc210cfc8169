//! Takes down when faults were on.

use tidegate_core::Timestamp;
use tidegate_core::record::{FaultSpan, Faults};

use crate::model::{Model, Onset};

/// Times that are kept; from there on, of each fault that has not been on yet, its first.
const KEPT: usize = 200;

/// The times at which faults were on, as they begin and end.
#[derive(Debug, Default)]
pub(super) struct FaultLog {
    kept: Faults,
    /// Those kept that are on.
    open: Vec<usize>,
}

impl FaultLog {
    /// A fault begins.
    pub fn begins(&mut self, at: Timestamp, fault: u16) {
        let spans = &mut self.kept.spans;
        if spans.len() >= KEPT && spans.iter().any(|one| one.fault == fault) {
            self.kept.more += 1;
            return;
        }
        self.open.push(spans.len());
        spans.push(FaultSpan { fault, kind: String::new(), server: None, from: at, to: at });
    }

    /// A fault ends; if it is on several times, the time that began first does.
    pub fn ends(&mut self, at: Timestamp, fault: u16) {
        let spans = &mut self.kept.spans;
        if let Some(place) = self.open.iter().position(|open| spans[*open].fault == fault) {
            spans[self.open.remove(place)].to = at;
        }
    }

    /// All of them at the end of a run of `model`.
    pub fn close(mut self, end: Timestamp, model: &Model) -> Faults {
        for open in self.open {
            self.kept.spans[open].to = end;
        }
        for span in &mut self.kept.spans {
            let injection = &model.faults[usize::from(span.fault)];
            injection.kind.name().clone_into(&mut span.kind);
            span.server = injection.server;
        }
        self.kept
    }
}

/// The faults that befall every group of a fleet at the same time.
pub(crate) fn common_faults(model: &Model) -> Faults {
    let mut turns = Vec::new();
    for (fault, injection) in model.faults.iter().enumerate() {
        if let Onset::At(at) = injection.onset
            && at < model.duration
        {
            let end = (at + injection.length).min(model.duration);
            turns.push((model.start + at, true, fault as u16));
            turns.push((model.start + end, false, fault as u16));
        }
    }
    turns.sort_by_key(|turn| turn.0);
    let mut log = FaultLog::default();
    for (at, begins, fault) in turns {
        if begins {
            log.begins(at, fault);
        } else {
            log.ends(at, fault);
        }
    }
    log.close(model.start + model.duration, model)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_fault_that_is_on_twice_ends_in_the_order_in_which_it_began() {
        let mut log = FaultLog::default();
        for (at, fault) in [(1, 0), (2, 0), (3, 1)] {
            log.begins(second(at), fault);
        }
        log.ends(second(5), 0);
        log.ends(second(6), 0);
        let spans: Vec<_> =
            log.kept.spans.iter().map(|one| (one.fault, one.from, one.to)).collect();
        let expected = [(0, 1, 5), (0, 2, 6), (1, 3, 3)];
        assert_eq!(spans, expected.map(|(fault, from, to)| (fault, second(from), second(to))));
        assert_eq!(log.open, [2]);
    }

    #[test]
    fn however_often_a_fault_comes_few_of_its_times_are_kept_and_every_fault_is_seen() {
        let mut log = FaultLog::default();
        for turn in 0..10_000 {
            log.begins(second(2 * turn), 0);
            log.ends(second(2 * turn + 1), 0);
        }
        log.begins(second(30_000), 7);
        assert_eq!((log.kept.spans.len(), log.kept.more), (KEPT + 1, 10_000 - KEPT as u64));
        assert_eq!(log.kept.spans[KEPT].fault, 7);
        assert!(log.kept.spans[..KEPT].iter().all(|one| one.to > one.from));
    }
}
