//! How much of the stack is real.

use clap::ValueEnum;

use super::tell::word;

/// What the standby is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Tier {
    /// A namespace with control groups.
    #[default]
    Plain,
    /// A virtual machine with a kernel of its own.
    Vm,
}

impl Tier {
    /// Its name, as it is given.
    pub fn word(self) -> String {
        word(&self)
    }
}
