//! Logs the variables set without effect, in a command that runs all the same.

use tracing::{info, warn};

use super::{Environment, output};
use crate::config::Unread;

/// Logs a line for each misspelt or retired name, and one for all other unread names in the `.env` file.
pub(super) fn tell(environment: &Environment) {
    for repeated in environment.repeated() {
        warn!(repeated, "A variable is set more than once");
    }
    let Unread { misspelt, needless, foreign, retired, shadowed } = environment.unread();
    for (name, because) in retired {
        warn!(name, because, "Retired variable: no longer read");
    }
    for (name, meant) in misspelt {
        warn!(name, did_you_mean = meant, "Unknown variable, with a name like another's");
    }
    for (name, advice) in needless {
        warn!(name, advice, "Unknown variable");
    }
    for (used, ignored) in shadowed {
        warn!(used, ignored, "Two names of one setting have different values");
    }
    if !foreign.is_empty() {
        info!(names = foreign.join(","), "The .env file has names that are not read");
    }
}

/// Prints misspelt and repeated names where the configuration can't be used: one of them may be the cause.
pub(super) fn complain(environment: &Environment) {
    environment.repeated().for_each(output::print_error);
    for (name, meant) in environment.unread().misspelt {
        output::print_error(format!("{name} is set but not read; did you mean {meant}?"));
    }
}
