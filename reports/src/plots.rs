//! The plots of a run as SVG.

mod axis;
mod bands;
mod chart;
mod curves;
mod lanes;

use tidegate_core::record::RunRecord;

/// Why a plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the plot `{plot}` could not be drawn: {reason}")]
pub struct PlotError {
    /// Which plot.
    pub plot: &'static str,
    /// What the drawing library says.
    pub reason: String,
}

/// Draws each plot: its name, which is its file's name without `.svg`, and the SVG.
///
/// The plots are `load`, `utilization`, `latency`, `servers` and `cost`; a record without data
/// gives empty axes. Where faults were on, a band in each plot says which.
pub fn plots(record: &RunRecord) -> Result<Vec<(&'static str, String)>, PlotError> {
    let drawn: [(&'static str, chart::Chart); 5] = [
        ("load", curves::load(record)),
        ("utilization", curves::utilization(record)),
        ("latency", curves::latency(record)),
        ("servers", servers(record)),
        ("cost", curves::cost(record)),
    ];
    let (bands, legend) = bands::bands(record);
    let draw = |(plot, mut chart): (&'static str, chart::Chart)| {
        chart.bands.clone_from(&bands);
        chart.swatches.extend(legend.iter().cloned());
        let svg = chart.draw().map_err(|reason| PlotError { plot, reason })?;
        Ok((plot, svg))
    };
    drawn.into_iter().map(draw).collect()
}

/// Each server in a lane of its own, or how many of a fleet's there are.
fn servers(record: &RunRecord) -> chart::Chart {
    match record.summary.fleet {
        None => lanes::servers(record),
        Some(_) => curves::servers(record),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::record::TimelineRow;
    use tidegate_core::{Span, Timestamp};

    use super::*;
    use crate::fixture;

    #[test]
    fn two_calls_give_the_same_bytes() {
        let record = fixture::record();
        assert_eq!(plots(&record).expect("draws"), plots(&record).expect("draws"));
    }

    #[test]
    fn faults_are_bands_in_every_plot_and_without_any_nothing_changes() {
        let (plain, faulty) = (fixture::record(), fixture::faulty());
        let [plain, faulty] = [plain, faulty].map(|record| plots(&record).expect("draws"));
        for ((name, without), (_, with)) in plain.iter().zip(&faulty) {
            assert!(!without.contains("fault: "), "{name}");
            assert!(with.contains("fault: cut") && with.contains("fault: command-lost"), "{name}");
            let see_through = |svg: &str| svg.matches("opacity=\"0.3\"").count();
            assert_eq!(see_through(with) - see_through(without), 5, "{name}");
        }
    }

    #[test]
    fn degenerate_records_are_drawn() {
        let mut one = fixture::empty();
        one.timeline.rows = vec![TimelineRow { at: one.start, ..TimelineRow::default() }];
        let mut odd = fixture::record();
        for (number, row) in odd.timeline.rows.iter_mut().enumerate() {
            row.p50_ms = Some(f64::NAN);
            row.p95_ms = (number % 2 == 0).then_some(f64::INFINITY);
            row.p99_ms = Some(0.0);
            row.capacity_per_second = f64::NEG_INFINITY;
            row.cpu = None;
        }
        let mut backwards = fixture::record();
        std::mem::swap(&mut backwards.start, &mut backwards.end);
        let mut endless = fixture::record();
        endless.end = Timestamp::MAX;
        endless.timeline.interval = Span::MAX;
        for record in [fixture::empty(), one, odd, backwards, endless] {
            for (name, svg) in plots(&record).expect("draws") {
                assert!(svg.contains("</svg>"), "{name}");
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
            }
        }
    }
}
