//! The number of our plugin's Version, as Flex's pages show it.
//!
//! A Version can't be changed, so where the service's number names another URL (another PUBLIC_URL, or a rebuilt program) or
//! an archived Version, a mark is added to it.

use sha2::{Digest, Sha256};

use crate::VERSION;
use crate::twilio::TwilioError;
use crate::twilio::plugins::Plugins;

/// How many archived Versions of one URL are passed over.
const MOST_ARCHIVED: usize = 9;

pub(super) struct VersionNumber {
    pub(super) name: String,
    /// `FV…`, where it is registered.
    pub(super) sid: Option<String>,
}

/// The first number that has this URL, or none yet.
pub(super) async fn choose(
    plugins: &Plugins,
    plugin: Option<&str>,
    url: &str,
) -> Result<Option<VersionNumber>, TwilioError> {
    let Some(plugin) = plugin else { return Ok(Some(VersionNumber { name: VERSION.to_owned(), sid: None })) };
    for name in candidates(url) {
        match plugins.version(plugin, &name).await? {
            Some(known) if known.plugin_url.as_deref() == Some(url) && !known.archived => {
                return Ok(Some(VersionNumber { name, sid: Some(known.sid) }));
            }
            Some(_) => {}
            None => return Ok(Some(VersionNumber { name, sid: None })),
        }
    }
    Ok(None)
}

fn candidates(url: &str) -> impl Iterator<Item = String> {
    let digest = Sha256::digest(url);
    let mark: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let marked = format!("{VERSION}-{mark}");
    let more: Vec<_> = (2..=MOST_ARCHIVED + 1).map(|number| format!("{marked}.{number}")).collect();
    [VERSION.to_owned(), marked].into_iter().chain(more)
}
