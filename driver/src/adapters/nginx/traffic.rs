//! Requests by server, counted from an access log of their own as it grows.
//!
//! It is read from where it ended when it was first looked at. One that was moved away is read on
//! until the next one is, since workers write to it until they are told to open a new one. What is
//! kept is bounded, and so is what is read at a time: the rest comes with the next look.

use std::fs::{File, Metadata};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use tidegate_core::ServerId;

use crate::ports::Traffic;

/// What the log's format must be: who was tried, what came of it, and when an answer began.
pub(super) const FORMAT: &str = "$upstream_addr|$upstream_status|$upstream_header_time";

/// More than any line, and the most that is read in one go and at one look.
const CHUNK: usize = 64 << 10;
const CHUNKS_A_LOOK: usize = 512;

/// An access log, and what it has counted since it was first looked at.
pub(super) struct AccessLog {
    path: PathBuf,
    /// By server, the primary first: as the log names it, and what was counted.
    counts: Vec<(Option<String>, Traffic)>,
    is_begun: bool,
    present: Option<Tail>,
    former: Option<Tail>,
    chunk: Vec<u8>,
}

/// A file that is read to its end again and again.
struct Tail {
    file: File,
    device: u64,
    inode: u64,
    offset: u64,
}

impl Tail {
    fn new(file: File, about: &Metadata, offset: u64) -> Self {
        Self { file, device: about.dev(), inode: about.ino(), offset }
    }

    fn is(&self, about: &Metadata) -> bool {
        (self.device, self.inode) == (about.dev(), about.ino())
    }
}

/// As nginx logs the server that a file calls so. A host's name may be any address.
fn logged(address: &str) -> Option<String> {
    let is_whole = address.starts_with("unix:") || address.parse::<SocketAddr>().is_ok();
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        _ if is_whole => Some(address.to_owned()),
        Ok(ip) => Some(SocketAddr::new(ip, 80).to_string()),
        Err::<IpAddr, _>(_) => None,
    }
}

impl AccessLog {
    pub fn new(path: PathBuf, servers: &[String]) -> Self {
        let count = |(server, address): (u16, &String)| {
            let server = ServerId(server);
            (logged(address), Traffic { server, routed: 0, served: 0, failed: 0 })
        };
        let counts = (0..).zip(servers).map(count).collect();
        let (present, former) = (None, None);
        Self { path, counts, is_begun: false, present, former, chunk: vec![0; CHUNK] }
    }

    /// What it has counted of each server, where that is known.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn look(&mut self) -> io::Result<impl Fn(ServerId) -> Option<Traffic>> {
        self.follow()?;
        let mut budget = CHUNKS_A_LOOK;
        for tail in self.former.iter_mut().chain(&mut self.present) {
            read(tail, &mut self.chunk, &mut budget, |line| count(&mut self.counts, line))?;
        }
        Ok(|server: ServerId| {
            let (name, traffic) = self.counts.get(server.index())?;
            name.as_ref().map(|_| *traffic)
        })
    }

    /// Opens the file of this name, unless it is the one that is open.
    fn follow(&mut self) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // It may be between being moved and being made anew.
            Err(why) if why.kind() == io::ErrorKind::NotFound && self.present.is_some() => {
                return Ok(());
            }
            Err(why) => {
                self.is_begun |= why.kind() == io::ErrorKind::NotFound;
                return Err(why);
            }
        };
        let about = file.metadata()?;
        if self.present.as_ref().is_some_and(|tail| tail.is(&about)) {
            return Ok(());
        }
        let begins = if self.is_begun { 0 } else { about.len() };
        self.is_begun = true;
        let next = Tail::new(file, &about, begins);
        if let Some(moved) = self.present.replace(next) {
            self.former = Some(moved);
        }
        Ok(())
    }
}

/// Gives each whole line that has come since to `take`.
fn read(
    tail: &mut Tail,
    chunk: &mut [u8],
    budget: &mut usize,
    mut take: impl FnMut(&str),
) -> io::Result<()> {
    if tail.file.metadata()?.len() < tail.offset {
        // It was cut off where it lies.
        tail.offset = 0;
    }
    while *budget > 0 {
        *budget -= 1;
        let length = tail.file.read_at(chunk, tail.offset)?;
        let came = &chunk[..length];
        let Some(end) = came.iter().rposition(|byte| *byte == b'\n') else {
            if length == chunk.len() {
                // No line of ours is as long.
                tail.offset += length as u64;
                continue;
            }
            return Ok(());
        };
        for line in came[..end].split(|byte| *byte == b'\n') {
            take(&String::from_utf8_lossy(line));
        }
        tail.offset += end as u64 + 1;
    }
    Ok(())
}

/// Counts a request where it was tried last. One whose client went away before an answer began
/// is none.
fn count(counts: &mut [(Option<String>, Traffic)], line: &str) {
    let fields: Vec<_> = line.trim_end().split('|').map(last).collect();
    let [address, status, answered] = fields[..] else { return };
    let ours = |(name, _): &&mut (Option<String>, Traffic)| name.as_deref() == Some(address);
    let Some((_, traffic)) = counts.iter_mut().find(ours) else { return };
    if answered != "-" {
        traffic.served += 1;
    } else if status != "-" {
        traffic.failed += 1;
    }
    traffic.routed = traffic.served + traffic.failed;
}

