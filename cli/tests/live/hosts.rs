//! Hosts that share a database, as processes: one is killed, one is stopped and goes on later.

#[path = "../../../driver/tests/contract/store/server.rs"]
mod server;

use std::fs;
use std::process::Command;

use super::{CONFIG, Desk, Live, free_port};
use server::{PASSWORD, Server};

/// A desk whose hosts keep their state in a database of its own.
fn desk(name: &str) -> (Desk, Server) {
    let (desk, server) = (Desk::new(name), Server::start());
    let store = format!(
        "[store]\nurl = \"{}\"\npassword = {{ file = \"password\" }}\nlease = \"3s\"\n{CONFIG}",
        server.url()
    );
    fs::write(desk.0.join("live.toml"), store).unwrap();
    fs::write(desk.0.join("password"), PASSWORD).unwrap();
    (desk, server)
}

/// Starts a host, once the database answers.
fn first(desk: &Desk) -> Live {
    loop {
        let mut host = desk.start(&[]);
        if host.seen_until("acts, in term 0").is_ok() {
            return host;
        }
    }
}

fn signal(host: &Live, signal: &str) {
    let id = host.child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// The time that a line begins with. Those of one zone are ordered as text is.
fn time(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

#[test]
fn when_the_host_that_acts_is_killed_another_goes_on_where_it_was() {
    let (desk, _server) = desk("shared");
    let mut leader = first(&desk);
    leader.until("command 0: power-on standby-1");
    let port = free_port();
    let http =
        format!("[http]\nlisten = \"127.0.0.1:{port}\"\ntoken = {{ file = \"password\" }}\n");
    let config = fs::read_to_string(desk.0.join("live.toml")).unwrap();
    fs::write(desk.0.join("second.toml"), format!("{http}{config}")).unwrap();
    let mut follower = desk.start_with("second.toml");
    follower.until("this host waits while another acts: ");
    let (code, said) = desk.program(&["status", "second.toml"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("this host waits while another acts: "), "{said}");
    leader.child.kill().unwrap();
    follower.until("this host acts, in term 1");
    follower.until("taken over in term 1");
    follower.until("command 0: power-on standby-1");
    follower.until("command 2: join standby-1");
    follower.until("command 2 done");
    let (code, said) = desk.program(&["status", "second.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 of 2 serve"), "{said}");
    assert_eq!(follower.stop(), Some(0));
    let (code, said) = desk.program(&["record", "live.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = desk.program(&["replay", "out/demo"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("IDENTICAL"), "{said}");
}

#[test]
fn a_host_that_was_stopped_past_its_lease_decides_and_orders_nothing_when_it_goes_on() {
    let (desk, _server) = desk("frozen");
    let mut leader = first(&desk);
    leader.until("command 0: power-on standby-1");
    signal(&leader, "-STOP");
    let mut follower = desk.start(&[]);
    let taken_over = follower.until("this host acts, in term 1");
    follower.until("command 2 done");
    signal(&leader, "-CONT");
    let seen = leader.seen_until("this host waits while another acts: ").unwrap();
    let late = seen.iter().filter(|line| time(line) >= time(&taken_over));
    let late: Vec<_> = late.filter(|line| line.contains("command")).collect();
    let refused = |line: &&String| line.ends_with("failed: this host may act no more");
    assert!(late.iter().all(refused), "{late:#?}");
    assert_eq!(follower.stop(), Some(0));
    leader.until("this host acts, in term 2");
    leader.until("taken over in term 2");
    assert_eq!(leader.stop(), Some(0));
}

#[test]
fn an_address_that_holds_a_password_or_half_wants_encryption_is_refused() {
    let desk = Desk::new("address");
    for (address, why) in [
        ("postgres://a:secret@b/c", "give it as `store.password`"),
        ("postgres://a@b/c?sslmode=prefer", "both check the server's certificate"),
        ("postgres://b/c", "names its host, its user and the database"),
    ] {
        for command in ["live", "record"] {
            let (code, said) = desk.program(&[command, "live.toml", "--store", address]);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(why) && !said.contains("secret"), "{said}");
        }
    }
    let away = "postgres://a@%2Fnowhere/c";
    let (code, said) = desk.program(&["live", "live.toml", "--store", away]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("failed to open the store postgres://a@%2Fnowhere/c"), "{said}");
}

#[test]
fn a_group_is_set_up_in_a_database_when_no_host_acts() {
    let (desk, _server) = desk("enable-shared");
    let host = first(&desk);
    let (code, said) = desk.program(&["enable", "live.toml", "demo"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("acts on the store. Stop all hosts that share it"), "{said}");
    assert_eq!(host.stop(), Some(0));
    let (code, said) = desk.program(&["disable", "live.toml", "demo", "--force"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok      disabled"), "{said}");
    // The lease was given back: a host acts at once.
    let mut host = desk.start(&[]);
    host.until("acts, in term ");
    assert_eq!(host.stop(), Some(0));
}

#[test]
fn a_database_without_a_store_is_as_good_as_a_file_that_is_not_there() {
    let (desk, _server) = desk("doctor-shared");
    let asked = || desk.program(&["doctor", "live.toml"]).1;
    // The database may only be about to start.
    let mut said = asked();
    while said.contains("cannot be reached") {
        said = asked();
    }
    assert!(said.contains("is not there yet: the first live host makes it"), "{said}");
}
