//! Evidence with random damage: whatever it says, the judge comes to an end.

use proptest::prelude::*;

use super::*;

const FILES: [&str; 4] = [
    "captures/variant.pcapng",
    "keys/variant.parties.keys",
    "keys/variant.service.keys",
    "captures/twin.pcapng",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn damaged_evidence_is_judged_without_panic(
        file in 0..FILES.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let run = Run::of(&Story { frames: 12, ..Story::sealed(both_on()) });
        let path = run.folder.path().join(FILES[file]);
        let mut bytes = std::fs::read(&path).expect("a file");
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        std::fs::write(path, bytes).expect("written");
        prop_assert_eq!(run.judge().scenarios.len(), 1);
    }
}
