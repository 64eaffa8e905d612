//! What the account has: the active Release with its plugins, and the Plugin of our name.

use super::number::{self, VersionNumber};
use super::{FRIENDLY_NAME, UNIQUE_NAME};
use crate::config::Config;
use crate::server::FlexPluginBundle;
use crate::twilio::plugins::{ConfiguredPlugin, Plugin, Release};
use crate::twilio::{Apis, TwilioError};

/// The name under which Twilio's own builder releases the same plugin (docs/flex-plugin.md).
const BUILDERS_NAME: &str = "plugin-taskrouter-sync";

/// What `setup --flex-plugin` and `doctor` judge by.
pub(in crate::cli) struct FlexAccount {
    pub(super) release: Option<Release>,
    /// The plugins of the active Release's Configuration.
    pub(super) active: Vec<ConfiguredPlugin>,
    /// The account's Plugin of our name, released or not.
    pub(super) plugin: Option<Plugin>,
    /// What this program carries.
    pub(in crate::cli) bundle: Option<FlexPluginBundle>,
    /// The number under which the bundle's URL can be released; `None` without a bundle, or where none is left.
    pub(super) number: Option<VersionNumber>,
}

impl FlexAccount {
    pub(in crate::cli) async fn read(config: &Config, apis: &Apis) -> Result<Self, TwilioError> {
        let plugins = &apis.plugins;
        let release = plugins.active().await?;
        let active = match &release {
            Some(release) => plugins.configured(&release.configuration_sid).await?,
            None => Vec::new(),
        };
        let plugin = plugins.plugin(UNIQUE_NAME).await?;
        let bundle = FlexPluginBundle::built(&config.server.public_url);
        let number = match &bundle {
            Some(bundle) => {
                number::choose(plugins, plugin.as_ref().map(|plugin| &*plugin.sid), &bundle.url).await?
            }
            None => None,
        };
        Ok(Self { release, active, plugin, bundle, number })
    }

    /// Our plugin in the active Release, by its name alone.
    pub(super) fn ours(&self) -> Option<&ConfiguredPlugin> {
        self.active.iter().find(|plugin| is_ours(plugin))
    }

    pub(super) fn builders_copy(&self) -> Option<&ConfiguredPlugin> {
        self.active.iter().find(|plugin| is_builders_copy(plugin))
    }

    /// Whether the active Release has this program's own bundle.
    pub(in crate::cli) fn has_bundle(&self) -> bool {
        let bundle = self.bundle.as_ref().map(|bundle| bundle.url.as_str());
        bundle.is_some() && self.ours().is_some_and(|ours| ours.plugin_url.as_deref() == bundle)
    }

    /// Our plugin in the active Release, where another program registered it.
    pub(super) fn foreign(&self) -> Option<&ConfiguredPlugin> {
        self.ours().filter(|ours| !self.has_bundle() && !is_registered_by_us(ours))
    }

    /// Name, number and URL of the builder's copy in the active Release.
    pub(in crate::cli) fn released_copy(&self) -> Option<String> {
        self.builders_copy().map(line)
    }

    pub(in crate::cli) fn released(&self) -> Option<Released> {
        let ours = self.ours()?;
        Some(Released {
            line: line(ours),
            url: ours.plugin_url.clone().unwrap_or_default(),
            is_foreign: self.foreign().is_some(),
        })
    }
}

/// Our plugin as the active Release has it.
#[derive(Debug)]
pub(in crate::cli) struct Released {
    /// Name, number and URL.
    pub(in crate::cli) line: String,
    pub(in crate::cli) url: String,
    pub(in crate::cli) is_foreign: bool,
}

/// A text that others wrote: a terminal would obey what controls it.
pub(super) fn text(text: Option<&String>) -> String {
    let shown = |text: &String| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    text.map_or_else(|| "?".to_owned(), shown)
}

/// A plugin's line: name, number, and where it is loaded from.
pub(super) fn line(plugin: &ConfiguredPlugin) -> String {
    let [name, number, url] = [&plugin.unique_name, &plugin.version, &plugin.plugin_url];
    format!("{} {} ({})", text(name.as_ref()), text(number.as_ref()), text(url.as_ref()))
}

/// The Version's SID and phase of a plugin that stays as it is, or why it can't.
pub(super) fn kept(plugin: &ConfiguredPlugin) -> Result<(String, i64), String> {
    let name = line(plugin);
    match (&plugin.plugin_version_sid, plugin.phase) {
        (Some(sid), Some(phase)) => Ok((sid.clone(), phase)),
        _ => Err(format!("Twilio's answer has no Version SID or phase for {name}")),
    }
}

/// Whether a configured plugin has our name.
pub(super) fn is_ours(plugin: &ConfiguredPlugin) -> bool {
    plugin.unique_name.as_deref() == Some(UNIQUE_NAME)
}

/// Whether it is the same plugin, as Twilio's own builder released it.
pub(super) fn is_builders_copy(plugin: &ConfiguredPlugin) -> bool {
    plugin.unique_name.as_deref() == Some(BUILDERS_NAME)
}

/// Whether a plugin of our name is as `setup` registers it, by any version and for any host.
pub(super) fn is_registered_by_us(plugin: &ConfiguredPlugin) -> bool {
    plugin.friendly_name.as_deref() == Some(FRIENDLY_NAME)
        && plugin.plugin_url.as_deref().is_some_and(FlexPluginBundle::has_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin() -> ConfiguredPlugin {
        ConfiguredPlugin {
            unique_name: Some("crm".to_owned()),
            friendly_name: Some("CRM".to_owned()),
            plugin_version_sid: Some("FV1".to_owned()),
            version: Some("1.0.0".to_owned()),
            phase: Some(1),
            plugin_url: None,
            plugin_archived: false,
            plugin_version_archived: false,
        }
    }

    #[test]
    fn nothing_that_others_wrote_controls_the_terminal() {
        let url = Some("https://other.example/p.js?\u{1b}[31m\nReleased: fake".to_owned());
        let shown = line(&ConfiguredPlugin { plugin_url: url, ..plugin() });
        assert_eq!(shown, "crm 1.0.0 (https://other.example/p.js?\u{fffd}[31m\u{fffd}Released: fake)");
    }

    #[test]
    fn another_plugin_is_kept_as_it_is_or_refused_by_name() {
        assert_eq!(kept(&plugin()), Ok(("FV1".to_owned(), 1)));
        for odd in [
            ConfiguredPlugin { phase: None, ..plugin() },
            ConfiguredPlugin { plugin_version_sid: None, ..plugin() },
        ] {
            assert!(kept(&odd).unwrap_err().contains("crm 1.0.0"), "{odd:?}");
        }
    }

    #[test]
    fn a_plugin_of_our_name_is_ours_by_its_title_and_address_on_any_host() {
        let with = |friendly: &str, url: &str| ConfiguredPlugin {
            unique_name: Some(UNIQUE_NAME.to_owned()),
            friendly_name: Some(friendly.to_owned()),
            plugin_url: Some(url.to_owned()),
            ..plugin()
        };
        let own = "https://old.example/stats/flex-plugin/0.1.0/taskrouter-sync-a1B2.js";
        assert!(is_registered_by_us(&with(FRIENDLY_NAME, own)));
        assert!(!is_registered_by_us(&with("taskrouter-sync", own)));
        let other = "https://example.twil.io/plugins/taskrouter-sync/0.1.0/bundle.js";
        assert!(!is_registered_by_us(&with(FRIENDLY_NAME, other)));
    }
}
