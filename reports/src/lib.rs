//! Reports of Tidegate: a run record in, and what people and programs read of it out.
//!
//! A [`RunRecord`](tidegate_core::record::RunRecord) is all that is read, so that a live run gets
//! the same report as a simulated one. No clock is read; only [`write_all`] touches the disk.

mod files;
mod terminal;

pub use files::{WriteError, ledger_csv, run_json, summary_json, timeline_csv, write_all};
pub use terminal::{held, terminal};
