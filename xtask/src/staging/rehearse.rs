//! A rehearsal: the stack comes up, a scenario's load is driven against it while the controller
//! scales it, what happened is judged, and all of it is removed.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::Model;

use super::config::{self, Tempo};
use super::failure::{Failure, write};
use super::host::{Host, folder};
use super::judge::{self, Evidence, Power};
use super::load::json_lines;
use super::stack::{Stack, Standing, standing};
use super::tell::{now, say};
use super::{interrupt, jobs, lock, spawn};

/// From the controller's start to that of the load: its first looks are behind it.
const LEAD: Span = Span::from_secs(5);
/// How long what is under way at the end of the load may take to end.
const REST: Duration = Duration::from_secs(90);

#[derive(Debug, Args)]
pub(crate) struct RehearseArguments {
    /// The scenario; without one, `scenarios/staging/rehearsal.toml`.
    scenario: Option<PathBuf>,
    /// Seconds of the scenario's load that pass in one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    speed: u32,
}

/// Rehearses; whether all held.
pub(super) fn rehearse(arguments: &RehearseArguments) -> Result<bool, Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    let model = config::read(arguments.scenario.as_deref())?;
    let mut stack = Stack::up()?;
    let start = Timestamp::from_nanos(now()) + LEAD;
    let tempo = Tempo { start, speed: arguments.speed };
    stack.host_controller(&model, tempo)?;
    let mut run = Run { model: &model, tempo, stack: &mut stack, routed: Vec::new() };
    let mut load = start_load(arguments, start)?;
    let length = tempo.length(model.duration).as_secs_f64();
    say(&format!("driving {} for {length:.0} s", model.name));
    run.follow(&mut load)?;
    let evidence = run.end()?;
    let held = judge::judge(&evidence);
    drop(stack);
    lock.release();
    Ok(held)
}

fn start_load(arguments: &RehearseArguments, start: Timestamp) -> Result<Child, Failure> {
    let (xtask, start) = (spawn::xtask()?, start.as_nanos().to_string());
    let speed = arguments.speed.to_string();
    let mut words = vec![&*xtask, "staging", "load", "--start", &start, "--speed", &speed];
    let scenario = arguments.scenario.as_ref().map(|path| {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        path.display().to_string()
    });
    if let Some(scenario) = &scenario {
        words.extend(["--scenario", scenario]);
    }
    spawn::start(Host::Load, "load", &words)
}

struct Run<'a> {
    model: &'a Model,
    tempo: Tempo,
    stack: &'a mut Stack,
    routed: Vec<(Timestamp, bool)>,
}

/// What stands at the end of the facts.
#[derive(Serialize)]
struct End {
    at: Timestamp,
    in_flight: u64,
    jobs_pending: u64,
}

impl Run<'_> {
    /// Watches until the scenario is over and all requests have ended.
    fn follow(&mut self, load: &mut Child) -> Result<(), Failure> {
        let length = self.tempo.length(self.model.duration);
        let end = self.tempo.start + length;
        let patience =
            Duration::from_secs_f64((LEAD.as_secs_f64() + length.as_secs_f64()).max(0.0));
        interrupt::wait("the end of the load", patience + REST, || {
            self.look()?;
            let ended = load.try_wait().map_err(|why| Failure::io("wait for the load", why))?;
            match ended {
                None => Ok(None),
                Some(status) if !status.success() => {
                    let why = format!("{status}; {} tells more", spawn::log("load").display());
                    Err(Failure::said("drive the load", why))
                }
                Some(_) => Ok((now() >= end.as_nanos()).then_some(())),
            }
        })
    }

    /// Waits until all has settled, and collects what the run has left.
    fn end(mut self) -> Result<Evidence, Failure> {
        let settled = interrupt::wait("the standby's end and that of all jobs", REST, || {
            self.look()?;
            let power: Vec<Power> = judge::lines("power.jsonl")?;
            Ok((judge::is_off(&power) && jobs::pending()? == 0).then_some(()))
        });
        match settled {
            // What has not ended is judged as it is.
            Ok(()) | Err(Failure::Late(..)) => {}
            Err(why) => return Err(why),
        }
        self.stack.stop_controller()?;
        let (jobs, accepted) = (jobs::read_all()?, jobs::accepted()?);
        let at = Timestamp::from_nanos(now());
        let end = End { at, in_flight: 0, jobs_pending: jobs::pending()? };
        let text = json_lines(jobs.facts(&accepted))? + &json_lines([end])?;
        write(&folder().join("jobs.jsonl"), text)?;
        Ok(Evidence {
            start: self.tempo.start,
            requests: judge::lines("requests.jsonl")?,
            jobs,
            accepted,
            power: judge::lines("power.jsonl")?,
            routed: self.routed,
        })
    }

    /// Notes what has changed.
    fn look(&mut self) -> Result<(), Failure> {
        if !self.stack.is_controlled() {
            let why = format!("it has ended: {} tells more", spawn::log("controller").display());
            return Err(Failure::said("go on with the controller", why));
        }
        let Some(standing) = standing(Host::App2) else { return Ok(()) };
        let serves = standing == Standing::Serves;
        if serves != self.routed.last().is_some_and(|(_, serves)| *serves) {
            self.routed.push((Timestamp::from_nanos(now()), serves));
        }
        Ok(())
    }
}
