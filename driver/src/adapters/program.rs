//! Runs a command that the configuration names.

use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::ports::PortError;

/// What `ssh` ends with when it does not get through.
const UNREACHABLE: i32 = 255;

/// Runs a program with its arguments to its end; no shell reads them. It is killed if the future is
/// dropped.
pub(crate) async fn run(command: &[String]) -> Result<(), PortError> {
    answer(command, "").await.map(drop)
}

/// The same; it is told `text`, and what it answers is returned.
pub(crate) async fn answer(command: &[String], text: &str) -> Result<String, PortError> {
    let ended = ended(command, text).await?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&ended.stderr);
    let last = errors.lines().last().unwrap_or_default();
    let program = command.first().map_or("", String::as_str);
    let what = format!("`{program}` ended with {}: {last}", ended.status);
    match ended.status.code() {
        Some(UNREACHABLE) => Err(PortError::unreachable(what)),
        _ => Err(PortError::refused(what)),
    }
}

/// The same, however it ended.
pub(crate) async fn ended(command: &[String], text: &str) -> Result<Output, PortError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(PortError::refused("an empty command is configured"));
    };
    let mut started = Command::new(program);
    started.args(arguments).kill_on_drop(true);
    started.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |why| PortError::refused(format!("run `{program}`: {why}"));
    let mut started = started.spawn().map_err(failed)?;
    if let Some(mut input) = started.stdin.take() {
        // A program that does not read has no use for it.
        let _unread = input.write_all(text.as_bytes()).await;
    }
    started.wait_with_output().await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use tidegate_core::Failure;

    use super::*;

    async fn ended(text: &str) -> Result<(), PortError> {
        run(&["sh".to_owned(), "-c".to_owned(), text.to_owned()]).await
    }

    #[tokio::test]
    async fn what_a_program_ends_with_is_told() {
        assert_eq!(ended("exit 0").await, Ok(()));
        let why = ended("echo first >&2; echo last >&2; exit 3").await.unwrap_err();
        assert_eq!(why.what, "`sh` ended with exit status: 3: last");
        assert_eq!(why.failure, Failure::Refused);
        let far = ended("exit 255").await.unwrap_err();
        assert_eq!(far.failure, Failure::Unreachable);
        let missing = run(&["tidegate-no-such-program".to_owned()]).await.unwrap_err();
        assert!(missing.what.starts_with("run `tidegate-no-such-program`: "), "{missing}");
        assert!(run(&[]).await.is_err());
    }
}
