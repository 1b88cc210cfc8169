//! The run in equal intervals.

use tidegate_core::record::TimelineRow;
use tidegate_core::{Ratio, Span};

use super::Run;
use crate::world::mean_cpu_seconds;

/// At most 1,440 intervals of whole tens of seconds.
pub(super) fn length(duration: Span) -> Span {
    let tens = duration.as_secs_ceil().div_euclid(14_400) + 1;
    Span::from_secs(tens * 10)
}

impl Run<'_> {
    pub(super) fn interval(&mut self) {
        let now = self.now();
        let (mut done, mut available, mut capacity) = (0u128, 0u128, 0.0);
        let length = self.timeline.interval.as_nanos().cast_unsigned();
        let mean = mean_cpu_seconds(self.model).max(1e-9);
        for (index, (busy, cores, receives)) in self.world.busy().into_iter().enumerate() {
            if receives {
                done += u128::from(busy - self.busy[index]);
                available += u128::from(length) * u128::from(cores);
                capacity += f64::from(cores) / mean;
            }
            self.busy[index] = busy;
        }
        let (serving, powered) = self.world.counts();
        let row = TimelineRow {
            at: now,
            in_flight: self.world.in_flight(),
            jobs_pending: self.world.jobs_pending(),
            cpu: (available > 0).then(|| Ratio::of(done, available).min(Ratio::ONE)),
            memory: self.world.memory(),
            serving,
            powered,
            wanted: self.last.as_ref().map_or(1, |decision| decision.wanted),
            capacity_per_second: capacity,
            cost: self.world.sink.meter.total(now),
            ..self.world.sink.collector.take_interval()
        };
        self.timeline.rows.push(row);
    }
}
