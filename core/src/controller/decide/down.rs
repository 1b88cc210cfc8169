//! Fewer servers: only past the stabilization window, and only if those that remain can carry it.

use super::{Command, Context, Controller, Stage, Wake};
use crate::decision::{Decision, Source, Verdict, Veto};
use crate::defect::Defect;
use crate::demand::trigger::group_value;
use crate::ids::{RuleId, ServerId};
use crate::observation::{Dated, Ratio};
use crate::policy::{Bound, Metric, UpRule};
use crate::time::{Span, Timestamp};

impl Controller {
    pub(super) fn consider_down(
        &mut self,
        now: Timestamp,
        source: Source,
        decision: &mut Decision,
        wake: &mut Wake,
        commands: &mut Vec<Command>,
    ) {
        let committed = decision.servers;
        let target = self.settled(now, decision, wake);
        // A person is not held back, but from what the person asked for.
        let asked = self.state.manual.filter(|manual| manual.bound != Bound::Floor);
        let asked = asked.filter(|_| source == Source::Manual);
        let target = asked.map_or(target, |manual| target.min(manual.servers));
        let by = committed.saturating_sub(target.max(decision.wanted));
        if by > 0 {
            self.scale_down(now, by, commands);
            decision.verdict = Verdict::ScaleDown(by);
            if source == Source::Bounds {
                decision.source = decision.agreed_down().map(Source::Rule).or(decision.source);
            }
        }
    }

    /// The servers that are left once the stabilization window and the projection are heard.
    fn settled(&self, now: Timestamp, decision: &mut Decision, wake: &mut Wake) -> u16 {
        let window = self.config.policy.stabilization.down;
        let mut target = decision.wanted;
        let recent = self.state.wanted.iter().filter(|(at, _)| now.since(*at) < window);
        let most = recent.max_by_key(|(at, servers)| (*servers, *at)).copied();
        if let Some((at, servers)) = most.filter(|(_, servers)| *servers > target) {
            decision.object(Veto::Stabilization { until: at + window });
            wake.note(at + window);
            target = servers;
        }
        let veto = (target < decision.servers).then(|| self.projection(now, target)).flatten();
        match veto {
            Some(veto) => {
                decision.object(veto);
                decision.servers
            }
            None => target,
        }
    }

    /// What speaks against `remaining` servers: a load that is not known, or one that would ask for
    /// another server at once. CPU is divided among those that remain; memory stays where it is:
    /// workers hold it whether or not they have work.
    pub(super) fn projection(&self, now: Timestamp, remaining: u16) -> Option<Veto> {
        let blind = [Defect::NoProjection, Defect::OrOnScaleDown, Defect::MissingAsZero];
        if blind.into_iter().any(|defect| self.config.defects.has(defect)) {
            return None;
        }
        let stale = self.config.policy.evidence.stale_after;
        if let Some(server) = self.unknown(now, stale) {
            return Some(Veto::Unknown { server });
        }
        let mut rules = self.config.policy.up.iter().enumerate();
        rules.find_map(|(index, up)| self.flap(now, remaining, index, up))
    }

    /// A serving server without a fresh value of CPU, or of another metric that an up rule reads.
    fn unknown(&self, now: Timestamp, stale: Span) -> Option<ServerId> {
        let fresh = |value: Option<Dated<Ratio>>| value.is_some_and(|one| one.age(now) <= stale);
        let up = &self.config.policy.up;
        let reads_memory = up.iter().any(|rule| rule.metric == Metric::Memory);
        let known = |server: &ServerId| {
            self.view(*server)
                .is_some_and(|view| fresh(view.cpu) && (!reads_memory || fresh(view.memory)))
        };
        self.serving_servers().find(|server| !known(server))
    }

    /// Whether `up` would fire with `remaining` servers.
    fn flap(&self, now: Timestamp, remaining: u16, index: usize, up: &UpRule) -> Option<Veto> {
        let evidence = &self.config.policy.evidence;
        let value =
            group_value(self.serving_views(), up.metric, now, evidence.stale_after, true)?.value;
        let load = match up.metric {
            Metric::Cpu => {
                let all = u64::from(value.ppm()) * u64::from(self.serving());
                all / u64::from(remaining.max(1))
            }
            Metric::Memory => u64::from(value.ppm()),
        };
        let projected = Ratio::from_ppm(u32::try_from(load).unwrap_or(u32::MAX));
        let margin = evidence.projection_margin.ppm();
        let limit = Ratio::from_ppm(up.above.ppm().saturating_sub(margin));
        let rule = RuleId(index as u8);
        (projected >= limit).then_some(Veto::FlapProjection { rule, projected, limit })
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
}
