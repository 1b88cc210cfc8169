//! `work-conservation`: cores have done what was begun, but for what is left or was dropped.

use super::{Closing, Verdict};
use crate::ids::ServerId;

/// The work of one server's cores, in core-nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Cores.
    pub cores: u64,
    /// Visits to them.
    pub visits: u64,
    /// Of all visits.
    pub begun: u64,
    /// For which cores were busy.
    pub done: u64,
    /// Of visits that go on.
    pub left: u64,
    /// Of visits that were cut off.
    pub dropped: u64,
}

/// Each visit ends on a whole nanosecond, at most one late on each core.
pub(super) fn judge(closing: &Closing<'_>) -> Verdict {
    let mut verdict = Verdict::new("work-conservation");
    for (index, work) in closing.work.iter().enumerate() {
        verdict.checked += work.visits;
        let accounted = work.done + work.left + work.dropped;
        if accounted.abs_diff(work.begun) > work.cores * work.visits {
            let server = ServerId(index as u16);
            verdict.violate(closing.end, || {
                let Work { begun, done, left, dropped, .. } = work;
                format!(
                    "{begun} ns of work were begun on {server}: {done} done, {left} left, \
                     {dropped} dropped"
                )
            });
        }
    }
    verdict
}
