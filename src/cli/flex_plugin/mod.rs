//! `setup --flex-plugin`: releases the Flex plugin that the service carries, or takes it back.
//!
//! The new Configuration is the active one with our plugin changed and every other plugin as it was. If one can't be
//! carried over unchanged, the command refuses and changes nothing.

mod active;
mod failure;
mod number;
mod origins;

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::CommandError;
use super::by_hand::{curl, fetched};
use super::output::print;
use crate::VERSION;
use crate::config::Config;
use crate::server::FlexPluginBundle;
use crate::twilio::plugins::{ConfiguredPlugin, Plugin};
use crate::twilio::{Apis, TwilioError};
use active::{Active, is_ours, kept, line, text};
pub(super) use active::{Released, released};
use failure::{failed, refused};
pub(super) use failure::{not_twilio, reach};
pub(super) use origins::{FLEX_ORIGIN, Origins};

/// The plugin's unique name in the account.
const UNIQUE_NAME: &str = "taskrouter-sync";
const FRIENDLY_NAME: &str = "TaskRouter Sync";
const DESCRIPTION: &str = "Realtime boards, dialpad and call-quality alerts of the service taskrouter-sync";
/// The phase in which Flex loads the plugin, as the Flex CLI sets it: after Flex has rendered.
const PHASE: i64 = 3;

#[derive(Debug, Args)]
pub(super) struct FlexPluginOptions {
    /// Release the Flex plugin that this program carries, and leave every other plugin as it is; does nothing else
    #[arg(long = "flex-plugin", conflicts_with_all = ["event_callback_url", "protect_sync"])]
    pub(super) wanted: bool,
    /// Take the Flex plugin out instead
    #[arg(long, requires = "wanted")]
    remove: bool,
    /// Release it without asking
    #[arg(long, requires = "wanted")]
    yes: bool,
    /// Leave archived plugins of the active Configuration out: Flex enables none again
    #[arg(long, requires = "wanted")]
    drop_archived: bool,
    /// Replace, or with --remove take out, a plugin named taskrouter-sync that this program did not register
    #[arg(long, requires = "wanted")]
    take_over: bool,
}

/// What the next Configuration keeps of the active one.
struct KeptPlugins {
    versions: Vec<(String, i64)>,
    /// Lines of the archived plugins that are left out.
    dropped: Vec<String>,
}

struct PluginSetup<'c> {
    apis: &'c Apis,
    config: &'c Config,
    options: &'c FlexPluginOptions,
    active: Active,
}

/// Carries out `setup --flex-plugin`, with or without `--remove`.
pub(super) async fn run(
    config: &Config,
    apis: &Apis,
    options: &FlexPluginOptions,
) -> Result<(), CommandError> {
    let active = Active::read(&apis.plugins).await.map_err(|error| failed(config, error))?;
    match &active.release {
        Some(release) => {
            print(format!("Active: Release {} of Configuration {}", release.sid, release.configuration_sid));
        }
        None => print("Active: no Release yet"),
    }
    for plugin in &active.plugins {
        print(format!("  {}{}", line(plugin), if plugin.is_archived() { ", archived" } else { "" }));
    }
    if active.plugins.iter().filter(|plugin| is_ours(plugin)).count() > 1 {
        return Err(refused(&["the active Configuration has our plugin twice".to_owned()]));
    }
    let command = PluginSetup { apis, config, options, active };
    if options.remove { command.remove().await } else { command.install().await }
}

