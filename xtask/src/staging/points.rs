//! Points of a sequence as the stack sees them: what carries a command of the controller out tells
//! so at a socket, before it does and after, and waits for what becomes of it. So a fault begins
//! with a command and not about then.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use tidegate_core::StepName;

use super::failure::Failure;
use super::host::folder;

/// Which side of a command's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// A command for the standby, on one side of its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub step: StepName,
    pub side: Side,
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Go {
    /// It is carried out and answered.
    On,
    /// It has no effect, or no further one, and no answer: nobody waits for that any more.
    Nowhere,
}

const BEFORE: &str = "before";
const AFTER: &str = "after";
const ON: &str = "on";
const NOWHERE: &str = "nowhere";

impl Point {
    fn word(self) -> String {
        let side = match self.side {
            Side::Before => BEFORE,
            Side::After => AFTER,
        };
        format!("{side} {}", self.step.name())
    }

    fn read(line: &str) -> Option<Self> {
        let (side, name) = line.trim().split_once(' ')?;
        let side = match side {
            BEFORE => Side::Before,
            AFTER => Side::After,
            _ => return None,
        };
        let step = StepName::ALL.into_iter().find(|step| step.name() == name)?;
        Some(Self { step, side })
    }
}

fn socket() -> PathBuf {
    folder().join("points.sock")
}

/// Tells that a point is reached, and waits for what follows. Where nobody listens, all goes on.
pub(super) fn pass(step: StepName, side: Side) -> Go {
    let asked = UnixStream::connect(socket()).and_then(|mut stream| {
        stream.write_all(format!("{}\n", Point { step, side }.word()).as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok(answer)
    });
    if asked.is_ok_and(|answer| answer.trim() == NOWHERE) { Go::Nowhere } else { Go::On }
}

/// Somebody who waits at a point.
#[derive(Debug)]
pub(super) struct Arrived {
    pub point: Point,
    client: UnixStream,
}

impl Arrived {
    pub fn answer(mut self, go: Go) {
        let word = if go == Go::On { ON } else { NOWHERE };
        // One that was ended meanwhile needs no answer.
        let _ = self.client.write_all(format!("{word}\n").as_bytes());
    }
}

/// Listens for them.
#[derive(Debug)]
pub(super) struct Points(Receiver<Arrived>);

impl Points {
    pub fn listen() -> Result<Self, Failure> {
        let path = socket();
        let failed = |why| Failure::io(format!("listen on `{}`", path.display()), why);
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut client = BufReader::new(client);
                let mut line = String::new();
                let point = client.read_line(&mut line).ok().and_then(|_| Point::read(&line));
                let Some(point) = point else { continue };
                if sender.send(Arrived { point, client: client.into_inner() }).is_err() {
                    break;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// The next one, if somebody has come.
    pub fn next(&self) -> Option<Arrived> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_are_told() {
        for step in StepName::ALL {
            for side in [Side::Before, Side::After] {
                let point = Point { step, side };
                assert_eq!(Point::read(&point.word()), Some(point));
            }
        }
        assert_eq!(Point::read("before lunch"), None);
        assert_eq!(Point::read("drain"), None);
    }
}
