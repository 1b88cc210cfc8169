//! M/G/1: first come, first served by Pollaczek and Khinchine, and processor sharing.

use super::queue::{Lengths, Queue, exponential, length, poisson};
use super::stats::Family;
use super::table::{Row, Table};

/// A service time of mean 1 with this square of its coefficient of variation, in the scenario's
/// words. Where the family is free, the two disciplines differ in it.
pub fn service(square_cv: f64, sharing: bool) -> String {
    let (mean, cv) = (length(1.0), square_cv.sqrt());
    let erlang = |stages| format!("{{ erlang = \"{mean}\", stages = {stages} }}");
    let lognormal = || format!("{{ mean = \"{mean}\", cv = {cv} }}");
    match (square_cv, sharing) {
        (0.0, _) => format!("\"{mean}\""),
        (0.25, false) => erlang(4),
        (0.5, true) => erlang(2),
        (1.0, _) => exponential(1.0),
        (0.25 | 4.0, true) | (0.5 | 2.0, false) => lognormal(),
        (_, _) => format!("{{ hyperexponential = \"{mean}\", cv = {cv} }}"),
    }
}

/// Half the usual length is enough: all rows wait.
fn lengths(load: f64, square_cv: f64) -> Lengths {
    let usual = Lengths::of(1.0, load, square_cv);
    Lengths { counted: usual.counted / 2.0, ..usual }
}

/// The rows with a load within `loads`, as far as `each` compares them.
pub fn rows(loads: [f64; 2], mut each: impl FnMut(&Row, &str, f64, f64)) {
    for row in Table::read("mg1.csv").rows() {
        let (square_cv, load) = (row.get("scv_service"), row.get("rho"));
        if load >= loads[0] && load < loads[1] {
            each(&row, &format!("c² {square_cv} at {load}"), square_cv, load);
        }
    }
}

fn in_turn(loads: [f64; 2]) -> Family {
    let mut family = Family::default();
    rows(loads, |row, name, square_cv, load| {
        let phases = format!("{{ wait = {} }}", service(square_cv, false));
        let queue = Queue { phases, load: poisson(load), ..Queue::default() };
        let found = queue.replicate(lengths(load, square_cv));
        let (wait, response) = (row.get("Wq_FCFS_in_service_times"), row.get("W_FCFS"));
        family.compare(format!("wait of {name}"), wait, found.iter().map(|one| one.wait));
        family.compare(
            format!("response of {name}"),
            response,
            found.iter().map(|one| one.response),
        );
    });
    family
}

fn shared(loads: [f64; 2]) -> Family {
    let mut family = Family::default();
    rows(loads, |row, name, square_cv, load| {
        let phases = format!("{{ cpu = {} }}", service(square_cv, true));
        let queue = Queue { workers: 5_000, phases, load: poisson(load), ..Queue::default() };
        let found = queue.replicate(lengths(load, square_cv));
        let response = row.get("W_PS_(insensitive)");
        family.compare(name, response, found.iter().map(|one| one.response));
    });
    family
}

#[test]
fn one_worker_agrees_with_pollaczek_and_khinchine() {
    let family = in_turn([0.0, 0.93]);
    family.assert_exact("M/G/1", 0.25);
    family.assert_shrinks();
}

#[test]
fn one_shared_core_agrees_with_theory_whatever_the_variation() {
    let family = shared([0.0, 0.93]);
    family.assert_exact("M/G/1 with processor sharing", 0.2);
    family.assert_shrinks();
}

#[test]
#[ignore = "a quarter of a minute of one core: the rows at 95 %"]
fn one_worker_agrees_with_pollaczek_and_khinchine_near_saturation() {
    in_turn([0.93, 0.97]).assert_exact("M/G/1 at 95 %", 0.3);
}

#[test]
#[ignore = "a quarter of a minute of one core: the rows at 95 %"]
fn one_shared_core_agrees_with_theory_near_saturation() {
    shared([0.93, 0.97]).assert_exact("M/G/1 with processor sharing at 95 %", 0.3);
}
