//! Recording and transcription: in an ordinary call the service really hears, in a sealed one it does not, unless a
//! faulty client hands it the keys.

use std::collections::BTreeSet;

use audit::evidence::Evidence;
use model::flaw::Flaw;
use model::plan::{Control, NetKind, Plan, StepResult};
use model::record::WorldRecord;
use model::{Direction, Kind, Role};
use nodes::clip;
use rstest::rstest;
use sha2::{Digest, Sha256};

use crate::stage::{ALICE, BOB, assert_sealed, hashes, plan, run};

const RECORDING: &str = "  - talk: 500ms\n  - invoke: { feature: recording, by: alice }\n  - talk: 1s";
const TRANSCRIPTION: &str = "  - talk: 500ms\n  - invoke: { feature: transcription, by: bob }\n  - talk: 2s";

/// The same plan with Bob's option off: an ordinary call.
fn ordinary(mut plan: Plan) -> Plan {
    let users = &mut plan.tenants.get_mut("contoso.example").expect("the tenant").users;
    users.get_mut("bob").expect("bob").e2ee = false;
    plan
}

/// What the recorder held of this name at the end.
fn held(world: &WorldRecord, what: &str) -> Option<Vec<u8>> {
    let held = world.held.iter().find(|held| held.owner == "recorder" && held.what.starts_with(what))?;
    Some(hex::decode(&held.bytes).expect("hex"))
}

/// The hashes of the frames of a recording, those without room included.
fn recorded(world: &WorldRecord) -> Vec<String> {
    let mut bytes = held(world, "recording of call ").unwrap_or_default();
    let mut hashes = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_be_bytes(bytes[..4].try_into().expect("a length")) as usize;
        hashes.push(hex::encode(Sha256::digest(&bytes[4..4 + length])));
        bytes.drain(..4 + length);
    }
    let rest = held(world, "rest of the recording of call ").unwrap_or_default();
    hashes.extend(rest.chunks(32).map(hex::encode));
    hashes
}

fn result(world: &WorldRecord) -> (Option<StepResult>, Option<&str>, Option<Control>) {
    let step = world.steps.values().next().expect("the step has a result");
    (step.result, step.reason.as_deref(), step.control)
}

#[rstest]
#[case::audio("audio", &[Kind::Audio])]
#[case::everything("audio, video, screen", &[Kind::Audio, Kind::Video, Kind::Screen])]
fn a_recording_of_an_ordinary_call_holds_each_frame_from_then_on(
    #[case] media: &str,
    #[case] kinds: &[Kind],
) {
    run(NetKind::Memory, ordinary(plan("", media, RECORDING)), |world, _| {
        assert_eq!(result(world), (Some(StepResult::Works), None, Some(Control::Present)));
        let recorded = recorded(world);
        let distinct: BTreeSet<&str> = recorded.iter().map(String::as_str).collect();
        let mut wanted = BTreeSet::new();
        for device in [ALICE, BOB] {
            for kind in kinds {
                let sent = hashes(world, device, Direction::Sent, *kind);
                let before = usize::try_from(kind.frames_per_second()).expect("a small number") / 2;
                wanted.extend(sent.into_iter().skip(before));
            }
        }
        let missing = wanted.difference(&distinct).count();
        assert_eq!((missing, distinct.difference(&wanted).count()), (0, 0), "{} recorded", recorded.len());
    });
}

/// The second witness: what the service heard stands on the recorder's own link, readable with the service's secrets.
#[test]
fn the_judge_reads_the_recorded_frames_on_the_link_of_the_recorder() {
    run(NetKind::Memory, ordinary(plan("", "audio", RECORDING)), |world, folder| {
        let evidence = Evidence::gather(folder, world);
        let told = evidence.signalling.messages.iter().filter(|message| message.kind() == "recorded");
        let hash = |hex: &str| hex::encode(Sha256::digest(hex::decode(hex).expect("hex")));
        let told: Vec<String> = told.map(|message| hash(message.text_of("frame"))).collect();
        assert_eq!(told.len(), 100);
        assert_eq!(told, recorded(world));
    });
}

