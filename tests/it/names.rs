//! One thing, one name, in words that a reader can search for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::rooms::{home, sources};

/// Words that hide who does something. Name the subject: the caller, the leader, a client, an operator, the publisher.
const VAGUE: [&str; 9] =
    ["whoever", "somebody", "nobody", "is told", "are told", "anew", "so many", "likewise", "let go"];

/// The type that a line of code defines. The types of a trait belong to the trait, and are left out.
fn defined(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let is_inside = code.len() < line.len();
    let code = match code.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => code,
    };
    let (keyword, rest) = code.split_once(' ')?;
    let defines = match keyword {
        "struct" | "enum" | "trait" => true,
        "type" => !is_inside,
        _ => false,
    };
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (defines && name.starts_with(char::is_uppercase)).then_some(name)
}

#[test]
fn no_type_name_means_two_things() {
    for root in ["src", "emulator/src"] {
        let mut files = Vec::new();
        sources(&home().join(root), &mut files);
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in files {
            let code = std::fs::read_to_string(&file).unwrap();
            let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let shown = file.strip_prefix(home()).unwrap().display().to_string();
            for name in code.lines().filter_map(defined) {
                places.entry(name.to_owned()).or_default().push(shown.clone());
            }
        }
        assert!(places.len() > 100, "{root}: only {} types found", places.len());
        places.retain(|_, files| files.len() > 1);
        assert!(places.is_empty(), "{root}: give each its own name: {places:#?}");
    }
}

#[test]
fn definitions_are_found_in_every_form() {
    let lines = [
        ("pub struct A<T> {", Some("A")),
        ("pub(super) enum B {", Some("B")),
        ("pub(in crate::server) struct C(u8);", Some("C")),
        ("    struct D;", Some("D")),
        ("trait E: Send {", Some("E")),
        ("type F = u8;", Some("F")),
        ("    type Error = u8;", None),
        ("let structure = 1;", None),
        ("// struct G", None),
    ];
    for (line, name) in lines {
        assert_eq!(defined(line), name, "{line}");
    }
}

/// The files of programs and scripts below a folder, without what is installed, built or generated there.
fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_other = name.starts_with('.') || matches!(name, "node_modules" | "dist" | "dist-shell");
        if is_other || path.ends_with(file!()) {
            continue;
        }
        let kind = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            programs(&path, found);
        } else if matches!(kind, None | Some("rs" | "ts" | "tsx" | "mjs" | "py")) {
            found.push(path);
        }
    }
}

fn texts() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "emulator", "web", "tests", "benches", "deploy"] {
        programs(&home().join(folder), &mut files);
    }
    files.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile"].map(|name| home().join(name)));
    let folder = std::fs::read_dir(home().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(folder.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    files
}

/// Whether a text has this word, and not as a part of another one.
fn has(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

#[test]
fn comments_and_documents_name_their_subject() {
    let mut found = Vec::new();
    for file in texts() {
        let shown = file.strip_prefix(home()).unwrap().display().to_string();
        let text = std::fs::read(&file).unwrap();
        for (number, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            let line = line.to_lowercase();
            let vague = VAGUE.iter().filter(|word| has(&line, word));
            found.extend(vague.map(|word| format!("{shown}:{}: {word}", number + 1)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
