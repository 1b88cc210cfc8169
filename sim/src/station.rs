//! First come, first served: the departure is known on arrival, so a visit costs one event.

use crate::model::Station as Config;

/// A station of several servers, each free from a known time on (Kiefer and Wolfowitz 1955). Which
/// of those that are free serves does not matter.
#[derive(Debug)]
pub struct Station {
    free_at: Vec<u64>,
    latency: u64,
}

impl Station {
    /// An idle station.
    pub fn new(config: Config) -> Self {
        Self {
            free_at: vec![0; config.servers as usize],
            latency: config.latency.as_nanos().cast_unsigned(),
        }
    }

    /// Enters at `now` with `demand` nanoseconds of work; returns when the answer is back.
    ///
    /// Calls must come in the order of `now`.
    pub fn enter(&mut self, now: u64, demand: u64) -> u64 {
        let (mut chosen, mut free_at) = (0, u64::MAX);
        for (index, &time) in self.free_at.iter().enumerate() {
            if time < free_at {
                (chosen, free_at) = (index, time);
            }
            if time <= now {
                break;
            }
        }
        let done = free_at.max(now).saturating_add(demand);
        self.free_at[chosen] = done;
        done.saturating_add(self.latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Host;
    use tidegate_core::Span;

    #[test]
    fn the_third_customer_of_two_servers_waits_for_the_first_that_is_free() {
        let mut station =
            Station::new(Config { servers: 2, latency: Span::from_nanos(1), host: Host::Own });
        assert_eq!(station.enter(0, 10), 11);
        assert_eq!(station.enter(0, 4), 5);
        assert_eq!(station.enter(1, 10), 15);
    }
}
