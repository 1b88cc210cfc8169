//! Each oracle is shown to fail on a planted defect: facts that no sound system gives.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod counts;
mod excuses;
mod liveness;
mod required;
mod writers;

use tidegate_core::billing::{LedgerLine, Meter, Pricing};
use tidegate_core::decision::{Decision, Source, Verdict};
use tidegate_core::fact::{Fact, FactSink, FailureCause, Flow};
use tidegate_core::oracle::{Closing, Panel, Work};
use tidegate_core::policy::{Metric, Missing, Policy, UpRule};
use tidegate_core::{
    FileId, JobId, Money, Ratio, RequestId, RuleId, ServerId, Span, Step, TimeZone, Timestamp,
};

const STANDBY: ServerId = ServerId(1);
const UTC: &TimeZone = &TimeZone::UTC;

fn at(seconds: i64) -> Timestamp {
    Timestamp::default() + Span::from_secs(seconds)
}

fn policy() -> Policy {
    let rule = UpRule {
        metric: Metric::Cpu,
        above: Ratio::from_percent(75),
        window: Span::from_mins(5),
        missing: Missing::Reset,
    };
    Policy { up: vec![rule], ..Policy::default() }
}

/// The properties that facts and steps violate.
fn violated(facts: &[Fact], steps: &[Step], ledger: &[LedgerLine]) -> Vec<&'static str> {
    let mut panel = Panel::new(2, &policy());
    for (second, fact) in facts.iter().enumerate() {
        panel.fact(at(second as i64), dated(*fact, at(second as i64)));
    }
    for step in steps {
        panel.step(at(1_000), step);
    }
    let (verdicts, _) = panel.close(&closing(ledger, &[]));
    verdicts.into_iter().filter(|one| !one.holds()).map(|one| one.property).collect()
}

fn closing<'a>(ledger: &'a [LedgerLine], work: &'a [Work]) -> Closing<'a> {
    Closing {
        end: at(1_000),
        in_flight: 0,
        ages: 0,
        answer_delay: Span::ZERO,
        jobs_pending: 0,
        work,
        ledger,
        zone: UTC,
    }
}

fn ledger(facts: &[Fact], hourly: i64) -> Vec<LedgerLine> {
    let pricing = Pricing::PerSecond { hourly: Money::from_micros(hourly), minimum: Span::ZERO };
    let plans = [("a".to_owned(), pricing), ("a".to_owned(), pricing)];
    let mut meter = Meter::new(plans, TimeZone::UTC);
    for (second, fact) in facts.iter().enumerate() {
        meter.fact(at(second as i64), *fact);
    }
    meter.into_ledger(at(1_000))
}

fn power(on: bool) -> Fact {
    Fact::PowerChanged { server: STANDBY, on, commanded: true }
}

fn ready(ready: bool) -> Fact {
    Fact::ReadyChanged { server: STANDBY, ready }
}

const REQUEST: RequestId = RequestId(0);
const ARRIVED: Fact = Fact::RequestArrived { request: REQUEST };
const ROUTED: Fact = Fact::RequestRouted { request: REQUEST, server: STANDBY };

/// Answered so many seconds after its arrival.
fn served(seconds: i64) -> Fact {
    let (latency, wait) = (Span::from_secs(seconds), Span::ZERO);
    Fact::RequestServed { request: REQUEST, server: STANDBY, latency, wait }
}

const JOB: JobId = JobId(0);

#[test]
fn a_sound_day_violates_nothing() {
    let facts = [power(true), ready(true), ARRIVED, ROUTED, served(2), ready(false), power(false)];
    assert!(violated(&facts, &[], &ledger(&facts, 3_600_000)).is_empty());
}

#[test]
fn a_request_that_vanishes_violates_conservation() {
    assert_eq!(
        violated(&[ready(true), ARRIVED, ROUTED], &[], &[]),
        ["conservation", "littles-law"]
    );
}

