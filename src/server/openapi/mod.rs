//! `GET /openapi.json`: the HTTP interface, described for programs.
//!
//! Written by hand in `openapi.json`, and held to the code from two sides: a test here finds every route and method in it and
//! no others, and `tests/openapi/run` asks the running service thousands of things and finds no answer that is not in it.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The description.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Shows it, to anybody: it says nothing that the documents don't.
pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], DESCRIPTION).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DESCRIPTION;
    use crate::server::ROUTES;

    #[test]
    fn every_route_is_described_and_no_other() {
        let described: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut paths = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                paths.insert((path.clone(), method.to_uppercase()));
            }
        }
        let routes: BTreeSet<_> = ROUTES
            .iter()
            .flat_map(|route| {
                let path = route.path.replace("{*path}", "{path}");
                route.methods.split(", ").map(move |method| (path.clone(), method.to_owned()))
            })
            .collect();
        assert_eq!(paths, routes);
        assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    /// The page's types are made from this file.
    #[test]
    fn the_copy_that_the_page_is_built_from_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, DESCRIPTION).unwrap();
        }
        let copy = std::fs::read_to_string(path).unwrap();
        assert!(
            copy == DESCRIPTION,
            "web/openapi.json is stale; `UPDATE_OPENAPI=1 cargo test --lib openapi` writes it"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let described: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut open = vec![&described];
        while let Some(value) = open.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let target = described.pointer(reference.strip_prefix('#').unwrap());
                assert!(target.is_some(), "{reference}");
            }
            match value {
                Value::Object(fields) => open.extend(fields.values()),
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
}
