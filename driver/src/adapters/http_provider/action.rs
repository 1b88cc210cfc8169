//! What becomes of an order that goes on after its answer.

use serde_json::Value;
use tidegate_core::{Failure, Timestamp};

use super::answer;
use super::config::ActionConfig;
use super::link::Link;
use super::template::Names;
use crate::clock::Clock;
use crate::ports::PortError;

/// How far an action has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    Done,
    Failed { code: Option<String>, message: Option<String> },
    GoesOn,
}

fn progress(config: &ActionConfig, answer: &Value) -> Progress {
    let word = config.at.word(answer);
    let is_in = |words: &[String]| word.as_ref().is_some_and(|word| words.contains(word));
    if is_in(&config.failed) {
        let read = |at: &Option<super::Pointer>| at.as_ref().and_then(|at| at.word(answer));
        return Progress::Failed { code: read(&config.code), message: read(&config.message) };
    }
    if is_in(&config.done) { Progress::Done } else { Progress::GoesOn }
}

/// Waits until the action that `answer` tells of has ended. An answer that names none tells that
/// the order has been taken, and no more. A question that fails is put again: the order stands.
pub(super) async fn ended(
    config: &ActionConfig,
    link: &Link,
    clock: &dyn Clock,
    deadline: Timestamp,
    server: &str,
    mut answer: Value,
) -> Result<(), PortError> {
    let Some(id) = config.id.word(&answer) else { return Ok(()) };
    let path = config.path.filled(Names { server, action: &id });
    loop {
        match progress(config, &answer) {
            Progress::Done => return Ok(()),
            Progress::Failed { code, message } => {
                return Err(link.failed_action(server, code.as_deref(), message.as_deref()));
            }
            Progress::GoesOn => {}
        }
        let next = clock.now() + config.poll;
        if next > deadline {
            let what = format!("the cloud's action {id} for `{server}` has not ended");
            return Err(PortError::timed_out(what));
        }
        clock.sleep_until(next).await;
        if let Ok(told) = link.get(&path, server).await {
            answer = told;
        }
    }
}

impl Link {
    /// What a port makes of an action that did not end well.
    fn failed_action(&self, server: &str, code: Option<&str>, message: Option<&str>) -> PortError {
        let said = answer::said(code, message);
        if self.has_no_capacity(code) {
            let what = format!("the cloud has no machine to give for `{server}`{said}");
            return PortError::new(Failure::OutOfCapacity, what);
        }
        PortError::refused(format!("the cloud failed to do it to `{server}`{said}"))
    }
}