#[test]
fn a_time_that_does_not_fit_the_number_present_violates_littles_law() {
    let facts = |took| [ready(true), ARRIVED, ROUTED, served(took)];
    assert_eq!(violated(&facts(1), &[], &[]), ["littles-law"]);
    assert!(violated(&facts(2), &[], &[]).is_empty());
}

#[test]
fn work_that_is_lost_or_made_up_violates_work_conservation() {
    let sound = Work { cores: 2, visits: 3, begun: 1_000, done: 700, left: 200, dropped: 100 };
    for (done, holds) in [(700, true), (706, true), (707, false), (693, false)] {
        let work = [Work { done, ..sound }];
        let (verdicts, _) = Panel::new(1, &policy()).close(&closing(&[], &work));
        let verdict = verdicts.iter().find(|one| one.property == "work-conservation").unwrap();
        assert_eq!(verdict.holds(), holds, "{done}");
    }
}

#[test]
fn routing_before_ready_violates_route_ready() {
    assert_eq!(violated(&[ARRIVED, ROUTED, ready(true), served(3)], &[], &[]), ["route-ready"]);
}

#[test]
fn stopping_a_busy_server_violates_drain_clean() {
    let stopped = Fact::ServicesStopped { server: STANDBY };
    assert_eq!(
        violated(&[ready(true), ARRIVED, ROUTED, stopped, served(3)], &[], &[]),
        ["drain-clean"]
    );
}

#[test]
fn a_request_that_is_killed_violates_no_failed_request() {
    let cause = FailureCause::Killed;
    let (server, after) = (Some(STANDBY), Span::from_secs(2));
    let failed = Fact::RequestFailed { request: REQUEST, server, cause, after };
    assert_eq!(violated(&[ready(true), ARRIVED, ROUTED, failed], &[], &[]), ["no-failed-request"]);
}

#[test]
fn a_job_that_is_lost_or_done_twice_violates_jobs_exactly_once() {
    let enqueued = Fact::JobEnqueued { job: JOB };
    let started = Fact::JobStarted { job: JOB, server: STANDBY };
    let done = Fact::JobCompleted { job: JOB, server: STANDBY };
    let killed = Fact::JobKilled { job: JOB, server: STANDBY };
    let failed = Fact::JobFailed { job: JOB, server: STANDBY };
    assert!(violated(&[ready(true), enqueued, started, failed], &[], &[]).is_empty());
    let evicted = Fact::JobEvicted { job: JOB };
    for facts in [
        vec![enqueued],
        vec![enqueued, started, killed],
        vec![enqueued, evicted],
        vec![enqueued, started, done, done],
    ] {
        assert_eq!(violated(&facts, &[], &[]), ["jobs-exactly-once"], "{facts:?}");
    }
}

#[test]
fn a_bill_with_a_gap_or_a_wrong_amount_violates_billing_exact() {
    let facts = [power(true), ready(true), ready(false), power(false)];
    assert_eq!(violated(&facts, &[], &[]), ["billing-exact"]);
    let mut late = ledger(&facts, 3_600_000);
    late[0].from = late[0].from + Span::from_secs(1);
    assert_eq!(violated(&facts, &[], &late), ["billing-exact"]);
    let mut dear = ledger(&facts, 3_600_000);
    dear[0].amount += Money::from_micros(2);
    assert_eq!(violated(&facts, &[], &dear), ["billing-exact"]);
}

