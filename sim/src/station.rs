//! First come, first served: the departure is known on arrival, so a visit costs one event.

mod waiting;

use crate::model::Station as Config;

use waiting::Waiting;

/// A station of several servers, each free from a known time on (Kiefer and Wolfowitz 1955). Which
/// of those that are free serves does not matter.
#[derive(Debug)]
pub struct Station {
    free_at: Vec<u64>,
    latency: u64,
    /// Those who wait, if only so many may.
    waiting: Option<Waiting>,
}

impl Station {
    /// An idle station.
    pub fn new(config: Config) -> Self {
        Self {
            free_at: vec![0; config.servers as usize],
            latency: config.latency.as_nanos().cast_unsigned(),
            waiting: config.queue.map(Waiting::new),
        }
    }

    /// When one of its servers is free.
    pub fn free_at(&self) -> u64 {
        self.free_at.iter().copied().min().unwrap_or(0)
    }

    /// Enters at `now` with `demand` nanoseconds of work; returns when the answer is back.
    ///
    /// Calls must come in the order of `now`.
    ///
    /// # Errors
    /// When the refusal is back, if all servers are busy and no more may wait.
    #[expect(clippy::inline_always, reason = "each visit of each scenario comes through here")]
    #[inline(always)]
    pub fn enter(&mut self, now: u64, demand: u64) -> Result<u64, u64> {
        let (mut chosen, mut free_at) = (0, u64::MAX);
        for (index, &time) in self.free_at.iter().enumerate() {
            if time < free_at {
                (chosen, free_at) = (index, time);
            }
            if time <= now {
                break;
            }
        }
        let start = free_at.max(now);
        if let Some(waiting) = &mut self.waiting
            && !waiting.admits(now, start)
        {
            return Err(now.saturating_add(self.latency));
        }
        let done = start.saturating_add(demand);
        self.free_at[chosen] = done;
        Ok(done.saturating_add(self.latency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Host;
    use tidegate_core::Span;

    fn station(servers: u32, queue: Option<u32>) -> Station {
        Station::new(Config { servers, latency: Span::from_nanos(1), queue, host: Host::Own })
    }

    #[test]
    fn the_third_customer_of_two_servers_waits_for_the_first_that_is_free() {
        let mut station = station(2, None);
        assert_eq!(station.enter(0, 10), Ok(11));
        assert_eq!(station.enter(0, 4), Ok(5));
        assert_eq!(station.enter(1, 10), Ok(15));
    }

    #[test]
    fn one_more_than_may_wait_is_refused_and_leaves_no_trace() {
        let mut station = station(1, Some(2));
        assert_eq!([0, 1, 1].map(|now| station.enter(now, 10)), [Ok(11), Ok(21), Ok(31)]);
        assert_eq!([1, 9].map(|now| station.enter(now, 10)), [Err(2), Err(10)]);
        assert_eq!(station.enter(10, 10), Ok(41), "a wait is over when service starts");
        assert_eq!(station.enter(10, 10), Err(11));
    }

    #[test]
    fn without_a_place_to_wait_a_free_server_still_serves() {
        let mut station = station(2, Some(0));
        assert_eq!([0, 0, 0].map(|now| station.enter(now, 10)), [Ok(11), Ok(11), Err(1)]);
        assert_eq!(station.enter(10, 10), Ok(21));
    }
}
