//! Developer commands: `cargo xtask test` installs what the tests need and runs them all;
//! `cargo xtask bench` measures the simulator beside others.

mod bench;
mod command;
mod packages;
mod test;

use std::process::ExitCode;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    let fine = match words[..] {
        ["test"] => test::test(),
        ["bench"] => bench::bench(false),
        ["bench", "--quick"] => bench::bench(true),
        _ => return refuse(&given.join(" ")),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(task: &str) -> ExitCode {
    let named = if task.is_empty() { "nothing" } else { task };
    command::complain(&format!(
        "`{named}` is not a task; the tasks are: test, bench, bench --quick"
    ));
    ExitCode::from(2)
}
