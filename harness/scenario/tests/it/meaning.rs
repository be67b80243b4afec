//! What is accepted and what is not, one changed line at a time.

use rstest::rstest;
use scenario::{Checked, Diagnostic, Vocabulary, read};

use crate::vocabulary;

const PLAIN: &str = "\
scenario: A call
tenants:
  contoso.example:
    policies: { Global: Disabled, Counsel: DisabledUserOverride }
    users:
      alice: { policy: Counsel, e2ee: on }
      bob: { policy: Counsel, e2ee: on, devices: { phone: ios, laptop: mac } }
      carol: {}
  fabrikam.example:
    users:
      carol: {}
      dave: {}
steps:
  - call: { from: alice, to: bob, media: [audio] }
  - talk: 2s
  - hang-up: alice
";

fn plain(steps: &str) -> String {
    let (head, _) = PLAIN.split_once("steps:").expect("steps");
    let steps: String = steps.lines().map(|line| format!("  {line}\n")).collect();
    format!("{head}steps:\n{steps}")
}

fn judge(text: &str) -> Result<Vec<Checked>, Vec<Diagnostic>> {
    read("opt-in", "a", "a.yaml", text, &vocabulary())
}

/// The codes that `text` is rejected with, without `scenario::`.
fn codes(text: &str) -> Vec<String> {
    let found = judge(text).err().unwrap_or_default();
    found.iter().map(|d| d.code().trim_start_matches("scenario::").to_owned()).collect()
}

#[rstest]
#[case::plain("- call: { from: alice, to: bob, media: [audio] }\n- talk: 2s\n- hang-up: bob")]
#[case::a_device_answers(
    "- call: { from: alice, to: bob, media: [audio] }\n- answer: bob/laptop\n- talk: 2s\n- hang-up: bob/laptop"
)]
#[case::nobody_answers("- call: { from: alice, to: bob, media: [audio] }\n- ignore: bob\n- wait: 5s")]
#[case::hung_up_at_once("- call: { from: alice, to: bob, media: [audio] }\n- hang-up: alice")]
#[case::a_second_call(
    "- call: { from: alice, to: bob, media: [audio] }\n- hang-up: alice\n- call: { from: bob, to: alice, media: [video] }\n- talk: 1s\n- hang-up: alice"
)]
#[case::a_busy_callee(
    "- call: { from: alice, to: bob, media: [audio], as: first }\n- talk: 1s\n- call: { from: dave, to: alice, media: [audio], as: second }\n- talk: 1s\n  in: first\n- hang-up: alice\n  in: first"
)]
#[case::a_group_of_which_one_declines(
    "- call: { from: alice, to: [bob, dave], media: [audio] }\n- decline: dave\n- talk: 1s\n- hang-up: bob"
)]
#[case::a_number(
    "- call: { from: alice, to: 'tel:+4721000000', media: [audio] }\n- talk: 1s\n- hang-up: alice"
)]
#[case::a_party_is_added(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- invoke: { feature: add-participant, by: bob, with: dave }\n  expect: { result: works, reason: accepted, control: present }\n- hang-up: dave"
)]
#[case::crossing_calls(
    "- call: { from: alice, to: bob, media: [audio] }\n- call: { from: bob, to: alice, media: [audio] }\n- talk: 1s\n- hang-up: alice"
)]
#[case::chat_before_and_after_hang_up(
    "- call: { from: alice, to: bob, media: [audio] }\n- chat: { from: bob, text: hei }\n- hang-up: alice\n- chat: { from: alice, text: ha det }"
)]
#[case::policies(
    "- policy: { new: Legal, value: DisabledUserOverride, tenant: contoso.example }\n- policy: { grant: Legal, user: alice }\n- policy: { grant: none, user: alice }\n- policy: { remove: Legal, tenant: contoso.example }\n- policy: { get: Legal, tenant: contoso.example }\n  expect: { result: refused, reason: unknown-policy }"
)]
#[case::a_refused_value(
    "- policy: { set: Global, value: Enabled, tenant: contoso.example }\n  expect: { result: refused, reason: unknown-value }\n  twin: { policy: { set: Global, value: Disabled, tenant: contoso.example } }"
)]
#[case::everybody_in_a_tenant("- policy: { grant: Counsel, tenant: contoso.example }")]
#[case::another_administrator(
    "- policy: { set: Global, value: Disabled, tenant: contoso.example, as-admin-of: fabrikam.example }\n  expect: { result: refused, reason: not-authorised }"
)]
fn these_steps_can_happen(#[case] steps: &str) {
    let text = plain(steps);
    assert!(judge(&text).is_ok(), "{:?}", judge(&text).err());
}

