//! `setup --flex-plugin`: releases the Flex plugin that the service carries, or takes it back.
//!
//! The new Configuration is the active one with our plugin changed and every other plugin as it was. If one can't be
//! carried over unchanged, the command refuses and changes nothing.

use std::io::{BufRead, IsTerminal, Write};

use sha2::{Digest, Sha256};

use super::CommandError;
use super::by_hand::{curl, fetched};
use super::output::print;
use crate::VERSION;
use crate::config::Config;
use crate::server::FlexPluginBundle;
use crate::twilio::plugins::{ConfiguredPlugin, Plugins, Release};
use crate::twilio::{Apis, Next, TwilioError};

/// The plugin's unique name in the account.
pub(super) const UNIQUE_NAME: &str = "taskrouter-sync";
const FRIENDLY_NAME: &str = "TaskRouter Sync";
const DESCRIPTION: &str = "Realtime boards, dialpad and call-quality alerts of the service taskrouter-sync";
/// The phase in which Flex loads the plugin, as the Flex CLI sets it: after Flex has rendered.
const PHASE: i64 = 3;
/// Flex at Twilio's own address.
const FLEX_ORIGIN: &str = "https://flex.twilio.com";

/// The active Release, and the plugins of its Configuration.
struct Active {
    release: Option<Release>,
    plugins: Vec<ConfiguredPlugin>,
}

/// A plugin's line: name, number, and where it is loaded from. Others wrote them: a terminal would obey what controls it.
fn line(plugin: &ConfiguredPlugin) -> String {
    let shown = |text: &String| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let part = |part: &Option<String>| part.as_ref().map_or_else(|| "?".to_owned(), shown);
    format!("{} {} ({})", part(&plugin.unique_name), part(&plugin.version), part(&plugin.plugin_url))
}

/// The Version's SID and phase of a plugin that stays as it is, or why it can't.
fn kept(plugin: &ConfiguredPlugin) -> Result<(String, i64), String> {
    let name = line(plugin);
    if plugin.plugin_archived || plugin.plugin_version_archived {
        return Err(format!("{name} is archived, and an archived plugin can't be configured again"));
    }
    match (&plugin.plugin_version_sid, plugin.phase) {
        (Some(sid), Some(phase)) => Ok((sid.clone(), phase)),
        _ => Err(format!("Twilio's answer has no Version SID or phase for {name}")),
    }
}

/// Whether a configured plugin is ours.
pub(super) fn is_ours(plugin: &ConfiguredPlugin) -> bool {
    plugin.unique_name.as_deref() == Some(UNIQUE_NAME)
}

