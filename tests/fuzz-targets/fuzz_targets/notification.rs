//! The reader of what Alertmanager sends, and the inboxes that it is sorted into.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidegate_tests::fuzz::notification(bytes));