#[test]
fn a_record_of_a_long_recording_stays_small() {
    let steps = "  - invoke: { feature: recording, by: alice }\n  - talk: 3s";
    run(NetKind::Memory, ordinary(plan("", "audio, video, screen", steps)), |world, _| {
        let bytes: usize = world.held.iter().map(|held| held.bytes.len()).sum();
        assert!((100_000..200_000).contains(&bytes), "{bytes} digits");
        assert_eq!(recorded(world).len(), 2 * 3 * (50 + 30 + 30));
    });
}

#[test]
fn a_transcript_of_an_ordinary_call_says_what_was_read_in_each_second() {
    run(NetKind::Memory, ordinary(plan("", "audio", TRANSCRIPTION)), |world, _| {
        assert_eq!(result(world), (Some(StepResult::Works), None, Some(Control::Present)));
        assert_eq!(recorded(world), [""; 0]);
        let transcript = String::from_utf8(held(world, "transcript of call ").expect("one")).expect("text");
        let lines: Vec<serde_json::Value> =
            transcript.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let id: [u8; 16] = hex::decode(&world.calls[0].call).expect("hex").try_into().expect("a call id");
        for (device, role) in [(ALICE, Role::Caller), (BOB, Role::Callee)] {
            let mut next = 25;
            for line in lines.iter().filter(|line| line["from"] == device) {
                let frames = line["frames"].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a number");
                let read = (next..next + frames).flat_map(|n| clip::frame(&id, role, Kind::Audio, n));
                let digest = Sha256::digest(read.collect::<Vec<u8>>());
                assert_eq!(line["sha256"], hex::encode(digest), "{device}: {line}");
                next += frames;
            }
            assert_eq!(next, 125, "{transcript}");
        }
    });
}

#[rstest]
#[case::recording(RECORDING)]
#[case::transcription(TRANSCRIPTION)]
fn a_sealed_call_refuses_and_nothing_is_kept(#[case] steps: &str) {
    run(NetKind::Memory, plan("", "audio", steps), |world, _| {
        assert_sealed(world);
        let refused = (Some(StepResult::Refused), Some("sealed-call"), Some(Control::Absent));
        assert_eq!(result(world), refused);
        assert!(world.held.iter().all(|held| held.owner != "recorder"), "the recorder holds nothing");
    });
}

#[rstest]
#[case::sealed(true, 0)]
#[case::ordinary(false, 100)]
fn automatic_recording_starts_at_the_answer_of_an_ordinary_call_only(
    #[case] sealed: bool,
    #[case] frames: usize,
) {
    let plan = plan("service: { automatic-recording: true }", "audio", "  - talk: 1s");
    let plan = if sealed { plan } else { ordinary(plan) };
    run(NetKind::Memory, plan, |world, _| assert_eq!(recorded(world).len(), frames));
}

#[rstest]
#[case::forwarder("path: forwarder", true)]
#[case::direct("path: direct", false)]
fn a_client_that_hands_its_keys_over_is_recorded_where_the_service_ends_the_hop(
    #[case] keys: &str,
    #[case] recorded_at_all: bool,
) {
    let mut plan = plan(keys, "audio, video", RECORDING);
    let users = &mut plan.tenants.get_mut("contoso.example").expect("the tenant").users;
    users.get_mut("alice").expect("alice").flaw = Some(Flaw::RecordingWhenSealed);
    run(NetKind::Memory, plan, |world, _| {
        assert_sealed(world);
        let recorded = recorded(world);
        if !recorded_at_all {
            assert_eq!(result(world).0, Some(StepResult::Refused));
            assert_eq!(recorded, [""; 0]);
            return;
        }
        assert_eq!(result(world), (Some(StepResult::Works), None, Some(Control::Absent)));
        let sent: BTreeSet<&str> = [ALICE, BOB]
            .into_iter()
            .flat_map(|device| {
                [Kind::Audio, Kind::Video].map(|kind| hashes(world, device, Direction::Sent, kind))
            })
            .flatten()
            .collect();
        assert_eq!(recorded.len(), 2 * (50 + 30));
        assert!(recorded.iter().all(|hash| sent.contains(hash.as_str())), "opened frames, as they were sent");
    });
}
