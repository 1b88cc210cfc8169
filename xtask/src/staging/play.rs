//! A scenario played on the stack: it comes up, the load is driven while the controller scales,
//! what happened is judged, and all of it is removed.

mod kills;

use std::process::Child;
use std::time::Duration;

use tidegate_core::record::Told;
use tidegate_core::{OperatorRequest, Span, Timestamp};

use super::breaks::Break;
use super::config::{Scenario, Tempo};
use super::failure::{Failure, write};
use super::faults::{self, Faults};
use super::host::{Host, folder};
use super::judge::{self, Broken, Evidence, Power};
use super::load::json_lines;
use super::points::{Go, Points, Side};
use super::predicted::Outcome;
use super::stack::{Stack, Standing, standing};
use super::tell::{now, say};
use super::tier::Tier;
use super::{controller, interrupt, jobs, load, spawn};

use kills::Kills;

/// From the controller's start to that of the load: its first looks are behind it.
const LEAD: Span = Span::from_secs(5);
/// How long what is under way at the end of the load may take to end.
const REST: Duration = Duration::from_secs(90);
/// The same in a broken stack, where some of it will not.
const REST_OF_BROKEN: Duration = Duration::from_secs(8);

/// What is played.
#[derive(Debug)]
pub(super) struct Play {
    pub scenario: Scenario,
    pub tier: Tier,
    /// Seconds of the scenario's load that pass in one.
    pub speed: u32,
    pub kills_controller: bool,
    pub broken: Option<Break>,
}

impl Play {
    /// Whether what the scenario expects is expected here: nothing is changed in it.
    fn is_as_written(&self) -> bool {
        let Self { scenario, speed, broken, .. } = self;
        scenario.set.is_empty() && *speed == 1 && broken.is_none()
    }
}

/// Plays it; what did not hold.
pub(super) fn play(play: &Play) -> Result<Vec<Broken>, Failure> {
    let model = play.scenario.read()?;
    load::check(&model)?;
    let planned = faults::plan(&model, play.tier)?;
    let simulated = faults::has_some(&model).then(|| Outcome::simulated(&model)).transpose()?;
    let mut stack = Stack::up(play.tier, play.broken)?;
    let start = Timestamp::from_nanos(now()) + LEAD;
    let tempo = Tempo { start, speed: play.speed };
    let points = faults::wait_for_commands(&model).then(Points::listen).transpose()?;
    stack.host_controller(&model, tempo)?;
    let mut load = start_load(&play.scenario, tempo)?;
    let length = tempo.length(model.duration);
    say(&format!("driving {} for {:.0} s", model.name, length.as_secs_f64()));
    let kills = play.kills_controller.then(|| Kills::new(model.seed, start));
    let asked = model.operator.iter().rev();
    let asked = asked.map(|(at, request)| (tempo.moment(&model, *at), request.clone()));
    let run = Run {
        start,
        end: start + length,
        stack: &mut stack,
        routed: Vec::new(),
        kills,
        asked: asked.collect(),
        faults: Faults::new(planned, tempo),
        points,
    };
    let evidence = run.follow(&mut load, play)?;
    drop(stack);
    let recorded = controller::record()?;
    let unmet = if play.is_as_written() { controller::unmet(&model)? } else { Vec::new() };
    let foretold = simulated.map(|told| Outcome::recorded().map(|actual| [told, actual]));
    Ok(judge::judge(&evidence, recorded, &unmet, foretold.transpose()?.as_ref()))
}

fn start_load(scenario: &Scenario, tempo: Tempo) -> Result<Child, Failure> {
    let (xtask, start) = (spawn::xtask()?, tempo.start.as_nanos().to_string());
    let path = &scenario.path;
    let path = path.canonicalize().map_err(|why| Failure::io("find the scenario", why))?;
    let (path, speed) = (path.display().to_string(), tempo.speed.to_string());
    let mut words = vec![&*xtask, "staging", "load", &path, "--start", &start, "--speed", &speed];
    words.extend(scenario.set.iter().flat_map(|set| ["--set", set]));
    spawn::start(Host::Load, "load", &words)
}

struct Run<'a> {
    start: Timestamp,
    end: Timestamp,
    stack: &'a mut Stack,
    routed: Vec<(Timestamp, bool)>,
    kills: Option<Kills>,
    /// What people ask for and when, the last first.
    asked: Vec<(Timestamp, OperatorRequest)>,
    faults: Faults,
    /// Where commands tell that they have come, if a fault waits for one.
    points: Option<Points>,
}

