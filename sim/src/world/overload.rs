//! What a station refuses because too many wait there.

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{JobId, RequestId, ServerId};

use crate::slab::{Kind, NONE};

use super::World;

impl<S: FactSink> World<S> {
    /// A refusal is back.
    #[cold]
    pub(super) fn overloaded(&mut self, slot: u32) {
        self.visit_failed(slot, FailureCause::Overloaded);
    }

    /// A request ends with an error, a job as a failed one. Whoever asked may have been killed in
    /// between.
    pub(super) fn visit_failed(&mut self, slot: u32, cause: FailureCause) {
        let task = *self.tasks.get(slot);
        if task.server == u16::MAX {
            return self.tasks.remove(slot);
        }
        let (server, request) = (ServerId(task.server), RequestId(task.id));
        let user = match task.kind {
            Kind::Job => {
                return self.job_ended(slot, Fact::JobFailed { job: JobId(task.id), server });
            }
            Kind::Request => self.answer_with_error(slot, cause),
            Kind::Abandoned | Kind::Free => {
                self.tell(Fact::RequestAbandoned { request, server });
                NONE
            }
        };
        self.tasks.remove(slot);
        self.free_worker(&task);
        if user != NONE {
            self.answered(user, false);
        }
    }
}
