//! Names of things, as small integers.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);
    };
}

id! {
    /// A server of the group. Number 0 is the primary; the standbys follow from 1.
    ServerId(u16)
}
id! {
    /// A command, once issued never issued anew: a retry keeps the id of what it retries.
    CommandId(u64)
}
id! {
    /// The fence of a command: the term of the controller's host in the upper half, and in the
    /// lower how often the server's sequence was begun. A command with a lower one is out of date.
    Generation(u64)
}
id! {
    /// The position of a rule in its policy.
    RuleId(u8)
}
id! {
    /// The position of a schedule in its policy.
    ScheduleId(u8)
}
id! {
    /// A request, numbered by arrival.
    RequestId(u64)
}
id! {
    /// A background job, numbered as it was enqueued.
    JobId(u64)
}
id! {
    /// A file on the shared storage.
    FileId(u32)
}

impl ServerId {
    /// The server that is always on.
    pub const PRIMARY: Self = Self(0);

    /// Whether this is the primary.
    pub const fn is_primary(self) -> bool {
        self.0 == 0
    }

    /// As an index into a table of all servers.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Generation {
    /// Which host in turn issued it, the first one 0.
    pub const fn term(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The same count, by the host of another term.
    #[must_use]
    pub const fn in_term(self, term: u32) -> Self {
        Self((term as u64) << 32 | self.0 & 0xffff_ffff)
    }

    /// Of the sequence that is begun next.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_primary() { f.write_str("primary") } else { write!(f, "standby-{}", self.0) }
    }
}