impl PluginSetup<'_> {
    fn ours(&self) -> Option<&ConfiguredPlugin> {
        self.active.plugins.iter().find(|plugin| is_ours(plugin))
    }

    async fn install(&self) -> Result<(), CommandError> {
        let ours = self.ours();
        let bundle = FlexPluginBundle::built(&self.config.server.public_url).ok_or_else(|| {
            CommandError::Failed(
                "this program carries no Flex plugin: run `make web` and build it again".to_owned(),
            )
        })?;
        if !self.config.server.public_url.is_https() {
            print("Warning: PUBLIC_URL is not https, and Flex's pages load https only");
        }
        match Origins::of(self.config) {
            Origins::Missing => return Err(refused(&[format!("{}; {}", Origins::MISSING, Origins::MEND)])),
            Origins::Elsewhere(found) => print(format!("Warning: {found}; {}", Origins::MEND_ELSEWHERE)),
            Origins::Flex(_) => {}
        }
        if let Some(ours) = ours.filter(|ours| ours.plugin_url.as_deref() == Some(bundle.url.as_str())) {
            print(format!("Already released: {}; nothing to do", line(ours)));
            warn_of_bundle(&bundle.url).await;
            return Ok(());
        }
        let KeptPlugins { mut versions, dropped } = self.kept()?;
        let plugin = self.apis.plugins.plugin(UNIQUE_NAME).await.map_err(|error| self.failed(error))?;
        if plugin.as_ref().is_some_and(|plugin| plugin.archived) {
            return Err(refused(&[format!(
                "the Plugin {UNIQUE_NAME} of this account is archived, which Twilio can't undo; release the plugin under \
                 another name with Twilio's own builder (docs/flex-plugin.md)"
            )]));
        }
        let is_foreign = self.check_owner(plugin.as_ref())?;
        let number =
            number::choose(&self.apis.plugins, plugin.as_ref().map(|plugin| &*plugin.sid), &bundle.url).await;
        let number = number.map_err(|error| self.failed(error))?.ok_or_else(number::none_is_left)?;
        let name = format!("{UNIQUE_NAME} {}", number.name);
        let what = match ours {
            Some(ours) => format!("{} becomes {name} ({})", line(ours), bundle.url),
            None => format!("{name} ({}) is added", bundle.url),
        };
        warn_of_bundle(&bundle.url).await;
        self.confirm(&what, versions.len(), &dropped)?;
        let plugin = self.registered(plugin, is_foreign).await.map_err(|error| self.failed(error))?;
        let version = match number.sid {
            Some(sid) => sid,
            None => {
                let made = self.apis.plugins.create_version(&plugin, &number.name, &bundle.url).await;
                made.map_err(|error| self.failed(error))?.sid
            }
        };
        versions.push((version, ours.and_then(|ours| ours.phase).unwrap_or(PHASE)));
        self.release(&name, &versions, &dropped).await
    }

    async fn remove(&self) -> Result<(), CommandError> {
        let Some(ours) = self.ours() else {
            print(format!("{UNIQUE_NAME} is not released; nothing to do"));
            return Ok(());
        };
        let KeptPlugins { versions, dropped } = self.kept()?;
        self.check_owner(None)?;
        self.confirm(&format!("{} is taken out", line(ours)), versions.len(), &dropped)?;
        self.release(&format!("without {UNIQUE_NAME}"), &versions, &dropped).await
    }

    /// What stays of the others. Flex enables no archived plugin again, so the operator decides about those.
    fn kept(&self) -> Result<KeptPlugins, CommandError> {
        let (mut versions, mut dropped, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let mut has_archived = false;
        for plugin in self.active.plugins.iter().filter(|plugin| !is_ours(plugin)) {
            if plugin.is_archived() && self.options.drop_archived {
                dropped.push(line(plugin));
                continue;
            }
            has_archived |= plugin.is_archived();
            match kept(plugin) {
                Ok(version) => versions.push(version),
                Err(problem) => problems.push(problem),
            }
        }
        if has_archived {
            let remove = if self.options.remove { " --remove" } else { "" };
            problems.push(format!(
                "to leave archived plugins out, from which there is no way back: taskrouter-sync setup --flex-plugin{remove} \
                 --drop-archived"
            ));
        }
        if problems.is_empty() { Ok(KeptPlugins { versions, dropped }) } else { Err(refused(&problems)) }
    }

    /// Whether a plugin of our name is another's; `--yes` alone never replaces it.
    fn check_owner(&self, plugin: Option<&Plugin>) -> Result<bool, CommandError> {
        let is_named_otherwise =
            plugin.is_some_and(|plugin| plugin.friendly_name.as_deref() != Some(FRIENDLY_NAME));
        let foreign = match (self.ours().filter(|ours| !active::is_registered_by_us(ours)), plugin) {
            (Some(configured), _) => {
                format!("{}, shown as {:?},", line(configured), text(configured.friendly_name.as_ref()))
            }
            (None, Some(plugin)) if is_named_otherwise => {
                format!("the Plugin {UNIQUE_NAME}, shown as {:?},", text(plugin.friendly_name.as_ref()))
            }
            (None, _) => return Ok(false),
        };
        let found = format!("{foreign} was not registered by this program");
        if self.options.yes && !self.options.take_over {
            return Err(refused(&[format!("{found}; if it is to give way, add --take-over to the command")]));
        }
        print(format!("Warning: {found}"));
        Ok(true)
    }

    /// The SID of our Plugin, made or taken over where needed.
    async fn registered(&self, plugin: Option<Plugin>, is_foreign: bool) -> Result<String, TwilioError> {
        let plugins = &self.apis.plugins;
        match plugin {
            Some(plugin) if is_foreign => {
                Ok(plugins.rename_plugin(&plugin.sid, FRIENDLY_NAME, DESCRIPTION).await?.sid)
            }
            Some(plugin) => Ok(plugin.sid),
            None => Ok(plugins.create_plugin(UNIQUE_NAME, FRIENDLY_NAME, DESCRIPTION).await?.sid),
        }
    }

    /// Makes the Configuration and releases it, unless another Release came meanwhile.
    async fn release(
        &self,
        name: &str,
        versions: &[(String, i64)],
        dropped: &[String],
    ) -> Result<(), CommandError> {
        let plugins = &self.apis.plugins;
        let description = format!("Made by taskrouter-sync {VERSION}");
        let configuration = plugins.create_configuration(name, &description, versions).await;
        let configuration = configuration.map_err(|error| self.failed(error))?;
        let now = plugins.active().await.map_err(|error| self.failed(error))?;
        if now != self.active.release {
            return Err(refused(&["another Release was made meanwhile; repeat the command".to_owned()]));
        }
        let released = plugins.release(&configuration.sid).await.map_err(|error| self.failed(error))?;
        print(format!("Released: {} of Configuration {}", released.sid, configuration.sid));
        let verb = if self.options.remove { "lose" } else { "have" };
        print(format!("Agents {verb} it once they load Flex again."));
        self.print_way_back(dropped).await;
        Ok(())
    }

    async fn print_way_back(&self, dropped: &[String]) {
        let Some(release) = &self.active.release else {
            print("To go back:\n  taskrouter-sync setup --flex-plugin --remove");
            return;
        };
        let before = &release.configuration_sid;
        if self.leaves_archived_out(dropped) {
            // `confirm` has said so.
            return;
        }
        let archived = match self.apis.plugins.configuration(before).await {
            Ok(Some(configuration)) => configuration.archived,
            Ok(None) => true,
            // The command shows it.
            Err(_) => false,
        };
        if archived {
            print(format!(
                "There is no way back: Configuration {before} is archived, and Flex releases none such again."
            ));
            return;
        }
        let flex = &self.config.core.twilio.base_urls.flex;
        let rest = format!("-d ConfigurationId={before} {flex}/v1/PluginService/Releases");
        print(format!("To go back:\n  {}", curl(self.config, &rest)));
    }

    /// Whether the active Configuration has an archived plugin, so that Flex would not release it again.
    fn leaves_archived_out(&self, dropped: &[String]) -> bool {
        !dropped.is_empty() || self.ours().is_some_and(ConfiguredPlugin::is_archived)
    }

    /// Prints the change and asks for confirmation.
    fn confirm(&self, what: &str, others: usize, dropped: &[String]) -> Result<(), CommandError> {
        let others = match others {
            0 => "there is no other plugin".to_owned(),
            1 => "1 other plugin stays as it is".to_owned(),
            others => format!("{others} other plugins stay as they are"),
        };
        let dropped_lines: String =
            dropped.iter().map(|plugin| format!("; {plugin} is archived and left out")).collect();
        print(format!("Change: {what}; {others}{dropped_lines}"));
        if let Some(release) = self.active.release.as_ref().filter(|_| self.leaves_archived_out(dropped)) {
            print(format!(
                "There is no way back: Configuration {} has an archived plugin, and Flex releases none such again.",
                release.configuration_sid
            ));
        }
        if self.options.yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(CommandError::Failed(
                "nothing was changed; --yes changes it without asking".to_owned(),
            ));
        }
        let question = if self.options.remove { "Take it out" } else { "Release it" };
        let _ = write!(std::io::stdout(), "{question} for all agents? [y/N] ");
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let read = input.lock().read_line(&mut answer);
        let agreed = read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        if agreed { Ok(()) } else { Err(CommandError::Failed("nothing was changed".to_owned())) }
    }

    fn failed(&self, error: TwilioError) -> CommandError {
        failed(self.config, error)
    }
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
