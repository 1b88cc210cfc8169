//! What `node_exporter` tells of a server, from its control groups: the program itself would tell
//! of the whole machine.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::cgroup::{Used, used};
use super::failure::Failure;
use super::host::{CORE, Host};

const PORT: u16 = 9100;
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts since a server was switched on.
struct Counters {
    host: Host,
    since: Instant,
    used_before_s: f64,
    idle_s: f64,
}

/// Answers whoever asks on this server's address, on a thread of its own.
pub(super) fn serve(host: Host) -> Result<(), Failure> {
    let address = (host.address(), PORT);
    let failed = |why| Failure::io(format!("listen on {}:{PORT}", host.address()), why);
    let listener = TcpListener::bind(address).map_err(failed)?;
    let used_before_s = used(host)?.cpu_s;
    let mut counters = Counters { host, since: Instant::now(), used_before_s, idle_s: 0.0 };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Whoever asked has gone: the next one is answered.
            let _ = counters.answer(client);
        }
    });
    Ok(())
}

impl Counters {
    fn answer(&mut self, client: TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(PATIENCE))?;
        client.set_write_timeout(Some(PATIENCE))?;
        let mut asked = BufReader::new(client);
        let mut line = String::from("-");
        while !line.trim_end().is_empty() {
            line.clear();
            asked.read_line(&mut line)?;
        }
        let (status, body) = match used(self.host) {
            Ok(used) => ("200 OK", self.page(used)),
            Err(why) => ("500 Internal Server Error", format!("{why}\n")),
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        asked.get_mut().write_all((head + &body).as_bytes())
    }

    /// Times are those of a core of the server. The idle time never goes back: use that was counted
    /// late would otherwise look like a counter that began anew.
    fn page(&mut self, used: Used) -> String {
        let busy_s = (used.cpu_s - self.used_before_s) / CORE;
        self.idle_s = self.idle_s.max(self.since.elapsed().as_secs_f64() - busy_s);
        let mut page = String::new();
        let mut metric = |name: &str, kind: &str, values: &[(&str, f64)]| {
            // Writing into a string cannot fail.
            let _ = writeln!(page, "# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(page, "{name}{labels} {value}");
            }
        };
        metric(
            "node_cpu_seconds_total",
            "counter",
            &[("{cpu=\"0\",mode=\"user\"}", busy_s), ("{cpu=\"0\",mode=\"idle\"}", self.idle_s)],
        );
        let total = used.memory_limit;
        metric("node_memory_MemTotal_bytes", "gauge", &[("", total as f64)]);
        let available = total.saturating_sub(used.memory);
        metric("node_memory_MemAvailable_bytes", "gauge", &[("", available as f64)]);
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_never_goes_back() {
        let (since, used_before_s) = (Instant::now(), 10.0);
        let mut counters = Counters { host: Host::App1, since, used_before_s, idle_s: 5.0 };
        let page = counters.page(Used { cpu_s: 13.0, memory: 1, memory_limit: 4 });
        assert!(page.contains("{cpu=\"0\",mode=\"user\"} 6\n"), "{page}");
        assert!(page.contains("{cpu=\"0\",mode=\"idle\"} 5\n"), "{page}");
        assert!(page.contains("node_memory_MemAvailable_bytes 3\n"), "{page}");
    }
}