/// Carries out `setup --flex-plugin`, with or without `--remove`.
pub(super) async fn run(config: &Config, apis: &Apis, removes: bool, yes: bool) -> Result<(), CommandError> {
    let plugins = &apis.plugins;
    let active = read(plugins).await?;
    match &active.release {
        Some(release) => {
            print(format!("Active: Release {} of Configuration {}", release.sid, release.configuration_sid));
        }
        None => print("Active: no Release yet"),
    }
    for plugin in &active.plugins {
        print(format!("  {}", line(plugin)));
    }
    if active.plugins.iter().filter(|plugin| is_ours(plugin)).count() > 1 {
        return Err(refused(&["the active Configuration has our plugin twice".to_owned()]));
    }
    let others: Vec<_> = active.plugins.iter().filter(|plugin| !is_ours(plugin)).collect();
    let (mut versions, mut problems) = (Vec::new(), Vec::new());
    for plugin in others {
        match kept(plugin) {
            Ok(version) => versions.push(version),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(refused(&problems));
    }
    let ours = active.plugins.iter().find(|plugin| is_ours(plugin));
    if removes {
        remove(apis, config, &active, ours, versions, yes).await
    } else {
        install(apis, config, &active, ours, versions, yes).await
    }
}

async fn install(
    apis: &Apis,
    config: &Config,
    active: &Active,
    ours: Option<&ConfiguredPlugin>,
    mut versions: Vec<(String, i64)>,
    yes: bool,
) -> Result<(), CommandError> {
    let public_url = &config.server.public_url;
    let bundle = FlexPluginBundle::built(public_url).ok_or_else(|| {
        CommandError::Failed(
            "this program carries no Flex plugin: run `make web` and build it again".to_owned(),
        )
    })?;
    warn_of_origins(config);
    if ours.is_some_and(|ours| ours.plugin_url.as_deref() == Some(bundle.url.as_str())) {
        print(format!("Already released: {UNIQUE_NAME} {VERSION}; nothing to do"));
        return Ok(());
    }
    let what = match ours {
        Some(ours) => format!("{} becomes {UNIQUE_NAME} {VERSION} ({})", line(ours), bundle.url),
        None => format!("{UNIQUE_NAME} {VERSION} ({}) is added", bundle.url),
    };
    warn_of_bundle(&bundle.url).await;
    confirm(&what, versions.len(), yes)?;
    let plugin = match apis.plugins.plugin(UNIQUE_NAME).await.map_err(failed)? {
        Some(plugin) if plugin.archived => {
            return Err(refused(&[format!("the Plugin {UNIQUE_NAME} is archived")]));
        }
        Some(plugin) => plugin,
        None => {
            let made = apis.plugins.create_plugin(UNIQUE_NAME, FRIENDLY_NAME, DESCRIPTION).await;
            made.map_err(failed)?
        }
    };
    let version = version(&apis.plugins, &plugin.sid, &bundle.url).await?;
    versions.push((version, ours.and_then(|ours| ours.phase).unwrap_or(PHASE)));
    release(apis, config, active, &format!("{UNIQUE_NAME} {VERSION}"), &versions).await
}

async fn remove(
    apis: &Apis,
    config: &Config,
    active: &Active,
    ours: Option<&ConfiguredPlugin>,
    versions: Vec<(String, i64)>,
    yes: bool,
) -> Result<(), CommandError> {
    let Some(ours) = ours else {
        print(format!("{UNIQUE_NAME} is not released; nothing to do"));
        return Ok(());
    };
    confirm(&format!("{} is taken out", line(ours)), versions.len(), yes)?;
    release(apis, config, active, &format!("without {UNIQUE_NAME}"), &versions).await
}

/// Makes the Configuration and releases it, unless another Release came meanwhile.
async fn release(
    apis: &Apis,
    config: &Config,
    active: &Active,
    name: &str,
    versions: &[(String, i64)],
) -> Result<(), CommandError> {
    let plugins = &apis.plugins;
    let text = format!("Made by taskrouter-sync {VERSION}");
    let configuration = plugins.create_configuration(name, &text, versions).await.map_err(failed)?;
    let now = plugins.active().await.map_err(failed)?;
    if now != active.release {
        return Err(refused(&["another Release was made meanwhile; repeat the command".to_owned()]));
    }
    let released = plugins.release(&configuration.sid).await.map_err(failed)?;
    print(format!("Released: {} of Configuration {}", released.sid, configuration.sid));
    print("Agents have it once they load Flex again.");
    print("To go back:");
    match &active.release {
        Some(release) => {
            let (configuration, flex) = (&release.configuration_sid, &config.core.twilio.base_urls.flex);
            let rest = format!("-d ConfigurationId={configuration} {flex}/v1/PluginService/Releases");
            print(format!("  {}", curl(config, &rest)));
        }
        None => print("  taskrouter-sync setup --flex-plugin --remove"),
    }
    Ok(())
}

async fn read(plugins: &Plugins) -> Result<Active, CommandError> {
    let release = plugins.active().await.map_err(failed)?;
    let plugins = match &release {
        Some(release) => plugins.configured(&release.configuration_sid).await.map_err(failed)?,
        None => Vec::new(),
    };
    Ok(Active { release, plugins })
}

/// The SID of a Version with our URL. A Version can't be changed, so where this number names another URL (another
/// PUBLIC_URL, or a rebuilt program) the number says which.
async fn version(plugins: &Plugins, plugin: &str, url: &str) -> Result<String, CommandError> {
    let digest = Sha256::digest(url);
    let mark: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    for number in [VERSION.to_owned(), format!("{VERSION}-{mark}")] {
        match plugins.version(plugin, &number).await.map_err(failed)? {
            Some(known) if known.plugin_url.as_deref() == Some(url) && !known.archived => {
                return Ok(known.sid);
            }
            Some(_) => {}
            None => {
                let made = plugins.create_version(plugin, &number, url).await.map_err(failed)?;
                return Ok(made.sid);
            }
        }
    }
    Err(refused(&[format!("the Versions {VERSION} and {VERSION}-{mark} have other URLs, or are archived")]))
}

/// Prints the change and asks for confirmation.
fn confirm(what: &str, others: usize, yes: bool) -> Result<(), CommandError> {
    print(format!("Change: {what}; {others} other plugins stay as they are"));
    if yes {
        return Ok(());
    }
    let nothing = || CommandError::Failed("nothing was changed; --yes releases it without asking".to_owned());
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(nothing());
    }
    let _ = write!(std::io::stdout(), "Release it for all agents? [y/N] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = input.lock().read_line(&mut answer);
    let agreed = read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if agreed { Ok(()) } else { Err(nothing()) }
}

/// Agents whose Flex gets no answer there have no plugin. From here it may fail where they succeed, so it is no refusal.
async fn warn_of_bundle(url: &str) {
    let problem = match fetched(url).await {
        Ok((200, _)) => return,
        Ok((status, _)) => format!("answers with status {status}"),
        Err(reason) => format!("does not answer from here: {reason}"),
    };
    print(format!(
        "Warning: {url} {problem}; start this version of the service before agents load Flex again"
    ));
}

fn warn_of_origins(config: &Config) {
    if config.sockets.origins.is_empty() {
        print(format!(
            "Warning: ALLOWED_ORIGINS is not set, so the plugin gets no data; set it to {FLEX_ORIGIN}"
        ));
    }
    if !config.server.public_url.is_https() {
        print("Warning: PUBLIC_URL is not https, and Flex's pages load https only");
    }
}

fn refused(problems: &[String]) -> CommandError {
    CommandError::Failed(format!("refused, and nothing was released:\n  {}", problems.join("\n  ")))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err wants it")]
fn failed(error: TwilioError) -> CommandError {
    let hint = match error.next() {
        _ if error.is_bad_credentials() => {
            ". Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET"
        }
        Next::Retry(_) => ". Repeat the command; it goes on where it ended",
        _ => "",
    };
    CommandError::Failed(format!("Flex's Plugins API: {error}{hint}"))
}

/// Our plugin as the active Release has it.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) version: String,
    pub(super) url: String,
}

/// Our plugin in the active Release.
pub(super) async fn released(plugins: &Plugins) -> Result<Option<Released>, TwilioError> {
    let Some(release) = plugins.active().await? else { return Ok(None) };
    let configured = plugins.configured(&release.configuration_sid).await?;
    let ours = configured.into_iter().find(is_ours);
    Ok(ours.map(|ours| Released {
        version: ours.version.unwrap_or_default(),
        url: ours.plugin_url.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin() -> ConfiguredPlugin {
        ConfiguredPlugin {
            unique_name: Some("crm".to_owned()),
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
}
