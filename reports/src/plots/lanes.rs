//! The plot of the servers: one lane each, coloured by stage.

use plotters::style::{Color, RGBColor};
use tidegate_core::ServerId;
use tidegate_core::lifecycle::Stage;
use tidegate_core::record::{RunRecord, StageSpan};

use super::axis::Axis;
use super::chart::{Bar, Chart};

const LANE: u32 = 34;
const AROUND: u32 = 76;

/// Which server was in which stage. A stage has its height as well as its colour: what serves is
/// high, what has no power is a thin line.
pub fn servers(record: &RunRecord) -> Chart {
    let lanes = lanes(record);
    let number = lanes.len().max(1);
    let middle = |lane: usize| (number - lane) as f64 - 0.5;
    let ticks = lanes.iter().enumerate().map(|(lane, id)| (middle(lane), id.to_string()));
    let y = Axis { from: 0.0, to: number as f64, ticks: ticks.collect() };
    let length = record.end.since(record.start).as_secs_f64();
    let bar = |span: &StageSpan| {
        let lane = lanes.iter().position(|id| *id == span.server)?;
        let (colour, height) = look(span.stage);
        let at =
            |moment: tidegate_core::Timestamp| moment.since(record.start).as_secs_f64().min(length);
        let (low, high) = (middle(lane) - height / 2.0, middle(lane) + height / 2.0);
        Some(Bar { colour, from: (at(span.from), low), to: (at(span.to), high) })
    };
    let seen = |stage: &Stage| record.stages.iter().any(|span| span.stage == *stage);
    let swatch = |stage: Stage| (stage.name().to_owned(), look(stage).0.to_rgba());
    Chart {
        title: "Servers".to_owned(),
        height: (AROUND + LANE * number as u32).max(160),
        margin: 90,
        x: Axis::time(record),
        y,
        bands: Vec::new(),
        bars: record.stages.iter().filter_map(bar).collect(),
        curves: Vec::new(),
        swatches: Stage::ALL.into_iter().filter(seen).map(swatch).collect(),
    }
}

fn lanes(record: &RunRecord) -> Vec<ServerId> {
    let listed = record.servers.iter().map(|info| info.server);
    let mut lanes: Vec<_> = listed.chain(record.stages.iter().map(|span| span.server)).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

const fn look(stage: Stage) -> (RGBColor, f64) {
    match stage {
        Stage::Standby => (RGBColor(170, 175, 182), 0.08),
        Stage::Starting => (RGBColor(240, 228, 66), 0.4),
        Stage::Warming => (RGBColor(230, 159, 0), 0.5),
        Stage::Joining => (RGBColor(86, 180, 233), 0.6),
        Stage::Serving => (RGBColor(0, 114, 178), 0.75),
        Stage::Draining => (RGBColor(0, 158, 115), 0.6),
        Stage::Quiescing => (RGBColor(204, 121, 167), 0.5),
        Stage::Stopping => (RGBColor(110, 84, 148), 0.4),
        Stage::Faulted => (RGBColor(190, 40, 20), 0.25),
    }
}
