//! Decisions, their reasons and why requests failed, in words.

use tidegate_core::fact::FailureCause;

pub use tidegate_core::explain::words::{
    decision, flip, metric, rule, source, verdict, veto, vote,
};

/// Why requests failed, in words.
pub const fn failure(cause: FailureCause) -> &'static str {
    match cause {
        FailureCause::QueueFull => "queue full (503)",
        FailureCause::NoServer => "no server (503)",
        FailureCause::Refused => "refused (502)",
        FailureCause::Killed => "server went away (502)",
        FailureCause::OutOfMemory => "out of memory (502)",
        FailureCause::Overloaded => "database, Redis or storage overloaded (500)",
        FailureCause::TimedOut => "timed out (504)",
        FailureCause::RedisFull => "Redis full (500)",
        FailureCause::Unreachable => "server unreachable (502)",
        FailureCause::Unavailable => "shared service unavailable (500)",
    }
}
