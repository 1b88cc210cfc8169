//! Single values: each text is refused, or read and written again as the same.

use proptest::prelude::*;
use proptest::sample::select;
use tidegate_core::demand::schedule::{Calendar, parse_cron};
use tidegate_core::money::Price;
use tidegate_core::policy::{Schedule, WallTime};
use tidegate_core::{Currency, Money, Ratio, Span, Timestamp};

use crate::change::typical;
use crate::config;

/// A text that is nearly what is asked for, or anything at all.
fn nearly(pattern: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![3 => pattern, 1 => any::<String>(), 1 => select(typical()).prop_map(str::to_owned)]
}

/// A recurring schedule of an hour each.
fn recurring() -> Schedule {
    let text = "servers = 2\ncron = \"* * * * *\"\nfor = \"1h\"\nzone = \"Europe/Berlin\"\n";
    toml::from_str(text).unwrap()
}

/// What is read and written is read again as the same.
fn again<T>(text: &str)
where
    T: std::str::FromStr + std::fmt::Display + PartialEq + std::fmt::Debug,
{
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert_eq!(written.parse::<T>().ok().as_ref(), Some(&value), "{text:?}: {written:?}");
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn any_text_is_a_duration_or_refused(
        text in nearly("-?[0-9]{0,20}[.]?[0-9]{0,3} ?[a-zµ]{0,3}"),
    ) {
        again::<Span>(&text);
    }

    #[test]
    fn any_text_is_money_or_refused(
        text in nearly("-?[0-9]{0,15}[.]?[0-9]{0,7}"),
    ) {
        again::<Money>(&text);
    }

    #[test]
    fn any_text_is_a_price_or_refused(
        text in nearly("[0-9]{0,14}[.]?[0-9]{0,6} [A-Z]{3}/[a-z]{4,5}"),
    ) {
        again::<Price>(&text);
        again::<Currency>(&text);
    }

    #[test]
    fn any_text_is_a_time_or_refused(
        text in nearly("-?[0-9]{4,6}(-[0-9]{2}){2}T[0-9]{2}:00\\[(UTC|Asia/Kolkata|[A-Z])\\]"),
    ) {
        again::<WallTime>(&text);
    }

    #[test]
    fn any_text_is_a_percentage_or_refused(
        text in nearly("-?[0-9]{0,12}[.]?[0-9]{0,8}e?[0-9]{0,3}%"),
    ) {
        let quoted = serde_json::to_string(&text).unwrap();
        if let Ok(ratio) = serde_json::from_str::<Ratio>(&quoted) {
            let written = serde_json::to_string(&ratio).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ratio>(&written).unwrap(), ratio);
        }
    }

    #[test]
    fn any_text_is_a_cron_expression_or_refused(
        text in nearly("([0-9*/,L#W-]{1,4} ){4,5}[0-9*/,L#A-Z-]{1,4}"),
        start in any::<i64>(),
    ) {
        let Ok(_) = parse_cron(&text) else { return Ok(()) };
        let schedule = Schedule { cron: Some(text), ..recurring() };
        let (_, edge) = Calendar::new(&schedule).at(Timestamp::from_nanos(start));
        prop_assert!(edge.as_nanos() > start);
    }
}
