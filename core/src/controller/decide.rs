//! From demands to a decision, with every vote and veto.

use super::{Bound, Command, Context, Controller, Stage, Standby, Timestamp};
use crate::decision::{Decision, Direction, Flip, Opinion, Source, Verdict, Veto};
use crate::demand::trigger::group_value;
use crate::demand::{Demand, RULE_PRIORITY, resolve};
use crate::ids::{RuleId, ScheduleId, ServerId};
use crate::observation::{Ratio, ServerView};
use crate::policy::Metric;

impl Controller {
    /// Decides, and begins what was decided. Also returns the times at which time alone may change
    /// the decision.
    pub(super) fn decide(
        &mut self,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) -> (Decision, Vec<Timestamp>) {
        let mut decision = self.vote(now);
        let mut wake = Vec::new();
        self.expire(now, &mut wake);
        let paused = self.state.paused_until.is_some();
        if !paused {
            self.hear_rules(now, &mut decision, &mut wake);
        }
        let demands = self.demands(now, &mut wake);
        let (minimum, maximum) = self.bounds();
        let resolution = resolve(minimum, maximum, &demands);
        let (wanted, committed) = (resolution.servers, decision.servers);
        let source = resolution.source(committed);
        (decision.wanted, decision.source) = (wanted, (wanted != committed).then_some(source));
        if wanted > committed {
            self.scale_up(now, wanted - committed, &mut decision, commands);
        } else if wanted < committed {
            self.consider_down(now, source, &mut decision, &mut wake, commands);
        } else if decision.votes().any(|vote| is_up(vote.direction, vote.opinion))
            && wanted == maximum
        {
            decision.object(Veto::AtMaximum);
        }
        self.remember(now, wanted);
        self.note_overdue(now, &mut decision);
        decision.flip = flip(&decision);
        (decision, wake)
    }

    fn bounds(&self) -> (u16, u16) {
        let policy = &self.config.policy;
        (1 + policy.min_standbys, 1 + policy.max_standbys.unwrap_or(self.config.standbys))
    }

    /// The views of the servers that serve, the primary first.
    fn serving_views(&self) -> impl Iterator<Item = Option<&ServerView>> {
        let serves = |standby: &&Standby| standby.stage == Stage::Serving;
        let standbys = self.state.standbys.iter().filter(serves).map(|standby| standby.server);
        std::iter::once(ServerId::PRIMARY)
            .chain(standbys)
            .map(|id| self.state.views.iter().find(|view| view.server == id))
    }

    fn vote(&mut self, now: Timestamp) -> Decision {
        let mut decision = Decision {
            servers: self.committed(),
            wanted: 1,
            verdict: Verdict::Hold,
            source: None,
            votes: Default::default(),
            vetoes: Default::default(),
            flip: None,
        };
        let stale = self.config.policy.evidence.stale_after;
        for index in 0..self.rules.len() {
            let rule = self.rules[index];
            let complete = rule.direction == Direction::Down;
            let value = group_value(self.serving_views(), rule.metric, now, stale, complete);
            decision.votes[index] = Some(rule.vote(&mut self.state.windows[index], value, stale));
        }
        decision
    }

    fn expire(&mut self, now: Timestamp, wake: &mut Vec<Timestamp>) {
        self.state.paused_until = self.state.paused_until.filter(|until| now < *until);
        self.state.manual = self.state.manual.filter(|manual| now < manual.until);
        wake.extend(self.state.paused_until);
        wake.extend(self.state.manual.map(|manual| manual.until));
    }

    /// Up on any rule, down only when all agree.
    fn hear_rules(&mut self, now: Timestamp, decision: &mut Decision, wake: &mut Vec<Timestamp>) {
        let votes = decision.votes;
        let up = votes.iter().flatten().find(|vote| is_up(vote.direction, vote.opinion)).copied();
        if let Some(vote) = up {
            self.hear_up(now, vote.rule, decision, wake);
            return;
        }
        for vote in votes.iter().flatten() {
            if vote.direction == Direction::Up && vote.opinion == Opinion::Filling {
                let (rule, filled, window) = (vote.rule, vote.filled, vote.window);
                decision.object(Veto::WindowNotFull { rule, filled, window });
            }
        }
        if self.state.held.is_some() {
            self.hear_down(now, decision, wake);
        }
    }