/// Three seconds of a month of 31 days, at a micro-unit for each of its seconds.
#[test]
fn a_monthly_amount_must_be_its_share_of_that_month() {
    let facts = [power(true), ready(true), ready(false), power(false)];
    let pricing = Pricing::Monthly { monthly: Money::from_micros(31 * 86_400) };
    let mut meter =
        Meter::new([("a".to_owned(), pricing), ("a".to_owned(), pricing)], TimeZone::UTC);
    for (second, fact) in facts.iter().enumerate() {
        meter.fact(at(second as i64), *fact);
    }
    let exact = meter.into_ledger(at(1_000));
    assert_eq!(exact[0].amount, Money::from_micros(3));
    assert!(violated(&facts, &[], &exact).is_empty());
    let mut dear = exact.clone();
    dear[0].amount += Money::from_micros(1);
    assert_eq!(violated(&facts, &[], &dear), ["billing-exact"]);
    let mut other = exact;
    other[0].unit_price = Money::from_micros(45 * 86_400);
    assert_eq!(violated(&facts, &[], &other), ["billing-exact"]);
}

fn decided(servers: u16, verdict: Verdict) -> Step {
    let decision = Decision {
        servers,
        wanted: 2,
        verdict,
        source: Some(Source::Rule(RuleId(0))),
        votes: Default::default(),
        vetoes: Default::default(),
        flip: None,
    };
    Step { commands: Vec::new(), decision, wake_at: None }
}

fn sample(percent: u32) -> Fact {
    let (cpu, memory) = (Ratio::from_percent(percent), Ratio::default());
    Fact::Sampled { cpu, memory, taken: at(0) }
}

/// A sample is taken when it comes.
fn dated(fact: Fact, taken: Timestamp) -> Fact {
    let Fact::Sampled { cpu, memory, .. } = fact else { return fact };
    Fact::Sampled { cpu, memory, taken }
}

#[test]
fn scaling_up_without_a_full_window_violates_only_when_required() {
    let up = [decided(1, Verdict::ScaleUp(1))];
    assert_eq!(violated(&[sample(90); 200], &up, &[]), ["only-when-required"]);
    assert!(violated(&[sample(90); 301], &up, &[]).is_empty());
}

#[test]
fn a_peak_that_is_long_over_does_not_excuse_a_scale_up() {
    let mut facts = vec![sample(90); 400];
    facts.extend([sample(10); 400]);
    let up = [decided(1, Verdict::ScaleUp(1))];
    assert_eq!(violated(&facts, &up, &[]), ["only-when-required"]);
}

#[test]
fn a_server_that_was_lost_may_be_replaced_once() {
    let lost = decided(1, Verdict::Hold);
    let again = decided(1, Verdict::ScaleUp(1));
    let steps = [decided(2, Verdict::Hold), lost, again.clone()];
    assert!(violated(&[sample(10); 9], &steps, &[]).is_empty());
    let twice = [decided(2, Verdict::Hold), decided(2, Verdict::ScaleUp(1))];
    assert_eq!(violated(&[sample(10); 9], &twice, &[]), ["only-when-required"]);
}

#[test]
fn a_server_that_reads_an_old_version_violates_shared_state() {
    let file = FileId(3);
    let written = Fact::FileWritten { file, version: 1, server: ServerId::PRIMARY };
    let read = |version| Fact::FileRead { file, version, server: STANDBY };
    assert!(violated(&[read(0), written, read(1)], &[], &[]).is_empty());
    assert_eq!(violated(&[read(0), written, read(0)], &[], &[]), ["shared-state"]);
}

/// Three requests in flows, on the standby.
const FLOW_ARRIVED: Fact = Fact::Flow(Flow::Arrived { count: 3 });
const FLOW_ROUTED: Fact = Fact::Flow(Flow::Routed { count: 3, server: STANDBY });
const FLOW_SERVED: Fact = Fact::Flow(Flow::Served { count: 3, server: STANDBY });

const fn flow_failed(count: u64, cause: FailureCause) -> Fact {
    Fact::Flow(Flow::Failed { count, server: Some(STANDBY), cause })
}

const fn jobs_enqueued(count: u64) -> Fact {
    Fact::Flow(Flow::JobsEnqueued { count })
}

const fn jobs_started(count: u64) -> Fact {
    Fact::Flow(Flow::JobsStarted { count, server: STANDBY })
}

