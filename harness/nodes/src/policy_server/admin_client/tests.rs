//! What a step asks for, and the whole way there and back over the network in memory.

use std::time::Duration;

use model::plan::PolicyValue;
use model::release::ReleaseName;
use net::{Authority, MemoryOptions, Network, Sleeper, memory};
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::journal::Journal;
use crate::policy_server::testing::{DELAY, counting, plan};
use crate::policy_server::{PolicyServer, Tokens};

const EPOCH_NS: u64 = 1_700_000_000_000_000_000;

fn step(verb: PolicyVerb, name: Option<&str>) -> PolicyStep {
    PolicyStep {
        verb,
        name: name.map(str::to_owned),
        value: None,
        user: None,
        group: None,
        tenant: "contoso.example".to_owned(),
        rank: None,
        as_admin_of: None,
    }
}

fn set(name: &str, value: &str) -> PolicyStep {
    PolicyStep { value: Some(value.to_owned()), ..step(PolicyVerb::Set, Some(name)) }
}

fn grant_to_user(policy: Option<&str>) -> PolicyStep {
    let bob = UserId::new("bob", "contoso.example");
    PolicyStep { user: Some(bob), ..step(PolicyVerb::Grant, policy) }
}

fn grant_to_group(rank: Option<u32>) -> PolicyStep {
    PolicyStep { group: Some("law".to_owned()), rank, ..step(PolicyVerb::Grant, Some("Counsel")) }
}

#[rstest]
#[case::get(step(PolicyVerb::Get, Some("Counsel")), "GET policies/Counsel")]
#[case::odd_name(step(PolicyVerb::Get, Some("a/b ü?")), "GET policies/a%2Fb%20%C3%BC%3F")]
#[case::new(step(PolicyVerb::New, Some("a b")), r#"POST policies {"name":"a b"}"#)]
#[case::new_with_a_value(PolicyStep { value: Some("Enabled".to_owned()), ..step(PolicyVerb::New, Some("Hr")) },
    r#"POST policies {"name":"Hr","value":"Enabled"}"#)]
#[case::set(set("Global", "Enabled"), r#"PUT policies/Global {"value":"Enabled"}"#)]
#[case::remove(step(PolicyVerb::Remove, Some("Global")), "DELETE policies/Global")]
#[case::to_user(grant_to_user(Some("Counsel")), r#"PUT grants/users/bob {"policy":"Counsel"}"#)]
#[case::unassign(grant_to_user(None), r#"PUT grants/users/bob {"policy":null}"#)]
#[case::to_group(grant_to_group(None), r#"PUT grants/groups/law {"policy":"Counsel"}"#)]
#[case::by_rank(grant_to_group(Some(2)), r#"PUT grants/groups/law {"policy":"Counsel","rank":2}"#)]
#[case::to_all(step(PolicyVerb::Grant, Some("Counsel")), r#"PUT grants/global {"policy":"Counsel"}"#)]
fn a_step_is_one_request(#[case] step: PolicyStep, #[case] expected: &str) {
    let asked = Asked::of(&step).expect("a whole step");
    let body = asked.body.map_or_else(String::new, |body| format!(" {body}"));
    let expected = expected.replacen(' ', " /v1/tenants/contoso.example/", 1);
    assert_eq!(format!("{} {}{body}", asked.method, asked.path), expected);
}

#[rstest]
#[case::get(PolicyVerb::Get)]
#[case::new(PolicyVerb::New)]
#[case::set(PolicyVerb::Set)]
#[case::remove(PolicyVerb::Remove)]
fn a_step_without_a_name_asks_nothing(#[case] verb: PolicyVerb) {
    let error = Asked::of(&step(verb, None)).expect_err("no name");
    assert!(matches!(error, AskError::Nameless(named) if named == verb), "{error}");
}

#[rstest]
#[case::works(204, "", StepResult::Works, None)]
#[case::refused(403, r#"{"reason":"not-authorised"}"#, StepResult::Refused, Some("not-authorised"))]
#[case::no_reason(404, r#"{"reason":7}"#, StepResult::Refused, None)]
#[case::no_json(400, "<html>", StepResult::Refused, None)]
fn an_answer_goes_into_the_record(
    #[case] status: u16,
    #[case] body: &str,
    #[case] result: StepResult,
    #[case] reason: Option<&str>,
) {
    let status_code = StatusCode::from_u16(status).expect("a status");
    let step = Answer::of(status_code, body.to_owned()).expect("done or refused").into_step(5);
    assert_eq!((step.at_ns, step.result, step.reason.as_deref()), (5, Some(result), reason));
    assert_eq!(step.answer, Some((status, body.to_owned())));
}

