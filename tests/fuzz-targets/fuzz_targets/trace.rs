//! The reader of traces, and a short run of what it takes. Each process has a file of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let name = format!("tidegate-fuzz-{}.csv", std::process::id());
    tidegate_tests::fuzz::trace(&std::env::temp_dir().join(name), bytes);
});
