//! A file of JSON, a line each, that several processes append to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::PortError;

/// Where the file is, and what people call it.
#[derive(Debug)]
pub(super) struct Lines<L> {
    path: PathBuf,
    name: &'static str,
    line: PhantomData<fn() -> L>,
}

/// The file, held against everybody else for as long as this is kept.
pub(super) struct Open<L> {
    file: File,
    name: &'static str,
    lines: Vec<L>,
}

fn failed(name: &str, why: &io::Error) -> PortError {
    PortError::refused(format!("{name}: {why}"))
}

impl<L: Serialize + DeserializeOwned> Lines<L> {
    /// The file at `path`, which errors call `name`. It is made when it is first opened.
    pub const fn new(path: PathBuf, name: &'static str) -> Self {
        Self { path, name, line: PhantomData }
    }

    /// Reads it. What stands after the last line feed was not written to its end, and is cut off.
    pub fn open(&self) -> Result<Open<L>, PortError> {
        let name = self.name;
        let mut text = String::new();
        let file = OpenOptions::new().create(true).read(true).append(true).open(&self.path);
        let mut file = file.map_err(|why| failed(name, &why))?;
        let read = file.lock().and_then(|()| file.read_to_string(&mut text));
        read.map_err(|why| failed(name, &why))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(|why| failed(name, &why))?;
        }
        let lines = text[..whole].lines().enumerate().map(|(index, line)| {
            serde_json::from_str(line).map_err(|why| {
                let number = index + 1;
                PortError::refused(format!("{name}, line {number}: {why}"))
            })
        });
        Ok(Open { lines: lines.collect::<Result<_, _>>()?, file, name })
    }
}

impl<L: Serialize> Open<L> {
    /// All lines, in the order in which they were appended.
    pub fn lines(&self) -> &[L] {
        &self.lines
    }

    /// Appends a line. It is on disk when this returns.
    pub fn append(&mut self, line: L) -> Result<(), PortError> {
        let text = serde_json::to_string(&line).map_err(|why| failed(self.name, &why.into()))?;
        let written = self.file.write_all(format!("{text}\n").as_bytes());
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(|why| failed(self.name, &why))?;
        self.lines.push(line);
        Ok(())
    }
}
