//! The services of a server: gunicorn, and workers of RQ.

use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::command::root;
use crate::staging::failure::Failure;
use crate::staging::host::{Host, JOB_WORKERS, folder, python};
use crate::staging::order::Order;
use crate::staging::{spawn, tell};

const POLL: Duration = Duration::from_millis(50);

/// A service that was started, and whether it was told to end.
struct Service {
    child: Child,
    told: bool,
}

impl Service {
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn tell(&mut self) {
        if !self.told && !self.has_ended() {
            self.told = true;
            signal(self.child.id().cast_signed());
        }
    }
}

/// SIGTERM to a process alone.
fn signal(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended meanwhile, which is what was wanted.
        let _ = kill_process(pid, Signal::TERM);
    }
}

pub(super) struct Services {
    server: Host,
    web: Option<Service>,
    workers: Vec<Service>,
}

impl Services {
    pub const fn new(server: Host) -> Self {
        Self { server, web: None, workers: Vec::new() }
    }

    /// Does what is ordered, as far as it is not so already.
    pub fn obey(&mut self, order: Order) -> Result<(), Failure> {
        self.workers.retain_mut(|worker| !worker.has_ended());
        match order {
            Order::Start => {
                if self.web.as_mut().is_none_or(Service::has_ended) {
                    self.web = Some(self.start_web()?);
                }
                self.start_workers()
            }
            Order::StartWorkers => self.start_workers(),
            Order::StopWorkers => {
                self.workers.iter_mut().for_each(Service::tell);
                Ok(())
            }
            Order::StopWorkerGroups => {
                let forked = self.workers.iter().flat_map(|worker| children(worker.child.id()));
                forked.for_each(signal);
                self.workers.iter_mut().for_each(Service::tell);
                Ok(())
            }
            Order::Stop => {
                self.workers.iter_mut().chain(&mut self.web).for_each(Service::tell);
                for service in self.workers.iter_mut().chain(&mut self.web) {
                    while !service.has_ended() {
                        std::thread::sleep(POLL);
                    }
                }
                (self.web, self.workers) = (None, Vec::new());
                Ok(())
            }
        }
    }

    fn start_web(&self) -> Result<Service, Failure> {
        let bind = format!("{}:8000", self.server.address());
        let arguments = [
            "app:application",
            "--bind",
            &bind,
            "--workers=2",
            "--worker-class=gthread",
            "--threads=24",
            // Longer than the proxy keeps a connection, so that it is never the server that closes.
            "--keep-alive=75",
            // Requests in flight are what draining is for.
            "--graceful-timeout=1",
            "--timeout=60",
            "--worker-tmp-dir=/dev/shm",
        ];
        self.start("gunicorn", &arguments, "web")
    }

    /// As many as a server has. Those that were told to end do not count.
    fn start_workers(&mut self) -> Result<(), Failure> {
        let able = self.workers.iter().filter(|worker| !worker.told).count();
        for number in able..JOB_WORKERS as usize {
            // A name of its own each time: that of a worker whose power was cut is taken for long.
            let name = format!("{}.{number}.{}", self.server.name(), tell::now() / 1_000_000);
            let url = format!("redis://{}:6379/0", Host::App1.address());
            let arguments = ["worker", "--url", &url, "--name", &name, "default"];
            let worker = self.start("rq", &arguments, "worker")?;
            self.workers.push(worker);
        }
        Ok(())
    }

    fn start(&self, program: &str, arguments: &[&str], log: &str) -> Result<Service, Failure> {
        let mut command = Command::new(python(program));
        command
            .args(arguments)
            .current_dir(root().join("xtask/staging"))
            .env("SERVER", self.server.name())
            .env("REDIS", Host::App1.address())
            .env("STORAGE", folder().join("storage"))
            .env("TOOK", self.server.took())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let log = spawn::log(&format!("{}.{log}", self.server.name()));
        Ok(Service { child: spawn::spawn(&mut command, &log)?, told: false })
    }
}

/// The processes that a process has forked and that run.
fn children(pid: u32) -> Vec<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    text.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
