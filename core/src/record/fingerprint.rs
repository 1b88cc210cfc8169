//! The hash of a record: of its journal, of each request's times, and of all that a report reads.

use super::Counts;

/// Hexadecimal digits of a fingerprint.
const DIGITS: usize = 32;

/// A fingerprint under way.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Takes in a line of the journal, with its line feed.
    pub fn line(&mut self, line: &[u8]) {
        self.0.update(line);
    }

    /// With the counts of a run and its record as JSON, in which there is no fingerprint yet.
    pub fn close(mut self, requests: &Counts, record: &[u8]) -> String {
        self.0.update(&requests.digest().to_le_bytes());
        self.0.update(record);
        self.0.finalize().to_hex()[..DIGITS].to_owned()
    }
}
