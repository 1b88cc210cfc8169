//! The reports of Tidegate: everything that a person or a tool reads about a run.
//!
//! The contract: a report is a pure function of a [`RunRecord`](tidegate_core::record::RunRecord).
//! The same record gives the same bytes, a record without any data gives an empty report instead
//! of an error, and nothing written to files holds a wall-clock figure. Those figures, a
//! [`Simulation`](tidegate_core::record::Simulation), appear only in what goes to a terminal or a
//! pipe: [`terminal`] and [`run_json`].

mod figures;
#[cfg(test)]
mod fixture;
mod format;
mod html;
mod json;
mod plots;
mod seeds;
mod tables;
mod terminal;
mod verdict;
pub mod words;
mod write;

pub use html::{HtmlError, html};
pub use json::{run_json, summary_json};
pub use plots::{PlotError, plots};
pub use seeds::{Estimate, all_passed, estimates, seeds_csv, seeds_json, seeds_text};
pub use tables::{TableError, groups_csv, ledger_csv, timeline_csv};
pub use terminal::{Style, terminal};
pub use verdict::passed;
pub use write::{WriteError, write_all, write_fleet};
