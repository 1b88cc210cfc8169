//! What the event list holds: a kind, and whom it is about.

/// Times that come again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    PhaseDone,
    Timeout,
    Person,
    CronJob,
    Effect,
    Scrape,
    Evaluate,
    Health,
    Interval,
    Resize,
    Resized,
    Operator,
    SlowStart,
    WorkerStarted,
    Flush,
    Notified,
    Overloaded,
    Check,
    CheckTimedOut,
    Connected,
    Granted,
    FlowPhaseDone,
    Snapshot,
    Fsync,
    PutOff,
    Synced,
}

/// By their numbers.
pub(super) const EVENTS: [Event; 26] = [
    Event::PhaseDone,
    Event::Timeout,
    Event::Person,
    Event::CronJob,
    Event::Effect,
    Event::Scrape,
    Event::Evaluate,
    Event::Health,
    Event::Interval,
    Event::Resize,
    Event::Resized,
    Event::Operator,
    Event::SlowStart,
    Event::WorkerStarted,
    Event::Flush,
    Event::Notified,
    Event::Overloaded,
    Event::Check,
    Event::CheckTimedOut,
    Event::Connected,
    Event::Granted,
    Event::FlowPhaseDone,
    Event::Snapshot,
    Event::Fsync,
    Event::PutOff,
    Event::Synced,
];
/// Bits of a payload that say whom an event is about; those above are its number.
pub(super) const INDEX_BITS: u32 = 27;
