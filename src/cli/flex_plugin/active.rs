//! What is active in the account, and which of its plugins is ours.

use super::{FRIENDLY_NAME, UNIQUE_NAME};
use crate::server::FlexPluginBundle;
use crate::twilio::TwilioError;
use crate::twilio::plugins::{ConfiguredPlugin, Plugins, Release};

/// The active Release, and the plugins of its Configuration.
pub(super) struct Active {
    pub(super) release: Option<Release>,
    pub(super) plugins: Vec<ConfiguredPlugin>,
}

impl Active {
    pub(super) async fn read(plugins: &Plugins) -> Result<Self, TwilioError> {
        let release = plugins.active().await?;
        let plugins = match &release {
            Some(release) => plugins.configured(&release.configuration_sid).await?,
            None => Vec::new(),
        };
        Ok(Self { release, plugins })
    }
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
    if plugin.is_archived() {
        return Err(format!("{name} is archived, and Flex enables no archived plugin again"));
    }
    match (&plugin.plugin_version_sid, plugin.phase) {
        (Some(sid), Some(phase)) => Ok((sid.clone(), phase)),
        _ => Err(format!("Twilio's answer has no Version SID or phase for {name}")),
    }
}

/// Whether a configured plugin has our name.
pub(super) fn is_ours(plugin: &ConfiguredPlugin) -> bool {
    plugin.unique_name.as_deref() == Some(UNIQUE_NAME)
}

/// Whether a plugin of our name is as `setup` registers it, by any version and for any host.
pub(super) fn is_registered_by_us(plugin: &ConfiguredPlugin) -> bool {
    plugin.friendly_name.as_deref() == Some(FRIENDLY_NAME)
        && plugin.plugin_url.as_deref().is_some_and(FlexPluginBundle::has_url)
}

/// Our plugin as the active Release has it.
#[derive(Debug)]
pub(in crate::cli) struct Released {
    /// Name, number and URL.
    pub(in crate::cli) line: String,
    pub(in crate::cli) url: String,
    pub(in crate::cli) is_foreign: bool,
}

/// Our plugin in the active Release.
pub(in crate::cli) async fn released(plugins: &Plugins) -> Result<Option<Released>, TwilioError> {
    let active = Active::read(plugins).await?;
    let ours = active.plugins.into_iter().find(is_ours);
    Ok(ours.map(|ours| Released {
        line: line(&ours),
        is_foreign: !is_registered_by_us(&ours),
        url: ours.plugin_url.unwrap_or_default(),
    }))
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
            ConfiguredPlugin { plugin_archived: true, ..plugin() },
            ConfiguredPlugin { plugin_version_archived: true, ..plugin() },
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
