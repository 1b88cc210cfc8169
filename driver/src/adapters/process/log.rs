//! The file of what was started and stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tidegate_core::{Generation, ServerId, Timestamp};

use super::group::Group;
use crate::ports::{Order, PortError};

/// What became of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Event {
    On,
    Stopping,
    Off,
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub server: ServerId,
    pub event: Event,
    pub at: Timestamp,
    /// Of the order that it goes back to.
    pub generation: Generation,
    pub group: Group,
}

pub(super) struct Log(PathBuf);

/// The file, held against everybody else for as long as this is kept.
pub(super) struct Open {
    file: File,
    lines: Vec<Line>,
}

fn failed(why: &io::Error) -> PortError {
    PortError::refused(format!("the file of processes: {why}"))
}

impl Log {
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads it. What stands after the last line feed was not written to its end, and is cut off.
    pub fn open(&self) -> Result<Open, PortError> {
        let mut text = String::new();
        let file = OpenOptions::new().create(true).read(true).append(true).open(&self.0);
        let mut file = file.map_err(|why| failed(&why))?;
        file.lock().and_then(|()| file.read_to_string(&mut text)).map_err(|why| failed(&why))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(|why| failed(&why))?;
        }
        let lines = text[..whole].lines().enumerate().map(|(index, line)| {
            serde_json::from_str(line).map_err(|why| {
                let number = index + 1;
                PortError::refused(format!("the file of processes, line {number}: {why}"))
            })
        });
        Ok(Open { lines: lines.collect::<Result<_, _>>()?, file })
    }
}

impl Open {
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub fn last(&self, server: ServerId) -> Option<Line> {
        self.lines.iter().rfind(|line| line.server == server).copied()
    }

    /// Lets an order through, unless one of a higher generation had an effect before.
    pub fn enter(&self, order: &Order) -> Result<(), PortError> {
        let ours = self.lines.iter().filter(|line| line.server == order.server);
        if ours.map(|line| line.generation).max() > Some(order.generation) {
            return Err(PortError::fenced("a later order came before"));
        }
        Ok(())
    }

    /// Appends a line. It is on disk when this returns.
    pub fn append(&mut self, line: Line) -> Result<(), PortError> {
        let text = serde_json::to_string(&line).map_err(|why| failed(&why.into()))?;
        let written = self.file.write_all(format!("{text}\n").as_bytes());
        written.and_then(|()| self.file.sync_data()).map_err(|why| failed(&why))?;
        self.lines.push(line);
        Ok(())
    }
}
