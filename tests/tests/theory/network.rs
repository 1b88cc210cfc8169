//! Networks of stations: in product form, the mean response is the sum over the visits.

use super::queue::{Lengths, Queue, exponential, length, poisson};
use super::stats::Family;

/// Probability that one of `offered` Erlang finds all of `servers` busy and waits (Erlang's C).
pub fn waiting(servers: u32, offered: f64) -> f64 {
    let blocked = super::loss::blocking(servers, offered);
    blocked / (1.0 - offered / f64::from(servers) * (1.0 - blocked))
}

/// Mean response of M/M/c with service times of mean `service`.
pub fn response(servers: u32, rate: f64, service: f64) -> f64 {
    let offered = rate * service;
    service + waiting(servers, offered) * service / (f64::from(servers) - offered)
}

/// Redis, the database and the storage in a row, first come, first served, with exponential service
/// times (Jackson 1963). Redis is visited twice, the same each time (Kelly 1975).
#[test]
fn a_network_of_stations_has_its_product_form() {
    let mut family = Family::default();
    for (rate, servers) in [(0.3, [1, 2, 1]), (0.7, [1, 3, 2]), (1.5, [2, 4, 2]), (4.0, [5, 9, 4])]
    {
        let times = [0.5, 2.0, 0.8];
        let [redis, database, nfs] = times.map(exponential);
        let queue = Queue {
            workers: 5_000,
            stations: servers,
            phases: format!(
                "{{ redis = {redis} }}, {{ database = {database} }}, \
                 {{ redis = {redis} }}, {{ nfs = {nfs} }}"
            ),
            load: poisson(rate),
            ..Queue::default()
        };
        let exact = 2.0 * response(servers[0], 2.0 * rate, times[0])
            + response(servers[1], rate, times[1])
            + response(servers[2], rate, times[2]);
        let found = queue.replicate(Lengths { memory: 100.0, counted: 8_000.0 });
        family.compare(
            format!("{servers:?} at {rate}"),
            exact,
            found.iter().map(|one| one.response),
        );
    }
    family.assert_exact("a network of stations", 0.05);
}

/// Shared cores keep the product form whatever the length of their work, and a wait is a station
/// with a server for each (Baskett, Chandy, Muntz and Palacios 1975).
#[test]
fn a_network_with_shared_cores_has_its_product_form() {
    let mut family = Family::default();
    let mean = length(3.0);
    let works = [
        format!("\"{mean}\""),
        format!("{{ hyperexponential = \"{mean}\", cv = 3.0 }}"),
        format!("{{ mean = \"{mean}\", cv = 1.5 }}"),
    ];
    for work in works {
        let queue = Queue {
            cores: 4,
            workers: 5_000,
            stations: [1, 2, 1],
            phases: format!(
                "{{ redis = {} }}, {{ cpu = {work} }}, {{ wait = \"{}\" }}, {{ database = {} }}",
                exponential(0.6),
                length(5.0),
                exponential(1.5),
            ),
            load: poisson(1.0),
            ..Queue::default()
        };
        let exact = response(1, 1.0, 0.6) + response(4, 1.0, 3.0) + 5.0 + response(2, 1.0, 1.5);
        let found = queue.replicate(Lengths { memory: 200.0, counted: 10_000.0 });
        family.compare(work, exact, found.iter().map(|one| one.response));
    }
    family.assert_exact("a network with shared cores", 0.05);
}
