//! Loads as they are written, and what they come to.

mod trace;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

use super::length::Length;
use crate::model::Piece;

pub use trace::trace;

/// A source of requests. Rates are in requests a second, times from the start of the run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoadFile {
    /// The same rate throughout, or from `from` for `for`.
    Constant {
        /// The rate.
        rate: f64,
        /// Start. Default 0s.
        #[serde(default)]
        from: Span,
        /// Length. Default: to the end.
        #[serde(rename = "for")]
        length: Option<Span>,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// Straight lines between points of time and rate.
    Curve {
        /// The points, in the order of time.
        points: Vec<(Span, f64)>,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// Monday to Friday: a ramp from 8 to 10, a dip at 13, a ramp down from 17 to 19 o'clock.
    BusinessHours {
        /// Rate at the busiest.
        peak: f64,
        /// Rate at night and on other days.
        base: f64,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// A base rate with one peak.
    FlashSale {
        /// Rate before and after.
        base: f64,
        /// Rate at the peak.
        peak: f64,
        /// When it begins to rise.
        at: Span,
        /// How long it rises.
        rise: Span,
        /// How long it stays.
        hold: Span,
        /// How long it falls.
        decay: Span,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// A population that logs in, works with think time, and submits at the end.
    Exam {
        /// People.
        users: u32,
        /// When the first may log in.
        opens: Span,
        /// Time within which all log in.
        login_within: Span,
        /// Time from opening to the end.
        length: Span,
        /// Time before the end within which all submit.
        submit_within: Span,
        /// Think time.
        think: Length,
        /// Kind of the login.
        login: String,
        /// Kind of the work.
        work: String,
        /// Kind of the submission.
        submit: String,
        /// Tries after a failure. Default 3.
        retries: Option<u8>,
        /// Wait before the first retry. Default 2s.
        backoff: Option<Span>,
        /// Factor on the number of people. Default 1.
        scale: Option<f64>,
    },
    /// A trace: any CSV of a time or seconds column and a count column whose header names the unit.
    Trace {
        /// The file, relative to the scenario.
        file: String,
        /// Whether each row brings exactly its count. Default false.
        #[serde(default)]
        exact: bool,
        /// Factor on all counts. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
}

/// Straight lines through points.
pub fn curve(points: &[(Span, f64)], scale: f64) -> Vec<Piece> {
    let piece = |pair: &[(Span, f64)]| Piece {
        from: pair[0].0,
        to: pair[1].0,
        rate_from: pair[0].1 * scale,
        rate_to: pair[1].1 * scale,
    };
    points.windows(2).filter(|pair| pair[0].0 < pair[1].0).map(piece).collect()
}
