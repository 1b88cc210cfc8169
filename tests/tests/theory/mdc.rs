//! M/D/c: constant service times.

use super::mmc::Waits;
use super::queue::{Lengths, Queue, length, poisson};
use super::table::Table;

#[test]
fn constant_service_times_agree_with_theory() {
    let mut waits = Waits::default();
    for row in Table::read("mdc.csv").rows() {
        let (servers, load) = (row.get("c"), row.get("rho"));
        let queue = Queue {
            workers: servers as u32,
            phases: format!("{{ wait = \"{}\" }}", length(1.0)),
            load: poisson(servers * load),
            ..Queue::default()
        };
        let lengths = Lengths::of(servers, load, 0.0);
        waits.add(&row, lengths, &queue.replicate(lengths));
    }
    let family = waits.finish();
    family.assert_exact("M/D/c", 0.2);
    family.assert_shrinks();
}