#[rstest]
#[case::talk_first("- talk: 2s", "out-of-order")]
#[case::an_answer_to_calls_that_cross(
    "- call: { from: alice, to: carol@contoso.example, media: [audio] }\n- call: { from: carol@contoso.example, to: alice, media: [audio] }\n- answer: alice",
    "out-of-order"
)]
#[case::talk_in_the_earlier_of_two_calls_that_cross(
    "- call: { from: alice, to: dave, media: [audio], as: first }\n- call: { from: dave, to: alice, media: [audio], as: second }\n- talk: 1s\n  in: first",
    "out-of-order"
)]
#[case::a_group_call_crosses_nothing(
    "- call: { from: alice, to: [bob, dave], media: [audio] }\n- call: { from: dave, to: alice, media: [audio] }",
    "out-of-order"
)]
#[case::talk_while_declined(
    "- call: { from: alice, to: bob, media: [audio] }\n- decline: bob\n- talk: 1s",
    "out-of-order"
)]
#[case::talk_after_no_answer(
    "- call: { from: alice, to: bob, media: [audio] }\n- ignore: bob\n- talk: 1s",
    "out-of-order"
)]
#[case::late_answer(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- answer: bob",
    "out-of-order"
)]
#[case::foreign_answer("- call: { from: alice, to: bob, media: [audio] }\n- answer: dave", "out-of-order")]
#[case::the_caller_answers(
    "- call: { from: alice, to: bob, media: [audio] }\n- answer: alice",
    "out-of-order"
)]
#[case::two_hang_ups(
    "- call: { from: alice, to: bob, media: [audio] }\n- hang-up: alice\n- hang-up: bob",
    "out-of-order"
)]
#[case::foreign_hang_up(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- hang-up: dave",
    "out-of-order"
)]
#[case::a_caller_in_a_call(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- call: { from: alice, to: dave, media: [audio] }",
    "out-of-order"
)]
#[case::a_busy_callee_talks(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- call: { from: dave, to: alice, media: [audio] }\n- talk: 1s",
    "out-of-order"
)]
#[case::foreign_invoke(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- invoke: { feature: recording, by: dave }",
    "out-of-order"
)]
#[case::chat_without_a_call("- chat: { from: alice, text: hei }", "out-of-order")]
#[case::an_earlier_name(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n  in: second",
    "unknown-call"
)]
#[case::no_such_device(
    "- call: { from: alice, to: bob, media: [audio] }\n- answer: bob/tablet",
    "unknown-user"
)]
#[case::an_only_device(
    "- call: { from: alice, to: bob, media: [audio] }\n- hang-up: alice/phone",
    "unknown-user"
)]
#[case::two_carols("- call: { from: alice, to: carol, media: [audio] }", "ambiguous-user")]
#[case::calling_oneself("- call: { from: alice, to: alice, media: [audio] }", "bad-target")]
#[case::twice("- call: { from: alice, to: [bob, bob], media: [audio] }", "bad-target")]
#[case::nobody("- call: { from: alice, to: [], media: [audio] }", "empty-list")]
#[case::no_media("- call: { from: alice, to: bob, media: [] }", "empty-list")]
#[case::no_number("- call: { from: alice, to: 'tel:alice', media: [audio] }", "bad-name")]
#[case::a_stranger("- call: { from: alice, to: zoe@contoso.example, media: [audio] }", "unknown-user")]
#[case::a_bad_name("- call: { from: alice, to: bob, media: [audio], as: outcome }", "bad-name")]
#[case::transfer_to_nobody(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- invoke: { feature: transfer-blind, by: bob }",
    "missing-key"
)]
#[case::adding_a_party_of_the_call(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- invoke: { feature: add-participant, by: bob, with: alice }",
    "bad-target"
)]
#[case::recording_with(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n- invoke: { feature: recording, by: bob, with: dave }",
    "needless-key"
)]
#[case::a_result_of_talk(
    "- call: { from: alice, to: bob, media: [audio] }\n- talk: 1s\n  expect: { result: works }",
    "unreachable"
)]
#[case::a_reason_without_refusal(
    "- policy: { get: Global, tenant: contoso.example }\n  expect: { result: works, reason: unknown-policy }",
    "unreachable"
)]
#[case::an_unknown_reason(
    "- policy: { get: Global, tenant: contoso.example }\n  expect: { result: refused, reason: no-idea }",
    "unknown-word"
)]
#[case::a_control_of_a_request(
    "- policy: { get: Global, tenant: contoso.example }\n  expect: { control: present }",
    "unreachable"
)]
#[case::which_tenant("- policy: { get: Global }", "missing-key")]
#[case::another_tenants_user(
    "- policy: { grant: none, user: alice, tenant: fabrikam.example }",
    "unknown-user"
)]
#[case::no_value("- policy: { new: Legal, tenant: contoso.example }", "missing-key")]
#[case::a_value_to_grant("- policy: { grant: Counsel, user: alice, value: Disabled }", "needless-key")]
#[case::a_rank_for_a_user("- policy: { grant: Counsel, user: alice, rank: 1 }", "needless-key")]
#[case::a_grant_to_nobody("- policy: { grant: Counsel }", "missing-key")]
#[case::two_verbs("- policy: { grant: Counsel, set: Counsel, user: alice }", "one-verb")]
#[case::no_verb("- policy: { tenant: contoso.example }", "one-verb")]
#[case::a_removed_policy(
    "- policy: { remove: Counsel, tenant: contoso.example }\n- policy: { get: Counsel, tenant: contoso.example }",
    "unknown-policy"
)]
#[case::an_empty_step("- {}", "one-verb")]
#[case::a_twin_with_expect(
    "- policy: { get: Global, tenant: contoso.example }\n  twin: { policy: { get: Counsel, tenant: contoso.example }, expect: { result: works } }",
    "needless-key"
)]
#[case::a_twin_without_verb("- policy: { get: Global, tenant: contoso.example }\n  twin: {}", "one-verb")]
#[case::a_call_in_the_twin_of_a_wait(
    "- wait: 1s\n  twin: { call: { from: alice, to: bob, media: [audio] } }",
    "out-of-order"
)]
#[case::wait_for_what("- wait: propagated", "quantity")]
#[case::a_call_in_a_call("- call: { from: alice, to: bob, media: [audio] }\n  in: call", "needless-key")]
fn these_steps_cannot(#[case] steps: &str, #[case] code: &str) {
    assert!(codes(&plain(steps)).contains(&code.to_owned()), "{:?}", judge(&plain(steps)));
}

