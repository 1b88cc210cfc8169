//! How many servers the calendar asks for, apart from the controller that is judged.

use crate::decision::{Decision, Veto};
use crate::demand::schedule::Calendar;
use crate::policy::{Bound, Policy};
use crate::time::Timestamp;

/// A schedule that asks for at least so many servers.
#[derive(Clone, Debug)]
struct Floor {
    servers: u16,
    calendar: Calendar,
    /// When it opens or closes next.
    edge: Option<Timestamp>,
    /// Since when its window has been open.
    open: Option<Timestamp>,
}

impl Floor {
    fn look(&mut self, at: Timestamp) {
        if self.edge.is_some_and(|edge| at < edge) {
            return;
        }
        let (open, edge) = self.calendar.at(at);
        let since = self.edge.unwrap_or(at);
        self.open = open.then_some(self.open.unwrap_or(since));
        self.edge = Some(edge);
    }
}

#[derive(Clone, Debug)]
pub(super) struct Scheduled {
    floors: Vec<Floor>,
    /// No demand leads to more servers.
    most: u16,
}

impl Scheduled {
    pub fn new(servers: usize, policy: &Policy) -> Self {
        let schedules = policy.schedule.iter().filter(|one| one.bound != Bound::Ceiling);
        let floor = |schedule| Floor {
            calendar: Calendar::new(schedule),
            edge: None,
            open: None,
            servers: schedule.servers,
        };
        let standbys = policy.max_standbys.unwrap_or(servers.saturating_sub(1) as u16);
        Self { floors: schedules.map(floor).collect(), most: 1 + standbys }
    }

    /// The servers that the calendar asks for, and since when. Nothing is said while people or
    /// other schedules outrank it.
    pub fn at(&mut self, at: Timestamp, decision: &Decision) -> Option<(u16, Timestamp)> {
        let outranks = |veto: &Veto| matches!(veto, Veto::Outranked { .. } | Veto::Paused { .. });
        let outranked = decision.vetoes().any(outranks);
        self.floors.iter_mut().for_each(|floor| floor.look(at));
        let open = self.floors.iter().filter_map(|floor| Some((floor.servers, floor.open?)));
        let (servers, since) = open.filter(|_| !outranked).max_by_key(|(servers, _)| *servers)?;
        Some((servers.min(self.most), since))
    }
}