    fn hear_up(
        &mut self,
        now: Timestamp,
        rule: RuleId,
        decision: &mut Decision,
        wake: &mut Vec<Timestamp>,
    ) {
        let (_, maximum) = self.bounds();
        let asked = (decision.servers + 1).min(maximum);
        if self.state.held.is_some_and(|(servers, _)| servers >= asked) {
            return;
        }
        if let Some(server) = self.on_the_way() {
            return decision.object(Veto::Busy { server });
        }
        if let Some(until) = self.rest(now, self.config.policy.cool_down.up) {
            wake.push(until);
            return decision.object(Veto::CoolDown { until });
        }
        self.state.held = Some((asked, rule));
    }

    fn hear_down(&mut self, now: Timestamp, decision: &mut Decision, wake: &mut Vec<Timestamp>) {
        let votes = decision.votes;
        let mut agreed = true;
        for vote in votes.iter().flatten().filter(|vote| vote.direction == Direction::Down) {
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
            }
        }
        if !agreed {
            return;
        }
        if let Some(until) = self.rest(now, self.config.policy.cool_down.down) {
            wake.push(until);
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

    fn rest(&self, now: Timestamp, length: crate::time::Span) -> Option<Timestamp> {
        self.state.last_event.map(|last| last + length).filter(|until| now < *until)
    }

    fn demands(&mut self, now: Timestamp, wake: &mut Vec<Timestamp>) -> Vec<Demand> {
        let mut demands = Vec::new();
        for (index, calendar) in self.calendars.iter_mut().enumerate() {
            let (open, edge) = calendar.at(now);
            wake.push(edge);
            let schedule = &self.config.policy.schedule[index];
            if open {
                demands.push(Demand {
                    source: Source::Schedule(ScheduleId(index as u8)),
                    bound: schedule.bound,
                    servers: schedule.servers,
                    priority: schedule.priority,
                });
            }
        }
        if let Some((servers, rule)) = self.state.held {
            let (source, priority) = (Source::Rule(rule), RULE_PRIORITY);
            demands.push(Demand { source, bound: Bound::Floor, servers, priority });
        }
        if self.state.paused_until.is_some() {
            let servers = self.committed();
            demands =
                vec![Demand { source: Source::Bounds, bound: Bound::Pin, servers, priority: 0 }];
        }
        demands.extend(self.state.manual.map(|manual| Demand {
            source: Source::Manual,
            bound: manual.bound,
            servers: manual.servers,
            priority: self.config.policy.manual.priority,
        }));
        demands
    }

    fn scale_up(
        &mut self,
        now: Timestamp,
        by: u16,
        decision: &mut Decision,
        commands: &mut Vec<Command>,
    ) {
        let mut left = by;
        let rank = |stage| match stage {
            Stage::Quiescing | Stage::Draining => 0,
            _ => 1,
        };
        for wanted_rank in [0, 1] {
            self.each(now, commands, |standby, _, context| {
                if left > 0 && standby.is_available() && rank(standby.stage) == wanted_rank {
                    standby.begin_up(context);
                    left -= 1;
                }
            });
        }
        if left < by {
            decision.verdict = Verdict::ScaleUp(by - left);
        }
        if left > 0 {
            let resting =
                self.state.standbys.iter().filter(|standby| standby.stage == Stage::Faulted);
            decision.object(Veto::NoStandby { until: resting.map(|standby| standby.since).min() });
        }
    }

    fn consider_down(
        &mut self,
        now: Timestamp,
        source: Source,
        decision: &mut Decision,
        wake: &mut Vec<Timestamp>,
        commands: &mut Vec<Command>,
    ) {
        let committed = decision.servers;
        let mut target = decision.wanted;
        if source != Source::Manual {
            let window = self.config.policy.stabilization.down;
            let recent = self.state.wanted.iter().filter(|(at, _)| now.since(*at) < window);
            let most = recent.max_by_key(|(at, servers)| (*servers, *at)).copied();
            if let Some((at, servers)) = most.filter(|(_, servers)| *servers > target) {
                decision.object(Veto::Stabilization { until: at + window });
                wake.push(at + window);
                target = servers;
            }
            if target < committed
                && let Some(veto) = self.projection(now, target)
            {
                decision.object(veto);
                return;
            }
        }
        let by = committed.saturating_sub(target);
        if by > 0 {
            self.scale_down(now, by, commands);
            decision.verdict = Verdict::ScaleDown(by);
        }
    }

    /// What speaks against `remaining` servers: a load that is not known, or one that would ask for
    /// another server at once. CPU is divided among those that remain; memory stays where it is, for
    /// workers hold it whether or not they have work.
    fn projection(&self, now: Timestamp, remaining: u16) -> Option<Veto> {
        let stale = self.config.policy.evidence.stale_after;
        for (index, view) in self.serving_views().enumerate() {
            let known = view.and_then(|view| view.cpu).is_some_and(|cpu| cpu.age(now) <= stale);
            if !known {
                return Some(Veto::Unknown { server: ServerId(index as u16) });
            }
        }
        let serving = u64::from(self.serving());
        for (index, up) in self.config.policy.up.iter().enumerate() {
            let value = group_value(self.serving_views(), up.metric, now, stale, true)?;
            let load = match up.metric {
                Metric::Cpu => u64::from(value.value.ppm()) * serving / u64::from(remaining.max(1)),
                Metric::Memory => u64::from(value.value.ppm()),
            };
            let projected = Ratio::from_ppm(u32::try_from(load).unwrap_or(u32::MAX));
            let margin = self.config.policy.evidence.projection_margin.ppm();
            let limit = Ratio::from_ppm(up.above.ppm().saturating_sub(margin));
            if projected >= limit {
                return Some(Veto::FlapProjection { rule: RuleId(index as u8), projected, limit });
            }
        }
        None
    }

    /// Releases those that do not serve yet first, then the highest numbers.
    fn scale_down(&mut self, now: Timestamp, by: u16, commands: &mut Vec<Command>) {
        let mut candidates: Vec<(bool, ServerId)> = self
            .state
            .standbys
            .iter()
            .filter(|standby| standby.stage.is_committed())
            .map(|standby| (standby.stage != Stage::Serving, standby.server))
            .collect();
        candidates.sort_unstable();
        let kept = candidates.len().saturating_sub(usize::from(by));
        let released = candidates.split_off(kept);
        self.each(now, commands, |standby, _, context: &mut Context<'_>| {
            if released.iter().any(|(_, server)| *server == standby.server) {
                standby.begin_down(context);
            }
        });
    }

