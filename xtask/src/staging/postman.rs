//! Stands between Alertmanager and the controller and delivers each notification late.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::host::Host;

/// Where the controller listens, and where this does.
pub(super) const CONTROLLER: u16 = 7878;
pub(super) const OWN: u16 = 7879;
/// How long a controller that is not there is waited for, as Alertmanager would.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(200);
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Delivers for as long as the stack is up.
pub(super) fn run(late: Duration) -> Result<(), Failure> {
    let address = (Host::Mon.address(), OWN);
    let failed = |why| Failure::io(format!("listen on {}:{OWN}", address.0), why);
    for client in TcpListener::bind(address).map_err(failed)?.incoming().flatten() {
        std::thread::spawn(move || {
            let Ok(letter) = take(client) else { return };
            std::thread::sleep(late);
            deliver(&letter);
        });
    }
    Ok(())
}

/// Takes a notification, which counts as delivered for whoever sent it.
fn take(client: TcpStream) -> std::io::Result<Vec<u8>> {
    let mut client = BufReader::new(client);
    let (mut letter, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        client.read_line(&mut line)?;
        letter.extend_from_slice(line.as_bytes());
        length = length_in(&line).unwrap_or(length);
        if line.trim_end().is_empty() {
            break;
        }
    }
    client.by_ref().take(length).read_to_end(&mut letter)?;
    client.get_mut().write_all(TAKEN)?;
    Ok(letter)
}

fn length_in(line: &str) -> Option<u64> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
}

fn deliver(letter: &[u8]) {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let done = TcpStream::connect((Host::Mon.address(), CONTROLLER)).and_then(|mut stream| {
            stream.write_all(letter)?;
            stream.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer)?;
            Ok(!answer.is_empty())
        });
        if done.is_ok_and(|answered| answered) {
            return;
        }
        std::thread::sleep(AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_taken_whole() {
        let letter = b"POST /alerts HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello";
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        sender.write_all(letter).unwrap();
        assert_eq!(take(listener.accept().unwrap().0).unwrap(), letter);
        let mut answer = Vec::new();
        sender.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, TAKEN);
    }
}
