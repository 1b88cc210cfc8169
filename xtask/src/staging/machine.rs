//! A server of the stack, for as long as its power is on: it answers monitoring and takes orders of
//! its services.
//!
//! SIGTERM shuts it down as an operating system does: services finish what they do, then all ends.
//! A job worker is told to end once, since a second time would kill its job, and so is it alone
//! and not what it forked, as with systemd's `KillMode=mixed`.

mod service;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use tidegate_core::StepName;

use super::exporter;
use super::failure::{Failure, chain};
use super::host::Host;
use super::order::{DONE, Order};
use super::points::{self, Side};

use service::Services;

/// Runs until its power is switched off. A guest of a virtual machine leaves monitoring to others.
pub(super) fn run(server: Host, is_guest: bool) -> Result<(), Failure> {
    let services = Arc::new(Mutex::new(Services::new(server)));
    let ours = Arc::clone(&services);
    let shut_down = move || {
        points::pass(StepName::PowerOff, Side::Before);
        let stopped = ours.lock().unwrap_or_else(PoisonError::into_inner).obey(Order::Stop);
        points::pass(StepName::PowerOff, Side::After);
        std::process::exit(i32::from(stopped.is_err()));
    };
    ctrlc::set_handler(shut_down)
        .map_err(|why| Failure::said("watch for signals", why.to_string()))?;
    points::pass(StepName::PowerOn, Side::Before);
    if !is_guest {
        exporter::serve(server)?;
    }
    let path = server.orders();
    let _ = std::fs::remove_file(&path);
    let failed = |why| Failure::io(format!("listen on `{}`", path.display()), why);
    let listener = UnixListener::bind(&path).map_err(failed)?;
    points::pass(StepName::PowerOn, Side::After);
    for client in listener.incoming().flatten() {
        let services = Arc::clone(&services);
        std::thread::spawn(move || answer(client, &services));
    }
    Ok(())
}

fn answer(client: UnixStream, services: &Mutex<Services>) {
    let mut client = BufReader::new(client);
    let mut word = String::new();
    let said = match client.read_line(&mut word).ok().map(|_| Order::from_str(word.trim(), false)) {
        Some(Ok(order)) => services.lock().unwrap_or_else(PoisonError::into_inner).obey(order),
        _ => Err(Failure::said("obey", format!("`{}` is no order", word.trim()))),
    };
    let said = said.map_or_else(|why| chain(&why), |()| DONE.to_owned());
    // Whoever gave the order has given up waiting; it was obeyed all the same.
    let _ = client.get_mut().write_all(format!("{said}\n").as_bytes());
}
