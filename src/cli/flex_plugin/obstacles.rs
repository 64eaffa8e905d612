//! What stands in the way of `setup --flex-plugin`, and the one command that gets past all of it.
//!
//! `setup` refuses by this and `doctor` reports it, so the two can't disagree.

use super::active::{FlexAccount, is_builders_copy, is_ours, kept, line, text};
use super::origins::Origins;
use super::{FRIENDLY_NAME, UNIQUE_NAME};
use crate::VERSION;
use crate::config::Config;

const COMMAND: &str = "taskrouter-sync setup --flex-plugin";
/// The way out of a program without the plugin.
pub(in crate::cli) const NOT_BUILT: &str = "make web\nand build the program again";

/// What the command is to do, and what its options permit.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Permission {
    pub(in crate::cli) removes: bool,
    pub(in crate::cli) yes: bool,
    pub(in crate::cli) drop_archived: bool,
    pub(in crate::cli) take_over: bool,
}

impl Permission {
    /// The command with these options.
    pub(in crate::cli) fn command(self) -> String {
        let options = [
            (self.removes, " --remove"),
            (self.drop_archived, " --drop-archived"),
            (self.take_over, " --take-over"),
            (self.yes, " --yes"),
        ];
        let options = options.into_iter().filter_map(|(is_given, option)| is_given.then_some(option));
        COMMAND.to_owned() + &options.collect::<String>()
    }
}

/// Why the command is refused.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Obstacles {
    /// A sentence for each.
    pub(in crate::cli) problems: Vec<String>,
    /// Lines that get past all of them: each is either a remark, or a command or setting as it can be copied.
    pub(in crate::cli) way_past: String,
}

impl Obstacles {
    /// One that no option gets past.
    pub(super) fn lasting(problem: impl Into<String>, way_past: &str) -> Self {
        Self { problems: vec![problem.into()], way_past: way_past.to_owned() }
    }
}

/// What the account and the configuration put in the command's way; `None` where it can go on.
pub(in crate::cli) fn obstacles(
    account: &FlexAccount,
    config: &Config,
    permission: Permission,
) -> Option<Obstacles> {
    if account.active.iter().filter(|plugin| is_ours(plugin)).count() > 1 {
        let problem = "the active Configuration has our plugin twice";
        return Some(Obstacles::lasting(problem, "release a Configuration that has it once"));
    }
    let consents = Consents::of(account, permission.removes);
    if permission.removes {
        return consents.missing(permission, Vec::new());
    }
    if account.plugin.as_ref().is_some_and(|plugin| plugin.archived) {
        return Some(archived_for_good(account, permission));
    }
    if account.bundle.is_none() {
        return Some(Obstacles::lasting("this program carries no Flex plugin", NOT_BUILT));
    }
    if account.number.is_none() {
        let problem = format!("all numbers of version {VERSION} name other URLs or archived Versions");
        return Some(Obstacles::lasting(problem, "upgrade the service, or build it again"));
    }
    let settings = match Origins::of(config) {
        Origins::Missing => vec![(Origins::MISSING.to_owned(), Origins::MEND)],
        _ => Vec::new(),
    };
    consents.missing(permission, settings)
}

/// Twilio can't undo that, so our plugin can only be taken out; other obstacles to that are passed by the same command.
fn archived_for_good(account: &FlexAccount, permission: Permission) -> Obstacles {
    let mut problems =
        vec![format!("the Plugin {UNIQUE_NAME} of this account is archived, which Twilio can't undo")];
    let mut way_past =
        "release the plugin under another name with Twilio's own builder (docs/flex-plugin.md)".to_owned();
    if account.ours().is_some() {
        let removal = Permission { removes: true, ..permission };
        let others = Consents::of(account, true);
        let command = others.granted(removal).command();
        problems.extend(others.problems(removal));
        way_past = format!("{way_past}; to take this one out{}:\n{command}", others.consequences(true));
    }
    Obstacles { problems, way_past }
}

