//! Flex's Plugins API, as far as one plugin is released and taken back: which plugins the Flex UI loads.
//!
//! Configurations and Releases are immutable, and the newest Release is the active one: a change is a new Configuration and
//! a Release of it, and going back a Release of the older one.

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::call::{Api, Call, RequestBody, segment};
use super::client::Client;
use super::error::TwilioError;

const ROOT: &str = "/v1/PluginService";
/// A Configuration of more plugins than this many pages hold is not one.
const MOST_PAGES: usize = 20;

#[derive(Debug, Clone)]
pub struct Plugins {
    client: Arc<Client>,
}

/// What is active.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// `FK…`
    pub sid: String,
    /// `FJ…`
    pub configuration_sid: String,
}

/// A plugin as a Configuration has it. Fields that a new Configuration needs are optional in Twilio's description.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ConfiguredPlugin {
    /// Its lasting name.
    pub unique_name: Option<String>,
    /// The name that Flex's pages show.
    pub friendly_name: Option<String>,
    /// `FV…`
    pub plugin_version_sid: Option<String>,
    pub version: Option<String>,
    /// When Flex loads it.
    pub phase: Option<i64>,
    /// Where Flex loads it from.
    pub plugin_url: Option<String>,
    /// Whether it can't be configured again.
    #[serde(default)]
    pub plugin_archived: bool,
    /// The same of its Version.
    #[serde(default)]
    pub plugin_version_archived: bool,
}

impl ConfiguredPlugin {
    /// Whether no new Configuration may have it, which Twilio can't undo.
    pub fn is_archived(&self) -> bool {
        self.plugin_archived || self.plugin_version_archived
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PluginVersion {
    /// `FV…`
    pub sid: String,
    /// Where Flex loads it from.
    pub plugin_url: Option<String>,
    /// Whether it can't be configured any more.
    #[serde(default)]
    pub archived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Plugin {
    /// `FP…`
    pub sid: String,
    /// The name that Flex's pages show.
    pub friendly_name: Option<String>,
    /// Whether it can't be configured any more.
    #[serde(default)]
    pub archived: bool,
}

/// What was made, or was there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Made {
    pub sid: String,
    /// Whether it can't be used any more.
    #[serde(default)]
    pub archived: bool,
}

#[derive(Deserialize)]
struct PluginPage {
    plugins: Vec<ConfiguredPlugin>,
    meta: PluginMeta,
}

#[derive(Deserialize)]
struct PluginMeta {
    next_page_url: Option<String>,
}

impl Plugins {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// `GET Releases/Active`; `None` where nothing was ever released.
    pub async fn active(&self) -> Result<Option<Release>, TwilioError> {
        self.found("/Releases/Active").await
    }

    /// `GET Configurations/{sid}`
    pub async fn configuration(&self, sid: &str) -> Result<Option<Made>, TwilioError> {
        self.found(&format!("/Configurations/{}", segment(sid))).await
    }

    /// `GET Configurations/{sid}/Plugins`, all pages.
    pub async fn configured(&self, configuration: &str) -> Result<Vec<ConfiguredPlugin>, TwilioError> {
        let path = format!("/Configurations/{}/Plugins", segment(configuration));
        let mut query = "?PageSize=100".to_owned();
        let mut plugins = Vec::new();
        for _ in 0..MOST_PAGES {
            let call = get(&format!("{path}{query}"), "GET Configurations/Plugins");
            let page: PluginPage = self.client.read(&call).await?;
            plugins.extend(page.plugins);
            let Some(next) = page.meta.next_page_url else { return Ok(plugins) };
            // Only the query is taken over: an address from an answer never decides where the credentials go.
            query = next.find('?').map(|at| next[at..].to_owned()).unwrap_or_default();
        }
        let reason = format!("it goes on after {MOST_PAGES} pages");
        Err(TwilioError::Answer { call: "GET Configurations/Plugins".to_owned(), reason })
    }

    /// `GET Plugins/{name}`
    pub async fn plugin(&self, name: &str) -> Result<Option<Plugin>, TwilioError> {
        self.found(&format!("/Plugins/{}", segment(name))).await
    }

    /// `POST Plugins`
    pub async fn create_plugin(&self, name: &str, friendly: &str, text: &str) -> Result<Made, TwilioError> {
        let form = [("UniqueName", name), ("FriendlyName", friendly), ("Description", text)];
        self.create("/Plugins", &form).await
    }

    /// `POST Plugins/{sid}`
    pub async fn rename_plugin(&self, sid: &str, friendly: &str, text: &str) -> Result<Made, TwilioError> {
        self.create(
            &format!("/Plugins/{}", segment(sid)),
            &[("FriendlyName", friendly), ("Description", text)],
        )
        .await
    }

    /// `GET Plugins/{plugin}/Versions/{number}`
    pub async fn version(&self, plugin: &str, number: &str) -> Result<Option<PluginVersion>, TwilioError> {
        self.found(&format!("/Plugins/{}/Versions/{}", segment(plugin), segment(number))).await
    }

    /// `POST Plugins/{plugin}/Versions`
    pub async fn create_version(&self, plugin: &str, number: &str, url: &str) -> Result<Made, TwilioError> {
        let path = format!("/Plugins/{}/Versions", segment(plugin));
        self.create(&path, &[("Version", number), ("PluginUrl", url)]).await
    }

    /// `POST Configurations`: Versions by their SIDs, each with its phase.
    pub async fn create_configuration(
        &self,
        name: &str,
        text: &str,
        versions: &[(String, i64)],
    ) -> Result<Made, TwilioError> {
        let versions: Vec<String> = versions
            .iter()
            .map(|(sid, phase)| json!({ "plugin_version": sid, "phase": phase }).to_string())
            .collect();
        let mut form = vec![("Name", name), ("Description", text)];
        form.extend(versions.iter().map(|version| ("Plugins", version.as_str())));
        self.create("/Configurations", &form).await
    }

    /// `POST Releases`: makes a Configuration the active one.
    pub async fn release(&self, configuration: &str) -> Result<Made, TwilioError> {
        self.create("/Releases", &[("ConfigurationId", configuration)]).await
    }

    /// `None` only where Twilio itself says that it does not exist: a wrong address or a proxy may answer 404, too.
    async fn found<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Option<T>, TwilioError> {
        match self.client.read(&get(path, &format!("GET {}", &path[1..]))).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_twilios_404() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sent once; the next read shows whether a failed request took effect.
    async fn create(&self, path: &str, form: &[(&str, &str)]) -> Result<Made, TwilioError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let call = Call {
            method: Method::POST,
            body: RequestBody::Form(body),
            ..get(path, &format!("POST {}", &path[1..]))
        };
        self.client.once(&call).await
    }
}

fn get(path: &str, name: &str) -> Call {
    Call::get(Api::Flex, format!("{ROOT}{path}"), name.to_owned())
}
