//! The Plugins API of Flex (`flex-api.twilio.com/v1/PluginService`): which plugins the Flex UI loads.
//!
//! ```text
//! GET POST  Plugins           GET POST  Plugins/{FP}          POST  Plugins/{FP}/Archive
//! GET POST  Plugins/{FP}/Versions       GET  …/Versions/{FV}  POST  …/Versions/{FV}/Archive
//! GET POST  Configurations    GET  Configurations/{FJ}        POST  Configurations/{FJ}/Archive
//! GET       Configurations/{FJ}/Plugins                       GET   …/Plugins/{FP}
//! GET POST  Releases          GET  Releases/{FK or Active}
//! ```
//!
//! Configurations and Releases are immutable; the newest Release is the active one, and going back is a new Release of an
//! older Configuration. A Plugin is found by its SID or its unique name, a Version by its SID or its number. Codes and
//! texts of refusals are not documented, and chosen here.

mod store;

use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;

use crate::clock::{Clock, iso};
use crate::error::ApiError;
use crate::json::{JsonObject, object};
use crate::params::Params;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::sid::Kind;
use store::{Chosen, Configuration, Plugin, PluginStore, Release, Version};

/// When a plugin is loaded, where a Configuration does not say: after Flex has rendered.
const USUAL_PHASE: i64 = 3;
/// Largest page of these lists.
const MAX_PAGE: usize = 1000;

/// The account's plugins.
#[derive(Debug)]
pub(crate) struct Plugins {
    store: Mutex<PluginStore>,
    account: String,
    clock: Clock,
}

/// One element of a Configuration's `Plugins`, each a parameter of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedVersion {
    plugin_version: String,
    phase: Option<i64>,
}

impl Plugins {
    pub(crate) fn new(account: &str, seed: u64, clock: &Clock) -> Self {
        Self { store: Mutex::new(PluginStore::new(seed)), account: account.to_owned(), clock: clock.clone() }
    }

