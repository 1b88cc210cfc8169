//! Servers that exist in this process alone, as a configuration gives them.

use std::sync::Arc;

use serde::Deserialize;
use tidegate_core::{Ratio, Span};

use super::GroupFile;
use crate::clock::Clock;
use crate::fakes::{FakeGroup, Times};
use crate::ports::Ports;

/// How long things take, and what there is to do. They are as they were at first whenever the
/// process starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FakeFile {
    /// From the start of a machine until it is on. Default 40 seconds.
    pub boot: Span,
    /// From the start of services until they are healthy. Default 20 seconds.
    pub services: Span,
    /// Until requests in flight have finished. Default 6 seconds.
    pub requests: Span,
    /// Until running jobs have finished. Default 30 seconds.
    pub jobs: Span,
    /// From the stop of a machine until it is off. Default 10 seconds.
    pub stop: Span,
    /// From an order's effect until its answer. Default 1 second.
    pub answer: Span,
    /// What there is to do, in the order of time. Default: nothing.
    pub load: Vec<FakeLoad>,
}

/// What there is to do from a moment on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FakeLoad {
    /// So long after the start of the process. Default 0.
    #[serde(default)]
    pub after: Span,
    /// For all servers together, in parts of what one can do.
    pub cpu: Ratio,
}

impl Default for FakeFile {
    fn default() -> Self {
        let Times { boot, services, requests, jobs, stop, answer } = Times::default();
        Self { boot, services, requests, jobs, stop, answer, load: Vec::new() }
    }
}

impl FakeFile {
    /// The ports of the group that this is of, from now on.
    pub(crate) fn ports(&self, file: &GroupFile, clock: &Arc<dyn Clock>) -> Ports {
        FakeGroup::ports(&Arc::new(self.group(file.standbys, clock)))
    }

    /// The group, from now on.
    fn group(&self, standbys: u16, clock: &Arc<dyn Clock>) -> FakeGroup {
        let Self { boot, services, requests, jobs, stop, answer, .. } = *self;
        let times = Times { boot, services, requests, jobs, stop, answer };
        let group = FakeGroup::new(clock.clone(), standbys, times);
        for load in &self.load {
            group.load_from(clock.now() + load.after, load.cpu);
        }
        group
    }
}
