//! One chart: a title and a legend above, curves and bars below.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::series::DashedLineSeries;

use super::axis::Axis;
use super::bands::Band;

const WIDTH: u32 = 900;
const HEADER: u32 = 34;
/// Height of a line of the legend, and width of the sample before each of its entries.
const LINE: i32 = 18;
const SAMPLE: i32 = 26;
const INK: RGBColor = RGBColor(40, 44, 50);
const GRID: RGBColor = RGBColor(225, 228, 232);

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A line of this width.
    Solid(u32),
    /// Dashes of this length.
    Dashed(u32),
}

/// A curve in pieces, with gaps between them.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Its name in the legend; none if it is empty.
    pub label: String,
    /// Its colour.
    pub colour: RGBColor,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Its pieces.
    pub pieces: Vec<Vec<(f64, f64)>>,
}

/// A filled rectangle: from its lower left to its upper right corner.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Its colour.
    pub colour: RGBColor,
    /// Lower left.
    pub from: (f64, f64),
    /// Upper right.
    pub to: (f64, f64),
}

/// All that is drawn.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// Height in pixels.
    pub height: u32,
    /// Room for the labels of the vertical axis, in pixels.
    pub margin: u32,
    /// The time.
    pub x: Axis,
    /// The values.
    pub y: Axis,
    /// The bands, behind all else.
    pub bands: Vec<Band>,
    /// The bars, below the curves.
    pub bars: Vec<Bar>,
    /// The curves, in the order in which they are drawn.
    pub curves: Vec<Curve>,
    /// Entries of the legend without a curve.
    pub swatches: Vec<(String, RGBAColor)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn text<E: std::fmt::Display>(error: E) -> String {
    error.to_string()
}

impl Chart {
    /// The chart as SVG, or what the drawing library says.
    pub fn draw(&self) -> Result<String, String> {
        let mut svg = String::new();
        let places = self.places();
        let more = places.last().map_or(0, |place| (place.1 - 12) as u32);
        {
            let root =
                SVGBackend::with_string(&mut svg, (WIDTH, self.height + more)).into_drawing_area();
            root.fill(&WHITE).map_err(text)?;
            let (header, body) = root.split_vertically(HEADER + more);
            self.draw_header(&header, &places)?;
            self.draw_body(&body)?;
            root.present().map_err(text)?;
        }
        let label = format!("<svg role=\"img\" aria-label=\"{}\" ", self.title);
        Ok(svg.replacen("<svg ", &label, 1))
    }

    fn legend(&self) -> impl Iterator<Item = &str> {
        let named = self.curves.iter().map(|curve| curve.label.as_str());
        let named = named.filter(|label| !label.is_empty());
        named.chain(self.swatches.iter().map(|swatch| swatch.0.as_str()))
    }

    /// Where the entries of the legend stand, on as many lines as they need.
    fn places(&self) -> Vec<(i32, i32)> {
        let left = 32 + self.title.chars().count() as i32 * 9;
        let (mut x, mut y) = (left, 12);
        let mut places = Vec::new();
        for label in self.legend() {
            let width = SAMPLE + 6 + label_width(label);
            if x > left && x + width > WIDTH as i32 {
                (x, y) = (left, y + LINE);
            }
            places.push((x, y));
            x += width;
        }
        places
    }

    fn draw_header(&self, header: &Area<'_>, places: &[(i32, i32)]) -> Result<(), String> {
        let title = ("sans-serif", 16).into_font().style(FontStyle::Bold).color(&INK);
        header.draw(&Text::new(self.title.clone(), (12, 10), title)).map_err(text)?;
        let small = ("sans-serif", 13).into_font().color(&INK);
        for (label, (x, y)) in self.legend().zip(places) {
            let at = (x + SAMPLE + 6, *y);
            header.draw(&Text::new(label.to_owned(), at, small.clone())).map_err(text)?;
        }
        let named: Vec<_> = self.curves.iter().filter(|curve| !curve.label.is_empty()).collect();
        for (curve, place) in named.iter().zip(places) {
            draw_sample(header, curve, *place)?;
        }
        for ((_, colour), (x, y)) in self.swatches.iter().zip(places.iter().skip(named.len())) {
            let corners = [(x + SAMPLE - 14, *y), (x + SAMPLE, y + 12)];
            header.draw(&Rectangle::new(corners, colour.filled())).map_err(text)?;
        }
        Ok(())
    }

