//! The management console of the machine, which is to user-mode Linux what a hypervisor is to
//! others: a datagram with a magic number, a version, a length and a command, and an answer that
//! begins with an error (`mconsole.h` of the kernel).

use std::io::{Error, Result};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

const MAGIC: u32 = 0xcafe_babe;
const VERSION: u32 = 2;
const LONGEST: usize = 512;
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells it a command; `own` is where the answer comes.
pub(super) fn tell(console: &Path, own: &Path, command: &str) -> Result<()> {
    let _ = std::fs::remove_file(own);
    let socket = UnixDatagram::bind(own)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(&request(command), console)?;
    let mut error = [0; 4];
    socket.recv(&mut error)?;
    if error == [0; 4] { Ok(()) } else { Err(Error::other("it refuses")) }
}

fn request(command: &str) -> Vec<u8> {
    let head = [MAGIC, VERSION, command.len() as u32].map(u32::to_ne_bytes).concat();
    let mut bytes = [head, command.as_bytes().to_vec()].concat();
    bytes.resize(3 * size_of::<u32>() + LONGEST, 0);
    bytes
}
