//! Little's law, which holds exactly in every run, whatever its chance.
#![expect(clippy::wildcard_enum_match_arm, reason = "a sink reads the facts that it needs")]

use std::collections::HashMap;

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{RequestId, Span, Timestamp};
use tidegate_sim::model::Model;

use super::shipped::{run, shipped};

/// The number of requests in the system over time, and their times in it as the world tells them.
#[derive(Debug)]
struct Presence {
    at: Timestamp,
    arrived: HashMap<RequestId, Timestamp>,
    /// Integral of the number over time, in nanoseconds.
    area: i128,
    /// Times in the system, in nanoseconds.
    times: i128,
    proxy_latency: Span,
    timeout: Span,
}

impl Presence {
    fn new(model: &Model) -> Self {
        let (proxy_latency, timeout) = (model.proxy.latency, model.proxy.timeout);
        Self { at: model.start, arrived: HashMap::new(), area: 0, times: 0, proxy_latency, timeout }
    }

    fn pass(&mut self, at: Timestamp) {
        self.area += i128::from(at.since(self.at).as_nanos()) * self.arrived.len() as i128;
        self.at = at;
    }
}

impl FactSink for Presence {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.pass(at);
        match fact {
            Fact::RequestArrived { request } => {
                self.arrived.insert(request, at);
            }
            Fact::RequestServed { request, latency, wait, .. } => {
                self.arrived.remove(&request).unwrap();
                // The proxy adds its own to the answer and keeps nobody in the system for it.
                self.times += i128::from((latency - self.proxy_latency).as_nanos());
                assert!(wait <= latency, "{request:?} waited longer than it took");
            }
            Fact::RequestFailed { request, cause, .. } => {
                let passed = at.since(self.arrived.remove(&request).unwrap());
                self.times += i128::from(passed.as_nanos());
                assert!(cause != FailureCause::TimedOut || passed == self.timeout);
            }
            _ => {}
        }
    }
}

/// Little's law over the whole run, to the nanosecond: the integral of the number in the system is
/// the sum of the times in it, of those still there up to the end.
#[test]
fn little_s_law_is_exact_in_every_shipped_scenario() {
    for model in shipped() {
        let mut world = run(&model, Presence::new(&model));
        let end = model.start + model.duration;
        let in_flight = world.in_flight();
        let presence = &mut world.sink;
        presence.pass(end);
        assert_eq!(presence.arrived.len() as u64, in_flight, "{}", model.name);
        let still: i64 = presence.arrived.values().map(|&then| end.since(then).as_nanos()).sum();
        assert!(presence.area > 0);
        assert_eq!(presence.area, presence.times + i128::from(still), "{}", model.name);
    }
}
