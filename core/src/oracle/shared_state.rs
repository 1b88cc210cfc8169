//! `shared-state`: what one server wrote and closed, every server reads that opens it afterwards.

use super::Verdict;
use crate::fact::Fact;
use crate::ids::FileId;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(super) struct SharedState {
    /// The last version of each file, by its number.
    written: Vec<u32>,
    verdict: Verdict,
}

impl SharedState {
    pub const fn new() -> Self {
        Self { written: Vec::new(), verdict: Verdict::new("shared-state") }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        if let Fact::FileWritten { file, version, .. } = fact {
            self.written(file, version);
        } else if let Fact::FileRead { file, version, server } = fact {
            self.verdict.checked += 1;
            let last = self.written.get(file.0 as usize).copied().unwrap_or(0);
            if version < last {
                self.verdict.violate(at, || {
                    format!("{server} read version {version} of file {}, not {last}", file.0)
                });
            }
        }
    }

    fn written(&mut self, file: FileId, version: u32) {
        let file = file.0 as usize;
        if file >= self.written.len() {
            self.written.resize(file + 1, 0);
        }
        self.written[file] = self.written[file].max(version);
    }

    pub const fn verdict(&mut self) -> &mut Verdict {
        &mut self.verdict
    }

    /// Nothing is said where no file was read.
    pub fn close(self) -> Option<Verdict> {
        (self.verdict.checked > 0).then_some(self.verdict)
    }
}
