//! The stack's network: a namespace a host, on a bridge that lies in a namespace of its own, so
//! that nothing touches this machine's network and nothing has a way out.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::failure::Failure;
use super::host::{Host, PREFIX};
use super::tier::Tier;

const SWITCH: &str = "switch";
/// Where a machine with a network card of its own is plugged in.
pub(super) const TAP: &str = "to-app2";

/// The namespace of the bridge, as a file.
pub(super) fn switch() -> PathBuf {
    PathBuf::from(format!("/run/netns/{PREFIX}-{SWITCH}"))
}

/// Makes it.
pub(super) fn make(tier: Tier) -> Result<(), Failure> {
    let switch = format!("{PREFIX}-{SWITCH}");
    ip(&format!("netns add {switch}"))?;
    ip(&format!("-n {switch} link add bridge type bridge"))?;
    ip(&format!("-n {switch} link set bridge up"))?;
    let is_machine = |host: &Host| tier == Tier::Vm && *host == Host::App2;
    if Host::ALL.iter().any(is_machine) {
        ip(&format!("-n {switch} tuntap add {TAP} mode tap"))?;
        ip(&format!("-n {switch} link set {TAP} master bridge up"))?;
    }
    for host in Host::ALL.into_iter().filter(|host| !is_machine(host)) {
        let (name, address) = (host.name(), host.address());
        let own = format!("{PREFIX}-{name}");
        ip(&format!("netns add {own}"))?;
        ip(&format!("-n {own} link set lo up"))?;
        ip(&format!("-n {switch} link add to-{name} type veth peer name eth0 netns {own}"))?;
        ip(&format!("-n {switch} link set to-{name} master bridge up"))?;
        ip(&format!("-n {own} address add {address}/24 dev eth0"))?;
        ip(&format!("-n {own} link set eth0 up"))?;
    }
    Ok(())
}

/// Removes what there is of it.
pub(super) fn remove() -> Result<(), Failure> {
    let names = Host::ALL.into_iter().map(Host::name).chain([SWITCH]);
    for name in names.map(|name| format!("{PREFIX}-{name}")) {
        if std::path::Path::new("/run/netns").join(&name).exists() {
            ip(&format!("netns del {name}"))?;
        }
    }
    Ok(())
}

fn ip(arguments: &str) -> Result<(), Failure> {
    let mut command = Command::new("ip");
    command.args(arguments.split(' ')).stdin(Stdio::null());
    let what = format!("run `ip {arguments}` (as root)");
    let ended = command.output().map_err(|why| Failure::io(&what, why))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Failure::said(what, String::from_utf8_lossy(&ended.stderr).trim()))
}