    pub(super) fn remember(&mut self, now: Timestamp, wanted: u16) {
        let window = self.config.policy.stabilization.down;
        let history = &mut self.state.wanted;
        history.retain(|(at, servers)| now.since(*at) < window && *servers > wanted);
        history.push((now, wanted));
    }

    fn note_overdue(&self, now: Timestamp, decision: &mut Decision) {
        for standby in &self.state.standbys {
            if standby.is_overdue(now, &self.config.policy) {
                decision.object(Veto::Overdue { server: standby.server });
            }
        }
        if let Some(until) = self.state.paused_until {
            decision.object(Veto::Paused { until });
        }
    }
}

fn is_up(direction: Direction, opinion: Opinion) -> bool {
    direction == Direction::Up && opinion == Opinion::Agrees
}

/// The smallest change that would have led to another verdict: time first, then a longer stay,
/// then another value.
fn flip(decision: &Decision) -> Option<Flip> {
    let passing = decision.vetoes().find_map(|veto| match *veto {
        Veto::CoolDown { until } | Veto::Stabilization { until } | Veto::Paused { until } => {
            Some(Flip::At { time: until })
        }
        Veto::NoStandby { until } => until.map(|time| Flip::At { time }),
        _ => None,
    });
    let longer = decision
        .votes()
        .find(|vote| vote.opinion == Opinion::Filling)
        .map(|vote| Flip::Longer { rule: vote.rule, remaining: vote.window - vote.filled });
    let missing = decision.votes().find(|vote| vote.opinion == Opinion::Missing);
    let nearest = decision
        .votes()
        .filter(|vote| vote.direction == Direction::Up)
        .filter_map(|vote| Some((vote.threshold.ppm().abs_diff(vote.value?.ppm()), vote)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, vote)| Flip::Metric { rule: vote.rule, value: vote.threshold });
    passing.or(longer).or(missing.map(|vote| Flip::Sample { rule: vote.rule })).or(nearest)
}
