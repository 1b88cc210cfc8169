//! What a live group did is judged as a simulated run is: the record of an honest one holds, and
//! each defect that is planted in what was told is found by the property that owns it.

use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::lifecycle::Stage;
use tidegate_core::record::{FoldError, Origin, RunRecord, Told, fold};
use tidegate_core::{Health, Input, JobId, RequestId, ServerId, Span, Timestamp};
use tidegate_driver::config::Config;
use tidegate_driver::record::{Recorded, judged, written_down};

use crate::day::{Day, GROUP, minute};

const STANDBY: ServerId = ServerId(1);
const CONFIG: &str = r#"
[plans.small]
vcpu = 2
memory = "4GiB"
price = "0.36 USD/hour"
[[group]]
name = "group"
bill = { primary = "small" }
ports = { kind = "fake" }
"#;

/// A day on which a schedule asks for the standby from the first minute to the fifth.
async fn recorded() -> (Day, Recorded) {
    let day = Day::new();
    day.hosted_until(minute(20)).await;
    let config = Config::parse(CONFIG).unwrap();
    let past = day.store.past(GROUP, minute(0)).await.unwrap().unwrap();
    let recorded = written_down(&config, &config.group[0], past, Timestamp::MAX).unwrap();
    (day, recorded)
}

fn folded(recorded: &Recorded, more: &[(Timestamp, Fact)]) -> RunRecord {
    let told = |(at, fact): &(Timestamp, Fact)| Told::Fact { at: *at, fact: *fact };
    let end = Told::End { at: recorded.origin.end, in_flight: 0, jobs_pending: 0 };
    let all: Vec<_> =
        recorded.told.iter().copied().chain(more.iter().map(told)).chain([end]).collect();
    judged(&recorded.origin, &recorded.lines, &recorded.journal, &all).unwrap()
}

/// The properties that do not hold.
fn broken(record: &RunRecord) -> Vec<&str> {
    let broken = record.summary.properties.iter().filter(|property| !property.holds);
    broken.map(|property| property.name.as_str()).collect()
}

/// When the standby entered a stage.
fn entered(record: &RunRecord, stage: Stage) -> Timestamp {
    let found = record.stages.iter().find(|span| span.server == STANDBY && span.stage == stage);
    found.unwrap().from
}

