//! Hand-made records for the tests.

use tidegate_core::billing::{LedgerLine, Unit};
use tidegate_core::decision::{Decision, Direction, Opinion, Verdict, Veto, Vote};
use tidegate_core::fact::FailureCause;
use tidegate_core::ids::RuleId;
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::Metric;
use tidegate_core::record::{
    Action, Baseline, Billing, ClosestCall, Distribution, ExpectationResult, FORMAT, FaultSpan,
    Faults, Fidelity, FleetSummary, Jobs, Kind, LocalTime, PropertyResult, Requests, RuleInfo,
    RunRecord, ScaleEvent, Scaling, ServerInfo, Simulation, StageSpan, Summary, Timeline,
    TimelineRow, Violation,
};
use tidegate_core::{Currency, Money, Ratio, ServerId, Span, Timestamp};

/// 2026-03-02 00:00 in Berlin.
const START: Timestamp = Timestamp::from_nanos(1_772_406_000_000_000_000);

fn minute(minute: i64) -> Timestamp {
    START + Span::from_mins(minute)
}

fn local(at: Timestamp) -> LocalTime {
    LocalTime { at, offset_seconds: 3_600 }
}

pub fn simulation() -> Simulation {
    Simulation {
        simulated_seconds: 86_400.0,
        wall_seconds: 1.25,
        events: 9_000_000,
        events_per_second: 7_200_000.0,
        requests_per_second: 812_000.0,
        peak_rss_bytes: 64 << 20,
    }
}

/// A record without any data.
pub fn empty() -> RunRecord {
    let billing = Billing {
        currency: Currency::USD,
        primary: Money::ZERO,
        standby: Money::ZERO,
        total: Money::ZERO,
        standby_seconds_powered: 0.0,
        standby_seconds_billed: 0.0,
    };
    RunRecord {
        format: FORMAT,
        title: String::new(),
        zone: "Nowhere/Nothing".to_owned(),
        start: START,
        end: START,
        summary: Summary {
            kind: Kind::Simulated,
            scenario: String::new(),
            seed: 0,
            fidelity: Fidelity::Request,
            fidelity_because: None,
            fleet: None,
            fingerprint: String::new(),
            command: None,
            requests: Requests::default(),
            jobs: Jobs::default(),
            scaling: Scaling::default(),
            billing,
            properties: Vec::new(),
            expectations: Vec::new(),
        },
        timeline: Timeline::default(),
        stages: Vec::new(),
        ledger: Vec::new(),
        baselines: Vec::new(),
        rules: Vec::new(),
        closest: Vec::new(),
        failures: Vec::new(),
        servers: Vec::new(),
        faults: Faults::default(),
    }
}

/// A day with a peak, twelve scale events and a violation that is expected.
pub fn record() -> RunRecord {
    let mut record = empty();
    record.title = "A shop's busy day with one campaign at noon".to_owned();
    record.zone = "Europe/Berlin".to_owned();
    record.end = minute(1_440);
    record.timeline =
        Timeline { interval: Span::from_mins(1), rows: (1..=1_440).map(row).collect() };
    record.summary.scenario = "campaign".to_owned();
    record.summary.seed = 7;
    record.summary.fingerprint = "0123456789abcdef".repeat(4);
    record.summary.requests = requests();
    record.summary.jobs =
        Jobs { enqueued: 900, completed: 899, pending_at_end: 1, ..Jobs::default() };
    record.summary.scaling = Scaling { ups: 6, downs: 6, failed: 0, events: events() };
    record.summary.billing = Billing {
        primary: Money::from_micros(10_000_000),
        standby: Money::from_micros(2_000_000),
        total: Money::from_micros(12_000_000),
        standby_seconds_powered: 18_600.0,
        standby_seconds_billed: 21_600.0,
        ..record.summary.billing
    };
    record.summary.properties = properties();
    record.summary.expectations = vec![
        expectation("requests.failed", "<= 800", "12", true),
        expectation("properties.cool-down.holds", "== false", "false", true),
    ];
    record.baselines = baselines();
    record.rules = rules();
    record.failures = vec![(FailureCause::QueueFull, 10), (FailureCause::TimedOut, 2)];
    record.stages = stages();
    record.ledger = vec![ledger_line(0, 0, 1_440), ledger_line(1, 600, 900)];
    record.servers = (0..3).map(server).collect();
    record
}

