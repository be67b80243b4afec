//! What nodes still hold after the last hang-up: nothing that opens a frame, unless a faulty client keeps its keys.

use audit::judge::{Options, judge};
use model::Listener;
use model::flaw::Flaw;
use model::plan::NetKind;
use model::record::Record;
use model::results::Sweep;
use rstest::rstest;

use crate::kept::{Kept, key_lines};
use crate::stage::{ALICE, BOB, plan, run};

#[rstest]
#[case::frames("path: forwarder", &[ALICE, BOB, "call-service", "forwarder"])]
#[case::relay("path: relay", &[ALICE, BOB, "call-service", "relay"])]
#[case::dtls("profile: dtls", &[ALICE, BOB, "call-service"])]
fn nodes_are_asked_and_hold_no_key_of_a_call_that_is_over(#[case] keys: &str, #[case] owners: &[&str]) {
    run(NetKind::Memory, plan(keys, "audio", "  - talk: 100ms"), |world, folder| {
        for owner in owners {
            let own = world.held.iter().filter(|held| held.owner == *owner);
            let bytes: usize = own.map(|held| held.bytes.len() / 2).sum();
            assert!(bytes >= 6, "{owner} tells what it still holds");
        }
        let lines = key_lines(&folder.join(&world.files.parties));
        // The call id of AGREE and the random of a handshake are public; what stands last in a line is secret.
        let secret = |line: &'_ String| line.split(' ').rfind(|word| word.len() >= 32).map(str::to_owned);
        let secrets: Vec<String> = lines.iter().filter_map(secret).collect();
        assert!(!secrets.is_empty() && secrets.len() == lines.len());
        for secret in secrets {
            let still = world.held.iter().find(|held| held.bytes.contains(&secret));
            assert_eq!(still.map(|held| (&held.owner, &held.what)), None);
        }
        let named = world.held.iter().filter(|held| held.what.contains("call call"));
        assert!(named.count() >= 3, "what is held is named by the call's name and not by its id");
    });
}

#[test]
fn a_client_that_keeps_its_keys_beyond_the_call_is_heard_by_harvest_alone() {
    // It keeps them for a recording that nobody asks for.
    let mut plan = plan("path: forwarder", "audio", "  - talk: 500ms");
    let users = &mut plan.tenants.get_mut("contoso.example").expect("the tenant").users;
    users.get_mut("bob").expect("bob").flaw = Some(Flaw::RecordingWhenSealed);
    plan.expect[0].fails = vec!["proof/unheard".to_owned()];
    let room = Kept::of(plan).copy();
    let text = std::fs::read_to_string(room.folder().join("record.jsonl")).expect("readable");
    let record = Record::parse(&text).expect("a record");
    let results = judge(room.folder(), &record, &Options { sweep: Sweep::Full });
    let [scenario] = &results.scenarios[..] else { panic!("one variant") };
    let heard = &scenario.calls[0].heard;
    assert_eq!((heard[&Listener::Trudy].frames, heard[&Listener::Eve].frames), (0, 0));
    assert!(heard[&Listener::Harvest].frames > 0, "{heard:?}");
    let unheard = scenario.checks.iter().find(|check| check.check == "proof/unheard").expect("the leg");
    assert!(unheard.caught, "{}", scenario.why);
    let kept = format!("it stands in what {BOB} still held: keys of the call call as they are handed over");
    let texts: Vec<&str> = unheard.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(
        texts.iter().any(|text| text.starts_with("harvest can read") && text.contains(&kept)),
        "{texts:#?}"
    );
}