/// What the operator has to permit, and what no option permits.
struct Consents {
    archived: Vec<String>,
    replaced: Vec<String>,
    impossible: Vec<String>,
}

impl Consents {
    fn of(account: &FlexAccount, removes: bool) -> Self {
        let (mut archived, mut replaced, mut impossible) = (Vec::new(), Vec::new(), Vec::new());
        let is_replaced = |plugin: &_| is_ours(plugin) || (!removes && is_builders_copy(plugin));
        for plugin in account.active.iter().filter(|plugin| !is_replaced(plugin)) {
            if plugin.is_archived() {
                archived
                    .push(format!("{} is archived, and Flex enables no archived plugin again", line(plugin)));
            } else if let Err(problem) = kept(plugin) {
                impossible.push(problem);
            }
        }
        if let Some(foreign) = foreign(account, removes) {
            replaced.push(format!("{foreign} was not registered by this program"));
        }
        if let Some(copy) = account.builders_copy().filter(|_| !removes) {
            replaced.push(format!(
                "{} is the same plugin, as Twilio's own builder made it; Flex would load both",
                line(copy)
            ));
        }
        Self { archived, replaced, impossible }
    }

    fn problems(&self, permission: Permission) -> Vec<String> {
        let archived = self.archived.iter().filter(|_| !permission.drop_archived);
        let replaced = self.replaced.iter().filter(|_| !permission.take_over);
        self.impossible.iter().chain(archived).chain(replaced).cloned().collect()
    }

    /// The same with all that is needed permitted.
    fn granted(&self, permission: Permission) -> Permission {
        Permission {
            drop_archived: permission.drop_archived || !self.archived.is_empty(),
            take_over: permission.take_over || !self.replaced.is_empty(),
            ..permission
        }
    }

    /// What the operator agrees to with the command's options.
    fn consequences(&self, removes: bool) -> String {
        let archived = (!self.archived.is_empty()).then_some("leaving archived plugins out for good");
        let verb = if removes { "taking out" } else { "replacing" };
        let replaced =
            (!self.replaced.is_empty()).then(|| format!("{verb} what this program did not register"));
        match (archived, replaced) {
            (None, None) => String::new(),
            (Some(one), None) => format!(", {one}"),
            (None, Some(other)) => format!(", {other}"),
            (Some(one), Some(other)) => format!(", {one} and {other}"),
        }
    }

    /// What is not permitted yet, with settings to make first.
    fn missing(&self, permission: Permission, settings: Vec<(String, &str)>) -> Option<Obstacles> {
        let (problems, settings): (Vec<String>, Vec<&str>) = settings.into_iter().unzip();
        let problems: Vec<String> = self.problems(permission).into_iter().chain(problems).collect();
        if problems.is_empty() {
            return None;
        }
        let way_past = if self.impossible.is_empty() {
            let settings: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
            let begin = if settings.is_empty() { "to get past this" } else { "then" };
            let (consequences, command) =
                (self.consequences(permission.removes), self.granted(permission).command());
            format!("{settings}{begin}{consequences}:\n{command}")
        } else {
            "release a Configuration without it first".to_owned()
        };
        Some(Obstacles { problems, way_past })
    }
}

/// A plugin of our name that another program registered, released or not.
pub(super) fn foreign(account: &FlexAccount, removes: bool) -> Option<String> {
    if let Some(configured) = account.foreign() {
        return Some(format!(
            "{}, shown as {:?},",
            line(configured),
            text(configured.friendly_name.as_ref())
        ));
    }
    let plugin = account.plugin.as_ref().filter(|_| !removes && !account.has_bundle())?;
    (plugin.friendly_name.as_deref() != Some(FRIENDLY_NAME))
        .then(|| format!("the Plugin {UNIQUE_NAME}, shown as {:?},", text(plugin.friendly_name.as_ref())))
}
