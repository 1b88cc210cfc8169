pub mod config;
mod desk;
mod hosted;
pub mod stack;

use futures_util::FutureExt;
use tidegate_core::{Alert, RuleId};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::ports::Alerts;

use crate::support::{eventually, fake};

use desk::{Desk, Sent};
use stack::Stack;

const UP: RuleId = RuleId(0);

/// The next alerts. Whoever asked for them before has not taken any.
async fn next(alerts: &dyn Alerts) -> Vec<Alert> {
    eventually("an alert", async || alerts.next().now_or_never()).await
}

/// `change` lets the alert of the up rule fire, or cease to.
async fn keeps_the_contract(alerts: &dyn Alerts, change: impl AsyncFn(bool)) {
    assert_eq!(alerts.next().now_or_never(), None, "nothing came in");
    change(true).await;
    let given = next(alerts).await;
    let [Alert { rule: UP, since, resolved: false, at }] = given[..] else { panic!("{given:?}") };
    assert!(since <= at && at <= SystemClock.now());
    assert_eq!(alerts.next().now_or_never(), None, "it was given");
    change(false).await;
    let given = next(alerts).await;
    let over = matches!(given[..], [Alert { rule: UP, since: same, resolved: true, .. }]
        if same == since);
    assert!(over, "{given:?}");
}

#[tokio::test]
async fn a_fake_group_keeps_it() {
    let group = fake();
    let since = SystemClock.now();
    keeps_the_contract(&*group, async |fires: bool| {
        group.alert(vec![Alert { rule: UP, since, resolved: !fires, at: SystemClock.now() }]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_and_alertmanager_keep_it() {
    let stack = Stack::start().await;
    keeps_the_contract(&*stack.desk.alerts, async |fires: bool| {
        stack.load(if fires { 0.9 } else { 0.5 });
        stack.until_firing(fires).await;
        // What was sent before somebody listened comes again.
        stack.desk.serve();
    })
    .await;
    assert_eq!(stack.desk.told(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_has_no_effect() {
    let desk = Desk::start().await;
    desk.serve();
    let sent = Sent::firing();
    assert_eq!(desk.post("wrong", &sent.body()).await.0, 401);
    let alerts = desk.given_to(async || desk.send(&sent).await).await;
    assert_eq!(alerts, (200, vec![]), "it does not fire");
    assert!(desk.told_last().contains("cpu > 75% for 5m is untrue: it does not fire any more"));
    desk.fires(&sent);
    let alerts = desk.given_to(async || desk.send(&sent.resolved()).await).await;
    assert_eq!(alerts, (200, vec![]), "it still fires");
    assert!(desk.told_last().contains("it still fires"), "{:?}", desk.told());
    for (from, to, told) in [
        ("\"school\"", "\"s\\n\"", "its label `tidegate_group` is `s\\n`, and no such group"),
        ("\"tidegate_rule\":\"0\"", "\"tidegate_rule\":\"9\"", "it is of no rule of the policy"),
        ("75%", "70%", "means `cpu > 70% for 5m` and the policy's `cpu > 75% for 5m`"),
    ] {
        let body = sent.body().replace(from, to);
        let answer = desk.given_to(async || desk.post(desk::TOKEN, &body).await.0).await;
        assert_eq!(answer, (200, vec![]), "{body}");
        assert!(desk.told_last().contains(told), "{:?}", desk.told());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_notification_is_refused_in_a_sentence() {
    let desk = Desk::start().await;
    desk.serve();
    let (status, said) = desk.post(desk::TOKEN, "{\"version\":\"4\"}").await;
    assert_eq!(status, 400);
    assert!(said.starts_with("failed to read the notification: missing field `alerts`"), "{said}");
    assert_eq!(desk.post(desk::TOKEN, &"x".repeat(2 << 20)).await.0, 413);
    assert_eq!(desk.ask("GET /alerts").await, 405);
    assert_eq!(desk.ask("GET /").await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_is_given_once_and_is_received_once_it_is_stored() {
    let desk = Desk::start().await;
    desk.serve();
    let sent = Sent::firing();
    desk.fires(&sent);
    let both = async || {
        let (one, other) = tokio::join!(desk.send(&sent), desk.send(&sent));
        one.max(other)
    };
    let (status, alerts) = desk.given_to(both).await;
    assert_eq!((status, alerts.len()), (200, 1), "{alerts:?}");
    let (status, alerts) = desk.given_to(both).await;
    assert_eq!((status, alerts), (200, vec![]), "a copy that comes late");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_and_is_not_stored_is_not_received() {
    let desk = Desk::start().await;
    desk.serve();
    let sent = Sent::firing();
    desk.fires(&sent);
    let (status, given) = tokio::join!(desk.send(&sent), desk.alerts.next());
    assert_eq!((status, given.len()), (503, 1), "{given:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_to_a_host_that_is_gone_is_given_to_the_next() {
    let desk = Desk::start().await;
    desk.serve();
    let sent = Sent::firing();
    desk.fires(&sent);
    let lost = async {
        let given = desk.alerts.next().await;
        desk.alerts.begin();
        given
    };
    let (status, given) = tokio::join!(desk.send(&sent), lost);
    assert_eq!((status, given.len()), (503, 1), "{given:?}");
    let (status, alerts) = desk.given_to(async || desk.send(&sent).await).await;
    assert_eq!((status, alerts.len()), (200, 1), "{alerts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_waits_until_it_can() {
    let desk = Desk::start().await;
    desk.serve();
    let sent = Sent::firing();
    desk.fails();
    let (status, alerts) = desk.given_to(async || desk.send(&sent).await).await;
    assert_eq!((status, alerts), (503, vec![]), "Alertmanager sends it again");
    assert!(desk.told_last().contains("which alerts fire"), "{:?}", desk.told());
    desk.fires(&sent);
    let given = next(&*desk.alerts).await;
    assert!(matches!(given[..], [Alert { rule: UP, resolved: false, .. }]), "{given:?}");
    assert_eq!(desk.told_last(), "which alerts fire");
}
