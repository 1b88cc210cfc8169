//! The run in equal intervals.

use tidegate_core::Span;
use tidegate_core::record::TimelineRow;

use super::Run;
use super::intervals::Use;

/// At most 1,440 intervals of whole tens of seconds.
pub(super) fn length(duration: Span) -> Span {
    let tens = duration.as_secs_ceil().div_euclid(14_400) + 1;
    Span::from_secs(tens * 10)
}

impl Run<'_> {
    pub(super) fn interval(&mut self) {
        let now = self.now();
        let before = self.timeline.rows.last().map_or(self.model.start, |row| row.at);
        let length = now.since(before).as_nanos().cast_unsigned();
        let (mut used, mut serving_cores) = (Use::default(), 0);
        for (index, (busy, cores, receives)) in self.world.busy().into_iter().enumerate() {
            if receives {
                used.done += u128::from(busy - self.busy[index]);
                used.available += u128::from(length) * u128::from(cores);
                serving_cores += cores;
            }
            self.worked += u128::from(busy - self.busy[index]);
            self.busy[index] = busy;
        }
        let (serving, powered) = self.world.counts();
        let row = TimelineRow {
            at: now,
            in_flight: self.world.in_flight(),
            jobs_pending: self.world.jobs_pending(),
            cpu: used.share(),
            memory: self.world.memory(),
            serving: serving.into(),
            powered: powered.into(),
            wanted: self.wanted.into(),
            capacity_per_second: f64::from(serving_cores),
            cost: self.world.sink.meter.total(now),
            ..self.world.sink.counts.interval()
        };
        let latency = self.world.sink.counts.interval_latency();
        if let Some(together) = &self.together {
            together.add(self.timeline.rows.len(), &row, used, latency);
        }
        self.world.sink.counts.begin_interval();
        self.timeline.rows.push(row);
    }

    /// From the cores of each row to the requests a second that they could serve, by what the run's
    /// requests cost on average, with the jobs that they left.
    pub(super) fn close_timeline(&mut self, served: u64) {
        let work = self.worked as f64 / 1e9;
        let per_core = if work > 0.0 { served as f64 / work } else { 0.0 };
        for row in &mut self.timeline.rows {
            row.capacity_per_second *= per_core;
        }
    }
}
