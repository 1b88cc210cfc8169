//! A directory of its own for each test, and the program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Twenty minutes in which a person adds a server and takes it away again.
pub const SCENARIO: &str = r#"# Shows one rise and one fall.
title = "up and down by hand"
start = "2026-03-02T10:00[Asia/Kolkata]"
duration = "20m"

[plans.small]
vcpu = 2
memory = "4GiB"
price = "125 USD/month"

[group]
primary = "small"

[monitoring]
scrape = "15s"

[[request]]
name = "page"
phases = [{ cpu = "20ms" }]

[[load]]
kind = "constant"
rate = 5.0

[[operator]]
at = "2026-03-02T10:02[Asia/Kolkata]"
action = "scale-up"
hold = "5m"

[[operator]]
at = "2026-03-02T10:10[Asia/Kolkata]"
action = "scale-down"

[expect]
"requests.failed" = "== 0"
"scaling.ups" = "== 1"
"#;

pub struct Desk {
    pub directory: PathBuf,
}

impl Desk {
    /// A fresh directory that holds [`SCENARIO`] as `scenario.toml`.
    pub fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        fs::create_dir_all(&directory).unwrap();
        let desk = Self { directory };
        desk.put("scenario.toml", SCENARIO);
        desk
    }

    pub fn put(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        command
    }

    pub fn tidegate(&self, arguments: &[&str]) -> Answer {
        Answer::from(self.command(arguments).output().unwrap())
    }

    /// What a shell does with a command that was printed to be typed.
    pub fn shell(&self, line: &str) -> Answer {
        let program = Path::new(env!("CARGO_BIN_EXE_tidegate"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).collect::<Vec<_>>();
        let folders = program.parent().into_iter().map(Path::to_owned).chain(folders);
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", std::env::join_paths(folders).unwrap());
        Answer::from(command.current_dir(&self.directory).stdin(Stdio::null()).output().unwrap())
    }

    /// `tidegate run scenario.toml` with further arguments.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.tidegate(&[&["run", "scenario.toml"], arguments].concat())
    }

    /// The summary of `tidegate run scenario.toml` with further arguments.
    pub fn summary(&self, arguments: &[&str]) -> serde_json::Value {
        let answer = self.run(&[&["--format", "json"], arguments].concat());
        serde_json::from_str(&answer.out).unwrap()
    }

    /// The files of a report, by name.
    pub fn report(&self, directory: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.directory.join(directory)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
    }
}

/// How the program answered.
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub complaint: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            complaint: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
