//! M/D/c: constant service times.

use super::mmc::Waits;
use super::queue::{Lengths, Queue, length, poisson};
use super::stats::Family;
use super::table::Table;

fn compare(loads: [f64; 2]) -> Family {
    let mut waits = Waits::default();
    for row in Table::read("mdc.csv").rows() {
        let (servers, load) = (row.get("c"), row.get("rho"));
        if load < loads[0] || load >= loads[1] {
            continue;
        }
        let queue = Queue {
            workers: servers as u32,
            phases: format!("{{ wait = \"{}\" }}", length(1.0)),
            load: poisson(servers * load),
            ..Queue::default()
        };
        let lengths = Lengths::of(servers, load, 0.0);
        waits.add(&row, lengths, &queue.replicate(lengths));
    }
    waits.finish()
}

#[test]
fn constant_service_times_agree_with_theory() {
    let family = compare([0.0, 0.93]);
    family.assert_exact("M/D/c", 0.2);
    family.assert_shrinks();
}

#[test]
#[ignore = "half a minute of one core: the rows at 95 %"]
fn constant_service_times_agree_with_theory_near_saturation() {
    compare([0.93, 0.97]).assert_exact("M/D/c at 95 %", 0.3);
}