    fn draw_body(&self, body: &Area<'_>) -> Result<(), String> {
        let mut plane = ChartBuilder::on(body)
            .margin_right(24)
            .margin_top(6)
            .x_label_area_size(30)
            .y_label_area_size(self.margin)
            .build_cartesian_2d(self.x.from..self.x.to, self.y.from..self.y.to)
            .map_err(text)?;
        let (low, high) = (self.y.from, self.y.to);
        let band =
            |one: &Band| Rectangle::new([(one.from, low), (one.to, high)], one.colour.filled());
        plane.draw_series(self.bands.iter().map(band)).map_err(text)?;
        self.draw_grid(&plane, body)?;
        let bars =
            self.bars.iter().map(|bar| Rectangle::new([bar.from, bar.to], bar.colour.filled()));
        plane.draw_series(bars).map_err(text)?;
        for curve in &self.curves {
            draw_curve(&mut plane, curve)?;
        }
        Ok(())
    }

    fn draw_grid(&self, plane: &Plane<'_, '_>, body: &Area<'_>) -> Result<(), String> {
        use plotters::style::text_anchor::{HPos, Pos, VPos};
        let area = plane.plotting_area();
        let corner = body.get_base_pixel();
        let local = |at: (i32, i32)| (at.0 - corner.0, at.1 - corner.1);
        let font = ("sans-serif", 13).into_font().color(&INK);
        let below = font.clone().pos(Pos::new(HPos::Center, VPos::Top));
        let beside = font.pos(Pos::new(HPos::Right, VPos::Center));
        for (at, label) in &self.x.ticks {
            let line = vec![(*at, self.y.from), (*at, self.y.to)];
            area.draw(&PathElement::new(line, GRID)).map_err(text)?;
            let (x, y) = local(area.map_coordinate(&(*at, self.y.from)));
            body.draw(&Text::new(label.clone(), (x, y + 8), below.clone())).map_err(text)?;
        }
        for (at, label) in &self.y.ticks {
            if !label.is_empty() {
                let (x, y) = local(area.map_coordinate(&(self.x.from, *at)));
                body.draw(&Text::new(label.clone(), (x - 8, y), beside.clone())).map_err(text)?;
            }
            let line = vec![(self.x.from, *at), (self.x.to, *at)];
            area.draw(&PathElement::new(line, GRID)).map_err(text)?;
        }
        let base = vec![(self.x.from, self.y.from), (self.x.to, self.y.from)];
        area.draw(&PathElement::new(base, INK)).map_err(text)
    }
}

/// A piece of the curve as it is drawn, for the legend.
fn draw_sample(header: &Area<'_>, curve: &Curve, (x, y): (i32, i32)) -> Result<(), String> {
    let (dash, width) = match curve.stroke {
        Stroke::Solid(width) => (SAMPLE, width.max(2)),
        Stroke::Dashed(dash) => (dash as i32, 2),
    };
    for from in (0..SAMPLE).step_by(dash as usize + 4) {
        let ends = vec![(x + from, y + 6), (x + (from + dash).min(SAMPLE), y + 6)];
        let style = curve.colour.stroke_width(width);
        header.draw(&PathElement::new(ends, style)).map_err(text)?;
    }
    Ok(())
}

fn label_width(label: &str) -> i32 {
    14 + label.chars().count() as i32 * 7
}

fn draw_curve(plane: &mut Plane<'_, '_>, curve: &Curve) -> Result<(), String> {
    for piece in &curve.pieces {
        if let [alone] = piece[..] {
            let dot = Circle::new(alone, 2, curve.colour.filled());
            plane.draw_series([dot]).map_err(text)?;
            continue;
        }
        let points = piece.iter().copied();
        match curve.stroke {
            Stroke::Solid(width) => {
                let style = curve.colour.stroke_width(width);
                plane.draw_series(LineSeries::new(points, style)).map_err(text)?;
            }
            Stroke::Dashed(dash) => {
                let style = curve.colour.stroke_width(2);
                let dashed = DashedLineSeries::new(points, dash, 4, style);
                plane.draw_series(dashed).map_err(text)?;
            }
        }
    }
    Ok(())
}
