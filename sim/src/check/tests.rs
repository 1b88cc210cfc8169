use std::path::Path;

use super::*;

fn bases() -> Vec<Base> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let read = |name: &str| Base::read(&folder.join(name)).unwrap();
    ["exam-day.toml", "report-jobs.toml", "alerted.toml"].into_iter().map(read).collect()
}

fn swept(jobs: usize) -> Swept {
    let (bases, bounds) = (bases(), Bounds::default());
    let jobs = NonZeroUsize::new(jobs).unwrap();
    let stop = AtomicBool::new(false);
    let all = Swarm { bases: &bases, bounds: &bounds, seed: 1, runs: 12, jobs, stop: &stop };
    swarm(&all, &|_| true)
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (one, three) = (swept(1), swept(3));
    assert_eq!(one.tally, three.tally);
    assert_eq!(one.failed, three.failed);
    assert_eq!(one.tally.runs, 12);
    assert!(one.tally.requests > 10_000, "{:?}", one.tally);
}

#[test]
fn every_case_that_is_drawn_is_a_scenario() {
    let (bases, bounds) = (bases(), Bounds::default());
    for number in 0..300 {
        let base = &bases[number as usize % bases.len()];
        let case = draw(base, &bounds, 7, number);
        case.model().unwrap_or_else(|why| panic!("{why}\n{}", case.text));
    }
}

#[test]
fn a_case_that_is_refused_stays_whole_and_who_has_enough_gets_what_there_is() {
    let base = bases().swap_remove(1);
    let case = |text: String| Case {
        name: base.name.clone(),
        file: base.file.clone(),
        text,
        directory: base.directory.clone(),
    };
    let (go_on, stop) = (AtomicBool::new(false), AtomicBool::new(true));
    let refused = case(format!("unknown = 1\n{}", base.text));
    let failures = refused.run().failures;
    assert_eq!(failures[0].property, "refused");
    let kept = shrink(&refused, &failures[0], Effort { runs: 100, stop: &go_on });
    assert_eq!((kept.trials, kept.case.text), (0, refused.text));
    let broken = case(format!("defects = [\"skip-the-quiesce\"]\n{}", base.text));
    let failures = broken.run().failures;
    let kept = shrink(&broken, &failures[0], Effort { runs: 100, stop: &stop });
    assert_eq!((kept.trials, kept.case.text), (0, broken.text.clone()));
    let shrunk = shrink(&broken, &failures[0], Effort { runs: 20, stop: &go_on });
    assert!(shrunk.trials == 20 && shrunk.case.text != broken.text);
}