/// The same day with everything gone wrong.
pub fn failed() -> RunRecord {
    let mut record = record();
    let violation = Violation {
        at: local(minute(5)),
        what: "A sentence that does not end ".repeat(9),
        under: Some("2 to 2 servers: a reason that goes on and on ".repeat(9)),
    };
    for number in 0..9 {
        record.summary.properties.push(PropertyResult {
            name: format!("a-property-with-a-long-name-{number}"),
            holds: false,
            checked: 3,
            violations: vec![violation.clone(); 10],
        });
        record.summary.expectations.push(expectation("requests.failed", "<= 0", "12", false));
        record.baselines.extend(baselines());
    }
    record.summary.scaling.events.truncate(4);
    for event in &mut record.summary.scaling.events {
        event.reason = "a reason that goes on and on ".repeat(20);
    }
    record.summary.command = Some("tidegate run campaign.toml --set 'a=\"b\"' --seed 7".to_owned());
    record.failures = FailureCause::ALL.map(|cause| (cause, u64::MAX)).to_vec();
    record
}

/// The same day in flows.
pub fn fluid() -> RunRecord {
    let mut record = record();
    record.summary.fidelity = Fidelity::Fluid;
    record.summary.fidelity_because = Some("about 3.6 billion requests are expected".to_owned());
    record.summary.requests.latency_ms.max = None;
    record
}

/// The same day with faults of two kinds, one of them on twice at once, and more than are kept.
pub fn faulty() -> RunRecord {
    let mut record = record();
    let span = |fault, kind: &str, from, to| FaultSpan {
        fault,
        kind: kind.to_owned(),
        server: (fault == 1).then_some(ServerId(1)),
        from: minute(from),
        to: minute(to),
    };
    let spans = vec![
        span(0, "cut", 60, 90),
        span(0, "cut", 200, 230),
        span(0, "cut", 220, 240),
        span(1, "command-lost", 700, 700),
    ];
    record.faults = Faults { spans, more: 1_234 };
    record
}

/// The same day of a fleet, as its simulation leaves it: no event, stage or ledger line of a group.
pub fn fleet() -> RunRecord {
    let mut record = record();
    record.summary.fleet = Some(FleetSummary { groups: 40, held: 40, starts: None });
    record.summary.scaling.events.clear();
    record.stages.clear();
    record.ledger.clear();
    record.servers.clear();
    record
}

/// The same day without scaling.
pub fn quiet() -> RunRecord {
    let mut record = record();
    record.summary.scaling = Scaling::default();
    let vote = Vote {
        rule: RuleId(0),
        direction: Direction::Up,
        metric: Metric::Cpu,
        value: Some(Ratio::from_percent(81)),
        sampled_at: Some(minute(729)),
        threshold: Ratio::from_percent(75),
        filled: Span::from_secs(165),
        window: Span::from_mins(5),
        opinion: Opinion::Filling,
    };
    let mut decision = Decision {
        servers: 1,
        wanted: 1,
        verdict: Verdict::Hold,
        source: None,
        votes: [None; 8],
        vetoes: [None; 8],
        flip: None,
    };
    decision.votes[0] = Some(vote);
    decision.object(Veto::CoolDown { until: minute(740) });
    decision.object(Veto::NoStandby { until: None });
    record.closest = vec![ClosestCall { at: local(minute(730)), vote, decision }; 5];
    record
}

fn requests() -> Requests {
    Requests {
        arrived: 1_234_567,
        served: 1_234_555,
        failed: 12,
        failed_by_scaling: 0,
        in_flight_at_end: 0,
        latency_ms: Distribution {
            mean: Some(180.0),
            p50: Some(140.2),
            p95: Some(420.0),
            p99: Some(1_900.0),
            max: Some(30_000.0),
        },
        wait_ms: Distribution::default(),
    }
}

fn events() -> Vec<ScaleEvent> {
    let event = |number: i64| ScaleEvent {
        at: local(minute(600 + 20 * number)),
        action: if number < 6 { Action::ScaleUp } else { Action::ScaleDown },
        source: "rule".to_owned(),
        reason: "CPU was 83% against 75% for 5m".to_owned(),
    };
    (0..12).map(event).collect()
}

