//! The order of rooms in docs/architecture.md, held to the code: imports go down that list and never up or sideways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders of source that have a list there.
const ROOTS: [&str; 1] = ["src"];

pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The list of a root: each room with its line's number, counted from the top. Rooms of one line don't import each other.
fn levels(document: &str, root: &str) -> BTreeMap<String, usize> {
    let fence = format!("```text rooms {root}\n");
    let (_, list) = document.split_once(&fence).unwrap_or_else(|| panic!("no list of rooms for {root}"));
    let (list, _) = list.split_once("```").unwrap();
    let mut levels = BTreeMap::new();
    for (level, line) in list.lines().enumerate() {
        for room in line.split_whitespace() {
            assert!(levels.insert(room.to_owned(), level).is_none(), "{room} stands twice in the list");
        }
    }
    levels
}

/// All files of Rust below a folder but those of unit tests.
pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// What the code names behind `crate::`, without comments and test modules.
fn imports(code: &str) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match rest.strip_prefix('{') {
            None => {
                found.insert(word(rest));
            }
            Some(list) => {
                let mut depth = 0;
                let mut begins = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        c if begins && c.is_alphabetic() => {
                            found.insert(word(&list[at..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    // The library's own constants are no rooms.
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

#[test]
fn imports_go_down_the_list_of_rooms_and_never_up() {
    let document = std::fs::read_to_string(home().join("docs/architecture.md")).unwrap();
    for root in ROOTS {
        let levels = levels(&document, root);
        let folder = home().join(root);
        let mut files = Vec::new();
        sources(&folder, &mut files);
        assert!(files.len() > 20, "{root}: only {} files found", files.len());
        let (mut rooms, mut wrong) = (BTreeSet::new(), Vec::new());
        for file in files {
            let below = file.strip_prefix(&folder).unwrap().to_str().unwrap();
            let room = below.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
            if room == "main" || room == "lib" {
                continue;
            }
            for import in imports(&std::fs::read_to_string(&file).unwrap()) {
                let goes_down = match (levels.get(&room), levels.get(&import)) {
                    (Some(from), Some(to)) => import == room || from < to,
                    _ => false,
                };
                if !goes_down {
                    wrong.push(format!("{root}/{below} imports {import}"));
                }
            }
            rooms.insert(room);
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(levels.into_keys().collect::<BTreeSet<_>>(), rooms, "{root}: the list and the folder");
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::a::B;\nuse crate::{c, d::{E, f}, g, H};\n// crate::comment\nlet x = crate::h::i();\n\
        use other_crate::j;\n#[cfg(test)]\nmod tests { use crate::k; }";
    assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["a", "c", "d", "g", "h"]);
}

/// A task without an owner can end without notice, and outlive what it belongs to.
#[test]
fn only_the_lifecycle_spawns_tasks_that_no_set_owns() {
    let (folder, mut files) = (home().join("src"), Vec::new());
    sources(&folder, &mut files);
    let spawns = |file: &PathBuf| {
        let code = std::fs::read_to_string(file).unwrap();
        code.split("#[cfg(test)]\nmod ").next().unwrap_or_default().contains("tokio::spawn(")
    };
    let spawning: Vec<_> = files.iter().filter(|file| spawns(file)).collect();
    assert_eq!(spawning, [&folder.join("lifecycle.rs")]);
}
