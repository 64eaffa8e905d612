//! Plugins, Configurations and Releases, in the order of creation.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::sid::{Kind, Sid};

#[derive(Debug)]
pub(super) struct PluginStore {
    ids: StdRng,
    pub(super) plugins: Vec<Plugin>,
    pub(super) versions: Vec<Version>,
    pub(super) configurations: Vec<Configuration>,
    /// The Releases; the last one is active.
    pub(super) releases: Vec<Release>,
}

#[derive(Debug)]
pub(super) struct Plugin {
    pub(super) sid: Sid,
    pub(super) unique_name: String,
    pub(super) friendly_name: String,
    pub(super) description: String,
    pub(super) archived: bool,
    pub(super) created: i64,
    pub(super) updated: i64,
}

#[derive(Debug)]
pub(super) struct Version {
    pub(super) sid: Sid,
    pub(super) plugin: Sid,
    pub(super) number: String,
    pub(super) url: String,
    pub(super) changelog: String,
    pub(super) private: bool,
    pub(super) archived: bool,
    pub(super) created: i64,
}

#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) sid: Sid,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) archived: bool,
    pub(super) plugins: Vec<Chosen>,
    pub(super) created: i64,
}

/// A Plugin's Version in a Configuration.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) plugin: Sid,
    pub(super) version: Sid,
    pub(super) phase: i64,
}

#[derive(Debug)]
pub(super) struct Release {
    pub(super) sid: Sid,
    pub(super) configuration: Sid,
    pub(super) created: i64,
}

impl PluginStore {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            ids: StdRng::seed_from_u64(seed ^ 0xf1e),
            plugins: Vec::new(),
            versions: Vec::new(),
            configurations: Vec::new(),
            releases: Vec::new(),
        }
    }

    pub(super) fn draw(&mut self, kind: Kind) -> Sid {
        Sid::draw(kind, &mut self.ids)
    }

    /// Finds a Plugin by SID or unique name.
    pub(super) fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.is_named(name))
    }

    pub(super) fn plugin_mut(&mut self, name: &str) -> Option<&mut Plugin> {
        self.plugins.iter_mut().find(|plugin| plugin.is_named(name))
    }

    /// Finds a Version by SID or number.
    pub(super) fn version(&self, plugin: &str, name: &str) -> Option<&Version> {
        let plugin = self.plugin(plugin)?.sid;
        let mut own = self.versions.iter().filter(|version| version.plugin == plugin);
        own.find(|version| version.number == name || version.sid.to_string() == name)
    }

    /// Whether this Version, or its Plugin, is archived.
    pub(super) fn is_archived(&self, chosen: &Chosen) -> bool {
        self.plugins.iter().any(|plugin| plugin.sid == chosen.plugin && plugin.archived)
            || self.versions.iter().any(|version| version.sid == chosen.version && version.archived)
    }

    pub(super) fn configuration(&self, sid: &str) -> Option<&Configuration> {
        self.configurations.iter().find(|configuration| configuration.sid.to_string() == sid)
    }
}

impl Plugin {
    fn is_named(&self, name: &str) -> bool {
        self.unique_name == name || self.sid.to_string() == name
    }
}