#[rstest]
#[case::short_name("matrix: { alice.e2ee: [on, off] }", "a[alice.e2ee=on] a[alice.e2ee=off]")]
#[case::full_name(
    "matrix: { 'carol@contoso.example:platform': [mac] }",
    "a[carol@contoso.example:platform=mac]"
)]
#[case::top(
    "matrix: { profile: [frames, dtls], path: [direct, relay] }",
    "a[profile=frames,path=direct] a[profile=frames,path=relay] a[profile=dtls,path=direct] a[profile=dtls,path=relay]"
)]
#[case::service(
    "matrix: { service.automatic-recording: [true, false] }",
    "a[service.automatic-recording=true] a[service.automatic-recording=false]"
)]
#[case::network("matrix: { network.latency: [2ms] }", "a[network.latency=2ms]")]
fn a_matrix_makes_one_variant_per_combination(#[case] matrix: &str, #[case] ids: &str) {
    let plans = judge(&format!("{matrix}\n{PLAIN}")).expect("reads");
    let found: Vec<&str> = plans.iter().map(|c| c.plan.id.trim_start_matches("opt-in/")).collect();
    assert_eq!(found.join(" "), ids);
}

#[rstest]
#[case::ambiguous("matrix: { carol.e2ee: [on] }", "matrix-path")]
#[case::no_such_user("matrix: { erin.e2ee: [on] }", "matrix-path")]
#[case::no_such_key("matrix: { 'alice@contoso.example:e3ee': [on] }", "matrix-path")]
#[case::no_such_tenant("matrix: { 'alice@contoso:e2ee': [on] }", "matrix-path")]
#[case::devices("matrix: { bob.devices: [on] }", "matrix-path")]
#[case::title("matrix: { scenario: [one, two] }", "matrix-path")]
#[case::unused("matrix: { by: [alice] }", "matrix-path")]
#[case::service_key("matrix: { service.flow: [no-sealing] }", "matrix-path")]
#[case::twice("matrix: { alice.e2ee: [on, on] }", "matrix-value")]
#[case::nothing("matrix: { alice.e2ee: [] }", "empty-list")]
#[case::scalar("matrix: { alice.e2ee: on }", "wrong-type")]
#[case::a_mapping("matrix: { alice.e2ee: [{ a: b }] }", "wrong-type")]
#[case::one_file_name(
    "matrix: { alice.policy: [Global, Counsel], carol@fabrikam.example:version: [a+b, a@b] }",
    "unknown-word"
)]
#[case::a_wrong_word("matrix: { alice.platform: [windows, macos] }", "unknown-word")]
fn a_matrix_with_a_mistake_makes_none(#[case] matrix: &str, #[case] code: &str) {
    let text = format!("{matrix}\n{PLAIN}");
    assert!(codes(&text).contains(&code.to_owned()), "{:?}", judge(&text));
}

