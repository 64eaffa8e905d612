//! Lists and their pages.
//!
//! A page names the next one by an opaque token, which holds the position to continue after: a row's number, a key,
//! or a count of rows. Pages are to be followed, not computed: `Page` above 0 without a token is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::reply::Reply;
use super::request::Request;
use crate::error::ApiError;
use crate::json::{JsonObject, object};

const DEFAULT_SIZE: usize = 50;
const PARAMETERS: [&str; 3] = ["PageSize", "Page", "PageToken"];

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) size: usize,
    number: i64,
    token: Option<String>,
    /// Address of the list with its filters, ready for the paging parameters.
    address: String,
}

impl Page {
    /// Reads the paging parameters; besides them the query may only hold `filters`.
    pub(crate) fn read(request: &Request, filters: &[&str], max: usize) -> Result<Self, ApiError> {
        let query = &request.query;
        query.only(&[&PARAMETERS, filters].concat())?;
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let size = query.integer("PageSize", 1..=max)?.and_then(|size| usize::try_from(size).ok());
        let number = query.integer("Page", 0..=i64::MAX)?.unwrap_or(0);
        let token = query.filled("PageToken").map(decode).transpose()?;
        if number > 0 && token.is_none() {
            return Err(ApiError::invalid("Page needs a PageToken; follow next_page_url"));
        }
        let mut kept = form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(query.pairs().iter().filter(|(name, _)| !PARAMETERS.contains(&name.as_str())));
        let kept = kept.finish();
        let joint = if kept.is_empty() { "" } else { "&" };
        let address = format!("{}{}?{kept}{joint}", request.base, request.path);
        Ok(Self { size: size.unwrap_or(DEFAULT_SIZE), number, token, address })
    }

    /// The number of the last row of the page before; 0 for the first page.
    pub(crate) fn after(&self) -> Result<u64, ApiError> {
        match &self.token {
            None => Ok(0),
            Some(token) => token.strip_prefix('n').and_then(|n| n.parse().ok()).ok_or_else(bad_token),
        }
    }

    /// The last key of the page before.
    pub(crate) fn after_key(&self) -> Result<Option<String>, ApiError> {
        match &self.token {
            None => Ok(None),
            Some(token) => token.strip_prefix('k').map(|key| Some(key.to_owned())).ok_or_else(bad_token),
        }
    }

    /// A page of rows that carry numbers, already cut to start after the token.
    pub(crate) fn reply<T>(
        &self,
        key: &str,
        rows: impl Iterator<Item = (u64, T)>,
        mut render: impl FnMut(T) -> JsonObject,
    ) -> Reply {
        let (mut shown, mut last, mut more) = (Vec::new(), 0, false);
        for (number, row) in rows {
            more = shown.len() == self.size;
            if more {
                break;
            }
            last = number;
            shown.push(render(row));
        }
        self.finish(key, &shown, more.then(|| format!("n{last}")))
    }

    /// A page of rows that carry keys, already cut to start after the token.
    pub(crate) fn reply_by_key<T>(
        &self,
        name: &str,
        rows: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
        render: impl Fn(&T) -> JsonObject,
    ) -> Reply {
        let mut rows = rows.peekable();
        let (mut shown, mut last) = (Vec::new(), String::new());
        while let Some(row) = rows.next_if(|_| shown.len() < self.size) {
            last = key(&row);
            shown.push(render(&row));
        }
        self.finish(name, &shown, rows.peek().is_some().then(|| format!("k{last}")))
    }

    pub(crate) fn reply_by_position<T>(
        &self,
        key: &str,
        rows: &[T],
        render: impl Fn(&T) -> JsonObject,
    ) -> Result<Reply, ApiError> {
        let skip = match &self.token {
            None => 0,
            Some(token) => token.strip_prefix('s').and_then(|n| n.parse().ok()).ok_or_else(bad_token)?,
        };
        let shown: Vec<JsonObject> = rows.iter().skip(skip).take(self.size).map(render).collect();
        let end = skip + shown.len();
        Ok(self.finish(key, &shown, (end < rows.len()).then(|| format!("s{end}"))))
    }

    /// The body: `meta` and the rows.
    pub(crate) fn finish(&self, key: &str, rows: &[impl Serialize], next: Option<String>) -> Reply {
        let size = self.size;
        let url = |number: i64, token: Option<&str>| {
            let token = token.map(|token| format!("&PageToken={}", URL_SAFE_NO_PAD.encode(token)));
            format!("{}PageSize={size}&Page={number}{}", self.address, token.unwrap_or_default())
        };
        let mut body = object!({
            "meta": object!({
                "first_page_url": url(0, None),
                "key": key,
                "next_page_url": next.map(|token| url(self.number + 1, Some(&token))),
                "page": self.number,
                "page_size": size,
                // Only the first page is ever known to come before; further back the tokens are not kept.
                "previous_page_url": (self.number == 1).then(|| url(0, None)),
                "url": url(self.number, self.token.as_deref()),
            }),
        });
        body.set(key.to_owned(), rows);
        Reply::json(200, &body)
    }
}

fn decode(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad_token())?;
    String::from_utf8(bytes).map_err(|_| bad_token())
}

fn bad_token() -> ApiError {
    ApiError::invalid("Invalid PageToken")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};
    use serde_json::Value;

    use super::*;

    fn page(query: &str) -> Result<Page, ApiError> {
        let uri = format!("/v1/Things?{query}").parse().unwrap();
        let request = Request::new(
            Method::GET,
            &uri,
            HeaderMap::new(),
            axum::body::Bytes::new(),
            "http://h".to_owned(),
        );
        Page::read(&request, &["Name"], 1000)
    }

    #[test]
    fn following_the_links_shows_every_row_once() {
        let rows: Vec<u64> = (1..=7).collect();
        let mut query = "PageSize=3&Name=a%20b".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = page(&query).unwrap();
            let after = page.after().unwrap();
            let rest = rows.iter().filter(|n| **n > after).map(|n| (*n, n));
            let body: Value =
                serde_json::from_slice(&page.reply("things", rest, |n| object!({ "n": n })).body).unwrap();
            seen.extend(body["things"].as_array().unwrap().iter().map(|thing| thing["n"].as_u64().unwrap()));
            let Some(next) = body["meta"]["next_page_url"].as_str() else { break };
            query = next.strip_prefix("http://h/v1/Things?").unwrap().to_owned();
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn pages_are_not_computed() {
        assert!(page("Page=0").is_ok());
        for bad in ["Page=1", "PageSize=0", "PageSize=1001", "PageToken=!", "Limit=5"] {
            assert_eq!(page(bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
