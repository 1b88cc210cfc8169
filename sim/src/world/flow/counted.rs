//! Flows in whole numbers: what is told adds up, to the request and to the job.

/// A sum that is told in whole numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whole {
    sum: f64,
    told: u64,
}

impl Whole {
    /// Adds to the sum; returns by how much the nearest whole number has grown.
    pub fn add(&mut self, amount: f64) -> u64 {
        self.sum += amount;
        let grown = ((self.sum + 0.5) as u64).saturating_sub(self.told);
        self.told += grown;
        grown
    }
}

/// What is told of a server's requests after a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub routed: u64,
    pub refused: u64,
    pub timed_out: u64,
    pub served: u64,
}

/// What was told of one server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    routed: Whole,
    refused: Whole,
    timed_out: Whole,
    /// Told to have failed, for any cause.
    failed: u64,
    served: u64,
    /// Answered, but not told how long it took.
    untold: u64,
    started: u64,
    completed: u64,
    killed: u64,
}

impl Counted {
    /// After a step in which so many arrived, were refused and ran out of time, and after which
    /// `live` are between arrival and answer.
    pub fn requests(&mut self, arrived: f64, refused: f64, timed_out: f64, live: f64) -> Told {
        let mut told = Told { routed: self.routed.add(arrived), ..Told::default() };
        told.refused = self.refused.add(refused).min(self.in_flight());
        self.failed += told.refused;
        told.timed_out = self.timed_out.add(timed_out).min(self.in_flight());
        self.failed += told.timed_out;
        told.served = self.in_flight().saturating_sub((live + 0.5) as u64);
        self.served += told.served;
        self.untold += told.served;
        told
    }

    /// Requests between arrival and answer.
    pub const fn in_flight(&self) -> u64 {
        self.routed.told - self.failed - self.served
    }

    /// Requests answered since the last call.
    pub const fn take_untold(&mut self) -> u64 {
        std::mem::replace(&mut self.untold, 0)
    }

    /// After a step by whose end `started` jobs were taken up in all, and `running` still run;
    /// returns how many were started and completed in it.
    pub fn jobs(&mut self, started: f64, running: f64) -> (u64, u64) {
        let begun = (started as u64).saturating_sub(self.started);
        self.started += begun;
        let done = self.jobs_running().saturating_sub((running + 0.5) as u64);
        self.completed += done;
        (begun, done)
    }

    /// Jobs taken up and neither completed nor killed.
    pub const fn jobs_running(&self) -> u64 {
        self.started - self.completed - self.killed
    }

    /// Jobs completed or killed.
    pub const fn jobs_ended(&self) -> u64 {
        self.completed + self.killed
    }

    /// All that is here is killed; returns how many requests, and how many jobs.
    pub const fn kill(&mut self) -> (u64, u64) {
        let (requests, jobs) = (self.in_flight(), self.jobs_running());
        self.failed += requests;
        self.killed += jobs;
        (requests, jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_answered_or_here_to_the_request() {
        let mut counted = Counted::default();
        let (mut routed, mut gone) = (0, 0);
        for step in 0..1_000 {
            let live = f64::from(step % 7) * 0.3;
            let told = counted.requests(0.37, 0.011, 0.007, live);
            routed += told.routed;
            gone += told.refused + told.timed_out + told.served;
            assert_eq!(routed - gone, counted.in_flight());
        }
        assert_eq!(routed, 370);
        assert!(counted.in_flight() <= 3);
    }

    #[test]
    fn jobs_that_run_out_are_completed_to_the_last() {
        let mut counted = Counted::default();
        assert_eq!(counted.jobs(2.6, 2.2), (2, 0));
        assert_eq!(counted.jobs(2.6, 0.4), (0, 2));
        assert_eq!((counted.jobs_running(), counted.jobs_ended()), (0, 2));
    }
}
