//! Sticky sessions: a person stays on the server that answered first.

use tidegate_core::{CommandKind, Outcome, Span};
use tidegate_sim::world::World;

use super::{Facts, command, join, joined, outcome, pass, share};

/// People who log in within the third minute and ask for a page each second or so.
fn exam(users: u32, set: &[&str]) -> World<Facts> {
    let load = format!(
        r#"load=[{{ kind = "exam", users = {users}, opens = "2m", login_within = "30s",
        length = "20m", submit_within = "1s", think = "1s",
        login = "page", work = "page", submit = "page" }}]"#
    );
    let set: Vec<&str> = [load.as_str()].iter().chain(set).copied().collect();
    let mut world = joined(&set, join(4, Span::ZERO));
    pass(&mut world, 4);
    world
}

/// Tells the proxy about the standby.
fn tell(world: &mut World<Facts>, id: u64, kind: CommandKind) {
    world.execute(command(id, 1, kind));
    assert_eq!(outcome(world, id), Outcome::Done);
    world.sink.0.clear();
    pass(world, 2);
}

#[test]
fn one_person_is_on_one_server() {
    assert!((share(&mut exam(1, &[])) - 0.5).abs() < 0.01);
    let alone = share(&mut exam(1, &["proxy.sticky=true"]));
    assert!([0.0, 1.0].map(f64::to_bits).contains(&alone.to_bits()), "{alone}");
}

#[test]
fn people_leave_a_server_that_receives_nothing_and_stay_where_they_went() {
    for (sticky, back) in [("proxy.sticky=true", 0.0), ("proxy.sticky=false", 0.5)] {
        let mut world = exam(40, &[sticky]);
        let before = share(&mut world);
        assert!((before - 0.5).abs() < 0.1, "{sticky}: {before}");
        tell(&mut world, 10, CommandKind::Drain);
        assert_eq!(share(&mut world).to_bits(), 0.0f64.to_bits(), "{sticky}");
        tell(&mut world, 11, join(4, Span::ZERO));
        let after = share(&mut world);
        assert!((after - back).abs() < 0.01, "{sticky}: {after}");
    }
}

/// A server that may have one connection open turns nobody away who is bound to it.
#[test]
fn who_finds_no_connection_to_spare_is_answered_elsewhere() {
    let set = ["proxy.sticky=true", "proxy.max_connections=1"];
    let mut one_server = exam(40, &set);
    tell(&mut one_server, 10, CommandKind::Drain);
    tell(&mut one_server, 11, join(4, Span::ZERO));
    let helped = share(&mut one_server);
    assert!(helped > 0.1 && helped < 0.5, "{helped}");
}
