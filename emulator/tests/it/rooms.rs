//! Imports within the emulator go one way: README lists the modules in their order, and each uses only those above it.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The modules in README's order, without the two that may use everything.
fn listed() -> Vec<String> {
    let readme = read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, after) = readme.split_once("## Order of the modules").unwrap();
    let (_, block) = after.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.split_whitespace().map(str::to_owned).collect()
}

fn sources(of: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(of).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules that a source file names after `crate::`.
fn used(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| -> Vec<String> {
        let word = |text: &str| {
            text.trim()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect::<String>()
        };
        match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').map(word).collect(),
            None => vec![word(rest)],
        }
    };
    text.split("crate::").skip(1).flat_map(name).collect()
}

#[test]
fn every_module_uses_only_those_before_it_in_readmes_list() {
    let order = listed();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeSet::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.strip_suffix(".rs").unwrap_or(first);
        if matches!(module, "lib" | "main") {
            continue;
        }
        let place = order.iter().position(|name| name == module);
        let place = place.unwrap_or_else(|| panic!("{module} is not in README's list"));
        seen.insert(module.to_owned());
        for other in used(&read_to_string(&path).unwrap()) {
            let Some(theirs) = order.iter().position(|name| *name == other) else { continue };
            assert!(theirs <= place, "{} uses {other}, which comes after {module}", relative.display());
        }
    }
    assert_eq!(seen, order.into_iter().collect(), "README lists what there is");
}
