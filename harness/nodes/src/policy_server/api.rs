//! The REST/JSON admin API over the store: paths, tokens and answers.
//!
//! Invariant: nothing is looked up for a caller whose token is not good for the request.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use model::UserId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PolicyServer;
use super::refusal::Refusal;
use super::store::{GrantTarget, StoreError};
use super::token::{GoodFor, Token};

/// The body of a request for a policy of its own.
#[derive(Deserialize)]
struct NewPolicy {
    name: String,
    #[serde(default)]
    value: Option<Value>,
}

/// The body of a request to change a policy.
#[derive(Deserialize)]
struct SetPolicy {
    #[serde(default)]
    value: Option<Value>,
}

/// The body of a grant; `policy` is there and null where a grant is taken away.
#[derive(Serialize, Deserialize)]
struct Grant {
    #[serde(deserialize_with = "Option::deserialize")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
}

type Shared = State<Arc<PolicyServer>>;
type Answer = Result<Response, StoreError>;
/// The parts of the path that vary, or why they cannot be read.
type Parts<T> = Result<Path<T>, PathRejection>;

/// The API of `server`.
pub(super) fn router(server: Arc<PolicyServer>) -> Router {
    Router::new()
        .route("/v1/tenants/{tenant}/policies", get(list).post(new))
        .route("/v1/tenants/{tenant}/policies/{name}", get(read).put(set).delete(remove))
        .route("/v1/tenants/{tenant}/grants/global", put(grant_to_everybody))
        .route("/v1/tenants/{tenant}/grants/{targets}/{id}", put(grant))
        .route("/v1/tenants/{tenant}/users/{user}/effective-policy", get(effective))
        .fallback(unknown_request)
        .method_not_allowed_fallback(unknown_request)
        .with_state(server)
}

async fn unknown_request() -> StoreError {
    Refusal::MalformedRequest.into()
}

async fn list(State(server): Shared, parts: Parts<String>, headers: HeaderMap) -> Answer {
    let tenant = administered(&server, &headers, &part(parts)?)?;
    Ok(Json(server.store().policies(&tenant)?).into_response())
}

async fn new(State(server): Shared, parts: Parts<String>, headers: HeaderMap, body: Bytes) -> Answer {
    let tenant = administered(&server, &headers, &part(parts)?)?;
    let asked: NewPolicy = parse(&body)?;
    let value = asked.value.as_ref().map(text).transpose()?;
    let made = server.store().new_policy(&tenant, &asked.name, value, server.now())?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn read(State(server): Shared, parts: Parts<(String, String)>, headers: HeaderMap) -> Answer {
    let (tenant, name) = part(parts)?;
    let tenant = administered(&server, &headers, &tenant)?;
    Ok(Json(server.store().policy(&tenant, &name)?).into_response())
}

async fn set(
    State(server): Shared,
    parts: Parts<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (tenant, name) = part(parts)?;
    let tenant = administered(&server, &headers, &tenant)?;
    let asked: SetPolicy = parse(&body)?;
    let value = asked.value.as_ref().map(text).transpose()?;
    let changed = server.store().set_policy(&tenant, &name, value, server.now())?;
    Ok(Json(changed).into_response())
}

async fn remove(State(server): Shared, parts: Parts<(String, String)>, headers: HeaderMap) -> Answer {
    let (tenant, name) = part(parts)?;
    let tenant = administered(&server, &headers, &tenant)?;
    server.store().remove_policy(&tenant, &name, server.now())?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn grant_to_everybody(
    State(server): Shared,
    parts: Parts<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let tenant = administered(&server, &headers, &part(parts)?)?;
    granted(&server, &tenant, &GrantTarget::Global, &body)
}

async fn grant(
    State(server): Shared,
    parts: Parts<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (tenant, targets, id) = part(parts)?;
    let tenant = administered(&server, &headers, &tenant)?;
    let target = match targets.as_str() {
        "users" => GrantTarget::User(id.to_lowercase()),
        "groups" => GrantTarget::Group(id),
        _ => return Err(Refusal::MalformedRequest.into()),
    };
    granted(&server, &tenant, &target, &body)
}

fn granted(server: &PolicyServer, tenant: &str, target: &GrantTarget, body: &[u8]) -> Answer {
    let asked: Grant = parse(body)?;
    let rank = server.store().grant(tenant, target, asked.policy.as_deref(), asked.rank, server.now())?;
    Ok(Json(Grant { policy: asked.policy, rank }).into_response())
}

async fn effective(State(server): Shared, parts: Parts<(String, String)>, headers: HeaderMap) -> Answer {
    let (tenant, user) = part(parts)?;
    let user = UserId::new(&user, &tenant);
    match presented(&server, &headers)? {
        GoodFor::Administration(own) if own != user.tenant => Err(Refusal::NotAuthorised.into()),
        GoodFor::EffectivePolicy(own) if own != user => Err(Refusal::NotAuthorised.into()),
        _ => Ok(Json(server.told(&user)?).into_response()),
    }
}

/// The tenant of the path in lower case, when the request carries a token of its administrator.
fn administered(server: &PolicyServer, headers: &HeaderMap, tenant: &str) -> Result<String, StoreError> {
    match presented(server, headers)? {
        GoodFor::Administration(own) if own == tenant.to_lowercase() => Ok(own),
        _ => Err(Refusal::NotAuthorised.into()),
    }
}

/// What the token of the request is good for.
fn presented(server: &PolicyServer, headers: &HeaderMap) -> Result<GoodFor, StoreError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NotAuthorised)?;
    Ok(server.store().good_for(&Token::presented(token))?.ok_or(Refusal::NotAuthorised)?)
}

fn part<T>(parts: Parts<T>) -> Result<T, Refusal> {
    parts.map(|Path(parts)| parts).map_err(|_| Refusal::MalformedRequest)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::MalformedRequest)
}

/// A value as text: what is no text is no value that the policy has.
fn text(value: &Value) -> Result<&str, Refusal> {
    value.as_str().ok_or(Refusal::UnknownValue)
}

impl IntoResponse for StoreError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => {
                (refusal.status(), Json(json!({ "reason": refusal.word() }))).into_response()
            }
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
