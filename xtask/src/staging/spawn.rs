//! Programs on the hosts of the stack.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::cgroup;
use super::failure::Failure;
use super::host::{Host, folder};

/// Enters the control groups and becomes the program.
const ENTER: &str = "for group in $1; do echo $$ > \"$group/cgroup.procs\" || exit 1; done
    shift; exec \"$@\"";

/// The words of a command that runs a program on a host.
pub(super) fn words(host: Host, program: &[&str]) -> Vec<String> {
    words_in(&host.namespace(), &cgroup::all(host), program)
}

/// The same of a program in this network and these control groups.
pub(super) fn words_in(network: &Path, groups: &[PathBuf], program: &[&str]) -> Vec<String> {
    let groups: Vec<_> = groups.iter().map(|group| group.display().to_string()).collect();
    let network = format!("--net={}", network.display());
    let groups = groups.join(" ");
    let head = ["nsenter", &network, "sh", "-c", ENTER, "sh", &groups];
    head.iter().chain(program).map(|word| (*word).to_owned()).collect()
}

/// This program, as others can run it.
pub(super) fn xtask() -> Result<String, Failure> {
    let own = std::env::current_exe().map_err(|why| Failure::io("find this program", why))?;
    Ok(own.display().to_string())
}

/// A program on a host, which reads nothing.
pub(super) fn command(host: Host, program: &[&str]) -> Command {
    let words = words(host, program);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

/// Starts a program on a host, in a process group of its own, with a log of its own.
pub(super) fn start(host: Host, name: &str, program: &[&str]) -> Result<Child, Failure> {
    spawn(command(host, program).current_dir(folder()), &log(name))
}

/// Where a program's output goes.
pub(super) fn log(name: &str) -> std::path::PathBuf {
    folder().join(format!("{name}.log"))
}

/// Starts a command in a process group of its own whose output goes into a file.
pub(super) fn spawn(command: &mut Command, log: &Path) -> Result<Child, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |why| Failure::io(format!("start `{program}`"), why);
    let out = File::options().create(true).append(true).open(log).map_err(failed)?;
    let errors = out.try_clone().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(out).stderr(errors).process_group(0);
    command.spawn().map_err(failed)
}
