//! Whatever comes in: the parsers that stand between strangers and the desk, on random input, against
//! oracles written another way.
//!
//! A short run belongs to the tests; `make fuzz` sets `FUZZ_CASES` for a long one.

mod addresses;
mod cookies;
mod heads;
mod paths;
mod proxy_headers;
mod records;
mod rules;
mod yaml;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many cases a property is tried with.
fn cases(short: u32) -> u32 {
    match std::env::var("FUZZ_CASES") {
        Ok(text) => text.parse().expect("FUZZ_CASES is a number"),
        Err(_) => short,
    }
}

/// The same cases in every short run; a long one takes new ones.
fn runner(short: u32) -> TestRunner {
    let config = Config { cases: cases(short), failure_persistence: None, ..Config::default() };
    match std::env::var("FUZZ_CASES") {
        Ok(_) => TestRunner::new(config),
        Err(_) => {
            let numbers = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, numbers)
        }
    }
}
