//! The documents are true: the page of variables is made from the reader and `.env.example`, and the operator's page knows
//! every alert and every line that the service may log as a warning or an error.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use taskrouter_sync::config::variables;

const EXAMPLE: &str = include_str!("../../.env.example");
const OPERATIONS: &str = include_str!("../../docs/operations.md");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What the page's head defines, and what is clear from the page's layout, is not repeated for each variable.
fn shortened(expected: &str) -> String {
    if expected == variables::TWILIO_TIMEOUT.expected {
        return "a duration".to_owned();
    }
    let objects = [&variables::QUEUE_STATS_MAP, &variables::DASHBOARD_DATA_DOCUMENT];
    if objects.iter().any(|object| object.expected == expected) {
        return "a name".to_owned();
    }
    let shorter = expected.replace(", comma-separated", "").replace("a duration with its unit", "a duration");
    let shorter = shorter.replace(variables::TWILIO_SYNC_URL.expected, "a URL");
    shorter.replace(" different", "")
}

/// The page, from the comments and defaults of `.env.example` and from what the reader expects.
fn configuration() -> String {
    let mut page = "# Configuration\n\n\
        <!-- Made from .env.example and src/config/variables.rs: UPDATE_DOCS=1 cargo test --all-features --test it docs -->\n\n\
        The service reads these from the environment or a `.env` file in the working directory; the environment wins, of several\n\
        lines for one name the last, and a blank value counts as none. An invalid value stops the program with exit status 2 and a list\n\
        of all problems.\n\n\
        In brackets: *required* or the default, if there is one; earlier names that still work; *secret* if never shown. Unless\n\
        stated otherwise a **duration** has a unit (250ms, 5s, 2m) and is 100ms to 24h, and a **URL** is http or\n\
        https without query, fragment or credentials. A **name** of a Sync object has 1 to 320 characters without `/`, or is the\n\
        object's SID. Lists are comma-separated, their entries distinct.\n"
        .to_owned();
    let mut comment = String::new();
    let mut commented = false;
    for line in EXAMPLE.lines().skip_while(|line| !line.starts_with("# ---")) {
        if let Some(title) = line.strip_prefix("# --- ") {
            write!(page, "\n## {}\n", title.trim_end_matches(['-', ' '])).unwrap();
            comment.clear();
        } else if let Some(text) = line.strip_prefix("# ") {
            if commented {
                comment.clear();
                commented = false;
            }
            comment = format!("{comment} {}", text.trim()).trim().to_owned();
        } else if let Some((name, default)) = line.strip_prefix('#').unwrap_or(line).split_once('=') {
            let variable = variables::ALL.iter().find(|variable| variable.name == name).unwrap();
            if !commented {
                write!(page, "\n{comment}\n\n").unwrap();
                commented = true;
            }
            write!(page, "- `{name}`").unwrap();
            let mut remarks: Vec<String> = match (line.starts_with('#'), default) {
                (false, _) => vec!["required".to_owned()],
                (true, "") => vec![],
                (true, default) => vec![format!("`{default}`")],
            };
            if !variable.aliases.is_empty() {
                remarks.push(format!("also `{}`", variable.aliases.join("`, `")));
            }
            remarks.extend(variable.secret.then(|| "secret".to_owned()));
            if !remarks.is_empty() {
                write!(page, " ({})", remarks.join("; ")).unwrap();
            }
            writeln!(page, ": {}", shortened(variable.expected)).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_variables_is_the_readers() {
    let path = root().join("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, configuration()).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, configuration(), "UPDATE_DOCS=1 rewrites docs/configuration.md");
    for variable in variables::ALL {
        assert!(found.contains(&format!("- `{}`", variable.name)), "{}", variable.name);
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The messages of all `warn!` and `error!`, as far as they go on one line.
fn messages() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut messages = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for (at, _) in text.match_indices("warn!(").chain(text.match_indices("error!(")) {
            let call = &text[at..];
            let end = call.find(");").unwrap_or(call.len());
            // The message is the text that begins with a capital; what stands before it are fields.
            let literals = call[..end].split('"').skip(1).step_by(2);
            let message = literals.filter(|text| text.starts_with(char::is_uppercase)).last();
            let message = message.and_then(|text| text.lines().next());
            messages.extend(message.map(|text| text.trim_end_matches(['\\', ' ']).to_owned()));
        }
    }
    messages
}

#[test]
fn every_warning_stands_on_the_operators_page() {
    let messages = messages();
    assert!(messages.len() > 15, "the search has gone blind: {messages:?}");
    let page = OPERATIONS.replace('\n', " ");
    let missing: Vec<_> = messages.iter().filter(|message| !page.contains(message.as_str())).collect();
    assert!(missing.is_empty(), "docs/operations.md does not say what these mean: {missing:#?}");
}

#[test]
fn every_alert_has_a_place_that_says_what_to_do() {
    let alerts = include_str!("../../deploy/alerts.yaml");
    let named: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(named.len() > 10);
    for alert in named {
        assert!(
            OPERATIONS.contains(&format!("### {alert}\n")),
            "{alert} has no heading in docs/operations.md"
        );
        assert!(
            alerts.contains(&format!("operations.md#{}\n", alert.to_lowercase())),
            "{alert} leads elsewhere"
        );
    }
}

#[test]
fn every_document_is_named_in_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.ends_with(".md") || readme.contains(&format!("docs/{name}")),
            "README does not name {name}"
        );
    }
}

/// README, the other pages at the root, and docs/.
fn pages() -> Vec<(PathBuf, String)> {
    let named = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "web/README.md"]
        .map(|name| root().join(name));
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = named.into_iter().chain(docs).filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in pages() {
        let anchors = |text: &str| -> BTreeSet<String> {
            text.lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| anchor(line.trim_start_matches('#')))
                .collect()
        };
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            let (file, section) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let found = file.exists()
                && (section.is_empty()
                    || anchors(&std::fs::read_to_string(&file).unwrap()).contains(section));
            if !found {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
        // A page that is named as code is a link, too; with a title in quotes after it, to that section.
        for (at, _) in text.match_indices("`docs/") {
            let rest = &text[at + 1..];
            let Some((file, after)) = rest.split_once('`') else { continue };
            if !file.ends_with(".md") {
                continue;
            }
            let Ok(page) = std::fs::read_to_string(root().join(file)) else {
                broken.push(format!("{}: {file}", path.display()));
                continue;
            };
            let section = after.strip_prefix(", \"").and_then(|title| title.split('"').next());
            if section.is_some_and(|title| !anchors(&page).contains(&anchor(title))) {
                broken.push(format!("{}: {file}, {section:?}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_test_that_the_page_about_abuse_names_is_there() {
    let mut files = Vec::new();
    for directory in ["src", "tests", "emulator", "benches"] {
        sources(&root().join(directory), &mut files);
    }
    let code: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let page = include_str!("../../docs/abuse.md");
    let named = page.split('`').skip(1).step_by(2).filter(|text| {
        text.matches('_').count() > 2 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    });
    let missing: Vec<_> = named.filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/abuse.md names tests that are not there: {missing:#?}");
}
