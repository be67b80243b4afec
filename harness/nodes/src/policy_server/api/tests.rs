//! The API through its router, without a network: what each request answers, and to whom.

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use model::release::ReleaseName;
use proptest::prelude::*;
use rstest::rstest;
use tower::ServiceExt;

use super::*;
use crate::policy_server::Tokens;
use crate::policy_server::testing::{DELAY, Hand, server};

struct Api {
    server: Arc<PolicyServer>,
    tokens: Tokens,
    hand: Hand,
}

/// Whose token a request carries.
#[derive(Clone, Copy)]
enum By {
    Contoso,
    Fabrikam,
    Device(&'static str),
    Nobody,
    Header(&'static str),
}

impl Api {
    fn new(release: ReleaseName) -> Self {
        let (server, tokens, hand) = server(release);
        Self { server, tokens, hand }
    }

    /// The answer to `METHOD path body`, as status and body.
    async fn answers(&self, by: By, request: &str) -> (u16, String) {
        let mut parts = request.splitn(3, ' ');
        let method: Method = parts.next().expect("a method").parse().expect("a method");
        let path = format!("/v1/tenants/{}", parts.next().expect("a path"));
        let mut request = Request::builder().method(method).uri(path);
        if let Some(value) = self.authorization(by) {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Body::from(parts.next().unwrap_or("").to_owned())).expect("a request");
        let response = self.server.router().oneshot(request).await.expect("a router never fails");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    fn authorization(&self, by: By) -> Option<String> {
        match by {
            By::Contoso => Some(self.tokens.administrators["contoso.example"].authorization()),
            By::Fabrikam => Some(self.tokens.administrators["fabrikam.example"].authorization()),
            By::Device(user) => {
                Some(self.tokens.users[&UserId::new(user, "contoso.example")].authorization())
            }
            By::Nobody => None,
            By::Header(value) => Some(value.to_owned()),
        }
    }

    /// The value that holds for alice or bob, as the user's own device hears it.
    async fn holds_for(&self, user: &'static str) -> String {
        let request = format!("GET contoso.example/users/{user}/effective-policy");
        let (status, body) = self.answers(By::Device(user), &request).await;
        assert_eq!(status, 200, "{body}");
        let value: Value = serde_json::from_str(&body).expect("JSON");
        value["value"].as_str().expect("a value").to_owned()
    }
}

#[rstest]
#[case::list(
    "GET contoso.example/policies",
    200,
    r#"[{"name":"Counsel","value":"DisabledUserOverride"},{"name":"Global","value":"Disabled"}]"#
)]
#[case::get(
    "GET contoso.example/policies/Counsel",
    200,
    r#"{"name":"Counsel","value":"DisabledUserOverride"}"#
)]
#[case::new(
    r#"POST contoso.example/policies {"name":"Hr","value":"DisabledUserOverride"}"#,
    201,
    r#"{"name":"Hr","value":"DisabledUserOverride"}"#
)]
#[case::new_without_a_value(
    r#"POST contoso.example/policies {"name":"Hr"}"#,
    201,
    r#"{"name":"Hr","value":"Disabled"}"#
)]
#[case::set(
    r#"PUT contoso.example/policies/Global {"value":"DisabledUserOverride"}"#,
    200,
    r#"{"name":"Global","value":"DisabledUserOverride"}"#
)]
#[case::set_nothing(
    "PUT contoso.example/policies/Counsel {}",
    200,
    r#"{"name":"Counsel","value":"DisabledUserOverride"}"#
)]
#[case::grant_to_user(
    r#"PUT contoso.example/grants/users/bob {"policy":"Counsel"}"#,
    200,
    r#"{"policy":"Counsel"}"#
)]
#[case::unassign_user(r#"PUT contoso.example/grants/users/alice {"policy":null}"#, 200, r#"{"policy":null}"#)]
#[case::grant_to_all(
    r#"PUT contoso.example/grants/global {"policy":"Counsel"}"#,
    200,
    r#"{"policy":"Counsel"}"#
)]
#[case::grant_to_group(
    r#"PUT contoso.example/grants/groups/law {"policy":"Counsel","rank":1}"#,
    200,
    r#"{"policy":"Counsel","rank":1}"#
)]
#[case::rank_normalised(
    r#"PUT contoso.example/grants/groups/law {"policy":"Counsel","rank":70}"#,
    200,
    r#"{"policy":"Counsel","rank":2}"#
)]
#[case::effective_direct(
    "GET contoso.example/users/alice/effective-policy",
    200,
    r#"{"policy":"Counsel","value":"DisabledUserOverride","source":"user"}"#
)]
#[case::effective_by_rank(
    "GET contoso.example/users/bob/effective-policy",
    200,
    r#"{"policy":"Global","value":"Disabled","source":"group"}"#
)]
#[case::names_in_capitals(
    "GET Contoso.Example/users/ALICE/effective-policy",
    200,
    r#"{"policy":"Counsel","value":"DisabledUserOverride","source":"user"}"#
)]
#[tokio::test]
async fn an_administrator_is_answered(#[case] request: &str, #[case] status: u16, #[case] body: &str) {
    let api = Api::new(ReleaseName::R202308);
    assert_eq!(api.answers(By::Contoso, request).await, (status, body.to_owned()));
}

