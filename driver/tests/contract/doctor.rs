//! What is missing in a group of real software is told in plain words, and nothing is changed.

mod alerts;

use std::path::Path;

use tidegate_core::ServerId;
use tidegate_driver::adapters::process::Processes;
use tidegate_driver::config::{Config, PortsFile};
use tidegate_driver::doctor::{Diagnosis, Finding, Verdict, examined};
use tidegate_driver::ports::Provider;
use tidegate_driver::store::Place;

use crate::provider::ec2::Moto;
use crate::provider::http::cloud::{Cloud, Shape, TOKEN};
use crate::provider::http::example;
use crate::ssh;
use crate::support::{Running, clock, eventually, free_port, order};
use crate::whole::front::Front;
use crate::whole::stack::Stack;

/// The stack's configuration as it should be: weights as in the proxy's file.
pub fn healthy(stack: &Stack) -> String {
    let weights = "name = \"whole\"\nprimary_weight = 100\nstandby_weight = 100\n";
    stack.config().replace("name = \"whole\"\n", weights)
}

async fn diagnosis(config: &str, store: &Path) -> Diagnosis {
    let config = Config::parse(config).unwrap_or_else(|why| panic!("{why:?}"));
    examined(&config, &Place::File(store.to_owned()), None).await
}

fn findings(diagnosis: &Diagnosis) -> impl Iterator<Item = &Finding> {
    diagnosis.sections.iter().flat_map(|section| &section.findings)
}

/// Waits until nothing is to be said against the stack.
pub async fn until_well(stack: &Stack) {
    let (good, store) = (healthy(stack), stack.folder.path("none.db"));
    eventually("all is well", async || {
        let diagnosis = diagnosis(&good, &store).await;
        findings(&diagnosis).all(|one| one.verdict == Verdict::Ok).then_some(())
    })
    .await;
}

/// Looks again until a finding of this verdict has `words`: a scrape or a check may be due.
async fn told(stack: &Stack, config: &str, verdict: Verdict, words: &str) {
    let store = stack.folder.path("none.db");
    eventually(words, async || {
        let diagnosis = diagnosis(config, &store).await;
        let is_it = |one: &Finding| {
            let has_words =
                one.found.contains(words) || one.advice.iter().any(|it| it.contains(words));
            one.verdict == verdict && has_words
        };
        findings(&diagnosis).any(is_it).then_some(())
    })
    .await;
    assert!(!store.exists());
}

