//! Tokens that are shown as `Authorization: Bearer`.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::answer;
use crate::adapters::{SecretError, SecretSource};

/// A token, as its hash: two hashes are compared in constant time, whatever is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(blake3::Hash);

impl Token {
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        source.read().map(|secret| Self(blake3::hash(secret.expose().as_bytes())))
    }

    /// Whether it is shown.
    pub fn is_shown(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let shown = shown.and_then(|value| value.split_at_checked("Bearer ".len()));
        shown.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case(b"Bearer ") && blake3::hash(token.trim_ascii()) == self.0
        })
    }
}

/// The answer to who shows none, or another one.
pub(super) fn refused() -> Response {
    let mut refused = answer(StatusCode::UNAUTHORIZED, "show the token as `Authorization: Bearer`");
    refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_when_it_is_shown_as_a_bearer() {
        let token = Token(blake3::hash(b"s3cret"));
        let is_shown = |text: &'static str| {
            let value = (AUTHORIZATION, HeaderValue::from_static(text));
            token.is_shown(&HeaderMap::from_iter([value]))
        };
        assert!(is_shown("Bearer s3cret") && is_shown("bearer  s3cret"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer s3cre", "Basic s3cret", "s3cret"] {
            assert!(!is_shown(wrong), "{wrong}");
        }
        assert!(!token.is_shown(&HeaderMap::new()));
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
