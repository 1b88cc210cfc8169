//! What a step changed: scale events, stages, how near a rule came.

use tidegate_core::decision::{Decision, Direction, Opinion, Verdict, Vote};
use tidegate_core::lifecycle::Stage;
use tidegate_core::record::{Action, ClosestCall, LocalTime, ScaleEvent, StageSpan, source_name};
use tidegate_core::{ServerId, Step, Timestamp};

use super::Run;

impl Run<'_> {
    /// Notes what changed: scale events, stages, how near a rule came.
    pub(super) fn follow(&mut self, now: Timestamp, step: &Step) {
        let decision = &step.decision;
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
                reason: tidegate_core::explain::reason(decision),
            };
            self.events.extend(std::iter::repeat_n(event, usize::from(by)));
        }
        let mut moving = false;
        for index in 1..self.model.servers.len() {
            let server = ServerId(index as u16);
            let stage = self.controller.stage(server);
            moving |= !matches!(stage, Stage::Standby | Stage::Serving);
            self.enter_stage(now, server, stage, decision.verdict);
        }
        self.world.set_moving(moving);
        self.note_closest(now, decision);
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

    fn note_closest(&mut self, now: Timestamp, decision: &Decision) {
        for vote in decision.votes().filter(|vote| vote.direction == Direction::Up) {
            let rule = usize::from(vote.rule.0);
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
