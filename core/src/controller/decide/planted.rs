//! Where planted defects change what is decided.

use super::{Command, Controller, Stage, Timestamp};
use crate::decision::{Direction, Opinion, Vote};
use crate::defect::{Defect, Defects};
use crate::ids::ServerId;
use crate::observation::{Alert, Dated, Ratio};

/// What a defect makes of a vote.
pub(super) fn distort(vote: &mut Vote, alert: Option<&Alert>, defects: Defects) {
    let up = vote.direction == Direction::Up;
    let at_once = defects.has(Defect::NoWindow) && up && vote.opinion == Opinion::Filling;
    let for_ever = defects.has(Defect::ResolvedIgnored) && up && alert.is_some();
    if at_once || for_ever {
        vote.opinion = Opinion::Agrees;
    }
}

impl Controller {
    /// The value that a down rule reads.
    pub(super) fn missing_as_zero(
        &self,
        now: Timestamp,
        direction: Direction,
        value: Option<Dated<Ratio>>,
    ) -> Option<Dated<Ratio>> {
        let planted = self.config.defects.has(Defect::MissingAsZero);
        let zero =
            (planted && direction == Direction::Down).then(|| Dated::new(Ratio::from_ppm(0), now));
        value.or(zero)
    }

    /// Whether a scale-up waits for jobs of the primary.
    pub(super) fn waits_for_jobs(&self) -> bool {
        let jobs = self.view(ServerId::PRIMARY).and_then(|view| view.jobs);
        self.config.defects.has(Defect::WaitForJobs) && jobs.is_some_and(|jobs| jobs.value > 0)
    }

    /// Whether a schedule whose window is open is lost, if defects lose any.
    pub(super) fn lose_schedules(&mut self, now: Timestamp) {
        if !self.config.defects.has(Defect::LostSchedule) {
            return;
        }
        let (committed, busy) = (self.committed(), self.moving() > 0);
        let rests = self.rest(now, self.config.policy.cool_down.up).is_some();
        let schedules = self.calendars.iter_mut().zip(&self.config.policy.schedule);
        for (index, (calendar, schedule)) in schedules.enumerate() {
            if !calendar.at(now).0 {
                self.state.lost &= !(1 << index);
            } else if schedule.servers > committed && (busy || rests) {
                self.state.lost |= 1 << index;
            }
        }
    }

    /// A schedule that has opened restarts the services of servers that serve, if a defect does so.
    pub(super) fn restart_what_serves(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if !self.config.defects.has(Defect::RestartServing) {
            return;
        }
        let before = self.state.opened;
        for (index, calendar) in self.calendars.iter_mut().enumerate() {
            let open = u64::from(calendar.at(now).0);
            self.state.opened = self.state.opened & !(1 << index) | open << index;
        }
        if self.state.opened & !before != 0 {
            self.each(now, commands, |standby, _, context| {
                if standby.stage == Stage::Serving {
                    standby.restart(context);
                }
            });
        }
    }
}
