//! Steps that were done, which no later run does again.

use tidegate_core::{ServerId, Span};

use super::{EnableError, How, Report};
use crate::adapters::program;
use crate::clock::Clock;
use crate::store::{Mark, Store, StoreError};

/// The steps of a group.
pub(super) struct Steps<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    report: &'a dyn Report,
    group: &'a str,
    term: u32,
    done: Vec<Mark>,
}

impl<'a> Steps<'a> {
    /// Those that a run before did, unless one of `over` is among them: then that run has ended,
    /// and another begins.
    pub async fn load(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        report: &'a dyn Report,
        group: &'a str,
        over: &[&str],
    ) -> Result<Self, StoreError> {
        let mut done = store.marks(group).await?;
        if done.iter().any(|mark| over.contains(&mark.step.as_str())) {
            done.clear();
        }
        Ok(Self { store, clock, report, group, term: 0, done })
    }

    /// From now on under this term.
    pub fn in_term(self, term: u32) -> Self {
        Self { term, ..self }
    }

    /// Whether a run before did it, which is told then.
    pub fn was_done(&self, step: &str) -> bool {
        let is_done = self.done.iter().any(|mark| mark.step == step);
        if is_done {
            self.report.ended(step, &How::Before);
        }
        is_done
    }

    /// Tells how a step ended, and stores it if it is done.
    pub async fn end(
        &mut self,
        step: &str,
        how: Result<(), EnableError>,
    ) -> Result<(), EnableError> {
        if let Err(why) = &how {
            self.report.ended(step, &How::Failed(why.to_string()));
        }
        how?;
        self.done.push(Mark { step: step.to_owned(), at: self.clock.now() });
        self.store.mark(self.term, self.group, &self.done).await?;
        self.report.ended(step, &How::Done);
        Ok(())
    }

    /// All is done: what is left of the steps is this mark alone.
    pub async fn finish(&mut self, mark: &str) -> Result<(), EnableError> {
        self.done.clear();
        self.end(mark, Ok(())).await
    }

    /// Runs those commands of a server that no run before did.
    pub async fn run(
        &mut self,
        what: &str,
        server: ServerId,
        commands: &[Vec<String>],
        timeout: Span,
    ) -> Result<(), EnableError> {
        for (index, command) in (1..).zip(commands) {
            // A command that was changed since is another one.
            let step = format!("{what} {server}, {index}: {}", command.join(" "));
            if self.was_done(&step) {
                continue;
            }
            let end = self.clock.sleep_until(self.clock.now() + timeout);
            let how = tokio::select! {
                biased;
                ran = program::run(command) => ran.map_err(|why| why.to_string()),
                () = end => Err(format!("it did not end within {timeout}")),
            };
            let step_of = format!("{what} {server}");
            let how = how.map_err(|why| EnableError::Failed { step: step_of, why });
            self.end(&step, how).await?;
        }
        Ok(())
    }
}
