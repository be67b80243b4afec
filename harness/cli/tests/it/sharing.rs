//! A run in parts: together they are the whole, and a part that is missing is missed.

use crate::{Room, scenario};

/// Four variants of one call, by release.
fn four(room: &Room) {
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    let matrix = "matrix: { propagation: [1s, 2s, 3s, 4s] }\ntenants:";
    room.write("scenarios/opt-in/four.yaml", &text.replacen("tenants:", matrix, 1));
}

#[test]
fn parts_are_put_together_to_the_whole() {
    let room = Room::new();
    four(&room);
    assert_eq!(room.overheard(&["run", "--out", "whole"]).code, 0);
    let mut parts = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let out = part.replace('/', "-of-");
        let ended = room.overheard(&["run", "--shard", part, "--out", &out]);
        assert!([0, 4].contains(&ended.code), "{}", ended.stderr);
        if ended.code == 0 {
            parts.push(out);
        }
    }
    assert!(parts.len() > 1, "the ids of this test all fall into one part; take other ids");
    let mut arguments: Vec<&str> = vec!["merge", "--out", "merged"];
    arguments.extend(parts.iter().map(String::as_str));
    let merged = room.overheard(&arguments);
    let (whole, together) = (room.results("whole"), room.results("merged"));
    let verdicts = |results: &model::results::Results| {
        results.scenarios.iter().map(|s| (s.id.clone(), s.verdict, s.schedule.clone())).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&whole), verdicts(&together));
    assert_eq!(merged.code, if parts.len() == 3 { 0 } else { 3 }, "{}", merged.stdout);

    arguments.pop();
    arguments[2] = "less";
    let less = room.overheard(&arguments);
    assert_eq!(less.code, 3, "{}", less.stdout);
    assert!(!room.results("less").lost.is_empty());
}

#[test]
fn a_whole_run_is_no_part() {
    let room = Room::new();
    assert_eq!(room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "whole"]).code, 0);
    let ended = room.overheard(&["merge", "whole"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("is no part of a sharded run"), "{}", ended.stderr);
}
