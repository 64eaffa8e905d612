//! Refusals as handlers' attributes name them: a status and a reference to the one description of it.

use std::collections::BTreeMap;

use utoipa::openapi::{
    ContentBuilder, OpenApi as Description, Ref, RefOr, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoResponses, Modify};

type Responses = BTreeMap<String, RefOr<Response>>;

macro_rules! refusals {
    ($($name:ident $status:literal $text:literal)*) => {
        $(pub(in crate::server) struct $name;

        impl IntoResponses for $name {
            fn responses() -> Responses {
                let reference = Ref::from_response_name(stringify!($name));
                BTreeMap::from([($status.to_string(), RefOr::Ref(reference))])
            }
        })*

        const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

macro_rules! groups {
    ($($name:ident = $($member:ident)*;)*) => {
        $(pub(in crate::server) struct $name;

        impl IntoResponses for $name {
            fn responses() -> Responses {
                let mut all = BTreeMap::new();
                $(all.extend($member::responses());)*
                all
            }
        })*
    };
}

refusals! {
    Malformed 400 "The body or the query can't be decoded"
    CredentialsNeeded 401 "Credentials or a session are missing or wrong"
    NotAllowed 403 "Not signed by Twilio, or not allowed for this account, Flex user or site"
    NotFound 404 "Not found, or not configured"
    WrongMethod 405 "This address takes other methods only"
    TooSlow 408 "The body did not arrive in time"
    TooLarge 413 "The body is too large"
    WrongContentType 415 "Another Content-Type is needed"
    NotAsExpected 422 "Decoded, but invalid: a parameter, a definition, or another account's event"
    NotAWebsocket 426 "This address takes websockets only"
    TooMany 429 "Too many wrong credentials, or messages; try again later"
    TwilioFails 502 "Twilio can't be reached, or refuses"
    NotNow 503 "The service is starting, stopping or full; try again"
    NotFinished 504 "Not finished in time; it continues in the background"
}

groups! {
    Admission = CredentialsNeeded NotAllowed TooMany NotNow;
    JsonBody = Malformed TooSlow TooLarge;
    FormBody = Malformed TooSlow TooLarge WrongContentType;
}

/// Adds the descriptions that the references lead to.
pub(super) struct Components;

impl Modify for Components {
    fn modify(&self, described: &mut Description) {
        let components = described.components.get_or_insert_default();
        for (name, text) in ALL {
            let error: RefOr<Schema> = RefOr::Ref(Ref::from_schema_name("Error"));
            let content = ContentBuilder::new().schema(Some(error)).build();
            let response = ResponseBuilder::new().description(*text).content("application/json", content);
            components.responses.insert((*name).to_owned(), response.build().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;
    use crate::server::ApiError;
    use crate::server::auth::{AccessError, FlexError};

    #[test]
    fn admission_names_every_status_that_keeps_a_caller_out() {
        let refused = [
            AccessError::Unauthorized,
            AccessError::WrongCredentials,
            AccessError::SignInNeeded,
            AccessError::CredentialsNeeded,
            AccessError::Forbidden,
            AccessError::CsrfToken,
            AccessError::NoAdministrator,
            AccessError::TooManyAttempts,
            AccessError::Starting,
        ];
        let flex = [FlexError::Invalid, FlexError::Unchecked];
        let answers = refused.map(ApiError::from).into_iter().chain(flex.map(ApiError::from));
        let statuses: std::collections::BTreeSet<String> =
            answers.map(|answer| answer.into_response().status().as_str().to_owned()).collect();
        assert_eq!(statuses, Admission::responses().into_keys().collect());
    }
}
