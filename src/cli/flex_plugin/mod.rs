//! `setup --flex-plugin`: releases the Flex plugin that the service carries, or takes it back.
//!
//! The new Configuration is the active one with our plugin changed and every other plugin as it was. If one can't be
//! carried over unchanged, the command refuses and changes nothing: `obstacles` decides that.

mod active;
mod failure;
mod number;
mod obstacles;
mod origins;

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::CommandError;
use super::by_hand::{curl, fetched};
use super::output::print;
use crate::VERSION;
use crate::config::Config;
use crate::twilio::plugins::ConfiguredPlugin;
use crate::twilio::{Apis, TwilioError};
pub(super) use active::{FlexAccount, Released};
use active::{is_builders_copy, is_ours, kept, line};
use failure::{failed, refused};
pub(super) use failure::{not_twilio, reach};
use obstacles::foreign;
pub(super) use obstacles::{NOT_BUILT, Obstacles, Permission, obstacles};
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
    /// Replace, or with --remove take out, a plugin named taskrouter-sync that this program did not register; replace the
    /// same plugin as Twilio's own builder released it
    #[arg(long, requires = "wanted")]
    take_over: bool,
}

impl FlexPluginOptions {
    fn permission(&self) -> Permission {
        Permission {
            removes: self.remove,
            yes: self.yes,
            drop_archived: self.drop_archived,
            take_over: self.take_over,
        }
    }
}

struct PluginSetup<'c> {
    apis: &'c Apis,
    config: &'c Config,
    options: &'c FlexPluginOptions,
    account: FlexAccount,
}

/// Carries out `setup --flex-plugin`, with or without `--remove`.
pub(super) async fn run(
    config: &Config,
    apis: &Apis,
    options: &FlexPluginOptions,
) -> Result<(), CommandError> {
    let account = FlexAccount::read(config, apis).await.map_err(|error| failed(config, error))?;
    match &account.release {
        Some(release) => {
            print(format!("Active: Release {} of Configuration {}", release.sid, release.configuration_sid));
        }
        None => print("Active: no Release yet"),
    }
    for plugin in &account.active {
        print(format!("  {}{}", line(plugin), if plugin.is_archived() { ", archived" } else { "" }));
    }
    let command = PluginSetup { apis, config, options, account };
    if options.remove { command.remove().await } else { command.install().await }
}

