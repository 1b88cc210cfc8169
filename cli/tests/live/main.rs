//! `tidegate live` from the outside: it scales, it is killed, it goes on, it is stopped; and people
//! ask it for something.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod doctor;
mod enable;
mod hosts;
mod metrics;
mod operators;
mod reconcile;

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// A standby is asked for at once, and its machine boots for long enough to be killed meanwhile.
const CONFIG: &str = r#"
[look]
every = "100ms"
moving = "100ms"
poll = "50ms"

[policy]
min_standbys = 1
evidence.stale_after = "1m"

[[group]]
name = "demo"
[group.ports]
kind = "fake"
boot = "2s"
services = "100ms"
answer = "10ms"
"#;

struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let name = format!("tidegate-live-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("live.toml"), CONFIG).unwrap();
        Self(directory)
    }

    fn command(&self, more: &[&str]) -> Command {
        self.tidegate(&[&["live", "live.toml"], more].concat())
    }

    fn tidegate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(arguments).current_dir(&self.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, more: &[&str]) -> Output {
        self.command(more).output().unwrap()
    }

    /// The program with these arguments: its exit code, and what it said.
    fn program(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        let output = command.args(arguments).current_dir(&self.0).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    fn start(&self, more: &[&str]) -> Live {
        Self::started(&mut self.command(more))
    }

    /// A host of another configuration in its folder.
    fn start_with(&self, config: &str) -> Live {
        Self::started(&mut self.tidegate(&["live", config]))
    }

    fn started(command: &mut Command) -> Live {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Live { child, lines }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A host under way.
struct Live {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Live {
    /// Reads on until a line contains `part`; fails if it ends before.
    fn until(&mut self, part: &str) -> String {
        let seen = self.seen_until(part);
        let seen = seen.unwrap_or_else(|seen| panic!("no line contains `{part}`: {seen:#?}"));
        seen.last().unwrap().clone()
    }

    /// The lines up to one that contains `part`, or all if none does.
    fn seen_until(&mut self, part: &str) -> Result<Vec<String>, Vec<String>> {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            seen.push(line.unwrap());
            if seen.last().is_some_and(|line| line.contains(part)) {
                return Ok(seen);
            }
        }
        Err(seen)
    }

    /// The exit code upon SIGTERM.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.until("stopping");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The answer to a request, with its head; `line` is its first one.
fn exchange(port: u16, line: &str, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    let request = format!(
        "{line}\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {head}\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_host_that_is_killed_goes_on_where_it_was() {
    let desk = Desk::new("killed");
    let mut first = desk.start(&[]);
    first.until("demo: begun");
    first.until("command 0: power-on standby-1");
    first.child.kill().unwrap();
    drop(first);
    let mut second = desk.start(&[]);
    second.until("taken up after");
    second.until("taken over in term 1");
    second.until("command 0: power-on standby-1");
    second.until("command 2: join standby-1");
    second.until("command 2 done");
    assert_eq!(second.stop(), Some(0));
    let mut third = desk.start(&[]);
    third.until("taken over in term 2");
    assert_eq!(third.stop(), Some(0));
}

#[test]
fn what_a_host_did_is_recorded_and_replayed() {
    let desk = Desk::new("recorded");
    let mut live = desk.start(&[]);
    live.until("command 2 done");
    assert_eq!(live.stop(), Some(0));
    let (code, said) = desk.program(&["record", "live.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("HELD") && said.contains("on real servers"), "{said}");
    assert!(said.contains("1 up, 0 down, 0 failed"), "{said}");
    let (code, said) = desk.program(&["replay", "out/demo"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("IDENTICAL"), "{said}");
    let unready = r#"{"at":0,"fact":{"request-routed":{"request":1,"server":1}}}"#;
    fs::write(desk.0.join("more.jsonl"), unready).unwrap();
    let (code, said) = desk.program(&["record", "live.toml", "--facts", "more.jsonl"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("route-ready"), "{said}");
    let summary = desk.0.join("out/demo/summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    fs::write(&summary, text.replace("\"ups\": 1", "\"ups\": 2")).unwrap();
    let (code, said) = desk.program(&["replay", "out/demo"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("DIFFERS"), "{said}");
}

#[test]
fn a_record_that_cannot_be_made_is_refused() {
    let desk = Desk::new("no-record");
    let refused = |arguments: &[&str], what: &str| {
        let (code, said) = desk.program(arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(what), "{said}");
    };
    refused(&["record", "live.toml"], "the store tidegate.db: there is no such file");
    refused(&["record", "live.toml", "--group", "x"], "there is no group `x`");
    refused(&["record", "live.toml", "--since", "noon"], "is no time such as");
    let mut live = desk.start(&[]);
    live.until("command 2 done");
    assert_eq!(live.stop(), Some(0));
    fs::write(desk.0.join("more.jsonl"), "{\"at\":1}").unwrap();
    refused(&["record", "live.toml", "--facts", "more.jsonl"], "more.jsonl, line 1");
    let stranger = r#"{"at":1,"fact":{"broke":{"server":7}}}"#;
    fs::write(desk.0.join("more.jsonl"), stranger).unwrap();
    refused(&["record", "live.toml", "--facts", "more.jsonl"], "the group has 2 servers");
    refused(&["replay", "out/none"], "run.json cannot be read");
}

#[test]
fn in_shadow_mode_it_says_what_it_would_do() {
    let desk = Desk::new("shadow");
    let mut shadow = desk.start(&["--shadow", "--store", "shadow.db"]);
    shadow.until("command 0: power-on standby-1");
    shadow.until("command 0 failed: nothing is acted upon");
    assert_eq!(shadow.stop(), Some(0));
    assert!(desk.0.join("shadow.db").exists() && !desk.0.join("tidegate.db").exists());
}

#[test]
fn a_configuration_with_a_mistake_is_refused_at_its_place() {
    let desk = Desk::new("refused");
    let broken = CONFIG.replace("min_standbys = 1", "min_standbys = 2");
    fs::write(desk.0.join("live.toml"), broken).unwrap();
    let refused = desk.run(&[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("the minimum is above the maximum of 1"), "{said}");
    assert!(said.contains("min_standbys = 2"), "{said}");
    assert!(refused.stdout.is_empty());
    fs::remove_file(desk.0.join("live.toml")).unwrap();
    let missing = desk.run(&[]);
    let said = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(2), "{said}");
    assert!(said.contains("live.toml cannot be read"), "{said}");
}

#[test]
fn a_store_that_is_none_is_a_fault() {
    let desk = Desk::new("fault");
    fs::write(desk.0.join("text"), "no database ".repeat(100)).unwrap();
    let fault = desk.run(&["--store", "text"]);
    let said = String::from_utf8(fault.stderr).unwrap();
    assert_eq!(fault.status.code(), Some(3), "{said}");
    assert!(said.contains("failed to open the store text"), "{said}");
}