/// The same of something missing, once `to` stands in the place of `from`.
async fn missing_with(stack: &Stack, good: &str, [from, to]: [&str; 2], words: &str) {
    assert!(good.contains(from), "{from}");
    told(stack, &good.replace(from, to), Verdict::Missing, words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_in_plain_words() {
    let stack = Stack::start().await;
    let good = healthy(&stack);
    until_well(&stack).await;
    let missing = async |from: &str, to: &str, words: &str| {
        missing_with(&stack, &good, [from, to], words).await;
    };
    missing("backend = \"app\"", "backend = \"shop\"", "no backend `shop`").await;
    missing("\"app0\", \"app1\"", "\"app0\", \"app9\"", "does not know standby-1").await;
    missing("[\"primary\", \"standby\"]", "[\"first\", \"standby\"]", "there are primary").await;
    let prometheus = "[group.ports.prometheus]\nurl = \"http";
    missing(prometheus, &format!("{prometheus}s"), "it does not speak TLS there").await;
    missing("label = \"server\"", "label = \"host\"", "the series have instance, job").await;
    let workers = "name_prefix = \"primary\", count = 0";
    missing(workers, &workers.replace('0', "8"), "0 of 8 RQ workers of primary").await;
    missing("\"touch\"", "\"no-such-touch\"", "`no-such-touch`, which is not there").await;
    missing("[policy]\n", "[policy]\nsteps.slow_start = \"9s\"\n", "slow start is 9s").await;
    missing("storage = \"", "storage = \"/nowhere", "cannot be listed").await;
    let weights = good.replace("primary_weight = 100", "primary_weight = 50");
    told(&stack, &weights, Verdict::Warn, "the weight 100").await;
    let text = stack.folder.write("text", "no database");
    let bad = diagnosis(&good, &text).await;
    assert_eq!(bad.verdict(), Verdict::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_was_left_on_costs_money() {
    let stack = Stack::start().await;
    let config = healthy(&stack);
    let parsed = Config::parse(&config).unwrap_or_else(|why| panic!("{why:?}"));
    let PortsFile::Servers(servers) = &parsed.group[0].ports else { panic!("{config}") };
    let processes = Processes::new(servers.process.clone().unwrap(), clock());
    processes.power_on(order(ServerId(1), 1)).await.unwrap();
    told(&stack, &config, Verdict::Warn, "standby-1 is on and so billed").await;
    told(&stack, &config, Verdict::Missing, "the services of standby-1 do not answer").await;
    processes.power_off(order(ServerId(1), 2)).await.unwrap();
    told(&stack, &config, Verdict::Ok, "standby-1 is off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_is_asked_for_its_servers_and_told_nothing() {
    let stack = Stack::start().await;
    let cloud = Cloud::start(Shape::Hetzner).await;
    let config = stack.config_with(&example(Shape::Hetzner, cloud.port, &stack.folder));
    told(&stack, &config, Verdict::Ok, "standby-1 is `4712`, and `off` there").await;
    told(&stack, &config, Verdict::Ok, "standby-1 is off").await;
    let wrong = config.replace("\"4712\"", "\"4713\"");
    told(&stack, &wrong, Verdict::Missing, "the provider does not know standby-1").await;
    told(&stack, &wrong, Verdict::Missing, "the cloud knows no `4713` (404)").await;
    told(&stack, &wrong, Verdict::Missing, "correct `http.servers`").await;
    cloud.becomes("migrating");
    told(&stack, &config, Verdict::Missing, "`migrating` there, which no list of `states` has")
        .await;
    stack.folder.write("token", "expired-token");
    told(&stack, &config, Verdict::Missing, "does not accept the token (401)").await;
    told(&stack, &config, Verdict::Missing, "make a token that may read and write").await;
    let shown = format!("{:?}", diagnosis(&config, &stack.folder.path("none.db")).await);
    assert!(!shown.contains("expired-token") && !shown.contains(TOKEN), "{shown}");
    assert_eq!((cloud.orders(), stack.folder.path("power").exists()), (Vec::new(), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn ec2_is_asked_for_its_instances_and_whether_it_would_start_them() {
    let (stack, moto) = (Stack::start().await, Moto::start().await);
    let config = stack.config_with(&moto.example());
    told(&stack, &config, Verdict::Ok, "standby-1 is `i-").await;
    told(&stack, &config, Verdict::Ok, "standby-1 is off").await;
    let region = config.replace("eu-central-1", "eu-west-1");
    told(&stack, &region, Verdict::Missing, "EC2 knows no `i-").await;
    told(&stack, &region, Verdict::Missing, "correct `ec2.servers` and `ec2.region`").await;
    assert!(!moto.folder.path("power").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_asked_over_ssh_for_its_units() {
    let (stack, ssh) = (Stack::start().await, ssh::Stage::start().await);
    let config = stack.config_over_ssh(&ssh.table(["\"web.service\"", ""]));
    let absent = "`web.service` of primary (127.0.0.1) is not-found, not loaded";
    told(&stack, &config, Verdict::Missing, absent).await;
    ssh.is("web.service", "active");
    told(&stack, &config, Verdict::Ok, "primary is reached, and has its units").await;
    let stranger = config.replace("/known_hosts", "/nobody").replace("/sockets", "/others");
    told(&stack, &stranger, Verdict::Missing, "Host key verification failed").await;
    told(&stack, &stranger, Verdict::Missing, "`known_hosts` has its key").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_standby_is_looked_at() {
    let stack = Stack::behind(Front::Haproxy("")).await;
    told(&stack, &healthy(&stack), Verdict::Missing, "`app1` is not `disabled`").await;
    let stack = Stack::behind(Front::Haproxy("disabled no-check")).await;
    told(&stack, &healthy(&stack), Verdict::Missing, "`app1` has no `check`").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_in_nginx_is_told_too() {
    let stack = Stack::behind(Front::Nginx).await;
    until_well(&stack).await;
    let good = healthy(&stack);
    let missing = async |from: &str, to: &str, words: &str| {
        missing_with(&stack, &good, [from, to], words).await;
    };
    missing("upstream = \"app\"", "upstream = \"shop\"", "no upstream `shop`").await;
    missing("nginx.pid", "none.pid", "nginx does not run").await;
    missing("app.conf\"", "other.conf\"", "other.conf`: No such file").await;
    missing("dump = [\"nginx\"", "dump = [\"no-such-nginx\"", "run `no-such-nginx`").await;
    missing("servers = [\"127", "servers = [\"128", "does not know primary").await;
    missing("[policy]\n", "[policy]\nsteps.slow_start = \"9s\"\n", "slow start is 9s").await;
    let text = std::fs::read_to_string(stack.folder.path("nginx.conf")).unwrap();
    let kept = text.replace("keepalive_timeout 0;", "");
    stack.folder.write("nginx.conf", &kept);
    told(&stack, &good, Verdict::Warn, "connections are kept alive").await;
    let replayed = text.replace("proxy_pass", "proxy_next_upstream non_idempotent; proxy_pass");
    stack.folder.write("nginx.conf", &replayed);
    told(&stack, &good, Verdict::Missing, "`non_idempotent`").await;
    stack.folder.write("nginx.conf", "nonsense;");
    told(&stack, &good, Verdict::Missing, "unknown directive \"nonsense\"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_in_envoy_is_told_too() {
    let stack = Stack::behind(Front::Envoy).await;
    until_well(&stack).await;
    let good = healthy(&stack);
    let missing = async |from: &str, to: &str, words: &str| {
        missing_with(&stack, &good, [from, to], words).await;
    };
    missing("cluster = \"app\"", "cluster = \"shop\"", "Envoy has no cluster `shop`").await;
    missing("app.json\"", "other.json\"", "other.json`: No such file").await;
    missing("servers = [\"127", "servers = [\"128", "none at `128").await;
    missing("servers = [\"127", "servers = [\"128", "does not know primary").await;
    missing("[policy]\n", "[policy]\nsteps.slow_start = \"9s\"\n", "slow start is 9s").await;
    let copy = std::fs::read_to_string(stack.folder.path("app.json")).unwrap();
    stack.folder.write("copy.json", &copy.replace("100", "50"));
    missing("app.json\"", "copy.json\"", "are not read from `").await;
    let elsewhere = good.replace("app.json\"", "copy.json\"");
    told(&stack, &elsewhere, Verdict::Warn, "has the weight 50").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_redis_does_not_take_is_told_and_not_shown() {
    let stack = Stack::start().await;
    let port = free_port().to_string();
    let arguments = ["--port", &port, "--bind", "127.0.0.1", "--requirepass", "open", "--save", ""];
    let log = stack.folder.path("locked.log");
    let _redis = Running::start("redis-server", &arguments, &log);
    let secret = stack.folder.write("password", "hunter2");
    let locked = format!(
        "redis = {{ url = \"redis://127.0.0.1:{port}/0\", password = {{ file = \"{}\" }} }}\ngroup",
        secret.display()
    );
    let good = healthy(&stack);
    let at = good.find("redis = { url").unwrap();
    let end = at + good[at..].find("\ngroup").unwrap();
    let config = [&good[..at], &locked, &good[end + "\ngroup".len()..]].concat();
    told(&stack, &config, Verdict::Missing, "does not take this user and password").await;
    let store = stack.folder.path("none.db");
    let shown = format!("{:?}", diagnosis(&config, &store).await);
    assert!(!shown.contains("hunter2"), "{shown}");
    let unread = config.replace(&secret.display().to_string(), "/nowhere/password");
    told(&stack, &unread, Verdict::Missing, "read the secret in `/nowhere/password`").await;
}
