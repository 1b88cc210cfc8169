//! Tier vm: the standby is a machine of its own, user-mode Linux with its own kernel, that boots,
//! mounts the storage over the network and is reached by SSH.

mod console;

use std::path::PathBuf;
use std::process::Stdio;

use crate::command::program;

use super::config::filled;
use super::failure::{Failure, write};
use super::host::{Host, folder};
use super::order::Order;
use super::{cgroup, net, spawn};

const INIT: &str = include_str!("../../staging/init.sh");
const NFS: &str = include_str!("../../staging/ganesha.conf");
const SSHD: &str = include_str!("../../staging/sshd_config");
const SSH: &str = include_str!("../../staging/ssh_config");
/// The kernel's modules, as its Debian package has them.
const MODULES: &str = "/usr/lib/uml/modules";

/// A file of the tier's own folder.
fn file(name: &str) -> PathBuf {
    folder().join("vm").join(name)
}

/// Writes all that the machine is started with.
pub(super) fn prepare() -> Result<(), Failure> {
    let modules = file("lib");
    for folder in [file(""), modules.clone()] {
        std::fs::create_dir_all(&folder)
            .map_err(|why| Failure::io(format!("make `{}`", folder.display()), why))?;
    }
    std::os::unix::fs::symlink(MODULES, modules.join("modules"))
        .map_err(|why| Failure::io("link the kernel's modules", why))?;
    for name in ["host", "key"] {
        make_key(name)?;
    }
    let host = super::failure::read(&file("host.pub"))?;
    write(&file("known_hosts"), format!("{} {host}", Host::App2.address()))?;
    filled("vm/sshd_config", SSHD, &[])?;
    filled("vm/ssh_config", SSH, &[])?;
    filled("vm/ganesha.conf", NFS, &[])?;
    let init = filled("vm/init.sh", INIT, &[("xtask", spawn::xtask()?)])?;
    std::fs::set_permissions(&init, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .map_err(|why| Failure::io(format!("let `{}` be run", init.display()), why))
}

fn make_key(name: &str) -> Result<(), Failure> {
    let path = file(name).display().to_string();
    let words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &path];
    run(&words.map(str::to_owned), "make a key with `ssh-keygen`")
}

/// The program that serves the storage, on the primary.
pub(super) fn storage_server() -> Vec<String> {
    let words = ["ganesha.nfsd", "-F", "-L", "STDERR", "-f"].map(str::to_owned);
    let own = ["ganesha.conf", "ganesha.pid"].map(|name| file(name).display().to_string());
    let [config, pid] = own;
    words.into_iter().chain([config, "-p".to_owned(), pid]).collect()
}

/// The machine.
pub(super) fn machine() -> Vec<String> {
    let [folder, init] = ["", "init.sh"].map(|name| file(name).display().to_string());
    let words = format!(
        "env TMPDIR=/dev/shm linux.uml umid=app2 uml_dir={folder} mem=512M root=/dev/root \
         rootfstype=hostfs rootflags=/ ro init={init} \
         vec0:transport=tap,ifname={},depth=128,gro=1 con0=null,null con=null ssl=null quiet",
        net::TAP
    );
    let words: Vec<_> = words.split(' ').collect();
    spawn::words_in(&net::switch(), &[cgroup::unified(Host::App2)], &words)
}

/// Its management console.
pub(super) fn console() -> PathBuf {
    file("app2/mconsole")
}

/// Lets the machine stand still, or go on, as a hypervisor does.
pub(super) fn freeze(frozen: bool) -> Result<(), Failure> {
    let command = if frozen { "stop" } else { "go" };
    console::tell(&console(), &file("console"), command)
        .map_err(|why| Failure::io(format!("tell the machine `{command}`"), why))
}

/// Gives an order of its services on the machine itself, where points tell nobody of it.
pub(super) fn give(server: Host, order: Order) -> Result<(), Failure> {
    let (mut words, word) = (through(), order.word());
    let own = [&*spawn::xtask()?, "staging", "services", server.name(), &word];
    words.extend(own.map(str::to_owned));
    run(&words, &format!("order `{word}` of {}", server.name()))
}

/// Runs a program to its end.
fn run(words: &[String], what: &str) -> Result<(), Failure> {
    let mut command = program(&words[0], &[]);
    command.args(&words[1..]).stdin(Stdio::null());
    let ended = command.output().map_err(|why| Failure::io(what, why))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Failure::said(what, String::from_utf8_lossy(&ended.stderr).trim()))
}

/// What a command is put after to be run on the machine.
pub(super) fn through() -> Vec<String> {
    let config = file("ssh_config").display().to_string();
    ["ssh", "-F", &config, Host::App2.name()].map(str::to_owned).into()
}