fn properties() -> Vec<PropertyResult> {
    let property = |name: &str, holds, checked| PropertyResult {
        name: name.to_owned(),
        holds,
        checked,
        violations: Vec::new(),
    };
    let mut violated = property("cool-down", false, 12);
    violated.violations = vec![Violation {
        at: local(minute(640)),
        what: "two ups within 20m".to_owned(),
        under: None,
    }];
    vec![
        property("route-ready", true, 1_000),
        property("bounds", true, 1_440),
        property("no-lost-job", true, 0),
        violated,
    ]
}

fn expectation(name: &str, expected: &str, actual: &str, holds: bool) -> ExpectationResult {
    ExpectationResult {
        name: name.to_owned(),
        holds,
        expected: expected.to_owned(),
        actual: actual.to_owned(),
    }
}

fn baselines() -> Vec<Baseline> {
    let baseline = |name: &str, total| Baseline {
        name: name.to_owned(),
        assumes: "All servers run all the time.".to_owned(),
        total: Money::from_micros(total),
    };
    vec![baseline("always-on", 20_000_000), baseline("plan-upgrade", 16_000_000)]
}

fn rules() -> Vec<RuleInfo> {
    let rule = |rule, direction, metric, percent| RuleInfo {
        rule: RuleId(rule),
        direction,
        metric,
        threshold: Ratio::from_percent(percent),
        window: Span::from_mins(5),
    };
    vec![
        rule(0, Direction::Up, Metric::Cpu, 75),
        rule(1, Direction::Up, Metric::Memory, 80),
        rule(2, Direction::Down, Metric::Cpu, 30),
    ]
}

fn stages() -> Vec<StageSpan> {
    let span = |server, stage, from, to| StageSpan {
        server: ServerId(server),
        stage,
        from: minute(from),
        to: minute(to),
    };
    vec![
        span(0, Stage::Serving, 0, 1_440),
        span(1, Stage::Standby, 0, 600),
        span(2, Stage::Standby, 0, 1_440),
        span(1, Stage::Starting, 600, 610),
        span(1, Stage::Warming, 610, 620),
        span(1, Stage::Joining, 620, 625),
        span(1, Stage::Serving, 625, 850),
        span(1, Stage::Draining, 850, 870),
        span(1, Stage::Quiescing, 870, 890),
        span(1, Stage::Stopping, 890, 900),
        span(1, Stage::Faulted, 900, 960),
        span(1, Stage::Standby, 960, 1_440),
    ]
}

fn ledger_line(number: u16, from: i64, to: i64) -> LedgerLine {
    LedgerLine {
        server: ServerId(number),
        plan: "8 vCPU, 16 GB".to_owned(),
        from: minute(from),
        to: minute(to),
        accounted: minute(to).since(minute(from)),
        charged: minute(to).since(minute(from)),
        unit: Unit::Hour,
        unit_price: Money::from_micros(420_000),
        amount: Money::from_micros(2_100_000),
    }
}

fn server(number: u16) -> ServerInfo {
    ServerInfo {
        server: ServerId(number),
        plan: "8 vCPU, 16 GB".to_owned(),
        vcpu: 8,
        memory_bytes: 16 << 30,
        web_workers: 24,
        job_workers: 4,
    }
}

fn row(number: i64) -> TimelineRow {
    let hour = number as f64 / 60.0;
    let load = 10.0 + 40.0 * (-(hour - 12.0).powi(2) / 8.0).exp() + 2.0 * (hour * 40.0).sin();
    let serving = if (625..850).contains(&number) { 2 } else { 1 };
    let capacity = 50.0 * f64::from(serving);
    let sampled = !(200..230).contains(&number);
    TimelineRow {
        at: minute(number),
        arrived: (load * 60.0) as u64,
        served: (load * 58.0) as u64,
        failed: 0,
        p50_ms: sampled.then_some(100.0 + load),
        p95_ms: sampled.then_some(200.0 + 4.0 * load),
        p99_ms: sampled.then_some(400.0 + load * load),
        in_flight: 3,
        jobs_pending: 1,
        cpu: sampled.then(|| Ratio::from_ppm((load / capacity * 1e6) as u32)),
        memory: Some(Ratio::from_percent(55)),
        serving,
        powered: serving,
        wanted: serving,
        capacity_per_second: capacity,
        cost: Money::from_micros(12_000_000).scaled(number, 1_440),
    }
}
