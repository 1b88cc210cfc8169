//! What the bench was asked for.

use crate::contests::NAMES;
use crate::peer::Peer;

#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Contests to hold; all, if none is named.
    pub names: Vec<String>,
    pub quick: bool,
    pub peers: Vec<Peer>,
}

impl Arguments {
    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(word) = given.next() {
            match word.as_str() {
                // Cargo says that this is a bench.
                "--bench" => {}
                "--quick" => arguments.quick = true,
                "--peer" => arguments.peers.push(Peer::read(&mut given)?),
                name if NAMES.contains(&name) => arguments.names.push(word),
                _ => {
                    let names = NAMES.join(", ");
                    return Err(format!("`{word}` is neither --quick nor one of {names}"));
                }
            }
        }
        Ok(arguments)
    }

    pub const fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|other| other == name)
    }
}
