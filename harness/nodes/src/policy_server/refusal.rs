//! Why the policy server says no.
//!
//! Invariant: every answer below 500 that is no success carries exactly one of these words.

use axum::http::StatusCode;

model::words! {
    /// The reason of a refusal, as it stands in `{"reason"}`.
    pub enum Refusal {
        /// A value that `CallingEndtoEndEncryptionEnabledType` does not have, such as `Enabled`.
        UnknownValue = "unknown-value",
        /// No policy of the tenant has this name.
        UnknownPolicy = "unknown-policy",
        /// No token, an unknown one, or one that is good for something else.
        NotAuthorised = "not-authorised",
        /// `Global` is always there.
        GlobalCannotBeRemoved = "global-cannot-be-removed",
        /// The policy is still granted to somebody.
        PolicyInUse = "policy-in-use",
        /// The name is empty, has a space or control character, or is taken.
        NameNotAllowed = "name-not-allowed",
        /// The tenant has a policy for 64 groups.
        TooManyGroups = "too-many-groups",
        /// The release does not assign policies to groups.
        GroupsNotSupported = "groups-not-supported",
        /// The tenant has no such user.
        UnknownUser = "unknown-user",
        /// The tenant has no such group.
        UnknownGroup = "unknown-group",
        /// The request is none that the API knows.
        MalformedRequest = "malformed-request",
    }
}

impl Refusal {
    /// The HTTP status that goes with the reason.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MalformedRequest => StatusCode::BAD_REQUEST,
            Self::NotAuthorised => StatusCode::FORBIDDEN,
            Self::UnknownPolicy | Self::UnknownUser | Self::UnknownGroup => StatusCode::NOT_FOUND,
            Self::GlobalCannotBeRemoved | Self::PolicyInUse | Self::TooManyGroups => StatusCode::CONFLICT,
            Self::UnknownValue | Self::NameNotAllowed | Self::GroupsNotSupported => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_an_error_of_the_one_who_asks() {
        for refusal in Refusal::ALL {
            assert!(refusal.status().is_client_error(), "{refusal}");
        }
    }
}
