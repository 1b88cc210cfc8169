//! What is counted: jobs, requests and the time they took, files, and what is billed.

use tidegate_core::billing::{LedgerLine, Meter, Pricing};
use tidegate_core::fact::{Fact, FactSink, FailureCause, Flow};
use tidegate_core::oracle::{Closing, JobCounts, Panel, Verdict, Work};
use tidegate_core::{FileId, JobId, Money, RequestId, ServerId, Span, TimeZone};

use crate::{STANDBY, at, closing, jobs_completed, jobs_enqueued, policy, power, violated};

const fn enqueued(job: u64) -> Fact {
    Fact::JobEnqueued { job: JobId(job) }
}

const fn done(job: u64) -> Fact {
    Fact::JobCompleted { job: JobId(job), server: STANDBY }
}

fn closed(facts: &[Fact], closing: &Closing<'_>) -> (Vec<Verdict>, JobCounts) {
    let mut panel = Panel::new(2, &policy());
    facts.iter().enumerate().for_each(|(second, fact)| panel.fact(at(second as i64), *fact));
    panel.close(closing)
}

fn of<'a>(verdicts: &'a [Verdict], property: &str) -> &'a Verdict {
    verdicts.iter().find(|one| one.property == property).unwrap()
}

#[test]
fn jobs_are_counted_whatever_becomes_of_them_and_in_whatever_order() {
    let failed = Fact::JobFailed { job: JobId(3), server: STANDBY };
    let killed = Fact::JobKilled { job: JobId(4), server: STANDBY };
    let facts = [
        &(0..8).map(enqueued).collect::<Vec<_>>()[..],
        &[done(1), done(0), failed, killed, done(1), Fact::JobLost { job: JobId(5) }],
        &[Fact::JobEvicted { job: JobId(6) }, done(2), done(2), jobs_enqueued(5)],
        &[jobs_completed(3)],
    ]
    .concat();
    let (verdicts, counts) = closed(&facts, &Closing { jobs_pending: 3, ..closing(&[], &[]) });
    let expected =
        JobCounts { enqueued: 13, completed: 6, lost: 3, duplicated: 2, failed: 1, pending: 3 };
    assert_eq!(counts, expected);
    let verdict = of(&verdicts, "jobs-exactly-once");
    assert_eq!((verdict.checked, verdict.violated), (9, 4), "killed, evicted, and two done twice");
}

#[test]
fn jobs_that_the_world_knows_nothing_of_are_missing() {
    let facts = [enqueued(0), enqueued(1), jobs_enqueued(2)];
    for (pending, lost) in [(4, 0), (3, 1), (0, 4), (9, 0)] {
        let (verdicts, counts) =
            closed(&facts, &Closing { jobs_pending: pending, ..closing(&[], &[]) });
        assert_eq!((counts.pending, counts.lost), (pending.min(4), lost));
        assert_eq!(of(&verdicts, "jobs-exactly-once").holds(), lost == 0);
    }
}

#[test]
fn flows_of_jobs_that_are_done_twice_are_told_apart_from_those_that_were_due() {
    let facts = [jobs_enqueued(3), jobs_completed(5), jobs_enqueued(1), jobs_completed(1)];
    let (verdicts, counts) = closed(&facts, &closing(&[], &[]));
    assert_eq!((counts.completed, counts.duplicated, counts.pending), (4, 2, 0));
    let verdict = of(&verdicts, "jobs-exactly-once");
    assert_eq!((verdict.checked, verdict.violated, verdict.violations.len()), (6, 2, 1));
    let killed = Fact::Flow(Flow::JobsKilled { count: 2, server: STANDBY });
    let (verdicts, counts) = closed(&[jobs_enqueued(2), killed], &closing(&[], &[]));
    assert_eq!((counts.lost, of(&verdicts, "jobs-exactly-once").violated), (2, 2));
}

#[test]
fn only_the_first_violations_are_kept_and_all_are_counted() {
    let facts: Vec<Fact> =
        (0..25).map(|job| Fact::JobKilled { job: JobId(job), server: STANDBY }).collect();
    let (verdicts, _) = closed(&facts, &closing(&[], &[]));
    let verdict = of(&verdicts, "jobs-exactly-once");
    assert_eq!((verdict.violated, verdict.violations.len()), (25, 10));
}

#[test]
fn requests_in_flight_and_the_way_back_to_the_client_count() {
    let arrived = |request| Fact::RequestArrived { request: RequestId(request) };
    let served = Fact::RequestServed {
        request: RequestId(0),
        server: STANDBY,
        latency: Span::from_secs(5),
        wait: Span::ZERO,
    };
    let failed = Fact::RequestFailed {
        request: RequestId(1),
        server: None,
        cause: FailureCause::TimedOut,
        after: Span::from_secs(3),
    };
    let facts = [arrived(0), arrived(1), arrived(2), served, failed];
    let ages = u128::from(998u32) * 1_000_000_000;
    let ends =
        Closing { in_flight: 1, ages, answer_delay: Span::from_secs(2), ..closing(&[], &[]) };
    let (verdicts, _) = closed(&facts, &ends);
    assert!(of(&verdicts, "conservation").holds());
    let law = of(&verdicts, "littles-law");
    assert!(law.holds(), "{:?}", law.violations);
    assert_eq!(law.checked, 2);
    for ends in [Closing { ages: ages + 1, ..ends }, Closing { answer_delay: Span::ZERO, ..ends }] {
        assert!(!of(&closed(&facts, &ends).0, "littles-law").holds());
    }
    let ends = Closing { in_flight: 0, ..ends };
    assert!(!of(&closed(&facts, &ends).0, "conservation").holds());
}

