//! From demands to a decision, with every vote and veto.

mod down;
mod planted;
mod rules;

use super::{Bound, Command, Context, Controller, Stage, Standby, Timestamp, Wake};
use crate::decision::{Decision, Direction, Flip, Opinion, Source, Verdict, Veto};
use crate::demand::trigger::group_value;
use crate::demand::{Demand, RULE_PRIORITY, Resolution, resolve};
use crate::ids::{ScheduleId, ServerId};
use crate::observation::ServerView;
use crate::policy::EvidenceFrom;

impl Controller {
    /// Decides, and begins what was decided. Notes when time alone may change the decision.
    pub(super) fn decide(
        &mut self,
        now: Timestamp,
        wake: &mut Wake,
        commands: &mut Vec<Command>,
    ) -> Decision {
        let mut decision = self.vote(now);
        self.expire(now, wake);
        let paused = self.state.paused_until.is_some();
        if !paused {
            self.hear_rules(now, &mut decision, wake);
        }
        self.restart_what_serves(now, commands);
        self.lose_schedules(now);
        let demands = self.demands(now, wake);
        let (minimum, maximum) = self.bounds();
        let resolution = resolve(minimum, maximum, &demands);
        let (wanted, committed) = (resolution.servers, decision.servers);
        let source = resolution.source(committed);
        (decision.wanted, decision.source) = (wanted, (wanted != committed).then_some(source));
        if wanted > committed {
            self.scale_up(now, wanted - committed, &mut decision, commands);
        } else if wanted < committed {
            self.consider_down(now, source, &mut decision, wake, commands);
        }
        note_limits(&demands, resolution, &mut decision);
        self.remember(now, wanted);
        self.note_overdue(now, &mut decision);
        decision.flip = flip(&decision);
        decision
    }

    /// What was demanded in the last step, which was at `now`. A pause counts as a demand for as
    /// many servers as there are.
    pub fn demanded(&mut self, now: Timestamp) -> Vec<Demand> {
        self.demands(now, &mut Wake::new(now))
    }

    fn bounds(&self) -> (u16, u16) {
        let policy = &self.config.policy;
        (1 + policy.min_standbys, 1 + policy.max_standbys.unwrap_or(self.config.standbys))
    }

    /// The servers that serve, the primary first.
    fn serving_servers(&self) -> impl Iterator<Item = ServerId> {
        let serves = |standby: &&Standby| standby.stage == Stage::Serving;
        let standbys = self.state.standbys.iter().filter(serves).map(|standby| standby.server);
        std::iter::once(ServerId::PRIMARY).chain(standbys)
    }

    fn view(&self, server: ServerId) -> Option<&ServerView> {
        self.state.views.iter().find(|view| view.server == server)
    }

    fn serving_views(&self) -> impl Iterator<Item = Option<&ServerView>> {
        self.serving_servers().map(|server| self.view(server))
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
        let evidence = self.config.policy.evidence;
        let stale = evidence.stale_after;
        for index in 0..self.rules.len() {
            let rule = self.rules[index];
            let complete = rule.direction == Direction::Down;
            let value = group_value(self.serving_views(), rule.metric, now, stale, complete);
            let value = self.missing_as_zero(now, rule.direction, value);
            let alert = self.state.alerts.iter().find(|alert| alert.rule == rule.id);
            let window = &mut self.state.windows[index];
            let mut vote = match evidence.from {
                EvidenceFrom::Metrics => rule.vote(window, value, stale),
                EvidenceFrom::Alerts => rule.vote_on_alert(window, value, alert, now, &evidence),
            };
            planted::distort(&mut vote, alert, self.config.defects);
            decision.votes[index] = Some(vote);
        }
        decision
    }

    fn expire(&mut self, now: Timestamp, wake: &mut Wake) {
        self.state.paused_until = self.state.paused_until.filter(|until| now < *until);
        self.state.manual = self.state.manual.filter(|manual| now < manual.until);
        let until = self.state.manual.map(|manual| manual.until);
        self.state.paused_until.into_iter().chain(until).for_each(|at| wake.note(at));
    }

    fn demands(&mut self, now: Timestamp, wake: &mut Wake) -> Vec<Demand> {
        let mut demands = Vec::new();
        for (index, calendar) in self.calendars.iter_mut().enumerate() {
            let (open, edge) = calendar.at(now);
            wake.note(edge);
            let schedule = &self.config.policy.schedule[index];
            if open && self.state.lost >> index & 1 == 0 {
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
        if self.waits_for_jobs() {
            return;
        }
        let mut left = by;
        let rank = |stage| u8::from(!matches!(stage, Stage::Quiescing | Stage::Draining));
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
            let until = resting.filter_map(|standby| standby.rests_until).min();
            decision.object(Veto::NoStandby { until });
        }
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

/// Who keeps more servers from being wanted, or those that no rule needs from being released.
fn note_limits(demands: &[Demand], resolution: Resolution, decision: &mut Decision) {
    let by = |source: Source| match source {
        Source::Bounds => None,
        Source::Rule(_) | Source::Schedule(_) | Source::Manual => {
            Some(Veto::Outranked { by: source })
        }
    };
    let rule_asks = decision.votes().any(|vote| is_up(vote.direction, vote.opinion));
    let floor_cut = demands
        .iter()
        .any(|demand| demand.bound != Bound::Ceiling && demand.servers > resolution.most);
    if floor_cut || rule_asks && decision.servers >= resolution.most {
        decision.object(by(resolution.limited_by).unwrap_or(Veto::AtMaximum));
    }
    let kept = decision.servers > 1 && resolution.servers >= decision.servers;
    if decision.agreed_down().is_some() && kept && !matches!(resolution.asked_by, Source::Rule(_)) {
        decision.object(by(resolution.asked_by).unwrap_or(Veto::AtMinimum));
    }
}

/// The smallest change that would have led to another verdict: time first, then a longer stay,
/// then another value.
fn flip(decision: &Decision) -> Option<Flip> {
    let passing = decision.vetoes().find_map(|veto| match *veto {
        Veto::CoolDown { until } | Veto::Stabilization { until } | Veto::Paused { until } => {
            Some(Flip::At { time: until })
        }
        Veto::NoStandby { until } => until.map(|time| Flip::At { time }),
        Veto::WindowNotFull { .. }
        | Veto::Stale { .. }
        | Veto::NoAlert { .. }
        | Veto::Unknown { .. }
        | Veto::AtMaximum
        | Veto::AtMinimum
        | Veto::Outranked { .. }
        | Veto::NotAllAgree { .. }
        | Veto::FlapProjection { .. }
        | Veto::Busy { .. }
        | Veto::Overdue { .. } => None,
    });
    let longer = decision
        .votes()
        .find(|vote| vote.opinion == Opinion::Filling)
        .map(|vote| Flip::Longer { rule: vote.rule, remaining: vote.window - vote.filled });
    let first = |opinion| decision.votes().find(|vote| vote.opinion == opinion);
    let unheard = first(Opinion::Unheard).map(|vote| Flip::Alert { rule: vote.rule });
    let missing = first(Opinion::Missing).map(|vote| Flip::Sample { rule: vote.rule });
    let nearest = decision
        .votes()
        .filter(|vote| vote.direction == Direction::Up)
        .filter_map(|vote| Some((vote.threshold.ppm().abs_diff(vote.value?.ppm()), vote)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, vote)| Flip::Metric { rule: vote.rule, value: vote.threshold });
    passing.or(longer).or(unheard).or(missing).or(nearest)
}
