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

/// The page, from the comments and defaults of `.env.example` and from what the reader expects.
fn configuration() -> String {
    let mut page = "# Configuration\n\n\
        <!-- Made from .env.example and src/config/variables.rs: UPDATE_DOCS=1 cargo test --all-features --test it docs -->\n\n\
        Every variable, from the environment or a `.env` file in the working directory; the environment wins. A blank value\n\
        counts as none. A wrong one stops the program before it listens, with exit status 2 and every problem listed;\n\
        `taskrouter-sync doctor` says the same and looks further.\n"
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
            match (line.starts_with('#'), default) {
                (false, _) => write!(page, " (required").unwrap(),
                (true, "") => write!(page, " (none by default").unwrap(),
                (true, default) => write!(page, " (default `{default}`").unwrap(),
            }
            for alias in variable.aliases {
                write!(page, "; older name `{alias}`").unwrap();
            }
            let secret = if variable.secret { "; a secret, never shown" } else { "" };
            writeln!(page, "{secret}): {}", variable.expected).unwrap();
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
    assert_eq!(found, configuration(), "UPDATE_DOCS=1 writes docs/configuration.md anew");
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
