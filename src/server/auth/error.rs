//! Why a request is not let in, and how that is answered.

use axum::http::{StatusCode, header};

use crate::server::ApiError;

/// A request without the right to what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("the administrator's credentials are needed, or a request signed by Twilio")]
    Unauthorized,
    #[error("the credentials are not right")]
    WrongCredentials,
    #[error("sign in first, or send credentials")]
    SignInNeeded,
    /// The same for programs, with a challenge, without which many of them send no credentials.
    #[error("send credentials: HTTP Basic or a bearer token")]
    CredentialsNeeded,
    #[error("this account may not do that")]
    Forbidden,
    #[error("the header X-CSRF-Token is missing or is not this session's")]
    CsrfToken,
    #[error(
        "no account is configured: set AUTHENTICATION_USER and AUTHENTICATION_PASSWORD, or AUTHENTICATION_TOKEN"
    )]
    NoAdministrator,
    #[error("too many wrong credentials; try again in some seconds")]
    TooManyAttempts,
    /// A session from before this process began, of which is not known yet whether its user signed out.
    #[error("the service has just started and does not know yet who signed out; try again in a moment")]
    Starting,
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        const CHALLENGE: &str = "Basic realm=\"taskrouter-sync\", charset=\"UTF-8\"";
        let (status, code) = match error {
            AccessError::Unauthorized => (StatusCode::UNAUTHORIZED, "credentials_needed"),
            AccessError::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            AccessError::SignInNeeded | AccessError::CredentialsNeeded => {
                (StatusCode::UNAUTHORIZED, "sign_in_needed")
            }
            AccessError::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            AccessError::CsrfToken => (StatusCode::FORBIDDEN, "csrf_token"),
            AccessError::NoAdministrator => (StatusCode::FORBIDDEN, "no_administrator"),
            AccessError::TooManyAttempts => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            AccessError::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        };
        let answer = Self::new(status, code, error.to_string());
        match error {
            AccessError::Unauthorized | AccessError::WrongCredentials | AccessError::CredentialsNeeded => {
                answer.with(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            // A scheme that no browser knows, so that none shows its own dialog above a page with a form.
            AccessError::SignInNeeded => {
                answer.with(header::WWW_AUTHENTICATE, "Session realm=\"taskrouter-sync\"")
            }
            AccessError::TooManyAttempts => answer.with(header::RETRY_AFTER, "5"),
            AccessError::Starting => answer.with(header::RETRY_AFTER, "1"),
            _ => answer,
        }
    }
}

/// A Flex token that lets no one in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlexError {
    #[error("the Flex token is not valid")]
    Invalid,
    #[error("the Flex token can't be checked now; try again in some seconds")]
    Unchecked,
}

impl From<FlexError> for ApiError {
    fn from(error: FlexError) -> Self {
        match error {
            FlexError::Invalid => Self::new(StatusCode::FORBIDDEN, "flex_token", error.to_string()),
            FlexError::Unchecked => {
                let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "flex_token_unchecked");
                Self::new(status, code, error.to_string()).with(header::RETRY_AFTER, "5")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn answer(error: impl Into<ApiError>) -> (u16, Option<String>, Option<String>) {
        let answer = error.into().into_response();
        let header = |name| Some(answer.headers().get(name)?.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header(header::WWW_AUTHENTICATE), header(header::RETRY_AFTER))
    }

    #[test]
    fn each_refusal_says_what_would_help() {
        use AccessError as Error;
        for error in [Error::Unauthorized, Error::WrongCredentials, Error::CredentialsNeeded] {
            let (status, challenge, _) = answer(error);
            assert_eq!(status, 401);
            assert!(challenge.unwrap().starts_with("Basic "), "{error:?}");
        }
        let session = "Session realm=\"taskrouter-sync\"".to_owned();
        assert_eq!(answer(Error::SignInNeeded), (401, Some(session), None), "no browser shows a dialog");
        for error in [Error::Forbidden, Error::CsrfToken, Error::NoAdministrator] {
            assert_eq!(answer(error), (403, None, None), "{error:?}");
        }
        assert_eq!(answer(Error::TooManyAttempts), (429, None, Some("5".to_owned())));
        assert_eq!(answer(Error::Starting), (503, None, Some("1".to_owned())));
        assert_eq!(answer(FlexError::Invalid), (403, None, None));
        assert_eq!(answer(FlexError::Unchecked), (503, None, Some("5".to_owned())));
    }
}
