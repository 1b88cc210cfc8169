//! What an answer of a cloud means.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use tidegate_core::{Failure, Span, Timestamp};

use super::config::ErrorWords;
use crate::ports::PortError;

/// A cloud that asks for a longer pause is asked again after this all the same.
const LONGEST_PAUSE: Span = Span::from_hours(1);
/// Of what a cloud says for people, at most, in characters.
const LONGEST_MESSAGE: usize = 200;

/// The JSON of an answer. One that is empty holds nothing.
pub(super) fn json(body: &[u8]) -> Result<Value, PortError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body)
        .map_err(|why| PortError::refused(format!("the cloud's answer is no JSON: {why}")))
}

/// Why a request about `server` came to nothing. No word of it is the caller's.
pub(super) fn refusal(
    status: StatusCode,
    body: &[u8],
    words: &ErrorWords,
    server: &str,
) -> PortError {
    let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let read = |at: &Option<super::Pointer>| at.as_ref().and_then(|at| at.word(&answer));
    let (code, message) = (read(&words.code), read(&words.message));
    let said = said(code.as_deref(), message.as_deref());
    let number = status.as_u16();
    if code.is_some_and(|code| words.no_capacity.contains(&code)) {
        let what = format!("the cloud has no machine to give for `{server}`{said}");
        return PortError::new(Failure::OutOfCapacity, what);
    }
    match number {
        401 => PortError::refused(format!("the cloud does not accept the token (401){said}")),
        403 => PortError::refused(format!("the token does not give the right to this (403){said}")),
        404 => PortError::refused(format!("the cloud knows no `{server}` (404){said}")),
        409 | 423 => {
            let what = format!("the cloud is at something else with `{server}` ({number}){said}");
            PortError::refused(what)
        }
        429 => PortError::new(Failure::RateLimited, format!("too many requests (429){said}")),
        502..=504 => PortError::unreachable(format!("the cloud is not there ({number}){said}")),
        500.. => PortError::refused(format!("the cloud broke ({number}){said}")),
        _ => PortError::refused(format!("the cloud refuses it ({number}){said}")),
    }
}

/// What the cloud said itself, to be put after what it means.
pub(super) fn said(code: Option<&str>, message: Option<&str>) -> String {
    let words: Vec<_> = [code, message].into_iter().flatten().map(shown).collect();
    words.iter().filter(|word| !word.is_empty()).fold(String::new(), |all, word| {
        let between = if all.is_empty() { ": " } else { ", " };
        all + between + word
    })
}

/// One line, and not a long one.
fn shown(text: &str) -> String {
    let plain = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut text: String = plain.take(LONGEST_MESSAGE).collect();
    text.truncate(text.trim_end().len());
    text
}

/// Until when it asks to be left alone, in seconds or by a date.
pub(super) fn left_alone_until(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let until = if let Ok(seconds) = text.parse::<u32>() {
        now + Span::from_secs(seconds.into())
    } else {
        let date = jiff::fmt::rfc2822::parse(text).ok()?;
        Timestamp::from_jiff(date.timestamp())?
    };
    (until > now).then_some(until.min(now + LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> ErrorWords {
        let at = |text: &str| Some(super::super::Pointer::try_from(text.to_owned()).unwrap());
        let no_capacity = vec!["resource_unavailable".to_owned()];
        ErrorWords { message: at("/error/message"), code: at("/error/code"), no_capacity }
    }

    fn told(status: u16, code: &str) -> (Failure, String) {
        let body = format!(r#"{{"error": {{"code": "{code}", "message": "so it is"}}}}"#);
        let status = StatusCode::from_u16(status).unwrap();
        let PortError { failure, what } = refusal(status, body.as_bytes(), &words(), "4711");
        (failure, what)
    }

    #[test]
    fn what_went_wrong_is_told_in_plain_words() {
        for (status, code, failure, what) in [
            (401, "unauthorized", Failure::Refused, "does not accept the token"),
            (403, "token_readonly", Failure::Refused, "does not give the right"),
            (404, "not_found", Failure::Refused, "knows no `4711`"),
            (409, "conflict", Failure::Refused, "at something else with `4711`"),
            (423, "locked", Failure::Refused, "at something else with `4711`"),
            (429, "rate_limit_exceeded", Failure::RateLimited, "too many requests"),
            (500, "server_error", Failure::Refused, "the cloud broke"),
            (503, "unavailable", Failure::Unreachable, "is not there"),
            (422, "unprocessable_entity", Failure::Refused, "refuses it"),
            (503, "resource_unavailable", Failure::OutOfCapacity, "no machine to give"),
        ] {
            let (got, text) = told(status, code);
            assert_eq!(got, failure, "{text}");
            assert!(text.contains(what) && text.ends_with(&format!("{code}, so it is")), "{text}");
        }
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
        let now = Timestamp::from_nanos(784_111_770 * 1_000_000_000);
        let until = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            left_alone_until(&headers, now).map(|until| until.since(now).as_secs_f64())
        };
        assert_eq!(until("29"), Some(29.0));
        assert_eq!(until("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7.0));
        assert_eq!((until("0"), until("-3"), until("soon")), (None, None, None));
        assert_eq!(until("Sun, 06 Nov 1994 08:49:00 GMT"), None, "it is over");
        assert_eq!(until("999999999"), Some(3600.0));
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(
            status in 100_u16..1000,
            body in prop_oneof![
                any::<Vec<u8>>(),
                "[{}\\[\\]\",:a-z0-9]*".prop_map(String::into_bytes),
            ],
        ) {
            let _ = json(&body);
            let status = StatusCode::from_u16(status).unwrap();
            let PortError { what, .. } = refusal(status, &body, &words(), "4711");
            prop_assert!(!what.contains(['\n', '\r']) && what.len() < 2_000);
        }

        #[test]
        fn any_pause_is_bounded(text in "[ -~]*") {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            let now = Timestamp::from_nanos(784_111_770 * 1_000_000_000);
            let until = left_alone_until(&headers, now);
            prop_assert!(until.is_none_or(|until| until > now && until <= now + LONGEST_PAUSE));
        }
    }
}
