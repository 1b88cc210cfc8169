//! The parser of live configurations, and what is made of one that it takes.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tidegate_tests::fuzz::configuration(text));
