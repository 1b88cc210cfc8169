//! What a step changed: scale events, stages, how near a rule came.

use jiff::tz::TimeZone;

use super::{Action, ClosestCall, LocalTime, ScaleEvent, StageSpan, source_name};
use crate::controller::Controller;
use crate::decision::{Decision, Direction, Opinion, Verdict, Vote};
use crate::explain;
use crate::ids::ServerId;
use crate::lifecycle::Stage;
use crate::time::Timestamp;

/// What a controller did in a run, as a report tells it.
#[derive(Clone, Debug)]
pub struct Story {
    zone: TimeZone,
    servers: u16,
    events: Vec<ScaleEvent>,
    stages: Vec<StageSpan>,
    closest: Vec<ClosestCall>,
    /// The up rules that fired.
    fired: Vec<bool>,
}

/// A story that has come to its end.
#[derive(Clone, Debug)]
pub struct StoryEnd {
    /// Servers added, released, or failed to be.
    pub events: Vec<ScaleEvent>,
    /// Which server was in which stage, in the order of time.
    pub stages: Vec<StageSpan>,
    /// How near rules came to firing when they did not.
    pub closest: Vec<ClosestCall>,
}

impl Story {
    /// From `start` on, where `controller` is as it is; times are those of `zone`.
    pub fn new(controller: &Controller, start: Timestamp, zone: TimeZone) -> Self {
        let config = controller.config();
        let stage =
            |server| StageSpan { server, stage: controller.stage(server), from: start, to: start };
        Self {
            zone,
            servers: config.standbys + 1,
            events: Vec::new(),
            stages: (0..=config.standbys).map(ServerId).map(stage).collect(),
            closest: Vec::new(),
            fired: vec![false; config.policy.up.len()],
        }
    }

    /// Notes what a step changed, after which the controller is as it is; whether a standby starts
    /// or stops.
    pub fn follow(&mut self, now: Timestamp, decision: &Decision, controller: &Controller) -> bool {
        let action = match decision.verdict {
            Verdict::Hold => None,
            Verdict::ScaleUp(by) => Some((Action::ScaleUp, by)),
            Verdict::ScaleDown(by) => Some((Action::ScaleDown, by)),
        };
        if let Some((action, by)) = action {
            let event = ScaleEvent {
                at: LocalTime::new(now, &self.zone),
                action,
                source: source_name(decision.source).to_owned(),
                reason: explain::reason(decision),
            };
            self.events.extend(std::iter::repeat_n(event, usize::from(by)));
        }
        let mut moving = false;
        for server in (1..self.servers).map(ServerId) {
            let stage = controller.stage(server);
            moving |= !matches!(stage, Stage::Standby | Stage::Serving);
            self.enter_stage(now, server, stage, decision.verdict);
        }
        self.note_closest(now, decision);
        moving
    }

    fn enter_stage(&mut self, now: Timestamp, server: ServerId, stage: Stage, verdict: Verdict) {
        let last = self.stages.iter().rposition(|span| span.server == server);
        let Some(last) = last.filter(|&last| self.stages[last].stage != stage) else { return };
        self.stages[last].to = now;
        self.stages.push(StageSpan { server, stage, from: now, to: now });
        let before = self.stages[last].stage;
        let releasing = matches!(before, Stage::Draining | Stage::Quiescing);
        if stage == Stage::Faulted {
            self.note_failure(now, server);
        } else if releasing && stage == Stage::Joining && verdict == Verdict::Hold {
            let why = format!(
                "{server} still had work when {} was over time: it serves on",
                before.name()
            );
            self.fail(now, Action::ScaleDown, why);
        }
    }

    /// A sequence was undone: where it got stuck, and for whom it was begun.
    fn note_failure(&mut self, now: Timestamp, server: ServerId) {
        let undone = |stage| matches!(stage, Stage::Faulted | Stage::Draining | Stage::Stopping);
        let stuck = self.stages.iter().rev().find(|one| one.server == server && !undone(one.stage));
        let stage = stuck.map_or(Stage::Standby, |one| one.stage);
        let why =
            format!("{server} failed while {}; it rests before it is tried again", stage.name());
        self.fail(now, Action::ScaleUp, why);
    }

    /// A sequence that `begun` began came to nothing.
    fn fail(&mut self, now: Timestamp, begun: Action, reason: String) {
        let begun = self.events.iter().rev().find(|event| event.action == begun);
        self.events.push(ScaleEvent {
            at: LocalTime::new(now, &self.zone),
            action: Action::Failed,
            source: begun.map_or_else(String::new, |event| event.source.clone()),
            reason,
        });
    }

    /// It ends here.
    pub fn close(mut self, end: Timestamp) -> StoryEnd {
        for server in (0..self.servers).map(ServerId) {
            let last = self.stages.iter_mut().rfind(|span| span.server == server);
            if let Some(last) = last {
                last.to = end;
            }
        }
        let fired = self.fired;
        self.closest.retain(|call| !fired[usize::from(call.vote.rule.0)]);
        StoryEnd { events: self.events, stages: self.stages, closest: self.closest }
    }

    fn note_closest(&mut self, now: Timestamp, decision: &Decision) {
        for vote in decision.votes().filter(|vote| vote.direction == Direction::Up) {
            let rule = usize::from(vote.rule.0);
            // A person may have given it more rules than it had.
            self.fired.resize(self.fired.len().max(rule + 1), false);
            self.fired[rule] |= vote.opinion == Opinion::Agrees;
            if vote.value.is_none() {
                continue;
            }
            let nearness = |vote: &Vote| (vote.filled, vote.value);
            let held = self.closest.iter().position(|held| held.vote.rule == vote.rule);
            if held.is_some_and(|held| nearness(vote) <= nearness(&self.closest[held].vote)) {
                continue;
            }
            let at = LocalTime::new(now, &self.zone);
            let call = ClosestCall { at, vote: *vote, decision: *decision };
            match held {
                Some(held) => self.closest[held] = call,
                None => self.closest.push(call),
            }
        }
    }
}