#[test]
fn names_and_lists_of_the_matrix_are_put_into_the_steps() {
    let steps = "- call: { from: $who, to: bob, media: $media }\n- talk: 1s\n- hang-up: $who";
    let text =
        format!("matrix: {{ who: [alice, dave], media: [[audio], [audio, video]] }}\n{}", plain(steps));
    let plans = judge(&text).expect("reads");
    let ids: Vec<&str> = plans.iter().map(|c| c.plan.id.as_str()).collect();
    assert_eq!(ids[1], "opt-in/a[who=alice,media=audio+video]");
    assert_eq!(ids.len(), 4);
    let last = &plans[3].plan.steps[0].verb;
    assert!(
        matches!(last, model::plan::Verb::Call { from, media, .. } if from.user == "dave" && media.len() == 2)
    );
}

#[test]
fn the_ids_of_two_variants_may_not_become_one_file_name() {
    let steps = "- chat: { from: alice, text: $text }";
    let call = "- call: { from: alice, to: bob, media: [audio] }";
    let text = format!("matrix: {{ text: [a+b, a@b] }}\n{}", plain(&format!("{call}\n{steps}")));
    assert_eq!(codes(&text), ["name-clash"]);
}

#[rstest]
#[case::row("expect: [{ when: { alice.e2ee: off }, outcome: ordinary }, { outcome: sealed }]", None)]
#[case::named("expect: { call: { outcome: sealed } }", None)]
#[case::named_rows(
    "expect: { call: [{ when: { alice.e2ee: off }, outcome: ordinary }, { outcome: sealed }] }",
    None
)]
#[case::not_in_the_matrix("expect: [{ when: { bob.e2ee: off } }, { outcome: sealed }]", Some("unknown-name"))]
#[case::never_so("expect: [{ when: { alice.e2ee: maybe } }, { outcome: sealed }]", Some("unreachable"))]
#[case::no_last("expect: [{ when: { alice.e2ee: off } }]", Some("missing-key"))]
#[case::nothing_left(
    "expect: [{ when: { alice.e2ee: off } }, { when: { alice.e2ee: on } }, { outcome: sealed }]",
    Some("unreachable")
)]
#[case::after_the_last("expect: [{ outcome: sealed }, { outcome: ordinary }]", Some("unreachable"))]
#[case::no_row("expect: []", Some("empty-list"))]
#[case::when_alone("expect: { when: { alice.e2ee: off }, outcome: sealed }", Some("unreachable"))]
#[case::typo("expect: { outcme: sealed }", Some("unknown-key"))]
#[case::unknown_name("expect: { second: { outcome: sealed } }", Some("unknown-call"))]
#[case::unknown_listener("expect: { heard: { carol: all } }", Some("unknown-key"))]
#[case::unknown_reason("expect: { because: [because] }", Some("unknown-word"))]
#[case::negative("expect: { devices: -1 }", Some("out-of-range"))]
#[case::a_word("expect: sealed", Some("wrong-type"))]
#[case::a_wrong_row("expect: [sealed]", Some("wrong-type"))]
fn statements(#[case] expect: &str, #[case] code: Option<&str>) {
    let text = format!("matrix: {{ alice.e2ee: [on, off] }}\n{PLAIN}{expect}\n");
    let found = codes(&text);
    match code {
        Some(code) => assert!(found.contains(&code.to_owned()), "{:?}", judge(&text)),
        None => assert!(found.is_empty(), "{:?}", judge(&text)),
    }
}

#[rstest]
#[case::a_duration("propagation: 5", "give it a unit, such as `2s`")]
#[case::a_share("network: { loss: 5 }", "give it a unit, such as `5%`")]
#[case::a_text("about: 5", "put it in quotes")]
#[case::a_truth("service: { automatic-recording: on }", "write `true`")]
#[case::a_list("needs: { caller: video }", "write `[video]`")]
#[case::a_mapping("network: fast", "write a mapping")]
#[case::a_switch("matrix: { alice.e2ee: [true] }", "write `on`")]
fn a_value_of_another_shape_is_refused_with_what_to_write(#[case] line: &str, #[case] help: &str) {
    let found = judge(&format!("{line}\n{PLAIN}")).expect_err("rejected");
    assert_eq!(found[0].remedy(), Some(help), "{found:?}");
}

