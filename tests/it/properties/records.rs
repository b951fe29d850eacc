//! Sealed records: nothing but the record itself, in its own place, opens.

use mintgate::store::seal::{Context, Sealer, SealingKey};
use proptest::prelude::*;

use super::runner;

fn place(record: &str, version: i64) -> Context<'_> {
    Context { install: "here", record, purpose: "token", version }
}

#[test]
fn a_record_opens_in_its_place_and_nowhere_else() {
    let sealer = Sealer::new(SealingKey::random());
    let given = (prop::collection::vec(any::<u8>(), 0..80), "[a-z/]{1,12}", any::<i64>());
    let checked = runner(500).run(&given, |(plain, record, version)| {
        let sealed = sealer.seal(&place(&record, version), &plain);
        let opened = sealer.open(&place(&record, version), &sealed);
        prop_assert_eq!(opened.map(|plain| plain.to_vec()), Ok(plain));
        let longer = format!("{record}x");
        for elsewhere in [place(&longer, version), place(&record, version.wrapping_add(1))] {
            prop_assert!(sealer.open(&elsewhere, &sealed).is_err());
        }
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_change_and_no_cut_goes_unnoticed() {
    let sealer = Sealer::new(SealingKey::random());
    let given = (prop::collection::vec(any::<u8>(), 0..60), any::<prop::sample::Index>(), 1_u8..=255);
    let checked = runner(2_000).run(&given, |(plain, at, change)| {
        let sealed = sealer.seal(&place("r", 1), &plain);
        let at = at.index(sealed.len());
        let mut changed = sealed.clone();
        changed[at] ^= change;
        prop_assert!(sealer.open(&place("r", 1), &changed).is_err(), "byte {}", at);
        prop_assert!(sealer.open(&place("r", 1), &sealed[..at]).is_err(), "cut at {}", at);
        let longer = [sealed.as_slice(), &[change]].concat();
        prop_assert!(sealer.open(&place("r", 1), &longer).is_err());
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_bytes_open_by_chance() {
    let sealer = Sealer::new(SealingKey::random());
    let iterations = super::cases(5_000) as usize;
    bolero::check!().with_iterations(iterations).with_type::<Vec<u8>>().for_each(|bytes: &Vec<u8>| {
        assert!(sealer.open(&place("r", 1), bytes).is_err());
    });
}
