//! More load never lowers the number of servers at which a group settles.

use proptest::prelude::*;
use tidegate_core::lifecycle::Stage;

use crate::{config, record};

/// Servers that serve at the end of three hours at this rate, the primary included.
fn settled(rate: f64, fidelity: &str) -> usize {
    let set = [
        format!("load.0.rate={rate:.3}"),
        format!("fidelity={fidelity}"),
        "duration=3h".to_owned(),
    ];
    let record = record("", set.to_vec());
    let serves = record.stages.iter().filter(|one| {
        one.stage == Stage::Serving && one.to == record.end && !one.server.is_primary()
    });
    1 + serves.count()
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_group_settles_at_no_fewer_servers_under_more_load(
        less in 1.0..200.0f64,
        more in 0.0..100.0f64,
    ) {
        prop_assert!(settled(less, "fluid") <= settled(less + more, "fluid"));
    }
}

#[test]
fn a_group_settles_where_its_rules_say_request_by_request_and_in_flows() {
    for fidelity in ["request", "fluid"] {
        let servers: Vec<usize> =
            [1.0, 20.0, 40.0, 75.0, 110.0].map(|rate| settled(rate, fidelity)).to_vec();
        assert_eq!(servers, [1, 1, 2, 3, 4], "{fidelity}");
    }
}
