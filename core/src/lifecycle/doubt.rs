//! What is seen of a server against what its stage says: a machine that died or runs unasked, a
//! proxy that forgot, services that went away. One reading may be wrong; several in a row are not.

use serde::{Deserialize, Serialize};

use super::Stage;
use super::standby::{Context, Standby, join};
use crate::command::CommandKind;
use crate::defect::{Defect, Defects};
use crate::observation::{Dated, Health, Power, ServerView};
use crate::time::Timestamp;

/// Readings in a row that settle a doubt about power or routing.
const SETTLED: u8 = 2;

/// What contradicts a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Contradiction {
    /// The provider says that the machine is off.
    Dead,
    /// The provider says that the machine runs, and nobody asked for it.
    Stray,
    /// The proxy does not send it requests.
    Forgotten,
    /// The proxy still sends it requests.
    StillRouted,
    /// Its health checks are bad.
    Ill,
}

/// A contradiction, read so many times in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubt {
    what: Contradiction,
    readings: u8,
    first: Timestamp,
    last: Timestamp,
}

impl Standby {
    /// Acts on what contradicts the stage, once that is settled; whether it did.
    pub(super) fn reconcile(
        &mut self,
        view: Option<&ServerView>,
        context: &mut Context<'_>,
    ) -> bool {
        let found = view.and_then(|view| self.contradiction(view));
        let found = found.filter(|(what, _)| !is_ignored(*what, context.defects));
        let Some((what, at)) = found else {
            self.doubt = None;
            return false;
        };
        let doubt = match self.doubt.filter(|doubt| doubt.what == what) {
            Some(doubt) if at <= doubt.last => return false,
            Some(doubt) => Doubt { readings: doubt.readings.saturating_add(1), last: at, ..doubt },
            None => Doubt { what, readings: 1, first: at, last: at },
        };
        self.doubt = Some(doubt);
        let needed = match what {
            Contradiction::Ill => context.policy.evidence.unhealthy_checks,
            Contradiction::Dead
            | Contradiction::Stray
            | Contradiction::Forgotten
            | Contradiction::StillRouted => SETTLED,
        };
        let shared = what == Contradiction::Ill && context.primary_is_ill;
        if doubt.readings < needed || shared {
            return false;
        }
        self.settle_doubt(what, view, context);
        true
    }

    /// The first contradiction in `view`, and when it was read. Readings from before the stage, or
    /// from before its command was done, say nothing.
    fn contradiction(&self, view: &ServerView) -> Option<(Contradiction, Timestamp)> {
        let after = self.done_at.map_or(self.since, |done| done.max(self.since));
        let power = view.power.filter(|power| power.at > self.since);
        let routed = view.routed.filter(|routed| routed.at > after && self.command.is_none());
        let health = view.health.filter(|health| health.at > after);
        let runs = power.filter(|power| matches!(power.value, Power::On | Power::Booting));
        let is_routed = |wanted| routed.filter(|routed| routed.value == wanted).map(|one| one.at);
        let dead = || self.death(power, view.health).map(|at| (Contradiction::Dead, at));
        match self.stage {
            Stage::Standby | Stage::Faulted => runs.map(|one| (Contradiction::Stray, one.at)),
            Stage::Warming | Stage::Joining => dead(),
            // The proxy may have forgotten an ill one too, which must not be told to it again.
            Stage::Serving => dead()
                .or_else(|| bad(health).map(|at| (Contradiction::Ill, at)))
                .or_else(|| is_routed(false).map(|at| (Contradiction::Forgotten, at))),
            Stage::Draining | Stage::Quiescing => {
                dead().or_else(|| is_routed(true).map(|at| (Contradiction::StillRouted, at)))
            }
            Stage::Stopping if self.stops_services() => dead(),
            Stage::Starting | Stage::Stopping => None,
        }
    }

    fn stops_services(&self) -> bool {
        self.command.is_some_and(|command| command.kind == CommandKind::StopServices)
    }

    /// The provider says that the machine is off, and nothing on it has answered since.
    fn death(
        &self,
        power: Option<Dated<Power>>,
        health: Option<Dated<Health>>,
    ) -> Option<Timestamp> {
        let off = power.filter(|power| power.value == Power::Off && !self.dead)?;
        let doubted = self.doubt.filter(|doubt| doubt.what == Contradiction::Dead);
        let since = doubted.map_or(off.at, |doubt| doubt.first);
        let answers = health.is_some_and(|one| one.value != Health::NONE && one.at >= since);
        (!answers).then_some(off.at)
    }

    fn settle_doubt(
        &mut self,
        what: Contradiction,
        view: Option<&ServerView>,
        context: &mut Context<'_>,
    ) {
        match what {
            Contradiction::Dead => self.bury(context),
            Contradiction::Stray => {
                let works = view.and_then(|view| view.health).filter(|one| one.at > self.since);
                if works.is_some_and(|health| health.value != Health::NONE) {
                    self.enter(Stage::Draining, CommandKind::Drain, context);
                } else {
                    self.enter(Stage::Stopping, CommandKind::PowerOff, context);
                }
            }
            Contradiction::Forgotten => self.enter(Stage::Joining, join(context), context),
            Contradiction::StillRouted => self.enter(Stage::Draining, CommandKind::Drain, context),
            Contradiction::Ill => {
                self.failed = true;
                self.enter(Stage::Draining, CommandKind::Drain, context);
            }
        }
    }

    /// The proxy forgets a dead machine first; the power off that follows ends its billing.
    fn bury(&mut self, context: &mut Context<'_>) {
        (self.failed, self.dead) = (true, true);
        if matches!(self.stage, Stage::Warming | Stage::Quiescing | Stage::Stopping) {
            self.enter(Stage::Stopping, CommandKind::PowerOff, context);
        } else {
            self.enter(Stage::Draining, CommandKind::Drain, context);
        }
    }
}

/// Whether a planted defect does not look at it.
fn is_ignored(what: Contradiction, defects: Defects) -> bool {
    match what {
        Contradiction::Dead => defects.has(Defect::DeathUnnoticed),
        Contradiction::Stray => defects.has(Defect::StrayLeftOn),
        Contradiction::Forgotten | Contradiction::StillRouted => {
            defects.has(Defect::RoutingUnchecked)
        }
        Contradiction::Ill => false,
    }
}

fn bad(health: Option<Dated<Health>>) -> Option<Timestamp> {
    health.filter(|health| !health.value.has(Health::ALL)).map(|health| health.at)
}
