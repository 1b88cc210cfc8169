//! Bandwidths, as people write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Bits a second: `"1Gbit/s"`, `"100Mbit/s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth(pub u64);

const BITS: [(&str, u64); 4] =
    [("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000), ("bit/s", 1)];

impl<'de> Deserialize<'de> for Bandwidth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let refused =
            || de::Error::custom(format!("`{text}` is not a bandwidth such as \"1Gbit/s\""));
        let (number, unit) = BITS
            .iter()
            .find_map(|(unit, bits)| Some((text.strip_suffix(unit)?, bits)))
            .ok_or_else(refused)?;
        let count: u64 = number.trim().parse().map_err(|_| refused())?;
        let bits = count.checked_mul(*unit).filter(|bits| (1..=1 << 50).contains(bits));
        bits.map(Self).ok_or_else(refused)
    }
}

impl JsonSchema for Bandwidth {
    fn schema_name() -> Cow<'static, str> {
        "Bandwidth".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Bits a second: 1Gbit/s, 100Mbit/s.",
            "pattern": "^[0-9]+ ?(bit|kbit|Mbit|Gbit)/s$",
        })
    }
}
