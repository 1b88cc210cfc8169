//! A CSV file that a scenario names, and where in it something is wrong.

use std::path::Path;

use super::{Fault, Place};

/// The text of a CSV file.
#[derive(Debug)]
pub(super) struct Table {
    file: String,
    text: String,
}

impl Table {
    /// Reads a file; `what` it is is told if it cannot be read.
    pub fn read(path: &Path, what: &str) -> Result<Self, Fault> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { file, text }),
            Err(why) => {
                let message = format!("the {what} {file} cannot be read: {why}");
                Err(Fault { path: Vec::new(), message, hint: None, elsewhere: None })
            }
        }
    }

    /// A table of this text, as if it lay in `file`.
    #[cfg(test)]
    pub fn of(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned() }
    }

    /// A reader of its rows, which trims its cells.
    pub fn reader(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(self.text.as_bytes())
    }

    /// A fault of the whole file, shown at its first line.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        let end = self.text.find('\n').unwrap_or(self.text.len());
        self.at(0..end, message.into())
    }

    /// A fault of a row, or of one of its cells.
    pub fn fault_in(
        &self,
        row: &csv::StringRecord,
        cell: Option<usize>,
        message: impl Into<String>,
    ) -> Fault {
        let start = row.position().map_or(0, |position| position.byte() as usize);
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.trim_start_matches(['\r', '\n']);
        let start = start + rest.len() - line.len();
        let length = line.find('\n').unwrap_or(line.len());
        let line = line[..length].trim_end();
        let found = cell.and_then(|cell| row.get(cell)).filter(|text| !text.is_empty());
        let span = match found.and_then(|text| Some((line.find(text)?, text.len()))) {
            Some((offset, length)) => start + offset..start + offset + length,
            None => start..start + line.len(),
        };
        self.at(span, message.into())
    }

    /// What the CSV reader itself refuses.
    pub fn broken(&self, why: &csv::Error) -> Fault {
        match why.position() {
            Some(position) => {
                let mut row = csv::StringRecord::new();
                row.set_position(Some(position.clone()));
                self.fault_in(&row, None, why.to_string())
            }
            None => self.fault(why.to_string()),
        }
    }

    fn at(&self, span: std::ops::Range<usize>, message: String) -> Fault {
        let place = Place { file: self.file.clone(), text: self.text.clone(), span: Some(span) };
        Fault { path: Vec::new(), message, hint: None, elsewhere: Some(Box::new(place)) }
    }
}
