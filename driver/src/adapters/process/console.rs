//! The management console of a user-mode Linux machine: what a hypervisor's interface is to others.
//!
//! A datagram holds a magic number, a version, a length and a command of at most 512 bytes; the
//! answer an error, whether more follows, a length and a text (`mconsole.h` of the kernel).

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const MAGIC: u32 = 0xcafe_babe;
const VERSION: u32 = 2;
const LONGEST: usize = 512;
const HEAD: usize = 12;
/// Datagrams of an answer, at most.
const PARTS: usize = 64;
/// The kernel answers from an interrupt: one that does not within this is gone, or frozen.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far a machine has come, as its kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its first process runs and has an ear for the power button, as `systemd` has.
    Up,
    /// It boots, and a press of the button would let it start anew.
    Boots,
}

/// How far it has come; an error if it does not answer, for it is frozen.
pub(super) fn progress(console: &Path) -> io::Result<Progress> {
    match ask(console, "proc sys/kernel/ctrl-alt-del") {
        Ok(button) if button.trim() == "0" => Ok(Progress::Up),
        Err(why) if why.kind() == ErrorKind::WouldBlock => Err(why),
        // The kernel is not there yet, or has no files.
        Ok(_) | Err(_) => Ok(Progress::Boots),
    }
}

/// Lets a machine that is up shut itself down: its first process gets a SIGINT and is expected to
/// stop all others and halt.
pub(super) fn shut_down(console: &Path) -> io::Result<()> {
    ask(console, "cad").map(drop)
}

fn ask(console: &Path, command: &str) -> io::Result<String> {
    let own = Own::bind(console)?;
    own.socket.send_to(&request(command), console)?;
    let (mut text, mut bytes) = (String::new(), [0; HEAD + LONGEST]);
    for _ in 0..PARTS {
        let (length, _) = own.socket.recv_from(&mut bytes)?;
        let (part, more) = parse(&bytes[..length])?;
        text.push_str(&part);
        if !more {
            break;
        }
    }
    Ok(text)
}

/// A socket of our own for the answer, which is gone when this is dropped.
struct Own {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Own {
    fn bind(console: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = console.with_file_name(format!("tidegate-{}-{number}", std::process::id()));
        let socket = UnixDatagram::bind(&path)?;
        let own = Self { socket, path };
        own.socket.set_read_timeout(Some(PATIENCE))?;
        own.socket.set_write_timeout(Some(PATIENCE))?;
        Ok(own)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Whoever removed the machine's folder has removed it too.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn request(command: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + LONGEST);
    for number in [MAGIC, VERSION, command.len() as u32] {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.extend(command.as_bytes());
    bytes.resize(HEAD + LONGEST, 0);
    bytes
}

/// A text, and whether more follows.
fn parse(answer: &[u8]) -> io::Result<(String, bool)> {
    let number = |at: usize| {
        let bytes = answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_ne_bytes).ok_or(ErrorKind::InvalidData)
    };
    let (error, more, length) = (number(0)?, number(4)?, number(8)? as usize);
    let text = answer.get(HEAD..).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..length.min(text.len())]);
    let text = text.trim_end_matches('\0').to_owned();
    if error == 0 { Ok((text, more != 0)) } else { Err(io::Error::other(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: u32, text: &str) -> Vec<u8> {
        let head = [error, 0, text.len() as u32].map(u32::to_ne_bytes).concat();
        [head, text.as_bytes().to_vec()].concat()
    }

    #[test]
    fn an_answer_is_a_text_or_an_error() {
        let text = |answer: &[u8]| parse(answer).ok();
        assert_eq!(text(&answer(0, "OK Linux\0")), Some(("OK Linux".to_owned(), false)));
        assert_eq!(parse(&answer(1, "no")).map_err(|why| why.to_string()), Err("no".to_owned()));
        assert!(parse(&[0; 5]).is_err());
        let mut long = answer(0, "ab");
        long[8] = 255;
        long[4] = 1;
        assert_eq!(text(&long), Some(("ab".to_owned(), true)));
        assert_eq!(request("version").len(), HEAD + LONGEST);
    }
}
