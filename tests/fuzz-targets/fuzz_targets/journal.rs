//! The reader of journals, and the controller that steps through them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tidegate_tests::fuzz::journal(text));