#[rstest]
#[case::broken(StatusCode::INTERNAL_SERVER_ERROR)]
#[case::moved(StatusCode::FOUND)]
#[case::switching(StatusCode::SWITCHING_PROTOCOLS)]
fn a_failed_server_is_no_refusal(#[case] status: StatusCode) {
    let error = Answer::of(status, r#"{"reason":"not-authorised"}"#.to_owned()).expect_err("no answer");
    assert!(matches!(error, AskError::Failed(code) if code == status.as_u16()), "{error}");
}

/// A policy server that serves in memory, and a client on a link of its own.
struct World {
    network: Arc<dyn Network>,
    client: AdminClient,
    tokens: Tokens,
    journal: Arc<Journal>,
}

async fn world() -> World {
    let network = memory(MemoryOptions {
        seed: [0; 32],
        epoch_ns: EPOCH_NS,
        capture: None,
        latency_ms: 12,
        jitter_ms: 0,
        loss: 0.0,
        duplicate: 0.0,
    });
    let journal = Journal::new(network.clone());
    let clock = {
        let network = network.clone();
        Arc::new(move || network.now())
    };
    let plan = plan(ReleaseName::Ga202203);
    let (server, tokens) = PolicyServer::from_plan(&plan, clock, &mut counting()).expect("a plan");
    let authority = Authority::new(EPOCH_NS).expect("a root");
    let tls = authority.server("policy-server", Arc::new(|_: &str| {})).expect("a host name");
    let listener = network.add_link("policy-server").listen(443).await.expect("a free port");
    let client = AdminClient {
        link: network.add_link("call-service"),
        server: listener.local(),
        tls: authority.client().expect("a root to trust"),
    };
    tokio::spawn(server.serve(listener, tls, journal.clone()));
    World { network, client, tokens, journal }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets").block_on(test);
}

#[test]
fn an_administrators_change_crosses_the_network_and_takes_effect() {
    run(async {
        let World { network, client, tokens, .. } = world().await;
        let (own, other) =
            (&tokens.administrators["contoso.example"], &tokens.administrators["fabrikam.example"]);
        let change = set("Global", "DisabledUserOverride");
        let refused = client.ask(other, &change).await.expect("an answer");
        assert_eq!((refused.status, refused.reason().as_deref()), (403, Some("not-authorised")));
        assert!(client.ask(own, &change).await.expect("an answer").works());
        let bob = UserId::new("bob", "contoso.example");
        let bobs = &tokens.users[&bob];
        let before = client.effective_policy(bobs, &bob).await.expect("an answer");
        assert_eq!(before.value, PolicyValue::Disabled);
        network.sleep_until(network.now() + DELAY, Sleeper::Application).await;
        let after = client.effective_policy(bobs, &bob).await.expect("an answer");
        assert_eq!(after.value, PolicyValue::DisabledUserOverride);
        let error = client.effective_policy(other, &bob).await.expect_err("another tenant's token");
        assert!(matches!(error, AskError::Refused { status: 403, .. }), "{error}");
    });
}

#[test]
fn a_connection_that_is_no_tls_is_a_remark_and_holds_up_nobody() {
    run(async {
        let World { network, client, tokens, journal } = world().await;
        let silent = client.link.connect(client.server).await.expect("a listener");
        let mut garbage = client.link.connect(client.server).await.expect("a listener");
        garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("open");
        let own = &tokens.administrators["contoso.example"];
        let answer = client.ask(own, &step(PolicyVerb::Get, Some("Global"))).await.expect("an answer");
        assert_eq!(answer.body, r#"{"name":"Global","value":"Disabled"}"#);
        network.sleep_until(network.now() + Duration::from_secs(1), Sleeper::Application).await;
        let remarks: Vec<String> = journal.notes().log.iter().map(|line| line.text.clone()).collect();
        assert!(matches!(remarks.as_slice(), [one] if one.starts_with("a connection broke")), "{remarks:?}");
        drop(silent);
    });
}

#[test]
fn one_connection_takes_several_requests_and_no_answer_carries_a_date() {
    run(async {
        let World { client, .. } = world().await;
        let stream = client.link.connect(client.server).await.expect("a listener");
        let mut stream = connect_tls(&client.tls, "policy-server", stream).await.expect("trusted");
        let request = "GET /v1/tenants/contoso.example/policies HTTP/1.1\r\nHost: policy-server\r\n";
        let requests = format!("{request}\r\n{request}Connection: close\r\n\r\n");
        stream.write_all(requests.as_bytes()).await.expect("open");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.expect("two answers and an end");
        assert_eq!(answers.matches("HTTP/1.1 403 Forbidden\r\n").count(), 2, "{answers}");
        assert!(!answers.to_lowercase().contains("\ndate:"), "{answers}");
    });
}

#[test]
fn a_server_that_nobody_runs_is_unreachable() {
    run(async {
        let World { network, mut client, tokens, .. } = world().await;
        client.server.set_port(444);
        let bob = UserId::new("bob", "contoso.example");
        let error = client.effective_policy(&tokens.users[&bob], &bob).await.expect_err("nobody listens");
        assert!(matches!(error, AskError::Unreachable(_)), "{error}");
        network.finish().expect("nothing is recorded");
    });
}

proptest::proptest! {
    #[test]
    fn a_segment_of_any_text_is_one_segment_that_reads_back(text: String) {
        let path = segment(&text);
        proptest::prop_assert!(path.bytes().all(|b| b.is_ascii_graphic() && !b"/?#".contains(&b)), "{path}");
        let mut read = Vec::new();
        let mut bytes = path.bytes();
        while let Some(byte) = bytes.next() {
            let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).expect("a hex digit");
            let coded = if byte == b'%' { digit() * 16 + digit() } else { u32::from(byte) };
            read.push(u8::try_from(coded).expect("two hex digits"));
        }
        proptest::prop_assert_eq!(String::from_utf8(read).expect("text"), text);
    }
}
