//! How long requests waited for a server, by the proxy's log: a line each, once it has ended.

use std::collections::BTreeMap;

use tidegate_core::Span;

use crate::staging::spawn;

/// By the number of the request. One that ended just now may not stand there yet, nor one whose
/// connection the proxy closed without a word.
pub(super) fn read() -> BTreeMap<u64, Span> {
    let text = std::fs::read_to_string(spawn::log("haproxy")).unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

/// A line as `log-format` of `haproxy.cfg` has it; others are the proxy's news.
fn parse(line: &str) -> Option<(u64, Span)> {
    let (number, milliseconds) = line.strip_prefix("request ")?.split_once(' ')?;
    // It is -1 for one that ended before.
    let milliseconds = milliseconds.parse::<i64>().ok()?.max(0);
    Some((number.parse().ok()?, Span::from_millis(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_long_a_request_waited() {
        assert_eq!(parse("request 17 230"), Some((17, Span::from_millis(230))));
        assert_eq!(parse("request 19 -1"), Some((19, Span::ZERO)));
        for other in ["request - 0", "Server app/app2 is DOWN", "request 1", "request 1 2 3", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
