//! What the rules ask for: up on any, down only when all agree.

use super::{Controller, Wake, is_up};
use crate::decision::{Decision, Direction, Opinion, Veto, Vote};
use crate::defect::Defect;
use crate::ids::{RuleId, ServerId};
use crate::lifecycle::{Stage, Standby};
use crate::time::{Span, Timestamp};

impl Controller {
    /// Up on any rule, down only when all agree.
    pub(super) fn hear_rules(&mut self, now: Timestamp, decision: &mut Decision, wake: &mut Wake) {
        let up = decision.votes().find(|vote| is_up(vote.direction, vote.opinion));
        if let Some(rule) = up.map(|vote| vote.rule) {
            let held = self.state.held;
            self.hear_up(now, rule, decision, wake);
            if held.is_none() || !self.config.defects.has(Defect::OrOnScaleDown) {
                return;
            }
        }
        for index in 0..decision.votes.len() {
            let Some(vote) = decision.votes[index] else { break };
            if vote.direction == Direction::Up && vote.opinion == Opinion::Filling {
                let (rule, filled, window) = (vote.rule, vote.filled, vote.window);
                decision.object(Veto::WindowNotFull { rule, filled, window });
            }
            if vote.direction == Direction::Up && vote.opinion == Opinion::Unheard {
                decision.object(Veto::NoAlert { rule: vote.rule });
            }
        }
        if self.state.held.is_some() {
            self.hear_down(now, decision, wake);
        }
    }

    fn hear_up(&mut self, now: Timestamp, rule: RuleId, decision: &mut Decision, wake: &mut Wake) {
        let (_, maximum) = self.bounds();
        let asked = (decision.servers + 1).min(maximum);
        if self.state.held.is_some_and(|(servers, _)| servers >= asked) {
            return;
        }
        if let Some(server) = self.on_the_way() {
            return decision.object(Veto::Busy { server });
        }
        if let Some(until) = self.rest(now, self.config.policy.cool_down.up) {
            wake.note(until);
            return decision.object(Veto::CoolDown { until });
        }
        self.state.held = Some((asked, rule));
    }

    fn hear_down(&mut self, now: Timestamp, decision: &mut Decision, wake: &mut Wake) {
        let mut agreed = true;
        for index in 0..decision.votes.len() {
            let Some(vote) = decision.votes[index] else { break };
            if vote.direction != Direction::Down {
                continue;
            }
            let rule = vote.rule;
            agreed &= vote.opinion == Opinion::Agrees;
            match vote.opinion {
                Opinion::Agrees => {}
                Opinion::Filling => decision.object(Veto::WindowNotFull {
                    rule,
                    filled: vote.filled,
                    window: vote.window,
                }),
                Opinion::Disagrees => decision.object(Veto::NotAllAgree { rule }),
                Opinion::Missing => decision.object(Veto::Stale { rule }),
                Opinion::Unheard => decision.object(Veto::NoAlert { rule }),
            }
        }
        let pending = self.state.held.is_some_and(|(servers, _)| servers < decision.servers);
        let suffices =
            |vote: &Vote| vote.direction == Direction::Down && vote.opinion == Opinion::Agrees;
        agreed |= self.config.defects.has(Defect::OrOnScaleDown) && decision.votes().any(suffices);
        if !agreed || pending {
            // What is to be released already goes first.
            return;
        }
        if let Some(until) = self.rest(now, self.config.policy.cool_down.down) {
            wake.note(until);
            return decision.object(Veto::CoolDown { until });
        }
        if let Some(veto) = self.projection(now, decision.servers.saturating_sub(1)) {
            return decision.object(veto);
        }
        self.state.held = self.state.held.and_then(|(servers, rule)| {
            let fewer = servers.min(decision.servers).saturating_sub(1);
            (fewer > 1).then_some((fewer, rule))
        });
    }

    fn on_the_way(&self) -> Option<ServerId> {
        let moving =
            |standby: &&Standby| standby.stage.is_committed() && standby.stage != Stage::Serving;
        self.state.standbys.iter().find(moving).map(|standby| standby.server)
    }

    pub(super) fn rest(&self, now: Timestamp, length: Span) -> Option<Timestamp> {
        self.state.last_event.map(|last| last + length).filter(|until| now < *until)
    }
}
