//! The hazards of the real system: none happens as shipped, each does with its defect.

use tidegate_sim::scenario::{Overrides, read};
use tidegate_tests::shipped::{folder, scenarios, summary, violated};

#[test]
fn no_hazard_happens_as_shipped_and_each_does_with_its_defects() {
    let mut seen = 0;
    for path in scenarios("hazards") {
        let mut model = read(&path, &Overrides::default()).unwrap();
        let Some(hazard) = model.hazard else { continue };
        let sound = summary(&model);
        assert_eq!(violated(&sound), Vec::<&str>::new(), "{}", path.display());
        assert!(sound.expectations.iter().all(|one| one.holds), "{sound:#?}");
        model.group.defects = hazard.defects;
        let unsound = summary(&model);
        let found = violated(&unsound);
        assert!(found.contains(&hazard.violates.unwrap()), "{}: {found:?}", path.display());
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} hazards found");
}

#[test]
fn the_manual_has_each_hazard_and_its_command_names_its_defects() {
    let manual = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for path in scenarios("hazards") {
        let model = read(&path, &Overrides::default()).unwrap();
        assert!(manual.contains(&format!("`hazards/{}`", model.name)), "{}", model.name);
        let Some(hazard) = model.hazard else { continue };
        let names: Vec<_> =
            hazard.defects.iter().map(|one| format!("\"{}\"", one.name())).collect();
        let command = format!(
            "`--set 'defects=[{}]'` violates `{}`",
            names.join(","),
            hazard.violates.unwrap()
        );
        assert!(std::fs::read_to_string(&path).unwrap().contains(&command), "{command}");
    }
}

#[test]
fn the_real_systems_sequence_violates_what_it_is_expected_to_and_its_policy_alone_nothing() {
    let path =
        scenarios("hazards").into_iter().find(|path| path.ends_with("frappe-beta.toml")).unwrap();
    let mut model = read(&path, &Overrides::default()).unwrap();
    let beta = summary(&model);
    let meant = beta.expectations.iter().filter(|one| one.expected == "== false").count();
    assert!(meant >= 5 && beta.expectations.iter().all(|one| one.holds), "{beta:#?}");
    assert_eq!(violated(&beta).len(), meant);
    model.group.defects = tidegate_core::Defects::NONE;
    assert_eq!(violated(&summary(&model)), Vec::<&str>::new());
}
