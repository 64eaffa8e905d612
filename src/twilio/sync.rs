//! Sync's REST API, as far as we use it: Documents, Maps and MapItems of one Service.
//!
//! Sync has no upsert: an update of something missing is 404, a creation of something there is 409. What to make of
//! either is the caller's business; here they are errors with [`Next::Missing`](super::Next::Missing) and
//! [`Next::Exists`](super::Next::Exists).

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::call::{Api, Call, RequestBody, segment};
use super::client::Client;
use super::error::TwilioError;
use crate::config::SyncServiceName;
use crate::sid::SyncServiceSid;

/// Largest page of a Sync list (Twilio's API description).
const PAGE_SIZE: &str = "100";
/// A bound for lists, far above what a Map of TaskQueues holds.
const MOST_PAGES: usize = 1000;

#[derive(Debug, Clone)]
pub struct SyncService {
    client: Arc<Client>,
    service: SyncServiceName,
}

/// Twilio's mark of one version of a Document or MapItem; compared for equality only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Revision(Box<str>);

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Document<D> {
    pub revision: Revision,
    pub data: D,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MapItem<D> {
    pub key: Box<str>,
    pub revision: Revision,
    pub data: D,
}

#[derive(Deserialize)]
struct Services {
    services: Vec<ListedService>,
}

#[derive(Deserialize)]
struct ListedService {
    sid: SyncServiceSid,
}

#[derive(Deserialize)]
struct Written {
    revision: Revision,
}

#[derive(Deserialize)]
struct Items<D> {
    items: Vec<MapItem<D>>,
    meta: ItemsMeta,
}

#[derive(Deserialize)]
struct ItemsMeta {
    #[serde(default)]
    next_page_url: Option<String>,
}

impl SyncService {
    pub fn new(client: Arc<Client>, service: SyncServiceName) -> Self {
        Self { client, service }
    }

    /// `GET Services`: the first of those that the account has.
    pub async fn services(&self) -> Result<Vec<SyncServiceSid>, TwilioError> {
        let call = Call::get(Api::Sync, "/v1/Services".to_owned(), "GET Services".to_owned());
        Ok(self
            .client
            .read::<Services>(&call)
            .await?
            .services
            .into_iter()
            .map(|service| service.sid)
            .collect())
    }

    /// `GET Documents/{name}`; `None` when there is none.
    pub async fn document<D: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<Document<D>>, TwilioError> {
        let path = format!("/Documents/{}", segment(name));
        found(self.client.read(&self.call(Method::GET, &path, "", None)).await)
    }

    /// `POST Documents`
    pub async fn create_document(&self, name: &str, data: &str) -> Result<Revision, TwilioError> {
        creatable("POST Documents", name, "ET")?;
        self.write("/Documents", &[("UniqueName", name), ("Data", data)]).await
    }

    /// `POST Documents/{name}`: replaces the data.
    pub async fn update_document(&self, name: &str, data: &str) -> Result<Revision, TwilioError> {
        self.write(&format!("/Documents/{}", segment(name)), &[("Data", data)]).await
    }

    /// `POST Documents/{name}` with `If-Match`: replaces the data, unless another writer did so since this revision.
    pub async fn replace_document(
        &self,
        name: &str,
        data: &str,
        seen: &Revision,
    ) -> Result<Revision, TwilioError> {
        let path = format!("/Documents/{}", segment(name));
        let call = self.call(Method::POST, &path, "", Some(&[("Data", data)]));
        let written: Written =
            self.client.write(&Call { if_match: Some(seen.0.to_string()), ..call }).await?;
        Ok(written.revision)
    }

    /// `DELETE Documents/{name}`
    pub async fn delete_document(&self, name: &str) -> Result<(), TwilioError> {
        self.delete(&format!("/Documents/{}", segment(name))).await
    }

    /// `GET Maps/{name}`: whether the Map is there.
    pub async fn map_exists(&self, name: &str) -> Result<bool, TwilioError> {
        let call = self.call(Method::GET, &format!("/Maps/{}", segment(name)), "", None);
        Ok(found(self.client.read::<IgnoredAny>(&call).await)?.is_some())
    }

    /// `POST Maps`
    pub async fn create_map(&self, name: &str) -> Result<(), TwilioError> {
        creatable("POST Maps", name, "MP")?;
        let call = self.call(Method::POST, "/Maps", "", Some(&[("UniqueName", name)]));
        self.client.write::<IgnoredAny>(&call).await.map(drop)
    }

    /// `DELETE Maps/{name}`
    pub async fn delete_map(&self, name: &str) -> Result<(), TwilioError> {
        self.delete(&format!("/Maps/{}", segment(name))).await
    }

    /// `GET Maps/{name}/Items`, all pages; `None` when the Map is not there. A large Map's data would take much room, so
    /// `D` reads out of each item's what is wanted of it, one after another.
    pub async fn map_items<D: DeserializeOwned>(
        &self,
        map: &str,
    ) -> Result<Option<Vec<MapItem<D>>>, TwilioError> {
        let path = format!("/Maps/{}/Items", segment(map));
        let mut query = format!("?PageSize={PAGE_SIZE}");
        let mut items: Vec<MapItem<D>> = Vec::new();
        for _ in 0..MOST_PAGES {
            let call = Call { large: true, ..self.call(Method::GET, &path, &query, None) };
            let Some(page) = found(self.client.read::<Items<D>>(&call).await)? else { return Ok(None) };
            items.extend(page.items);
            let Some(next) = page.meta.next_page_url else { return Ok(Some(items)) };
            // Only the query is taken over: an address from an answer never decides where the credentials go.
            query = next.find('?').map(|at| next[at..].to_owned()).unwrap_or_default();
        }
        let reason = format!("it goes on after {MOST_PAGES} pages");
        Err(TwilioError::Answer { call: format!("GET {}", &path[1..]), reason })
    }

    /// `POST Maps/{map}/Items`
    pub async fn create_map_item(&self, map: &str, key: &str, data: &str) -> Result<Revision, TwilioError> {
        self.write(&format!("/Maps/{}/Items", segment(map)), &[("Key", key), ("Data", data)]).await
    }

    /// `POST Maps/{map}/Items` with `ItemTtl`: Sync deletes the item when its time to live has passed.
    pub async fn create_map_item_for(
        &self,
        map: &str,
        key: &str,
        data: &str,
        seconds: u32,
    ) -> Result<Revision, TwilioError> {
        let form = [("Key", key), ("Data", data), ("ItemTtl", &seconds.to_string())];
        self.write(&format!("/Maps/{}/Items", segment(map)), &form).await
    }

    /// `POST Maps/{map}/Items/{key}`: replaces the data.
    pub async fn update_map_item(&self, map: &str, key: &str, data: &str) -> Result<Revision, TwilioError> {
        self.write(&format!("/Maps/{}/Items/{}", segment(map), segment(key)), &[("Data", data)]).await
    }

    /// `DELETE Maps/{map}/Items/{key}`
    pub async fn delete_map_item(&self, map: &str, key: &str) -> Result<(), TwilioError> {
        self.delete(&format!("/Maps/{}/Items/{}", segment(map), segment(key))).await
    }

    /// `GET` of the Service itself: whether it checks what each identity may do.
    pub async fn is_access_controlled(&self) -> Result<bool, TwilioError> {
        #[derive(Deserialize)]
        struct Service {
            acl_enabled: bool,
        }
        let service: Service = self.client.read(&self.service_call(Method::GET, RequestBody::None)).await?;
        Ok(service.acl_enabled)
    }

    /// `POST` of the Service itself with `AclEnabled=true`: from then on each identity may do what it was permitted.
    pub async fn control_access(&self) -> Result<(), TwilioError> {
        let call = self.service_call(Method::POST, RequestBody::Form("AclEnabled=true".to_owned()));
        self.client.write::<IgnoredAny>(&call).await.map(drop)
    }

    /// `POST {kind}/{name}/Permissions/{identity}`, `kind` being `Documents` or `Maps`: to read, and nothing else.
    pub async fn permit_reading(&self, kind: &str, name: &str, identity: &str) -> Result<(), TwilioError> {
        let path = format!("/{kind}/{}/Permissions/{}", segment(name), segment(identity));
        let form = [("Read", "true"), ("Write", "false"), ("Manage", "false")];
        let call = self.call(Method::POST, &path, "", Some(&form));
        self.client.write::<IgnoredAny>(&call).await.map(drop)
    }

    fn service_call(&self, method: Method, body: RequestBody) -> Call {
        let (target, name) = (format!("/v1/Services/{}", self.service), format!("{method} Service"));
        Call { method, body, ..Call::get(Api::Sync, target, name) }
    }

    async fn write(&self, path: &str, form: &[(&str, &str)]) -> Result<Revision, TwilioError> {
        let written: Written = self.client.write(&self.call(Method::POST, path, "", Some(form))).await?;
        Ok(written.revision)
    }

    async fn delete(&self, path: &str) -> Result<(), TwilioError> {
        let call = self.call(Method::DELETE, path, "", None);
        self.client.write::<IgnoredAny>(&call).await.map(drop)
    }

    fn call(&self, method: Method, path: &str, query: &str, form: Option<&[(&str, &str)]>) -> Call {
        let target = format!("/v1/Services/{}{path}{query}", self.service);
        let name = format!("{method} {}", &path[1..]);
        let body = form.map_or(RequestBody::None, |form| {
            RequestBody::Form(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish())
        });
        Call { method, body, ..Call::get(Api::Sync, target, name) }
    }
}

fn found<T>(answer: Result<T, TwilioError>) -> Result<Option<T>, TwilioError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.next() == super::Next::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses to create an object under a SID: Sync finds objects by name and by SID alike, so a configured SID that is not
/// found is a mistake. Refuses a name as well that no later path could hold.
fn creatable(call: &str, name: &str, prefix: &str) -> Result<(), TwilioError> {
    if matches!(name, "" | "." | "..") {
        return Err(TwilioError::FoldedPath { call: call.to_owned(), segment: name.to_owned() });
    }
    let digits = name.strip_prefix(prefix).filter(|digits| digits.len() == 32);
    if digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(TwilioError::NamedLikeSid { call: call.to_owned(), name: name.to_owned() });
    }
    Ok(())
}
