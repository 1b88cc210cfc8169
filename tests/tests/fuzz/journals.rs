//! Journals: whatever their lines say, the controller steps through them.

use proptest::prelude::*;
use proptest::sample::select;
use tidegate_tests::fuzz::{corpus, journal, trace};

use crate::change::changed;
use crate::scenarios::place;
use crate::{config, texts_of};

#[test]
fn what_fuzzing_begins_with_is_sound() {
    for text in texts_of(corpus("journal")) {
        journal(&text);
    }
    for bytes in corpus("trace") {
        trace(&place("corpus.csv"), &bytes);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_changed_journal_is_stepped_through(
        text in changed(texts_of(corpus("journal")), 1..6),
    ) {
        journal(&text);
    }

    #[test]
    fn a_journal_in_another_order_is_stepped_through(
        lines in select(texts_of(corpus("journal"))).prop_flat_map(|text| {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            Just(lines).prop_shuffle()
        }),
    ) {
        journal(&lines.join("\n"));
    }

    #[test]
    fn any_text_is_a_journal_or_none(text in any::<String>()) {
        journal(&text);
    }
}
