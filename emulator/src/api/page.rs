//! Pages of the 2010-04-01 API: like the others, but with relative `uri`s and other names.

use serde_json::Value;

use crate::error::ApiError;
use crate::json::{JsonObject, object};
use crate::rest::reply::Reply;
use crate::rest::request::Request;

/// One page of `rows`, newest first; `key` is the name of the array.
pub(super) fn reply(
    request: &Request,
    key: &str,
    filters: &[&str],
    rows: &[JsonObject],
) -> Result<Reply, ApiError> {
    let query = &request.query;
    query.only(&[&["PageSize", "Page", "PageToken"], filters].concat())?;
    let size = query.integer("PageSize", 1..=1000)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(50);
    let page = query.integer("Page", 0..=i64::MAX)?.unwrap_or(0);
    let token = query.filled("PageToken").map(|token| token.strip_prefix("PA").and_then(|n| n.parse().ok()));
    let start: usize = match token {
        None if page > 0 => return Err(ApiError::invalid("Page needs a PageToken; follow next_page_uri")),
        None => 0,
        Some(token) => token.ok_or_else(|| ApiError::invalid("Invalid PageToken"))?,
    };
    let shown: Vec<&JsonObject> = rows.iter().skip(start).take(size).collect();
    let end = start + shown.len();
    let uri = |page: i64, at: usize| {
        let token = if at > 0 { format!("&PageToken=PA{at}") } else { String::new() };
        format!("{}?PageSize={size}&Page={page}{token}", request.path)
    };
    let mut body = object!({
        "end": end.saturating_sub(1),
        "first_page_uri": uri(0, 0),
        "next_page_uri": (end < rows.len()).then(|| uri(page + 1, end)),
        "page": page,
        "page_size": size,
        "previous_page_uri": Value::Null,
    });
    body.set(key.to_owned(), &shown);
    body.set("start", &start);
    body.set("uri", &uri(page, start));
    Ok(Reply::json(200, &body))
}
