//! The probability of having to wait, and for how long.

/// Steps of the table between an idle station and a full one.
const STEPS: usize = 256;

/// Erlang's probability of delay for one number of servers, by their utilization.
///
/// C(c, ρ) from the recursion of Erlang's loss formula, at equal steps of ρ, linear in between.
#[derive(Clone, Debug)]
pub(crate) struct Delay {
    servers: f64,
    table: Vec<f64>,
}

impl Delay {
    /// For so many servers, at least one.
    pub fn new(servers: u32) -> Self {
        let at = |step: usize| erlang_c(servers.max(1), step as f64 / STEPS as f64);
        Self { servers: f64::from(servers.max(1)), table: (0..=STEPS).map(at).collect() }
    }

    /// Servers.
    pub const fn servers(&self) -> f64 {
        self.servers
    }

    /// The share of customers that find all servers busy at `utilization`, 0 to 1.
    pub fn probability(&self, utilization: f64) -> f64 {
        let place = utilization.clamp(0.0, 1.0) * STEPS as f64;
        let below = (place as usize).min(STEPS - 1);
        let (low, high) = (self.table[below], self.table[below + 1]);
        low + (high - low) * (place - below as f64)
    }

    /// Mean wait of all customers in units of the mean service time, for exponential service:
    /// C ÷ (c (1 − ρ)).
    pub fn wait(&self, utilization: f64) -> f64 {
        self.probability(utilization) / (self.servers * (1.0 - utilization).max(1e-9))
    }
}

/// C = B ÷ (1 − ρ (1 − B)), B(j) = a B(j−1) ÷ (j + a B(j−1)), a = c ρ (Erlang 1917).
fn erlang_c(servers: u32, utilization: f64) -> f64 {
    let offered = f64::from(servers) * utilization;
    let blocked = (1..=servers).fold(1.0, |b, j| offered * b / (f64::from(j) + offered * b));
    let free = utilization * (1.0 - blocked);
    if free < 1.0 { blocked / (1.0 - free) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_that_of_the_tables() {
        // One server: C = ρ. Two: 2ρ² ÷ (1 + ρ). Eight at 80 %: 0.457.
        let one = Delay::new(1);
        let two = Delay::new(2);
        for percent in (0..100).step_by(7) {
            let rho = f64::from(percent) / 100.0;
            assert!((one.probability(rho) - rho).abs() < 1e-12);
            assert!((two.probability(rho) - 2.0 * rho * rho / (1.0 + rho)).abs() < 1e-5);
        }
        assert!((Delay::new(8).probability(0.8) - 0.457).abs() < 1e-3);
        assert!((one.wait(0.5) - 1.0).abs() < 1e-12);
        assert!(Delay::new(4096).probability(0.5) < 1e-12);
    }
}