#[test]
fn lines_may_end_as_on_windows_and_no_byte_order_mark_stands_first() {
    let text = PLAIN.replace('\n', "\r\n");
    assert!(judge(&text).is_ok(), "{:?}", judge(&text));
    let found = judge(&text.replace("2s", "two")).expect_err("rejected");
    assert_eq!((found[0].line(), found[0].column()), (15, 11));
    let marked = judge(&format!("\u{feff}{text}")).expect_err("rejected");
    assert_eq!((marked[0].line(), marked[0].column(), marked[0].code()), (1, 1, "scenario::not-yaml"));
}

#[test]
fn statements_without_a_call_can_never_be_met() {
    let text = format!("{}expect: {{ outcome: sealed }}\n", plain("- wait: 1s"));
    assert_eq!(codes(&text), ["unreachable"]);
}

#[test]
fn a_stranger_may_be_called_where_the_scenario_is_about_that() {
    let steps = plain("- call: { from: alice, to: zoe@contoso.example, media: [audio] }");
    let text = format!("{steps}expect: {{ outcome: not-placed, because: [unknown-user] }}\n");
    assert!(judge(&text).is_ok(), "{:?}", judge(&text));
}

#[test]
fn each_variant_has_the_statements_of_its_row_and_can_point_at_them() {
    let rows = "expect:\n  - { when: { alice.e2ee: off }, outcome: ordinary }\n  - { outcome: sealed }\n";
    let text = format!("matrix: {{ alice.e2ee: [on, off] }}\n{PLAIN}{rows}");
    let plans = judge(&text).expect("reads");
    let lines: Vec<(String, usize, usize)> = plans
        .iter()
        .map(|checked| {
            let found =
                checked.diagnostic_at(&["expect", "outcome"], "oracle::disagrees", "no", "stated here", None);
            (checked.plan.expect[0].outcome.expect("stated").to_string(), found.line(), found.column())
        })
        .collect();
    assert_eq!(lines, [("sealed".to_owned(), 20, 16), ("ordinary".to_owned(), 19, 43)]);
    let by_name = plans[1].diagnostic_at(&["expect", "call", "lock"], "oracle::disagrees", "no", "l", None);
    assert_eq!(by_name.line(), 19);
    let step = plans[0].diagnostic_at(&["steps", "1", "talk"], "x", "no", "l", None);
    assert_eq!((step.line(), step.column(), step.code(), step.file()), (16, 11, "x", "a.yaml"));
}

#[rstest]
#[case::declared("window: 64", None)]
#[case::misspelt("windwo: 64", Some("unknown-key"))]
#[case::of_all_attacks("must-fire: 2", None)]
#[case::a_list("window: [64]", Some("wrong-type"))]
#[case::a_message("at: { message: [offer] }", None)]
#[case::no_message("at: { message: [invite] }", Some("unknown-word"))]
#[case::no_leg("legs: []", Some("empty-list"))]
#[case::no_duration("at: { after: soon }", Some("quantity"))]
fn an_attack_has_the_options_that_it_declares(#[case] option: &str, #[case] code: Option<&str>) {
    let attack_options = [(model::attack::Attack::Replay, vec!["window".to_owned()])].into();
    let vocabulary = Vocabulary { attack_options, ..vocabulary() };
    let text = format!("{PLAIN}attacks: [{{ attack: replay, place: wire, {option} }}]\n");
    let found = read("attacks", "a", "a.yaml", &text, &vocabulary);
    match code {
        Some(code) => assert_eq!(found.expect_err("rejected")[0].code(), format!("scenario::{code}")),
        None => assert_eq!(found.expect("reads")[0].plan.attacks.len(), 1),
    }
}

#[test]
fn all_mistakes_of_the_meaning_are_found_in_one_pass_and_in_the_order_of_the_file() {
    let text = PLAIN.replace("policy: Counsel, e2ee: on }", "policy: Council }").replace("2s", "two");
    let text = format!("propagation: soon\n{text}expect: {{ fails: [proof/nothing] }}\n");
    assert_eq!(
        codes(&text),
        ["quantity", "unknown-policy", "quantity", "fails-without-flaw", "unknown-check"]
    );
}

#[test]
fn a_mistake_that_all_variants_share_is_named_once() {
    let text = format!("matrix: {{ alice.e2ee: [on, off] }}\n{}", PLAIN.replace("2s", "two"));
    assert_eq!(codes(&text), ["quantity"]);
}