const fn jobs_completed(count: u64) -> Fact {
    Fact::Flow(Flow::JobsCompleted { count, server: STANDBY })
}

#[test]
fn a_sound_day_in_flows_violates_nothing_and_says_nothing_of_single_requests() {
    let took = Fact::Flow(Flow::Took { count: 3, latency: Span::from_secs(1), wait: Span::ZERO });
    let work = [jobs_enqueued(2), jobs_started(2), jobs_completed(2)];
    let stop = [ready(false), Fact::ServicesStopped { server: STANDBY }];
    let day = [&[ready(true), FLOW_ARRIVED, FLOW_ROUTED, FLOW_SERVED, took], &work[..], &stop];
    let facts = day.concat();
    assert!(violated(&facts, &[], &[]).is_empty());
    let mut panel = Panel::new(2, &policy());
    for fact in facts {
        panel.fact(at(0), fact);
    }
    let (verdicts, counts) = panel.close(&closing(&[], &[]));
    let checked = |name| verdicts.iter().find(|one| one.property == name).unwrap().checked;
    assert_eq!([checked("littles-law"), checked("work-conservation")], [0, 0]);
    assert_eq!([checked("conservation"), checked("no-failed-request")], [3, 3]);
    assert_eq!([checked("drain-clean"), checked("jobs-exactly-once")], [1, 2]);
    assert_eq!((counts.enqueued, counts.completed, counts.pending), (2, 2, 0));
}

#[test]
fn flows_that_vanish_or_multiply_violate_conservation() {
    assert_eq!(violated(&[ready(true), FLOW_ARRIVED, FLOW_ROUTED], &[], &[]), ["conservation"]);
    let twice = [ready(true), FLOW_ARRIVED, FLOW_ROUTED, FLOW_SERVED, FLOW_SERVED];
    assert_eq!(violated(&twice, &[], &[]), ["conservation"]);
}

#[test]
fn flows_to_a_server_that_is_not_ready_violate_route_ready() {
    let facts = [FLOW_ARRIVED, FLOW_ROUTED, ready(true), FLOW_SERVED];
    assert_eq!(violated(&facts, &[], &[]), ["route-ready"]);
}

#[test]
fn stopping_a_server_with_flows_on_it_violates_drain_clean() {
    let stopped = Fact::ServicesStopped { server: STANDBY };
    let requests = [ready(true), FLOW_ARRIVED, FLOW_ROUTED, stopped, FLOW_SERVED];
    assert_eq!(violated(&requests, &[], &[]), ["drain-clean"]);
    let jobs = [ready(true), jobs_enqueued(1), jobs_started(1), stopped, jobs_completed(1)];
    assert_eq!(violated(&jobs, &[], &[]), ["drain-clean"]);
}

#[test]
fn flows_that_scaling_fails_violate_no_failed_request() {
    let arrived = [ready(true), FLOW_ARRIVED, FLOW_ROUTED];
    let failing = |cause| [&arrived[..], &[flow_failed(3, cause)]].concat();
    for cause in [FailureCause::Killed, FailureCause::Refused] {
        assert_eq!(violated(&failing(cause), &[], &[]), ["no-failed-request"], "{cause:?}");
    }
    for cause in [FailureCause::QueueFull, FailureCause::TimedOut] {
        assert!(violated(&failing(cause), &[], &[]).is_empty(), "{cause:?}");
    }
}

#[test]
fn jobs_in_flows_that_are_lost_or_done_twice_violate_jobs_exactly_once() {
    let killed = Fact::Flow(Flow::JobsKilled { count: 1, server: STANDBY });
    for facts in [
        vec![jobs_enqueued(3)],
        vec![jobs_enqueued(3), jobs_started(3), jobs_completed(2), killed],
        vec![jobs_enqueued(3), jobs_started(3), jobs_completed(4)],
    ] {
        assert_eq!(violated(&facts, &[], &[]), ["jobs-exactly-once"], "{facts:?}");
    }
}