    fn store(&self) -> MutexGuard<'_, PluginStore> {
        self.store.lock()
    }

    /// Answers a request whose path starts with `/v1/PluginService`.
    pub(crate) fn route(&self, request: &Request) -> Result<Reply, ApiError> {
        let route = request.route();
        let ["v1", "PluginService", rest @ ..] = &route[..] else {
            return Err(ApiError::unknown_path(&request.path));
        };
        let base = &request.base;
        let missing = || ApiError::not_found(&request.path);
        let read = || request.no_parameters();
        let store = self.store();
        match (request.method.as_str(), rest) {
            ("GET", ["Plugins"]) => {
                let rows: Vec<_> = store.plugins.iter().rev().collect();
                Page::read(request, &[], MAX_PAGE)?
                    .reply_by_position("plugins", &rows, |plugin| self.plugin(base, plugin))
            }
            ("POST", ["Plugins"]) => self.create_plugin(store, request),
            ("GET", ["Plugins", plugin]) => {
                read()?;
                let plugin = store.plugin(plugin).ok_or_else(missing)?;
                Ok(Reply::json(200, &self.plugin(base, plugin)))
            }
            ("POST", ["Plugins", plugin]) => self.update_plugin(store, request, plugin),
            ("POST", ["Plugins", plugin, "Archive"]) => {
                read()?;
                let mut store = store;
                let plugin = store.plugin_mut(plugin).ok_or_else(missing)?;
                plugin.archived = true;
                Ok(Reply::json(200, &self.plugin(base, plugin)))
            }
            ("GET", ["Plugins", plugin, "Versions"]) => {
                let sid = store.plugin(plugin).ok_or_else(missing)?.sid;
                let rows: Vec<_> =
                    store.versions.iter().rev().filter(|version| version.plugin == sid).collect();
                Page::read(request, &[], MAX_PAGE)?
                    .reply_by_position("plugin_versions", &rows, |version| self.version(base, version))
            }
            ("POST", ["Plugins", plugin, "Versions"]) => self.create_version(store, request, plugin),
            ("GET", ["Plugins", plugin, "Versions", version]) => {
                read()?;
                let version = store.version(plugin, version).ok_or_else(missing)?;
                Ok(Reply::json(200, &self.version(base, version)))
            }
            ("POST", ["Plugins", plugin, "Versions", version, "Archive"]) => {
                read()?;
                let sid = store.version(plugin, version).ok_or_else(missing)?.sid;
                let mut store = store;
                let version = store.versions.iter_mut().find(|version| version.sid == sid);
                let version = version.ok_or_else(missing)?;
                version.archived = true;
                Ok(Reply::json(200, &self.version(base, version)))
            }
            ("GET", ["Configurations"]) => {
                let rows: Vec<_> = store.configurations.iter().rev().collect();
                Page::read(request, &[], MAX_PAGE)?
                    .reply_by_position("configurations", &rows, |one| self.configuration(base, one))
            }
            ("POST", ["Configurations"]) => self.create_configuration(store, request),
            ("GET", ["Configurations", sid]) => {
                read()?;
                let found = store.configuration(sid).ok_or_else(missing)?;
                Ok(Reply::json(200, &self.configuration(base, found)))
            }
            ("POST", ["Configurations", sid, "Archive"]) => {
                read()?;
                let mut store = store;
                let found = store.configurations.iter_mut().find(|one| one.sid.to_string() == **sid);
                let found = found.ok_or_else(missing)?;
                found.archived = true;
                Ok(Reply::json(200, &self.configuration(base, found)))
            }
            ("GET", ["Configurations", sid, "Plugins"]) => {
                let found = store.configuration(sid).ok_or_else(missing)?;
                Page::read(request, &[], MAX_PAGE)?.reply_by_position("plugins", &found.plugins, |chosen| {
                    self.configured(base, &store, found, chosen)
                })
            }
            ("GET", ["Configurations", sid, "Plugins", plugin]) => {
                read()?;
                let found = store.configuration(sid).ok_or_else(missing)?;
                let plugin = store.plugin(plugin).ok_or_else(missing)?.sid;
                let chosen = found.plugins.iter().find(|chosen| chosen.plugin == plugin);
                let chosen = chosen.ok_or_else(missing)?;
                Ok(Reply::json(200, &self.configured(base, &store, found, chosen)))
            }
            ("GET", ["Releases"]) => {
                let rows: Vec<_> = store.releases.iter().rev().collect();
                Page::read(request, &[], MAX_PAGE)?
                    .reply_by_position("releases", &rows, |release| self.release(base, release))
            }
            ("POST", ["Releases"]) => self.create_release(store, request),
            ("GET", ["Releases", which]) => {
                read()?;
                let found = if which.eq_ignore_ascii_case("active") {
                    store.releases.last()
                } else {
                    store.releases.iter().find(|release| release.sid.to_string() == **which)
                };
                Ok(Reply::json(200, &self.release(base, found.ok_or_else(missing)?)))
            }
            _ => Err(ApiError::unknown_path(&request.path)),
        }
    }

    fn create_plugin(
        &self,
        mut store: MutexGuard<'_, PluginStore>,
        request: &Request,
    ) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&["UniqueName", "FriendlyName", "Description", "CliVersion", "ValidateStatus"])?;
        let unique_name = filled(&form, "UniqueName")?;
        if store.plugin(&unique_name).is_some() {
            return Err(taken(format!("a Plugin {unique_name:?} exists")));
        }
        let now = self.clock.now_ms();
        let friendly_name = form.filled("FriendlyName").unwrap_or(&unique_name).to_owned();
        let plugin = Plugin {
            sid: store.draw(Kind::FlexPlugin),
            unique_name,
            friendly_name,
            description: form.one("Description").unwrap_or_default().to_owned(),
            archived: false,
            created: now,
            updated: now,
        };
        let reply = Reply::json(201, &self.plugin(&request.base, &plugin));
        store.plugins.push(plugin);
        Ok(reply)
    }

    fn update_plugin(
        &self,
        mut store: MutexGuard<'_, PluginStore>,
        request: &Request,
        name: &str,
    ) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&["FriendlyName", "Description"])?;
        let plugin = store.plugin_mut(name).ok_or_else(|| ApiError::not_found(&request.path))?;
        for (name, field) in
            [("FriendlyName", &mut plugin.friendly_name), ("Description", &mut plugin.description)]
        {
            if let Some(value) = form.one(name) {
                value.clone_into(field);
            }
        }
        plugin.updated = self.clock.now_ms();
        Ok(Reply::json(200, &self.plugin(&request.base, plugin)))
    }

    fn create_version(
        &self,
        mut store: MutexGuard<'_, PluginStore>,
        request: &Request,
        plugin: &str,
    ) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&["Version", "PluginUrl", "Changelog", "Private", "CliVersion", "ValidateStatus"])?;
        let number = filled(&form, "Version")?;
        let url = filled(&form, "PluginUrl")?;
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(ApiError::invalid("PluginUrl must be an absolute URL"));
        }
        if store.version(plugin, &number).is_some() {
            return Err(taken(format!("the Plugin has a Version {number:?}")));
        }
        let found = store.plugin(plugin).ok_or_else(|| ApiError::not_found(&request.path))?;
        if found.archived {
            return Err(ApiError::invalid("the Plugin is archived"));
        }
        let version = Version {
            plugin: found.sid,
            sid: store.draw(Kind::FlexPluginVersion),
            number,
            url,
            changelog: form.one("Changelog").unwrap_or_default().to_owned(),
            private: form.boolean("Private")?.unwrap_or_default(),
            archived: false,
            created: self.clock.now_ms(),
        };
        let reply = Reply::json(201, &self.version(&request.base, &version));
        store.versions.push(version);
        Ok(reply)
    }

    fn create_configuration(
        &self,
        mut store: MutexGuard<'_, PluginStore>,
        request: &Request,
    ) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&["Name", "Plugins", "Description"])?;
        let mut plugins: Vec<Chosen> = Vec::new();
        for text in form.all("Plugins") {
            let wanted: WantedVersion = serde_json::from_str(text).map_err(|_| {
                ApiError::invalid("each Plugins must be a JSON object with plugin_version and perhaps phase")
            })?;
            let unusable = || ApiError::invalid(format!("{} can't be configured", wanted.plugin_version));
            let version = store.versions.iter().find(|one| one.sid.to_string() == wanted.plugin_version);
            let version = version.filter(|version| !version.archived).ok_or_else(unusable)?;
            if store.plugins.iter().any(|plugin| plugin.sid == version.plugin && plugin.archived) {
                return Err(unusable());
            }
            if plugins.iter().any(|chosen| chosen.plugin == version.plugin) {
                return Err(ApiError::invalid("a Configuration has one Version of a Plugin"));
            }
            let phase = wanted.phase.unwrap_or(USUAL_PHASE);
            plugins.push(Chosen { plugin: version.plugin, version: version.sid, phase });
        }
        let configuration = Configuration {
            sid: store.draw(Kind::FlexPluginConfiguration),
            name: filled(&form, "Name")?,
            description: form.one("Description").unwrap_or_default().to_owned(),
            archived: false,
            plugins,
            created: self.clock.now_ms(),
        };
        let reply = Reply::json(201, &self.configuration(&request.base, &configuration));
        store.configurations.push(configuration);
        Ok(reply)
    }

    fn create_release(
        &self,
        mut store: MutexGuard<'_, PluginStore>,
        request: &Request,
    ) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&["ConfigurationId"])?;
        let wanted = filled(&form, "ConfigurationId")?;
        let found = store.configuration(&wanted).filter(|found| !found.archived);
        let found = found.ok_or_else(|| ApiError::invalid("ConfigurationId names none"))?;
        // "You cannot redeploy any prior release that contains the archived plugin" (Twilio, "Archive Plugins").
        if found.plugins.iter().any(|chosen| store.is_archived(chosen)) {
            return Err(ApiError::invalid("the Configuration has an archived Plugin"));
        }
        let configuration = found.sid;
        let release =
            Release { sid: store.draw(Kind::FlexPluginRelease), configuration, created: self.clock.now_ms() };
        let reply = Reply::json(201, &self.release(&request.base, &release));
        store.releases.push(release);
        Ok(reply)
    }

    fn plugin(&self, base: &str, plugin: &Plugin) -> JsonObject {
        let url = format!("{base}/v1/PluginService/Plugins/{}", plugin.sid);
        object!({
            "sid": plugin.sid,
            "account_sid": self.account,
            "unique_name": plugin.unique_name,
            "friendly_name": plugin.friendly_name,
            "description": plugin.description,
            "archived": plugin.archived,
            "date_created": iso(plugin.created),
            "date_updated": iso(plugin.updated),
            "url": url,
            "links": object!({ "plugin_versions": format!("{url}/Versions") }),
        })
    }

    fn version(&self, base: &str, version: &Version) -> JsonObject {
        let url = format!("{base}/v1/PluginService/Plugins/{}/Versions/{}", version.plugin, version.sid);
        object!({
            "sid": version.sid,
            "plugin_sid": version.plugin,
            "account_sid": self.account,
            "version": version.number,
            "plugin_url": version.url,
            "changelog": version.changelog,
            "private": version.private,
            "archived": version.archived,
            "validated": false,
            "date_created": iso(version.created),
            "url": url,
        })
    }

    fn configuration(&self, base: &str, configuration: &Configuration) -> JsonObject {
        let url = format!("{base}/v1/PluginService/Configurations/{}", configuration.sid);
        object!({
            "sid": configuration.sid,
            "account_sid": self.account,
            "name": configuration.name,
            "description": configuration.description,
            "archived": configuration.archived,
            "date_created": iso(configuration.created),
            "url": url,
            "links": object!({ "plugins": format!("{url}/Plugins") }),
        })
    }

    fn configured(
        &self,
        base: &str,
        store: &PluginStore,
        configuration: &Configuration,
        chosen: &Chosen,
    ) -> JsonObject {
        let plugin = store.plugins.iter().find(|plugin| plugin.sid == chosen.plugin);
        let version = store.versions.iter().find(|version| version.sid == chosen.version);
        let (sid, place) = (configuration.sid, chosen.plugin);
        object!({
            "plugin_sid": chosen.plugin,
            "plugin_version_sid": chosen.version,
            "configuration_sid": sid,
            "account_sid": self.account,
            "phase": chosen.phase,
            "plugin_url": version.map(|version| &version.url),
            "unique_name": plugin.map(|plugin| &plugin.unique_name),
            "friendly_name": plugin.map(|plugin| &plugin.friendly_name),
            "description": plugin.map(|plugin| &plugin.description),
            "plugin_archived": plugin.is_some_and(|plugin| plugin.archived),
            "version": version.map(|version| &version.number),
            "changelog": version.map(|version| &version.changelog),
            "plugin_version_archived": version.is_some_and(|version| version.archived),
            "private": version.is_some_and(|version| version.private),
            "date_created": iso(configuration.created),
            "url": format!("{base}/v1/PluginService/Configurations/{sid}/Plugins/{place}"),
        })
    }

    fn release(&self, base: &str, release: &Release) -> JsonObject {
        object!({
            "sid": release.sid,
            "account_sid": self.account,
            "configuration_sid": release.configuration,
            "date_created": iso(release.created),
            "url": format!("{base}/v1/PluginService/Releases/{}", release.sid),
        })
    }
}

fn filled(form: &Params, name: &str) -> Result<String, ApiError> {
    let missing = || ApiError::invalid(format!("Missing required parameter {name}"));
    form.filled(name).map(str::to_owned).ok_or_else(missing)
}

fn taken(message: String) -> ApiError {
    ApiError::new(409, 20409, message)
}
