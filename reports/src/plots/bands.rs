//! When faults were on, as bands behind what a plot shows.

use plotters::style::{Color, RGBAColor, RGBColor};
use tidegate_core::Timestamp;
use tidegate_core::record::{FaultSpan, RunRecord};

use super::axis::Axis;
use crate::format::count;

/// Kinds with a colour of their own; the others share one.
const COLOURS: [RGBColor; 5] = [
    RGBColor(220, 50, 47),
    RGBColor(230, 190, 0),
    RGBColor(42, 161, 152),
    RGBColor(211, 54, 130),
    RGBColor(108, 113, 196),
];
const OTHERS: RGBColor = RGBColor(120, 124, 130);
const OPACITY: f64 = 0.3;
/// The least width of a band, as a share of the axis: what befalls one command takes no time.
const THINNEST: f64 = 1.0 / 400.0;

/// A stretch of time in which faults of a kind were on, in seconds since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its colour.
    pub colour: RGBAColor,
    /// Its beginning.
    pub from: f64,
    /// Its end.
    pub to: f64,
}

/// The bands of all faults, and the entries of the legend.
pub fn bands(record: &RunRecord) -> (Vec<Band>, Vec<(String, RGBAColor)>) {
    let spans = &record.faults.spans;
    let mut kinds: Vec<&str> = Vec::new();
    for span in spans {
        if !kinds.contains(&span.kind.as_str()) {
            kinds.push(&span.kind);
        }
    }
    let named = if kinds.len() > COLOURS.len() { COLOURS.len() - 1 } else { kinds.len() };
    let (named, others) = kinds.split_at(named);
    let mut legend: Vec<_> = named.iter().map(|kind| format!("fault: {kind}")).collect();
    if !others.is_empty() {
        legend.push(format!("fault: {} other kinds", others.len()));
    }
    let mut bands = Vec::new();
    for (kind, colour) in named.iter().zip(COLOURS) {
        let of = |span: &&FaultSpan| span.kind == *kind;
        bands.extend(together(record, spans.iter().filter(of), colour.mix(OPACITY)));
    }
    let of = |span: &&FaultSpan| others.contains(&span.kind.as_str());
    bands.extend(together(record, spans.iter().filter(of), OTHERS.mix(OPACITY)));
    let colours = COLOURS.into_iter().take(named.len()).chain([OTHERS]);
    let colours = colours.map(|colour| colour.mix(OPACITY));
    let mut legend: Vec<_> = legend.into_iter().zip(colours).collect();
    if record.faults.more > 0 {
        let more = format!("{} more not shown", count(record.faults.more));
        legend.push((more, OTHERS.mix(0.0)));
    }
    (bands, legend)
}

/// Times that cannot be told apart on the axis make one band.
fn together<'a>(
    record: &RunRecord,
    spans: impl Iterator<Item = &'a FaultSpan>,
    colour: RGBAColor,
) -> Vec<Band> {
    let length = Axis::time(record).to;
    let thinnest = length * THINNEST;
    let at = |moment: Timestamp| moment.since(record.start).as_secs_f64().clamp(0.0, length);
    let mut bands: Vec<Band> = Vec::new();
    for span in spans {
        let from = at(span.from).min(length - thinnest);
        let to = at(span.to).max(from + thinnest);
        match bands.last_mut() {
            Some(last) if from <= last.to => last.to = last.to.max(to),
            Some(_) | None => bands.push(Band { colour, from, to }),
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn each_kind_has_its_entry_and_times_that_touch_are_one_band() {
        let (bands, legend) = bands(&fixture::faulty());
        let names: Vec<_> = legend.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["fault: cut", "fault: command-lost", "1,234 more not shown"]);
        let minutes = |band: &Band| [band.from / 60.0, band.to / 60.0];
        let places: Vec<_> = bands.iter().map(minutes).collect();
        assert_eq!(places, [[60.0, 90.0], [200.0, 240.0], [700.0, 703.6]]);
        assert!(bands[0].colour == bands[1].colour && bands[1].colour != bands[2].colour);
    }

    #[test]
    fn many_kinds_share_a_colour_and_all_is_drawn_within_the_axis() {
        let mut record = fixture::faulty();
        let span = record.faults.spans[0].clone();
        let one = |number: i64| FaultSpan {
            kind: format!("kind-{number}"),
            from: Timestamp::from_nanos(i64::MIN),
            to: Timestamp::MAX,
            ..span.clone()
        };
        record.faults.more = 0;
        record.faults.spans = (0..42).map(one).collect();
        let (bands, legend) = bands(&record);
        assert_eq!(legend.len(), 5);
        assert_eq!(legend[4].0, "fault: 38 other kinds");
        assert_eq!(bands.len(), 5);
        let ends = |band: &Band| (band.from, band.to);
        assert!(bands.iter().all(|band| ends(band) == (0.0, 86_400.0)), "{bands:?}");
    }
}
