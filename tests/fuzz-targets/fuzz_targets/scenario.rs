//! The parser of scenario files, and a short run of what it takes.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tidegate_tests::fuzz::scenario(text));
