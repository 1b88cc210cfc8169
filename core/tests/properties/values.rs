//! Values as they are written and read, and sentences made of them.

use tidegate_core::decision::{Decision, Direction, Opinion, Source, Verdict, Vote};
use tidegate_core::explain::reason;
use tidegate_core::lifecycle::Stage;
use tidegate_core::money::Price;
use tidegate_core::policy::{Metric, Policy, Schedule};
use tidegate_core::{
    Currency, Generation, Health, Money, Observation, Ratio, RuleId, ScheduleId, ServerId,
    ServerView, Span, StepName,
};

#[test]
fn money_is_whole_micro_units_or_refused() {
    for text in ["", "-", ".", "1.", ".1", "x.1", "1.x", "1.1234567", "1,5", "+1", "--1", "1e3"] {
        assert!(text.parse::<Money>().is_err(), "{text}");
    }
    let money = |text: &str| text.parse::<Money>().unwrap();
    assert_eq!(money("1.5").micros(), 1_500_000);
    assert_eq!((money("5") - money("2.25")).micros(), 2_750_000);
    assert!((money("2.5").as_f64() - 2.5).abs() < 1e-12);
    for text in ["300.00 USD/month", "0.42 EUR/hour", "0.000001 JPY/hour"] {
        assert_eq!(text.parse::<Price>().unwrap().to_string(), text);
    }
    assert_eq!("EUR".parse::<Currency>().unwrap().to_string(), "EUR");
}

#[test]
fn a_share_is_rounded_down_and_has_an_end() {
    let of = |part, whole| Ratio::of(part, whole).ppm();
    assert_eq!([of(1, 4), of(2, 3), of(3, 2), of(0, 7)], [250_000, 666_666, 1_500_000, 0]);
    assert_eq!([of(1, 0), of(4_294, 1), of(4_295, 1)], [0, 4_294_000_000, u32::MAX]);
    assert_eq!(of(u128::MAX, 1), u32::MAX);
    let read = |text: &str| serde_json::from_str::<Ratio>(text).unwrap().ppm();
    assert_eq!([read("\"75%\""), read("\"0.5 %\""), read("123")], [750_000, 5_000, 123]);
    let why = serde_json::from_str::<Ratio>("[]").unwrap_err().to_string();
    assert!(why.contains("a percentage such as"), "{why}");
    assert_eq!(Ratio::from_ppm(750_000).to_string(), "75%");
    assert_eq!(Ratio::from_ppm(123_000).to_string(), "12.3%");
    assert!((Ratio::from_ppm(123_000).as_percent() - 12.3).abs() < 1e-9);
}

#[test]
fn lengths_are_written_in_all_their_units() {
    let text = "1d 2h 3m 4s 5ms 6us 7ns";
    assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
    assert!((Span::from_millis(1_500).as_secs_f64() - 1.5).abs() < 1e-12);
    assert_eq!(Span::from_millis(1_001).as_secs_ceil(), 2);
    let why = serde_json::from_str::<Span>("[]").unwrap_err().to_string();
    assert!(why.contains("a duration such as"), "{why}");
}

#[test]
fn each_part_of_health_is_one_of_its_own() {
    let parts =
        [Health::BENCHES, Health::SERVICES, Health::STORAGE, Health::REDIS, Health::WORKERS];
    for (index, part) in parts.iter().enumerate() {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != index);
        let rest = others.fold(Health::NONE, |sum, (_, other)| sum.with(*other));
        assert!(!rest.has(*part) && rest.with(*part) == Health::ALL && Health::ALL.has(*part));
    }
}

