//! The scaling core of Tidegate: every decision about a group of servers, and nothing else.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async runtime. A host (the
//! simulator, or the live driver) owns time and the world, and speaks to a [`Controller`] so:
//!
//! 1. Call [`Controller::step`] with the present time and one [`Input`].
//! 2. Append the input and the returned [`Step`] to the journal *before* acting on it.
//! 3. Carry out each [`Command`]: it is idempotent under its id, and an executor that has seen a
//!    higher generation for that server refuses it.
//! 4. Report how it went as [`Input::Complete`], in any order, late or twice; it does no harm.
//! 5. Step again at [`Step::wake_at`] at the latest, with [`Input::Wake`], and whenever something
//!    new is known of the world, with [`Input::Observe`].
//! 6. After a crash: [`Controller::restore`] the last snapshot, feed the journal's tail, and step
//!    with [`Input::TakeOver`] and a term that no host had before. That fences the host before, and
//!    issues what was unfinished again under the same ids.
//!
//! What truly happened is told as [`fact::Fact`]s, which the [`oracle`]s judge and the
//! [`billing::Meter`] prices. [`record`] holds the run record, all that a report reads.

pub mod billing;
pub mod command;
pub mod controller;
pub mod decision;
pub mod defect;
pub mod demand;
pub mod explain;
pub mod fact;
pub mod ids;
pub mod journal;
pub mod lifecycle;
pub mod money;
pub mod observation;
pub mod oracle;
pub mod policy;
pub mod record;
pub mod size;
pub mod time;

pub use jiff::tz::TimeZone;

pub use command::{Command, CommandKind, Failure, Outcome, StepName};
pub use controller::{
    Controller, GroupConfig, Input, OperatorRequest, RestoreError, Snapshot, Step,
};
pub use decision::Decision;
pub use defect::{Defect, Defects};
pub use ids::{CommandId, FileId, Generation, JobId, RequestId, RuleId, ScheduleId, ServerId};
pub use money::{Currency, Money};
pub use observation::{Alert, Dated, Health, Observation, Power, Ratio, ServerView};
pub use time::{Span, Timestamp};
