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
    swarm(&all, &|_, _| {})
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
