//! What a fleet's timeline shows is that of its groups, looked at one by one.

use tidegate_core::record::TimelineRow;
use tidegate_sim::model::Model;
use tidegate_sim::run::run_traced;

use super::{model, run};

/// Intervals of a group alone, 10 s each, in one of the fleet's, 70 s.
const EACH: usize = 7;

/// A group alone.
struct Alone {
    rows: Vec<TimelineRow>,
    /// Latencies in microseconds, in the order of the answers.
    latencies: Vec<f64>,
}

impl Alone {
    fn new(model: &Model) -> Self {
        let mut requests = Vec::new();
        let finished = run_traced(model, &mut std::io::sink(), Some(&mut requests), &mut |_| {});
        let text = String::from_utf8(requests).unwrap();
        let served = text.lines().filter(|line| line.ends_with(",served"));
        let latency = |line: &str| line.split(',').nth(3).unwrap().parse::<f64>().unwrap() * 1e3;
        Self {
            rows: finished.unwrap().record.timeline.rows,
            latencies: served.map(latency).collect(),
        }
    }

    /// What it did in the fleet's interval `number`.
    fn interval(&self, number: usize) -> &[TimelineRow] {
        self.rows.chunks(EACH).nth(number).unwrap()
    }

    /// Latencies of those that were answered in the fleet's interval `number`.
    fn answered(&self, number: usize) -> &[f64] {
        let served = |rows: &[TimelineRow]| rows.iter().map(|row| row.served as usize).sum();
        let before: usize = served(&self.rows[..number * EACH]);
        &self.latencies[before..][..served(self.interval(number))]
    }
}

fn three() -> (Vec<TimelineRow>, Vec<Alone>) {
    let model = model("fleet = { groups = 3, scale = { mean = 1.0, cv = 0.7 } }");
    let fleet = model.fleet.as_ref().unwrap();
    let alone = (0..3).map(|index| Alone::new(&fleet.model_of(&model, index))).collect();
    (run(&model, 2).record.timeline.rows, alone)
}

#[test]
fn percentiles_are_those_of_all_requests() {
    let (rows, groups) = three();
    assert_eq!(rows.len(), groups[0].rows.len().div_ceil(EACH));
    for (number, row) in rows.iter().enumerate() {
        let mut all: Vec<f64> =
            groups.iter().flat_map(|group| group.answered(number)).copied().collect();
        all.sort_by(f64::total_cmp);
        assert_eq!(row.served, all.len() as u64);
        for (share, found) in [(0.5, row.p50_ms), (0.95, row.p95_ms), (0.99, row.p99_ms)] {
            let exact = all[(share * all.len() as f64).ceil() as usize - 1];
            let found = found.unwrap() * 1e3;
            // A bin of the histogram is a 32nd part wide, and one microsecond at least.
            assert!(found > exact - 2.0 && found < exact * 33.0 / 32.0 + 2.0, "{found} {exact}");
        }
    }
}

#[test]
fn shares_are_means_over_the_servers_with_traffic() {
    let (rows, groups) = three();
    let mut compared = 0;
    for (number, row) in rows.iter().enumerate() {
        let last = || groups.iter().map(|group| group.interval(number).last().unwrap());
        assert_eq!(row.serving, last().map(|one| one.serving).sum::<u32>());
        assert_eq!(row.powered, last().map(|one| one.powered).sum::<u32>());
        let weighed = |one: &TimelineRow| one.memory.unwrap().as_percent() * f64::from(one.serving);
        let memory = last().map(weighed).sum::<f64>() / f64::from(row.serving);
        assert!((row.memory.unwrap().as_percent() - memory).abs() < 0.001, "{row:?}");

        let all = || groups.iter().flat_map(|group| group.interval(number));
        let servers: u32 = all().map(|one| one.serving).sum();
        let steady = last().map(|one| one.serving).sum::<u32>() * EACH as u32 == servers;
        if steady && all().count() == 3 * EACH {
            let weighed =
                |one: &TimelineRow| one.cpu.unwrap().as_percent() * f64::from(one.serving);
            let cpu = all().map(weighed).sum::<f64>() / f64::from(servers);
            assert!((row.cpu.unwrap().as_percent() - cpu).abs() < 0.001, "{row:?} {cpu}");
            compared += 1;
        }
    }
    assert!(compared > 90, "{compared}");
}

/// The servers that the schedule asks for are on all plots of servers and shares.
#[test]
fn a_fleet_in_flows_has_the_same_curves() {
    let model = model("fidelity = \"fluid\"\nfleet = { groups = 5 }");
    let rows = run(&model, 2).record.timeline.rows;
    let busiest = rows.iter().max_by_key(|row| row.served).unwrap();
    assert!(busiest.cpu.unwrap().as_percent() > 30.0, "{busiest:?}");
    assert!(busiest.p50_ms.unwrap() < busiest.p99_ms.unwrap(), "{busiest:?}");
    assert_eq!(rows.iter().map(|row| row.serving).max(), Some(10));
}