#[test]
fn a_file_s_last_version_is_what_must_be_read() {
    let written =
        |file, version| Fact::FileWritten { file: FileId(file), version, server: STANDBY };
    let read = |file, version| Fact::FileRead { file: FileId(file), version, server: STANDBY };
    let versions = [written(2, 3), written(2, 1), read(2, 3), read(0, 0), read(7, 0)];
    assert!(violated(&versions, &[], &[]).is_empty());
    assert_eq!(violated(&[written(2, 3), written(2, 1), read(2, 2)], &[], &[]), ["shared-state"]);
    let (verdicts, _) = closed(&versions, &closing(&[], &[]));
    assert_eq!(of(&verdicts, "shared-state").checked, 3);
    let (verdicts, _) = closed(&[written(2, 3)], &closing(&[], &[]));
    assert!(verdicts.iter().all(|one| one.property != "shared-state"), "nothing was read");
}

/// A ledger of the standby's power from the first second to the last fact.
fn billed(facts: &[Fact], pricing: Pricing) -> Vec<LedgerLine> {
    let plans = [("a".to_owned(), pricing), ("a".to_owned(), pricing)];
    let mut meter = Meter::new(plans, TimeZone::UTC);
    facts.iter().enumerate().for_each(|(second, fact)| meter.fact(at(second as i64), *fact));
    meter.into_ledger(at(1_000))
}

fn exact(facts: &[Fact], ledger: &[LedgerLine]) -> bool {
    of(&closed(facts, &closing(ledger, &[])).0, "billing-exact").holds()
}

#[test]
fn a_ledger_is_exact_if_each_line_is_what_had_power_at_its_price() {
    let facts = [power(true), power(true), power(false), power(false), power(true)];
    let hourly = Money::from_micros(1_001);
    let priced = [
        Pricing::PerSecond { hourly, minimum: Span::ZERO },
        Pricing::PerSecond { hourly, minimum: Span::from_secs(60) },
        Pricing::PerStartedHour { hourly },
        Pricing::Monthly { monthly: Money::from_micros(31_000_000) },
    ];
    for pricing in priced {
        let ledger = billed(&facts, pricing);
        assert_eq!(ledger.len(), 2);
        assert!(exact(&facts, &ledger), "{pricing:?}");
        assert!(!exact(&facts, &ledger[..1]), "a line is missing");
        assert!(!exact(&facts, &[&ledger[..], &ledger[..1]].concat()), "a line is twice");
        let mut short = ledger.clone();
        short[1].to = at(999);
        assert!(!exact(&facts, &short));
        let mut other = ledger.clone();
        other[0].server = ServerId::PRIMARY;
        assert!(!exact(&facts, &other), "another server's");
    }
}

#[test]
fn a_line_that_charges_less_than_was_used_or_more_than_its_price_is_wrong() {
    let facts = [power(true), power(false)];
    let hourly = Money::from_micros(3_600_000);
    let ledger = billed(&facts, Pricing::PerSecond { hourly, minimum: Span::ZERO });
    for micros in [-1, 1] {
        let mut wrong = ledger.clone();
        wrong[0].amount += Money::from_micros(micros);
        assert!(!exact(&facts, &wrong), "{micros}");
    }
    let mut free = ledger.clone();
    (free[0].charged, free[0].amount) = (Span::ZERO, Money::ZERO);
    assert!(!exact(&facts, &free));
    let monthly = Money::from_micros(31_000_000);
    let mut month = billed(&facts, Pricing::Monthly { monthly });
    month[0].charged = Span::from_secs(2);
    assert!(!exact(&facts, &month));
    let (verdicts, _) = closed(&facts, &closing(&ledger, &[]));
    assert_eq!(of(&verdicts, "billing-exact").checked, 1);
}

#[test]
fn a_line_that_is_cut_where_no_power_was_cut_is_exact() {
    let facts = [power(true), power(false)];
    let hourly = Money::from_micros(3_600_000);
    let pricing = Pricing::PerSecond { hourly, minimum: Span::ZERO };
    let half = Span::from_millis(500);
    let mut meter =
        Meter::new([("a".to_owned(), pricing), ("a".to_owned(), pricing)], TimeZone::UTC);
    meter.fact(at(0), facts[0]);
    meter.change_plan(at(0) + half, STANDBY, "b".to_owned(), pricing);
    meter.fact(at(1), facts[1]);
    let ledger = meter.into_ledger(at(1));
    assert_eq!(ledger.iter().map(|line| line.to.since(line.from)).collect::<Vec<_>>(), [half; 2]);
    assert!(exact(&facts, &ledger));
}

#[test]
fn work_is_judged_on_each_server_with_room_for_rounding() {
    let sound = Work { cores: 2, visits: 3, begun: 1_000, done: 700, left: 200, dropped: 100 };
    let judged = |work: &[Work]| {
        let (verdicts, _) = closed(&[], &closing(&[], work));
        let verdict = of(&verdicts, "work-conservation");
        (verdict.checked, verdict.violated)
    };
    assert_eq!(judged(&[sound, sound]), (6, 0));
    assert_eq!(judged(&[sound, Work { left: 0, ..sound }]), (6, 1));
    assert_eq!(judged(&[sound, Work { dropped: 0, ..sound }]), (6, 1));
    assert_eq!(judged(&[Work { begun: 0, ..sound }, sound]), (6, 1));
}
