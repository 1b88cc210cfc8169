//! Each shipped scenario in both modes, under the same seeds.
//!
//! A single event on a slow ramp is random: requests one by one cross a threshold minutes earlier
//! under one seed than under another. So the figures are medians over the seeds. Machines draw the
//! same times under the same seed in both modes, so events are compared in pairs: the n-th of its
//! kind in flows less that in requests, and of these differences the median over the seeds in which
//! both modes have as many events of each kind.

use std::path::PathBuf;

use tidegate_core::record::{Action, Fidelity, Requests, RunRecord, Summary, TimelineRow};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, read};
use tidegate_tests::shipped::{folder, scenarios};

const SEEDS: usize = 9;

/// Properties that can only judge requests that are told one by one.
const OF_REQUESTS: [&str; 2] = ["littles-law", "work-conservation"];

const ACTIONS: [Action; 3] = [Action::ScaleUp, Action::ScaleDown, Action::Failed];

const SHIPPED: [&str; 9] = [
    "alerted",
    "business-hours",
    "exam-day",
    "flash-sale",
    "plan-upgrade",
    "report-jobs",
    "short-burst",
    "slow-boot",
    "trace-replay",
];

fn run(model: &Model) -> RunRecord {
    tidegate_sim::run::run(model, &mut std::io::sink(), &mut |_| {}).unwrap().record
}

/// A scenario under each seed, in both modes.
struct Both {
    model: Model,
    requests: Vec<RunRecord>,
    flows: Vec<RunRecord>,
}

fn both(name: &str) -> Both {
    let path = folder().join(name).with_extension("toml");
    let model = read(&path, &Overrides::default()).unwrap();
    let under = |fidelity| {
        let one = |seed| run(&Model { seed, fidelity, ..model.clone() });
        (1..=SEEDS as u64).map(one).collect()
    };
    Both { requests: under(Fidelity::Request), flows: under(Fidelity::Fluid), model }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn within(share: f64, found: f64, expected: f64) -> bool {
    (found - expected).abs() <= share * expected
}

/// Medians over the seeds.
#[derive(Clone, Copy)]
struct Figures {
    cost: f64,
    arrived: f64,
    failed: f64,
    jobs: f64,
    p95: f64,
    /// Of the intervals, weighted by what was served in them.
    p95_of_rows: f64,
}

impl Figures {
    fn of(records: &[RunRecord]) -> Self {
        let median = |of: fn(&Summary) -> f64| median(records.iter().map(|one| of(&one.summary)));
        Self {
            cost: median(|summary| summary.billing.total.micros() as f64 / 1e6),
            arrived: median(|summary| summary.requests.arrived as f64),
            failed: median(|summary| summary.requests.failed as f64),
            jobs: median(|summary| summary.jobs.enqueued as f64),
            p95: median(|summary| summary.requests.latency_ms.p95.unwrap()),
            p95_of_rows: self::median(records.iter().map(p95_of_rows)),
        }
    }
}

fn p95_of_rows(record: &RunRecord) -> f64 {
    let served = record.timeline.rows.iter().filter_map(|row| Some((row.p95_ms?, row.served)));
    let (sum, all) = served.fold((0.0, 0.0), |(sum, all), (p95, served)| {
        (sum + p95 * served as f64, all + served as f64)
    });
    sum / all
}

/// Seconds into the run of each event that did `action`.
fn times(record: &RunRecord, action: Action) -> Vec<f64> {
    let events = record.summary.scaling.events.iter().filter(|event| event.action == action);
    events.map(|event| event.at.at.since(record.start).as_secs_f64()).collect()
}

impl Both {
    fn pairs(&self) -> impl Iterator<Item = (&RunRecord, &RunRecord)> {
        self.requests.iter().zip(&self.flows)
    }

    /// The n-th event of a kind is in flows so many seconds later than in requests, in the median;
    /// of all events the one that is furthest off.
    fn furthest_event(&self) -> f64 {
        let alike = |(requests, flows): &(&RunRecord, &RunRecord)| {
            ACTIONS.iter().all(|&one| times(requests, one).len() == times(flows, one).len())
        };
        let pairs: Vec<_> = self.pairs().filter(alike).collect();
        assert!(2 * pairs.len() > SEEDS, "{} seeds have as many events in both modes", pairs.len());
        let mut furthest = 0.0_f64;
        for action in ACTIONS {
            let later = |(requests, flows): &(&RunRecord, &RunRecord)| -> Vec<f64> {
                let (requests, flows) = (times(requests, action), times(flows, action));
                flows.iter().zip(requests).map(|(flow, request)| flow - request).collect()
            };
            let later: Vec<Vec<f64>> = pairs.iter().map(later).collect();
            for event in 0..later.iter().map(Vec::len).max().unwrap_or(0) {
                let off = median(later.iter().filter_map(|all| all.get(event).copied()));
                furthest = if off.abs() > furthest.abs() { off } else { furthest };
            }
        }
        furthest
    }

    /// Every property holds in both modes or in neither; those of single requests say nothing.
    fn assert_judged_alike(&self) {
        for (requests, flows) in self.pairs() {
            for (one, two) in requests.summary.properties.iter().zip(&flows.summary.properties) {
                assert_eq!(one.name, two.name);
                if OF_REQUESTS.contains(&one.name.as_str()) {
                    assert!(one.checked > 0 && two.checked == 0 && two.holds, "{two:?}");
                } else {
                    assert_eq!(one.holds, two.holds, "{two:?}");
                    assert_eq!(one.checked > 0, two.checked > 0, "{two:?}");
                }
            }
        }
    }

    #[expect(clippy::print_stderr, reason = "figures for the page on the model")]
    fn assert_close(&self) {
        let (requests, flows) = (Figures::of(&self.requests), Figures::of(&self.flows));
        let furthest = self.furthest_event();
        eprintln!(
            "{}: cost {:.3} {:.3}; furthest event {furthest} s; failed {} {}; p95 {:.1} {:.1} ms; \
             of the intervals {:.1} {:.1} ms",
            self.model.name,
            requests.cost,
            flows.cost,
            requests.failed,
            flows.failed,
            requests.p95,
            flows.p95,
            requests.p95_of_rows,
            flows.p95_of_rows,
        );
        assert!(within(0.02, flows.cost, requests.cost), "cost");
        assert!(furthest.abs() <= self.model.monitoring.evaluate.as_secs_f64(), "scale times");
        assert!(within(0.01, flows.arrived, requests.arrived), "arrivals");
        assert!(within(0.02, flows.jobs, requests.jobs), "jobs");
        // How many fail hangs on the moment of a scale-up, which seeds move by their own spread.
        let failed = |one: &RunRecord| one.summary.requests.failed as f64;
        let least = self.requests.iter().map(failed).fold(f64::INFINITY, f64::min);
        let most = self.requests.iter().map(failed).fold(0.0, f64::max);
        let among = (least..=most).contains(&flows.failed);
        assert!(among || within(0.05, flows.failed, requests.failed), "failures");
        let saturated = self.requests.iter().any(|one| one.summary.requests.failed > 0);
        assert!(saturated || within(0.15, flows.p95, requests.p95), "95th percentile");
    }
}

fn agrees(name: &str) {
    assert!(SHIPPED.contains(&name));
    let both = both(name);
    both.assert_judged_alike();
    both.assert_close();
}

#[test]
fn alerted() {
    agrees("alerted");
}

#[test]
fn business_hours() {
    agrees("business-hours");
}

#[test]
fn exam_day() {
    agrees("exam-day");
}

#[test]
fn flash_sale() {
    agrees("flash-sale");
}

#[test]
fn plan_upgrade() {
    agrees("plan-upgrade");
}

#[test]
fn report_jobs() {
    agrees("report-jobs");
}

#[test]
fn short_burst() {
    agrees("short-burst");
}

#[test]
fn slow_boot() {
    agrees("slow-boot");
}

#[test]
fn trace_replay() {
    agrees("trace-replay");
}

#[test]
fn every_shipped_scenario_is_compared() {
    let single = |path: &PathBuf| read(path, &Overrides::default()).unwrap().fleet.is_none();
    let toml = scenarios("").into_iter().filter(single);
    let mut names: Vec<String> =
        toml.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, SHIPPED);
}