/// That of the last server that was tried.
fn last(field: &str) -> &str {
    let tried = field.rsplit(", ").next().unwrap_or(field);
    tried.rsplit(" : ").next().unwrap_or(tried)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{bytes, config};

    /// A log in a folder of its own.
    struct Written(PathBuf);

    impl Written {
        fn new(name: &str) -> Self {
            let name = format!("tidegate-log-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn log(&self) -> PathBuf {
            self.0.join("requests.log")
        }

        fn append(&self, text: &str) {
            let mut file = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn watch(&self) -> AccessLog {
            let servers = ["10.0.0.1", "10.0.0.2:81", "app.example"].map(str::to_owned);
            AccessLog::new(self.log(), &servers)
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn counted(log: &mut AccessLog, server: u16) -> Option<(u64, u64, u64)> {
        let of = log.look().ok()?;
        of(ServerId(server)).map(|it| (it.routed, it.served, it.failed))
    }

    #[test]
    fn a_request_counts_once_where_it_was_tried_last() {
        let written = Written::new("once");
        written.append("10.0.0.1:80|200|0.001\n");
        let mut log = written.watch();
        assert_eq!(counted(&mut log, 0), Some((0, 0, 0)), "what was there before is not counted");
        written.append("10.0.0.1:80|200|0.001\n10.0.0.1:80, 10.0.0.2:81|502, 200|-, 0.002\n");
        written.append("10.0.0.1:80 : 10.0.0.2:81|200 : 404|0.1 : 0.2\n10.0.0.2:81|502|-\n");
        written.append("10.0.0.2:81|-|-\n-|-|-\napp|502|-\nno line of ours\n10.0.0.1:80|20");
        assert_eq!(counted(&mut log, 0), Some((1, 1, 0)));
        assert_eq!(counted(&mut log, 1), Some((3, 2, 1)));
        assert_eq!(counted(&mut log, 2), None, "a host's name is none of an address");
        assert_eq!(counted(&mut log, 9), None);
        written.append("0|0.1\n");
        assert_eq!(counted(&mut log, 0), Some((2, 2, 0)), "the line was whole only now");
    }

    #[test]
    fn a_log_that_is_moved_away_is_read_to_its_end() {
        let written = Written::new("moved");
        let line = "10.0.0.1:80|200|0.001\n";
        let mut log = written.watch();
        assert_eq!(counted(&mut log, 0), None, "there is none");
        written.append(line);
        assert_eq!(counted(&mut log, 0), Some((1, 1, 0)), "it is new");
        let moved = written.0.join("requests.log.1");
        fs::rename(written.log(), &moved).unwrap();
        let mut still = OpenOptions::new().append(true).open(&moved).unwrap();
        still.write_all(line.as_bytes()).unwrap();
        assert_eq!(counted(&mut log, 0), Some((2, 2, 0)));
        written.append(line);
        still.write_all(line.as_bytes()).unwrap();
        assert_eq!(counted(&mut log, 0), Some((4, 4, 0)));
        still.write_all(line.as_bytes()).unwrap();
        assert_eq!(counted(&mut log, 0), Some((5, 5, 0)), "a worker had not heard of it yet");
        fs::write(written.log(), "").unwrap();
        assert_eq!(counted(&mut log, 0), Some((5, 5, 0)));
        written.append(line);
        assert_eq!(counted(&mut log, 0), Some((6, 6, 0)), "it was cut off and goes on");
    }

    #[test]
    fn what_is_read_at_a_time_is_bounded() {
        let written = Written::new("bounded");
        written.append("");
        let mut log = written.watch();
        assert_eq!(counted(&mut log, 0), Some((0, 0, 0)));
        let line = "10.0.0.1:80|200|0.001\n";
        let lines = CHUNK * (CHUNKS_A_LOOK + 8) / line.len();
        written.append(&line.repeat(lines));
        let (first, ..) = counted(&mut log, 0).unwrap();
        assert!(first > 0 && first < lines as u64, "{first}");
        assert_eq!(counted(&mut log, 0), Some((lines as u64, lines as u64, 0)));
        written.append(&"x".repeat(2 * CHUNK));
        written.append(&format!("\n{line}"));
        assert_eq!(counted(&mut log, 0).unwrap().0, lines as u64 + 1);
    }

    #[test]
    fn a_server_is_logged_with_its_port() {
        assert_eq!(logged("10.0.0.1").as_deref(), Some("10.0.0.1:80"));
        assert_eq!(logged("[::1]").as_deref(), Some("[::1]:80"));
        assert_eq!(logged("[::1]:8000").as_deref(), Some("[::1]:8000"));
        assert_eq!(logged("unix:/run/app").as_deref(), Some("unix:/run/app"));
        assert_eq!(logged("app:8000"), None);
    }

    const LINES: &str = "10.0.0.1:80|200|0.001\n10.0.0.1:80, 10.0.0.2:81|502, 200|-, 0.002\n\
                         10.0.0.1:80 : 10.0.0.2:81|200 : 404|0.1 : 0.2\n10.0.0.2:81|502|-\n";

    proptest! {
        #![proptest_config(config(500))]

        #[test]
        fn any_log_is_counted_as_far_as_its_lines_are_ours(came in bytes(&[LINES])) {
            let written = Written::new("any");
            fs::write(written.log(), "").unwrap();
            let mut log = written.watch();
            prop_assert_eq!(counted(&mut log, 0), Some((0, 0, 0)));
            fs::write(written.log(), &came).unwrap();
            let lines = came.split(|byte| *byte == b'\n').count() as u64 - 1;
            let (first, second) = (counted(&mut log, 0).unwrap(), counted(&mut log, 1).unwrap());
            for (routed, served, failed) in [first, second] {
                prop_assert_eq!(routed, served + failed);
            }
            prop_assert!(first.0 + second.0 <= lines);
        }
    }
}
