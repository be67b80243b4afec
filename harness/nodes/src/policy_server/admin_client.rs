//! Asking the policy server: an administrator's requests, and what holds for a user.
//!
//! Invariant: one connection per request, and what the server says is handed on as it was said.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use model::UserId;
use model::identity::Node;
use model::plan::{PolicyStep, PolicyVerb, StepResult};
use model::record::StepRecord;
use net::{AccessLink, TlsClient, connect_tls};
use serde_json::{Value, json};

use super::store::EffectivePolicy;
use super::token::Token;

/// No answer of the API is longer, in bytes.
const ANSWER_MAX: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The connection could not be made.
    #[error("the policy server cannot be reached ({0}); see the capture")]
    Unreachable(#[from] std::io::Error),
    /// The connection broke, or what came is no HTTP.
    #[error("the policy server did not answer ({0}); see the capture")]
    NoAnswer(#[from] hyper::Error),
    /// The answer is too long or was cut.
    #[error("the policy server's answer cannot be read ({0}); see the capture")]
    Unreadable(String),
    /// The step names no policy.
    #[error("a request to {0} a policy needs its name; give one")]
    Nameless(PolicyVerb),
    /// The answer is neither done nor refused: the server failed.
    #[error("the policy server failed with status {0}; this is a fault of the harness, report it")]
    Failed(u16),
    /// The server refused.
    #[error("the policy server answered {status} ({reason}); see its page of refusals")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason given, if any.
        reason: String,
    },
}

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: String,
}

impl Answer {
    /// An answer with this status, which says done or refused.
    fn of(status: StatusCode, body: String) -> Result<Self, AskError> {
        if status.is_success() || status.is_client_error() {
            return Ok(Self { status: status.as_u16(), body });
        }
        Err(AskError::Failed(status.as_u16()))
    }

    /// Whether the request was done.
    pub fn works(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }

    /// The reason of a refusal.
    pub fn reason(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        body.get("reason")?.as_str().map(str::to_owned)
    }

    /// The answer as it goes into the run record.
    pub fn into_step(self, at_ns: u64) -> StepRecord {
        let result = if self.works() { StepResult::Works } else { StepResult::Refused };
        let reason = self.reason();
        StepRecord {
            at_ns,
            result: Some(result),
            reason,
            control: None,
            answer: Some((self.status, self.body)),
        }
    }
}

/// A way to the policy server, from one access link.
#[derive(Clone)]
pub struct AdminClient {
    /// The link of whoever asks.
    pub link: Arc<dyn AccessLink>,
    /// Where the policy server listens.
    pub server: SocketAddr,
    /// Trust in the world's root.
    pub tls: TlsClient,
}

impl AdminClient {
    /// Carries out a step with the token of an administrator, its own tenant's or another's.
    ///
    /// # Errors
    /// When there is no answer; a refusal is one.
    pub async fn ask(&self, token: &Token, step: &PolicyStep) -> Result<Answer, AskError> {
        self.exchange(token, Asked::of(step)?).await
    }

    /// What holds for `user` at the moment.
    ///
    /// # Errors
    /// When there is no answer, or it is a refusal.
    pub async fn effective_policy(&self, token: &Token, user: &UserId) -> Result<EffectivePolicy, AskError> {
        let path = format!("{}/users/{}/effective-policy", tenant_path(&user.tenant), segment(&user.user));
        let answer = self.exchange(token, Asked { method: Method::GET, path, body: None }).await?;
        if !answer.works() {
            let reason = answer.reason().unwrap_or_else(|| "no reason given".to_owned());
            return Err(AskError::Refused { status: answer.status, reason });
        }
        serde_json::from_str(&answer.body).map_err(|error| AskError::Unreadable(error.to_string()))
    }

    async fn exchange(&self, token: &Token, asked: Asked) -> Result<Answer, AskError> {
        let host = Node::PolicyServer.word();
        let request = Request::builder()
            .method(asked.method)
            .uri(asked.path)
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, token.authorization())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(asked.body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()))))
            .map_err(|error| AskError::Unreadable(error.to_string()))?;
        let stream = connect_tls(&self.tls, host, self.link.connect(self.server).await?).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let answered = async move {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
            let body = body.map_err(|error| AskError::Unreadable(error.to_string()))?.to_bytes();
            Answer::of(status, String::from_utf8_lossy(&body).into_owned())
        };
        // How the connection ends after the answer does not change the answer.
        let (answer, _ended) = tokio::join!(answered, connection);
        answer
    }
}

/// A request, before it has a token.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Asked {
    /// The request that a step stands for.
    fn of(step: &PolicyStep) -> Result<Self, AskError> {
        let policies = format!("{}/policies", tenant_path(&step.tenant));
        let named = || match &step.name {
            Some(name) => Ok(format!("{policies}/{}", segment(name))),
            None => Err(AskError::Nameless(step.verb)),
        };
        let mut value = json!({});
        if let (Some(text), Some(object)) = (&step.value, value.as_object_mut()) {
            object.insert("value".to_owned(), json!(text));
        }
        Ok(match step.verb {
            PolicyVerb::Get => Self { method: Method::GET, path: named()?, body: None },
            PolicyVerb::New => {
                let name = step.name.as_ref().ok_or(AskError::Nameless(step.verb))?;
                if let Some(object) = value.as_object_mut() {
                    object.insert("name".to_owned(), json!(name));
                }
                Self { method: Method::POST, path: policies, body: Some(value) }
            }
            PolicyVerb::Set => Self { method: Method::PUT, path: named()?, body: Some(value) },
            PolicyVerb::Remove => Self { method: Method::DELETE, path: named()?, body: None },
            PolicyVerb::Grant => {
                Self { method: Method::PUT, path: grant_path(step), body: Some(grant(step)) }
            }
        })
    }
}

fn grant(step: &PolicyStep) -> Value {
    match step.rank {
        None => json!({ "policy": step.name }),
        Some(rank) => json!({ "policy": step.name, "rank": rank }),
    }
}

fn grant_path(step: &PolicyStep) -> String {
    let tenant = tenant_path(&step.tenant);
    match (&step.user, &step.group) {
        (Some(user), _) => format!("{tenant}/grants/users/{}", segment(&user.user)),
        (None, Some(group)) => format!("{tenant}/grants/groups/{}", segment(group)),
        (None, None) => format!("{tenant}/grants/global"),
    }
}

fn tenant_path(tenant: &str) -> String {
    format!("/v1/tenants/{}", segment(tenant))
}

/// One segment of a path: whatever is not unreserved (RFC 3986 §2.3) is percent-encoded.
fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests;