#[test]
fn names_are_those_of_the_record() {
    for stage in Stage::ALL {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.name());
    }
    for step in StepName::ALL {
        assert_eq!(serde_json::to_value(step).unwrap(), step.name());
    }
    assert_eq!(ServerId::PRIMARY.to_string(), "primary");
    assert_eq!(ServerId(3).to_string(), "standby-3");
    let fence = Generation(7).in_term(3).next();
    assert_eq!(
        (fence.term(), fence.in_term(1), fence.in_term(0)),
        (3, fence.in_term(1), Generation(8))
    );
    assert!(fence.in_term(4) > fence && fence.in_term(2) < fence);
}

#[test]
fn a_schedule_has_its_priority_and_a_schema_its_names() {
    let text = r#"{"servers":2,"cron":"* * * * *","for":"1h","zone":"UTC"}"#;
    assert_eq!(serde_json::from_str::<Schedule>(text).unwrap().priority, 50);
    let schema = serde_json::to_value(schemars::schema_for!(Policy)).unwrap();
    let names: Vec<_> = ["Duration", "Percentage", "WallTime"]
        .map(|name| schema["$defs"][name]["description"].as_str().unwrap_or_default().len())
        .to_vec();
    assert!(names.iter().all(|length| *length > 20), "{names:?}");
    let price = serde_json::to_value(schemars::schema_for!(Price)).unwrap();
    assert_eq!(price["title"], "Price");
}

#[test]
fn an_observation_finds_the_view_of_a_server() {
    let servers = vec![ServerView::unknown(ServerId(1)), ServerView::unknown(ServerId(0))];
    let observation = Observation { servers, ..Observation::default() };
    assert_eq!(observation.of(ServerId(0)), Some(&observation.servers[1]));
    assert_eq!(observation.of(ServerId(2)), None);
}

fn vote(direction: Direction, opinion: Opinion) -> Vote {
    let up = direction == Direction::Up;
    Vote {
        rule: RuleId(u8::from(!up)),
        direction,
        metric: if up { Metric::Cpu } else { Metric::Memory },
        value: Some(Ratio::from_percent(if up { 80 } else { 20 })),
        sampled_at: None,
        threshold: Ratio::from_percent(if up { 75 } else { 30 }),
        filled: Span::from_mins(6),
        window: Span::from_mins(5),
        opinion,
    }
}

fn sentence(verdict: Verdict, source: Option<Source>, down: Opinion) -> String {
    let mut decision = Decision {
        servers: 2,
        wanted: 2,
        verdict,
        source,
        votes: Default::default(),
        vetoes: Default::default(),
        flip: None,
    };
    decision.votes[0] = Some(vote(Direction::Up, Opinion::Agrees));
    decision.votes[1] = Some(vote(Direction::Down, down));
    reason(&decision)
}

#[test]
fn a_decision_is_said_in_a_sentence() {
    let (agrees, disagrees) = (Opinion::Agrees, Opinion::Disagrees);
    let (up, down) = (Verdict::ScaleUp(1), Verdict::ScaleDown(1));
    let rule = |id| Some(Source::Rule(RuleId(id)));
    let schedule = Some(Source::Schedule(ScheduleId(1)));
    let cases = [
        (up, rule(0), agrees, "2 to 3 servers: CPU 80% above 75% for 6m of 5m"),
        (up, rule(5), agrees, "2 to 3 servers"),
        (down, rule(1), agrees, "2 to 1 servers: memory 20% below 30% for 6m of 5m"),
        (down, Some(Source::Bounds), disagrees, "2 to 1 servers: nothing asks for more"),
        (down, schedule, agrees, "2 to 1 servers: schedule 2 is open"),
        (up, schedule, agrees, "2 to 3 servers: schedule 2 is open"),
        (down, Some(Source::Manual), agrees, "2 to 1 servers: a person asked"),
        (up, Some(Source::Bounds), agrees, "2 to 3 servers: the policy's bounds"),
        (Verdict::Hold, None, agrees, "2 to 2 servers: the policy's bounds"),
    ];
    for (verdict, source, opinion, expected) in cases {
        assert_eq!(sentence(verdict, source, opinion), expected);
    }
}