impl Run<'_> {
    /// Watches until the scenario is over and all has ended, and collects what the run has left.
    fn follow(mut self, load: &mut Child, play: &Play) -> Result<Evidence, Failure> {
        let broken = play.broken;
        let mut acts = broken;
        let length = self.end.since(self.start - LEAD).as_secs_f64();
        interrupt::wait("the end of the load", Duration::from_secs_f64(length) + REST, || {
            self.look()?;
            let is_on = !judge::is_off(&judge::power()?);
            if let Some(broken) = acts
                && broken.act(is_on, self.served())?
            {
                acts = None;
            }
            let is_over = now() >= self.end.as_nanos();
            Ok((has_ended(load)? && is_over).then_some(()))
        })?;
        let rest = if broken.is_some() { REST_OF_BROKEN } else { REST };
        let settled = interrupt::wait("the standby's end and that of all jobs", rest, || {
            self.look()?;
            Ok((judge::is_off(&judge::power()?) && jobs::pending()? == 0).then_some(()))
        });
        match settled {
            // What has not ended is judged as it is.
            Ok(()) | Err(Failure::Late(..)) => self.collect(),
            Err(why) => Err(why),
        }
    }

    fn collect(self) -> Result<Evidence, Failure> {
        self.stack.stop_controller()?;
        let (jobs, accepted) = (jobs::read_all()?, jobs::accepted()?);
        let at = Timestamp::from_nanos(now());
        let end = Told::End { at, in_flight: 0, jobs_pending: jobs::pending()? };
        let text = json_lines(jobs.facts(&accepted))? + &json_lines([end])?;
        write(&folder().join("jobs.jsonl"), text)?;
        let requests = judge::lines("requests.jsonl")?;
        let power: Vec<Power> = judge::power()?;
        write(&folder().join("faults.jsonl"), json_lines(self.faults.facts())?)?;
        let missed = self.faults.missed();
        let (start, routed) = (self.start, self.routed);
        let kills = self.kills.map_or(0, |kills| kills.count);
        Ok(Evidence { start, requests, jobs, accepted, power, routed, kills, missed })
    }

    /// Notes what has changed, kills the controller if that is due, and asks it what people ask.
    fn look(&mut self) -> Result<(), Failure> {
        if self.stack.has_lost_controller() {
            let why = format!("it has ended: {} tells more", spawn::log("controller").display());
            return Err(Failure::said("go on with the controller", why));
        }
        let at = Timestamp::from_nanos(now());
        if let Some(kills) = &mut self.kills
            && at < self.end
            && kills.is_due(at)
        {
            self.stack.kill_controller()?;
            self.stack.start_controller()?;
        }
        self.pass_points()?;
        self.faults.look(self.stack, now())?;
        if let Some((due, request)) = self.asked.last()
            && at >= *due
            && controller::ask(request)?
        {
            self.asked.pop();
        }
        let Some(standing) = standing(Host::App2) else { return Ok(()) };
        let serves = standing == Standing::Serves;
        if serves != self.routed.last().is_some_and(|(_, serves)| *serves) {
            self.routed.push((at, serves));
        }
        Ok(())
    }

    /// Lets the commands go on that have come, or dies of one: what has had no effect yet has none
    /// then.
    fn pass_points(&mut self) -> Result<(), Failure> {
        while let Some(arrived) = self.points.as_ref().and_then(Points::next) {
            let kills = self.faults.reached(arrived.point, now());
            self.faults.look(self.stack, now())?;
            let is_lost = kills && arrived.point.side == Side::Before;
            arrived.answer(if is_lost { Go::Nowhere } else { Go::On });
        }
        Ok(())
    }

    /// Since when the standby serves.
    fn served(&self) -> Option<Span> {
        let (since, serves) = self.routed.last()?;
        serves.then(|| Timestamp::from_nanos(now()).since(*since))
    }
}

/// Whether the load has, and well.
fn has_ended(load: &mut Child) -> Result<bool, Failure> {
    match load.try_wait().map_err(|why| Failure::io("wait for the load", why))? {
        Some(status) if !status.success() => {
            let why = format!("{status}; {} tells more", spawn::log("load").display());
            Err(Failure::said("drive the load", why))
        }
        ended => Ok(ended.is_some()),
    }
}