/// A request that is answered by the standby.
fn served(number: u64, at: Timestamp, length: Span) -> Vec<(Timestamp, Fact)> {
    let request = RequestId(number);
    let wait = Span::ZERO;
    vec![
        (at, Fact::RequestArrived { request }),
        (at, Fact::RequestRouted { request, server: STANDBY }),
        (at + length, Fact::RequestServed { request, server: STANDBY, latency: length, wait }),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_record_of_a_day_holds_and_its_ledger_is_the_provider_s_record() {
    let (day, recorded) = recorded().await;
    let at = minute(3);
    let job = JobId(0);
    let mut facts = served(0, at, Span::from_secs(1));
    facts.push((at, Fact::JobEnqueued { job }));
    facts.push((at, Fact::JobStarted { job, server: STANDBY }));
    facts.push((at + Span::from_secs(9), Fact::JobCompleted { job, server: STANDBY }));
    let record = folded(&recorded, &facts);
    assert_eq!(broken(&record), Vec::<&str>::new());
    let summary = &record.summary;
    assert_eq!((summary.scaling.ups, summary.scaling.downs, summary.scaling.failed), (1, 1, 0));
    assert_eq!((summary.requests.served, summary.jobs.completed), (1, 1));
    let powered: Vec<_> = day.servers.power_record().iter().map(|change| change.at).collect();
    let lines = record.ledger.iter().filter(|line| line.server == STANDBY);
    let billed: Vec<_> = lines.flat_map(|line| [line.from, line.to]).collect();
    assert_eq!(billed, powered);
    // 0.36 an hour are a hundredth of a cent a second, of which each that was begun is charged.
    let seconds = powered[1].since(powered[0]).as_secs_ceil();
    assert_eq!(summary.billing.standby.micros(), 100 * seconds);
    assert_eq!(folded(&recorded, &facts), record, "told again it is the same");
}

#[tokio::test(start_paused = true)]
async fn a_record_may_begin_at_any_line() {
    let (day, whole) = recorded().await;
    let job = JobId(0);
    let at = minute(3);
    let mut facts = served(0, at, Span::from_secs(1));
    facts.extend([
        (at, Fact::JobEnqueued { job }),
        (at, Fact::JobStarted { job, server: STANDBY }),
        (at + Span::from_secs(9), Fact::JobCompleted { job, server: STANDBY }),
    ]);
    let off = day.servers.power_record()[1].at;
    let mut replay = whole.origin.replay().unwrap();
    let mut seen = Vec::new();
    for (index, entry) in whole.journal.iter().enumerate() {
        let last = Some(replay.step(entry).0.decision);
        let controller = replay.controller().snapshot();
        let origin = Origin { start: entry.at, controller, last, ..whole.origin.clone() };
        let (lines, journal) =
            (whole.lines[index + 1..].to_vec(), whole.journal[index + 1..].to_vec());
        let told = whole.told.iter().copied().filter(|one| one.at() > entry.at).collect();
        let rest = Recorded { origin, lines, journal, told };
        let later = if entry.at < at { &facts[..] } else { &[] };
        let record = folded(&rest, later);
        let stage = replay.controller().stage(STANDBY);
        assert_eq!(broken(&record), Vec::<&str>::new(), "from line {index}, {stage:?}");
        let billed = record.ledger.iter().rfind(|line| line.server == STANDBY);
        let is_on = !matches!(stage, Stage::Stopping | Stage::Starting) && entry.at < off;
        assert!(!is_on || billed.is_some_and(|line| line.to == off), "from line {index}");
        seen.push(stage);
    }
    for stage in [Stage::Warming, Stage::Serving, Stage::Draining, Stage::Quiescing] {
        assert!(seen.contains(&stage), "{stage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_what_was_told_is_found_by_the_property_that_owns_it() {
    let (_, recorded) = recorded().await;
    let honest = folded(&recorded, &[]);
    let (second, job, request) = (Span::from_secs(1), JobId(0), RequestId(0));
    let warming = entered(&honest, Stage::Warming);
    let stopping = entered(&honest, Stage::Stopping);
    let off = honest.ledger.iter().find(|line| line.server == STANDBY).unwrap().to;
    let at = minute(3);
    let killed = Fact::RequestFailed {
        request,
        server: Some(STANDBY),
        cause: FailureCause::Killed,
        after: second,
    };
    let job_done = Fact::JobCompleted { job, server: STANDBY };
    let mut wrong_latency = served(0, at, second);
    wrong_latency[2].0 = at + second + second;
    let cases: [(&str, Vec<(Timestamp, Fact)>); 7] = [
        ("route-ready", served(0, warming, second)),
        ("drain-clean", served(0, stopping - second, second + second)),
        ("no-failed-request", [&served(0, off - second, second)[..2], &[(off, killed)]].concat()),
        ("jobs-exactly-once", vec![(at, Fact::JobEnqueued { job })]),
        (
            "jobs-exactly-once",
            vec![(at, Fact::JobEnqueued { job }), (at + second, job_done), (at + second, job_done)],
        ),
        ("conservation", served(0, at, second)[..2].to_vec()),
        ("littles-law", wrong_latency),
    ];
    for (owner, facts) in cases {
        let record = folded(&recorded, &facts);
        assert!(broken(&record).contains(&owner), "{owner}: {:?}", record.summary.properties);
    }
}

/// It was found well before it was joined, and the proxy cannot know more: what it got until it was
/// found broken is excused.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_found_broken_once_it_joined_broke_then_at_the_earliest() {
    let (_, mut recorded) = recorded().await;
    let serving = entered(&folded(&recorded, &[]), Stage::Serving);
    let looks = recorded.journal.iter_mut().filter(|entry| entry.at > serving);
    let health = looks.filter_map(|entry| {
        let Input::Observe(seen) = &mut entry.input else { return None };
        seen.servers.iter_mut().find(|view| view.server == STANDBY)?.health.as_mut()
    });
    let found = health.into_iter().find(|health| health.at > serving).unwrap();
    found.value = Health::NONE;
    let facts = served(0, found.at, Span::from_secs(1));
    let record = folded(&recorded, &facts);
    assert_eq!(broken(&record), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_goes_off_unasked_excuses_what_it_had() {
    let (_, recorded) = recorded().await;
    let (second, request, at) = (Span::from_secs(1), RequestId(0), minute(3));
    let cause = FailureCause::Killed;
    let killed = Fact::RequestFailed { request, server: Some(STANDBY), cause, after: second };
    let off = Fact::PowerChanged { server: STANDBY, on: false, commanded: true };
    let facts = [&served(0, at - second, second)[..2], &[(at, off), (at, killed)]].concat();
    let record = folded(&recorded, &facts);
    let judged = |name: &str| !broken(&record).contains(&name);
    assert!(judged("no-failed-request") && judged("drain-clean"), "{:?}", broken(&record));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_does_not_follow_is_no_record() {
    let (_, mut recorded) = recorded().await;
    let mut other = recorded.journal.remove(10);
    other.commands.clear();
    other.decision = None;
    recorded.journal.truncate(9);
    other.at = minute(7);
    recorded.journal.push(other);
    let refused = fold(&recorded.origin, &recorded.journal, &recorded.told);
    assert_eq!(refused.map(|_| ()), Err(FoldError::Differs(10)));
}