impl PluginSetup<'_> {
    async fn install(&self) -> Result<(), CommandError> {
        let account = &self.account;
        self.warn_of_addresses();
        if let Some(ours) =
            account.ours().filter(|_| account.has_bundle() && account.builders_copy().is_none())
        {
            print(format!("Already released: {}; nothing to do", line(ours)));
            if let Some(bundle) = &account.bundle {
                warn_of_bundle(&bundle.url).await;
            }
            return Ok(());
        }
        self.check()?;
        // `check` has refused an account without them.
        let (Some(bundle), Some(number)) = (&account.bundle, &account.number) else {
            return Err(refused(&Obstacles::lasting("this program carries no Flex plugin", NOT_BUILT)));
        };
        let mut versions = self.kept()?;
        let ours = account.ours();
        let name = format!("{UNIQUE_NAME} {}", number.name);
        let what = match ours {
            Some(ours) => format!("{} becomes {name} ({})", line(ours), bundle.url),
            None => format!("{name} ({}) is added", bundle.url),
        };
        let what = match account.builders_copy() {
            Some(copy) => format!("{what}; {} is taken out", line(copy)),
            None => what,
        };
        warn_of_bundle(&bundle.url).await;
        self.confirm(&what, versions.len())?;
        let plugin = self.registered().await.map_err(|error| self.failed(error))?;
        let version = match &number.sid {
            Some(sid) => sid.clone(),
            None => {
                let made = self.apis.plugins.create_version(&plugin, &number.name, &bundle.url).await;
                made.map_err(|error| self.failed(error))?.sid
            }
        };
        versions.push((version, ours.and_then(|ours| ours.phase).unwrap_or(PHASE)));
        self.release(&name, &versions).await
    }

    async fn remove(&self) -> Result<(), CommandError> {
        let Some(ours) = self.account.ours() else {
            print(format!("{UNIQUE_NAME} is not released; nothing to do"));
            return Ok(());
        };
        self.check()?;
        let versions = self.kept()?;
        self.confirm(&format!("{} is taken out", line(ours)), versions.len())?;
        self.release(&format!("without {UNIQUE_NAME}"), &versions).await
    }

    fn warn_of_addresses(&self) {
        if let Some(concern) = self.config.server.public_url.concern() {
            print(format!("Warning: PUBLIC_URL is {concern}"));
        }
        match Origins::of(self.config) {
            Origins::Missing => print(format!("Warning: {}", Origins::MISSING)),
            Origins::Elsewhere(found) => print(format!("Warning: {found}; {}", Origins::MEND_ELSEWHERE)),
            Origins::Flex(_) => {}
        }
    }

    fn check(&self) -> Result<(), CommandError> {
        if let Some(obstacles) = obstacles(&self.account, self.config, self.options.permission()) {
            return Err(refused(&obstacles));
        }
        if let Some(foreign) = foreign(&self.account, self.options.remove) {
            print(format!("Warning: {foreign} was not registered by this program"));
        }
        Ok(())
    }

    /// Whether it is neither ours nor left out.
    fn stays(&self, plugin: &ConfiguredPlugin) -> bool {
        let is_replaced = is_ours(plugin) || (!self.options.remove && is_builders_copy(plugin));
        !is_replaced && !plugin.is_archived()
    }

    /// The Versions and phases of the plugins that stay.
    fn kept(&self) -> Result<Vec<(String, i64)>, CommandError> {
        let staying = self.account.active.iter().filter(|plugin| self.stays(plugin));
        let kept: Result<Vec<_>, String> = staying.map(kept).collect();
        // `check` has refused what can't be kept.
        kept.map_err(|problem| refused(&Obstacles::lasting(problem, "")))
    }

    /// The SID of our Plugin, made or taken over where needed.
    async fn registered(&self) -> Result<String, TwilioError> {
        let plugins = &self.apis.plugins;
        match &self.account.plugin {
            Some(plugin) if foreign(&self.account, false).is_some() => {
                Ok(plugins.rename_plugin(&plugin.sid, FRIENDLY_NAME, DESCRIPTION).await?.sid)
            }
            Some(plugin) => Ok(plugin.sid.clone()),
            None => Ok(plugins.create_plugin(UNIQUE_NAME, FRIENDLY_NAME, DESCRIPTION).await?.sid),
        }
    }

    /// Makes the Configuration and releases it, unless another Release came meanwhile.
    async fn release(&self, name: &str, versions: &[(String, i64)]) -> Result<(), CommandError> {
        let plugins = &self.apis.plugins;
        let description = format!("Made by taskrouter-sync {VERSION}");
        let configuration = plugins.create_configuration(name, &description, versions).await;
        let configuration = configuration.map_err(|error| self.failed(error))?;
        let now = plugins.active().await.map_err(|error| self.failed(error))?;
        if now != self.account.release {
            let command = self.options.permission().command();
            let way_past = format!("repeat the command:\n{command}");
            return Err(refused(&Obstacles::lasting("another Release was made meanwhile", &way_past)));
        }
        let released = plugins.release(&configuration.sid).await.map_err(|error| self.failed(error))?;
        print(format!("Released: {} of Configuration {}", released.sid, configuration.sid));
        let verb = if self.options.remove { "lose" } else { "have" };
        print(format!("Agents {verb} it once they load Flex again."));
        self.print_way_back().await;
        Ok(())
    }

    async fn print_way_back(&self) {
        let Some(release) = &self.account.release else {
            print("To go back:\n  taskrouter-sync setup --flex-plugin --remove");
            return;
        };
        let before = &release.configuration_sid;
        if self.leaves_archived_out() {
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
        print(format!("To go back:\n  {}", curl(self.config, &rest).replace('\n', "\n  ")));
    }

    /// Whether the active Configuration has an archived plugin, so that Flex would not release it again.
    fn leaves_archived_out(&self) -> bool {
        self.account.active.iter().any(ConfiguredPlugin::is_archived)
    }

    /// Prints the change and asks for confirmation.
    fn confirm(&self, what: &str, others: usize) -> Result<(), CommandError> {
        let others = match others {
            0 => "there is no other plugin".to_owned(),
            1 => "1 other plugin stays as it is".to_owned(),
            others => format!("{others} other plugins stay as they are"),
        };
        let dropped = self.account.active.iter().filter(|plugin| {
            plugin.is_archived() && !is_ours(plugin) && (self.options.remove || !is_builders_copy(plugin))
        });
        let dropped: String =
            dropped.map(|plugin| format!("; {} is archived and left out", line(plugin))).collect();
        print(format!("Change: {what}; {others}{dropped}"));
        if let Some(release) = self.account.release.as_ref().filter(|_| self.leaves_archived_out()) {
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