#[rstest]
#[case::enabled(r#"PUT contoso.example/policies/Global {"value":"Enabled"}"#, 422, "unknown-value")]
#[case::new_enabled(r#"POST contoso.example/policies {"name":"Hr","value":"Enabled"}"#, 422, "unknown-value")]
#[case::true_value(r#"PUT contoso.example/policies/Global {"value":true}"#, 422, "unknown-value")]
#[case::number(r#"PUT contoso.example/policies/Global {"value":1}"#, 422, "unknown-value")]
#[case::unknown("GET contoso.example/policies/Hr", 404, "unknown-policy")]
#[case::set_unknown(r#"PUT contoso.example/policies/Hr {"value":"Disabled"}"#, 404, "unknown-policy")]
#[case::remove_unknown("DELETE contoso.example/policies/Hr", 404, "unknown-policy")]
#[case::grant_unknown(r#"PUT contoso.example/grants/users/bob {"policy":"Hr"}"#, 404, "unknown-policy")]
#[case::remove_global("DELETE contoso.example/policies/Global", 409, "global-cannot-be-removed")]
#[case::remove_in_use("DELETE contoso.example/policies/Counsel", 409, "policy-in-use")]
#[case::name_with_a_space(
    r#"POST contoso.example/policies {"name":"Legal Counsel"}"#,
    422,
    "name-not-allowed"
)]
#[case::name_taken(r#"POST contoso.example/policies {"name":"Counsel"}"#, 422, "name-not-allowed")]
#[case::group_in_this_release(
    r#"PUT contoso.example/grants/groups/law {"policy":"Counsel"}"#,
    422,
    "groups-not-supported"
)]
#[case::user(r#"PUT contoso.example/grants/users/carol {"policy":"Counsel"}"#, 404, "unknown-user")]
#[case::effective_of_nobody("GET contoso.example/users/carol/effective-policy", 404, "unknown-user")]
#[case::rank_of_a_user(
    r#"PUT contoso.example/grants/users/bob {"policy":"Counsel","rank":1}"#,
    400,
    "malformed-request"
)]
#[case::negative_rank(
    r#"PUT contoso.example/grants/groups/law {"policy":"Counsel","rank":-1}"#,
    400,
    "malformed-request"
)]
#[case::no_policy("PUT contoso.example/grants/users/bob {}", 400, "malformed-request")]
#[case::no_name(r#"POST contoso.example/policies {"value":"Disabled"}"#, 400, "malformed-request")]
#[case::no_body("POST contoso.example/policies", 400, "malformed-request")]
#[case::no_json("PUT contoso.example/policies/Global <value>", 400, "malformed-request")]
#[case::no_utf8("GET contoso.example/policies/%FF", 400, "malformed-request")]
#[case::no_such_target(
    r#"PUT contoso.example/grants/robots/bob {"policy":"Counsel"}"#,
    400,
    "malformed-request"
)]
#[case::no_such_method("PATCH contoso.example/policies/Global {}", 400, "malformed-request")]
#[case::delete_everything("DELETE contoso.example/policies", 400, "malformed-request")]
#[case::no_such_path("GET contoso.example/tokens", 400, "malformed-request")]
#[tokio::test]
async fn a_request_is_refused_and_changes_nothing(
    #[case] request: &str,
    #[case] status: u16,
    #[case] reason: &str,
) {
    let api = Api::new(ReleaseName::Ga202203);
    let before = api.server.database().expect("a database");
    assert_eq!(api.answers(By::Contoso, request).await, (status, format!(r#"{{"reason":"{reason}"}}"#)));
    assert_eq!(api.server.database().expect("a database"), before);
}

#[rstest]
#[case::no_token(By::Nobody)]
#[case::another_tenants(By::Fabrikam)]
#[case::a_users_device(By::Device("alice"))]
#[case::unknown(By::Header("Bearer 00"))]
#[case::empty(By::Header("Bearer "))]
#[case::no_bearer(By::Header("Basic YWRtaW46YWRtaW4="))]
#[tokio::test]
async fn nobody_but_the_tenants_administrator_administers_it(
    #[case] by: By,
    #[values(
        "GET contoso.example/policies",
        "GET contoso.example/policies/Nobody",
        r#"POST contoso.example/policies {"name":"Hr"}"#,
        r#"PUT contoso.example/policies/Global {"value":"DisabledUserOverride"}"#,
        "DELETE contoso.example/policies/Counsel",
        r#"PUT contoso.example/grants/users/bob {"policy":"Counsel"}"#,
        r#"PUT contoso.example/grants/groups/law {"policy":"Counsel"}"#,
        r#"PUT contoso.example/grants/global {"policy":"Counsel"}"#
    )]
    request: &str,
) {
    let api = Api::new(ReleaseName::R202308);
    let before = api.server.database().expect("a database");
    let refused = (403, r#"{"reason":"not-authorised"}"#.to_owned());
    assert_eq!(api.answers(by, request).await, refused);
    assert_eq!(api.server.database().expect("a database"), before);
}

#[rstest]
#[case::own_administrator(By::Contoso, 200)]
#[case::own_device(By::Device("alice"), 200)]
#[case::device_of_another_user(By::Device("bob"), 403)]
#[case::another_administrator(By::Fabrikam, 403)]
#[case::nobody(By::Nobody, 403)]
#[tokio::test]
async fn an_effective_policy_is_told_to_its_tenant_and_to_its_user_alone(
    #[case] by: By,
    #[case] status: u16,
) {
    let api = Api::new(ReleaseName::Ga202203);
    assert_eq!(api.answers(by, "GET contoso.example/users/alice/effective-policy").await.0, status);
}

#[tokio::test]
async fn an_unknown_tenant_looks_like_somebody_elses() {
    let api = Api::new(ReleaseName::Ga202203);
    let refused = (403, r#"{"reason":"not-authorised"}"#.to_owned());
    assert_eq!(api.answers(By::Contoso, "GET nowhere.example/policies").await, refused);
}

#[tokio::test]
async fn a_change_reaches_the_service_after_the_delay() {
    let api = Api::new(ReleaseName::Ga202203);
    let asked = std::time::Duration::from_secs(7);
    api.hand.set(asked);
    let change = r#"PUT contoso.example/policies/Global {"value":"DisabledUserOverride"}"#;
    assert_eq!(api.answers(By::Contoso, change).await.0, 200);
    assert_eq!(api.holds_for("bob").await, "Disabled");
    api.hand.set(asked + DELAY - std::time::Duration::from_millis(1));
    assert_eq!(api.holds_for("bob").await, "Disabled");
    api.hand.set(asked + DELAY);
    assert_eq!(api.holds_for("bob").await, "DisabledUserOverride");
}

#[tokio::test]
async fn a_policy_is_removed_once_nobody_has_it() {
    let api = Api::new(ReleaseName::Ga202203);
    let remove = "DELETE contoso.example/policies/Counsel";
    assert_eq!(api.answers(By::Contoso, remove).await.0, 409);
    api.answers(By::Contoso, r#"PUT contoso.example/grants/users/alice {"policy":null}"#).await;
    assert_eq!(api.answers(By::Contoso, remove).await, (204, String::new()));
    assert_eq!(api.answers(By::Contoso, remove).await.0, 404);
}

#[tokio::test]
async fn who_leaves_a_group_loses_its_policy_after_the_delay() {
    let api = Api::new(ReleaseName::R202308);
    api.server.leave("contoso.example", "sales", "bob").expect("a member");
    assert_eq!(api.holds_for("bob").await, "Disabled");
    api.hand.set(DELAY);
    assert_eq!(api.holds_for("bob").await, "DisabledUserOverride");
    api.server.join("contoso.example", "sales", "bob").expect("a user");
    api.hand.set(2 * DELAY);
    assert_eq!(api.holds_for("bob").await, "Disabled");
}

/// One request to one server, whatever its body is.
fn answered(by: By, method: &str, path: &str, body: Vec<u8>) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without sockets");
    runtime.block_on(async {
        let api = Api::new(ReleaseName::R202308);
        let request = Request::builder().method(method).uri(format!("/v1/tenants/contoso.example/{path}"));
        let authorization = api.authorization(by).expect("a token");
        let request = request.header(header::AUTHORIZATION, authorization).body(Body::from(body));
        let response = api.server.router().oneshot(request.expect("a request")).await.expect("never fails");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_body_of_any_bytes_is_refused(body: Vec<u8>, at in 0_usize..3) {
        prop_assume!(serde_json::from_slice::<Value>(&body).is_err());
        let (method, path) =
            [("POST", "policies"), ("PUT", "policies/Global"), ("PUT", "grants/users/bob")][at];
        let (status, answer) = answered(By::Contoso, method, path, body);
        prop_assert!((400..500).contains(&status), "{status}");
        prop_assert!(answer.starts_with("{\"reason\":\""), "{answer}");
    }

    #[test]
    fn a_name_and_a_value_of_any_text_make_a_policy_or_a_refusal(name: String, value: String) {
        let body = json!({ "name": name, "value": value }).to_string().into_bytes();
        let (status, answer) = answered(By::Contoso, "POST", "policies", body);
        prop_assert!(status == 201 || status == 422, "{status} {answer}");
    }
}