/// Too many people for the primary alone: they wait for their answers, so they ask less often.
#[test]
fn people_who_wait_ask_as_often_in_flows() {
    for users in [2_400, 3_000] {
        let users = format!("load.0.users={users}");
        let alone = ["group.standbys=0".to_owned(), "policy.schedule=[]".to_owned(), users];
        let overrides = Overrides { set: alone.into(), ..Overrides::default() };
        let model = read(&folder().join("exam-day.toml"), &overrides).unwrap();
        let [requests, flows] = [Fidelity::Request, Fidelity::Fluid]
            .map(|fidelity| run(&Model { fidelity, ..model.clone() }).summary.requests);
        let close = |of: fn(&Requests) -> f64, share| within(share, of(&flows), of(&requests));
        assert!(close(|one| one.arrived as f64, 0.02), "{requests:?} {flows:?}");
        assert!(close(|one| one.served as f64, 0.02), "{requests:?} {flows:?}");
        assert!(close(|one| one.latency_ms.p50.unwrap(), 0.05), "{requests:?} {flows:?}");
    }
}

/// A seed moves what machines draw, and nothing that flows.
#[test]
fn seeds_move_machines_alone() {
    let path = folder().join("trace-replay.toml");
    let model = Model { fidelity: Fidelity::Fluid, ..read(&path, &Overrides::default()).unwrap() };
    let (first, second) = (run(&model), run(&Model { seed: 2, ..model.clone() }));
    let counts = |record: &RunRecord| {
        let first_up = times(record, Action::ScaleUp)[0];
        let until_then = record
            .timeline
            .rows
            .iter()
            .take_while(|row| row.at.since(record.start).as_secs_f64() <= first_up);
        // What a core can serve is known from the whole run.
        let bare = |row: &TimelineRow| TimelineRow { capacity_per_second: 0.0, ..*row };
        (first_up.to_bits(), until_then.map(bare).collect::<Vec<_>>())
    };
    assert_eq!(counts(&first), counts(&second));
    assert_eq!(first.summary.requests.arrived, second.summary.requests.arrived);
    let boots = |record: &RunRecord| record.stages.iter().map(|one| one.to).collect::<Vec<_>>();
    assert_ne!(boots(&first), boots(&second));
}
