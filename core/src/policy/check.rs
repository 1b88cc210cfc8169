//! What a policy may not say, found before anything runs.

use jiff::tz::TimeZone;

use super::{MAX_RULES, MAX_SCHEDULES, Metric, Policy, Schedule};
use crate::demand::schedule::{is_inverted, parse_cron};
use crate::observation::Ratio;

/// Where in the policy table a problem lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The key in the policy table.
    pub key: &'static str,
    /// The position in that key's array, if it is one.
    pub index: Option<usize>,
    /// The key below, or empty.
    pub field: &'static str,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// A server added by a rule would never be released.
    #[error("an up rule needs a down rule, or its server is never released")]
    UpWithoutDown,
    /// Both directions at once.
    #[error("{down} is not below the up threshold of {up}: both rules would agree at once")]
    Inverted {
        /// The down threshold.
        down: Ratio,
        /// The up threshold.
        up: Ratio,
    },
    /// Past a fixed size.
    #[error("at most {0} are supported")]
    TooMany(usize),
    /// More standbys wanted than there are.
    #[error("{asked} standbys are more than the group's {have}")]
    TooManyStandbys {
        /// Wanted.
        asked: u16,
        /// Provisioned.
        have: u16,
    },
    /// Minimum above maximum.
    #[error("the minimum is above the maximum of {0}")]
    MinimumAboveMaximum(u16),
    /// A schedule for a group without a primary.
    #[error("a schedule counts the primary too, so 1 is the least")]
    NoServers,
    /// Neither kind of schedule, or both.
    #[error("a schedule has either `from` and `until`, or `cron`, `for` and `zone`")]
    Neither,
    /// An empty or inverted window.
    #[error("the window ends before it begins")]
    EmptyWindow,
    /// Not a cron expression.
    #[error("not a cron expression: {0}")]
    Cron(String),
    /// Not a zone.
    #[error("`{0}` is not an IANA time zone, such as \"Asia/Kolkata\" or \"UTC\"")]
    Zone(String),
    /// A zero where something must pass.
    #[error("must be more than zero")]
    Zero,
}

/// A problem and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PolicyError {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: PolicyProblem,
}

const fn at(key: &'static str, index: Option<usize>, field: &'static str) -> Place {
    Place { key, index, field }
}

impl Policy {
    /// Checks the policy for a group of `standbys` standby servers.
    ///
    /// # Errors
    /// The first problem found, in the order of the table's keys.
    pub fn check(&self, standbys: u16) -> Result<(), PolicyError> {
        self.check_bounds(standbys)?;
        self.check_rules()?;
        self.check_schedules(standbys)?;
        self.check_steps()
    }

    fn check_bounds(&self, standbys: u16) -> Result<(), PolicyError> {
        let max = self.max_standbys.unwrap_or(standbys);
        if max > standbys {
            let problem = PolicyProblem::TooManyStandbys { asked: max, have: standbys };
            return Err(PolicyError { place: at("max_standbys", None, ""), problem });
        }
        if self.min_standbys > max {
            let problem = PolicyProblem::MinimumAboveMaximum(max);
            return Err(PolicyError { place: at("min_standbys", None, ""), problem });
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), PolicyError> {
        if self.up.len() + self.down.len() > MAX_RULES {
            let key = if self.up.len() > MAX_RULES { "up" } else { "down" };
            return Err(PolicyError {
                place: at(key, None, ""),
                problem: PolicyProblem::TooMany(MAX_RULES),
            });
        }
        if !self.up.is_empty() && self.down.is_empty() {
            return Err(PolicyError {
                place: at("up", Some(0), ""),
                problem: PolicyProblem::UpWithoutDown,
            });
        }
        for (index, rule) in self.down.iter().enumerate() {
            if let Some(up) = self.lowest_up(rule.metric).filter(|&up| rule.below >= up) {
                let problem = PolicyProblem::Inverted { down: rule.below, up };
                return Err(PolicyError { place: at("down", Some(index), "below"), problem });
            }
        }
        Ok(())
    }

    fn lowest_up(&self, metric: Metric) -> Option<Ratio> {
        self.up.iter().filter(|rule| rule.metric == metric).map(|rule| rule.above).min()
    }

    fn check_schedules(&self, standbys: u16) -> Result<(), PolicyError> {
        if self.schedule.len() > MAX_SCHEDULES {
            let problem = PolicyProblem::TooMany(MAX_SCHEDULES);
            return Err(PolicyError { place: at("schedule", None, ""), problem });
        }
        for (index, schedule) in self.schedule.iter().enumerate() {
            schedule.check(standbys).map_err(|(field, problem)| PolicyError {
                place: at("schedule", Some(index), field),
                problem,
            })?;
        }
        Ok(())
    }

    fn check_steps(&self) -> Result<(), PolicyError> {
        let steps = &self.steps;
        let all = [steps.start, steps.warm, steps.join, steps.drain, steps.quiesce, steps.stop];
        let names = ["start", "warm", "join", "drain", "quiesce", "stop"];
        let zero = |place| Err(PolicyError { place, problem: PolicyProblem::Zero });
        for (limits, name) in all.iter().zip(names) {
            if limits.deadline.is_zero() || limits.attempts == 0 {
                return zero(at("steps", None, name));
            }
        }
        let evidence = &self.evidence;
        for (span, name) in [
            (evidence.stale_after, "stale_after"),
            (evidence.alert_up, "alert_up"),
            (evidence.alert_down, "alert_down"),
        ] {
            if span.is_zero() {
                return zero(at("evidence", None, name));
            }
        }
        Ok(())
    }
}

impl Schedule {
    fn check(&self, standbys: u16) -> Result<(), (&'static str, PolicyProblem)> {
        if self.servers == 0 {
            return Err(("servers", PolicyProblem::NoServers));
        }
        if self.servers - 1 > standbys {
            let problem =
                PolicyProblem::TooManyStandbys { asked: self.servers - 1, have: standbys };
            return Err(("servers", problem));
        }
        match (&self.from, &self.until, &self.cron, self.length, &self.zone) {
            (Some(from), Some(until), None, None, None) => {
                if is_inverted(self, from, until) {
                    Err(("until", PolicyProblem::EmptyWindow))
                } else {
                    Ok(())
                }
            }
            (None, None, Some(cron), Some(length), Some(zone)) => {
                parse_cron(cron).map_err(|why| ("cron", PolicyProblem::Cron(why)))?;
                TimeZone::get(zone).map_err(|_| ("zone", PolicyProblem::Zone(zone.clone())))?;
                if length.is_zero() { Err(("for", PolicyProblem::Zero)) } else { Ok(()) }
            }
            _ => Err(("", PolicyProblem::Neither)),
        }
    }
}
