//! Why a symbol of the kernel's configuration cannot be had: its conditions in the tree's Kconfig files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::expression::holds;
use crate::KernelConfig;

/// Deeper than any chain of `source` lines; a tree that goes further includes itself.
const DEPTH: usize = 40;

/// The conditions of some symbols: for each definition those of its menus, its `if` blocks and its own.
#[derive(Debug, Default)]
pub struct Conditions {
    definitions: BTreeMap<String, Vec<Vec<String>>>,
}

impl Conditions {
    /// Reads the tree's Kconfig files for the conditions of `symbols`.
    pub fn read(tree: &Path, symbols: &BTreeSet<&str>) -> Self {
        let mut reader = Reader { tree, symbols, blocks: Vec::new(), found: Self::default() };
        reader.file("Kconfig", 0);
        reader.found
    }

    /// Whether the tree has a symbol of this name.
    pub fn defines(&self, symbol: &str) -> bool {
        self.definitions.contains_key(symbol)
    }

    /// What keeps `symbol` from being had in `config`, in words.
    pub fn why_not(&self, symbol: &str, config: &KernelConfig) -> String {
        let Some(definitions) = self.definitions.get(symbol) else {
            return "this version has no such symbol".to_owned();
        };
        let unmet: Vec<Vec<&String>> = definitions
            .iter()
            .map(|conditions| conditions.iter().filter(|condition| !holds(condition, config)).collect())
            .collect();
        match unmet.iter().min_by_key(|conditions| conditions.len()) {
            Some(conditions) if !conditions.is_empty() => {
                let each = conditions.iter().map(|condition| format!("`{condition}`"));
                format!("it depends on {}, which does not hold", each.collect::<Vec<_>>().join(" and "))
            }
            _ => {
                "all it depends on is there: a `select`, a choice or the lack of a prompt decides".to_owned()
            }
        }
    }
}

struct Reader<'a> {
    tree: &'a Path,
    symbols: &'a BTreeSet<&'a str>,
    /// The conditions of the open `if`, `menu` and `choice` blocks.
    blocks: Vec<Vec<String>>,
    found: Conditions,
}

/// What a `depends on` line belongs to.
enum Item {
    Block,
    /// A definition that is looked for.
    Symbol(String),
    Other,
}

impl Reader<'_> {
    /// A file that cannot be read defines nothing.
    fn file(&mut self, path: &str, depth: usize) {
        let Ok(text) = fs::read(self.tree.join(path)) else { return };
        if depth > DEPTH {
            return;
        }
        let text = String::from_utf8_lossy(&text).replace("\\\n", " ");
        let (mut item, mut help) = (Item::Other, Help::None);
        for line in text.lines() {
            if help.covers(line) {
                continue;
            }
            let statement = line.split('#').next().unwrap_or_default().trim();
            let (keyword, rest) = statement.split_once(char::is_whitespace).unwrap_or((statement, ""));
            let rest = rest.trim();
            match keyword {
                "help" => help = Help::Begins,
                "if" => self.blocks.push(vec![rest.to_owned()]),
                "menu" | "choice" => {
                    self.blocks.push(Vec::new());
                    item = Item::Block;
                }
                "endif" | "endmenu" | "endchoice" => drop(self.blocks.pop()),
                "config" | "menuconfig" => item = self.definition(rest),
                "comment" => item = Item::Other,
                "depends" => {
                    let words = rest.strip_prefix("on").unwrap_or(rest).split_whitespace();
                    self.condition(&item, &words.collect::<Vec<_>>().join(" "));
                }
                "source" => {
                    let path = rest.trim_matches('"').replace("$(SRCARCH)", "x86").replace("$(ARCH)", "x86");
                    self.file(&path, depth + 1);
                    item = Item::Other;
                }
                // The prompt's own condition: without the prompt a value cannot be asked for.
                "bool" | "tristate" | "int" | "string" | "hex" | "prompt" if rest.starts_with('"') => {
                    if let Some((_, condition)) = rest.rsplit_once("\" if ") {
                        self.condition(&item, condition.trim());
                    }
                }
                _ => {}
            }
        }
    }

    fn definition(&mut self, symbol: &str) -> Item {
        if !self.symbols.contains(symbol) {
            return Item::Other;
        }
        let conditions = self.blocks.iter().flatten().cloned().collect();
        self.found.definitions.entry(symbol.to_owned()).or_default().push(conditions);
        Item::Symbol(symbol.to_owned())
    }

    fn condition(&mut self, item: &Item, condition: &str) {
        let conditions = match item {
            Item::Block => self.blocks.last_mut(),
            Item::Symbol(symbol) => self.found.definitions.get_mut(symbol).and_then(|all| all.last_mut()),
            Item::Other => None,
        };
        conditions.into_iter().for_each(|conditions| conditions.push(condition.to_owned()));
    }
}

/// Help texts, which end where the indentation gets smaller; their words are no statements.
enum Help {
    None,
    Begins,
    Indented(usize),
}

impl Help {
    fn covers(&mut self, line: &str) -> bool {
        if line.trim().is_empty() {
            return !matches!(self, Self::None);
        }
        let blanks = line.chars().take_while(|c| c.is_whitespace());
        let width = blanks.fold(0, |width, c| if c == '\t' { width / 8 * 8 + 8 } else { width + 1 });
        match self {
            Self::Begins if width > 0 => *self = Self::Indented(width),
            Self::Indented(indent) if width >= *indent => {}
            _ => *self = Self::None,
        }
        !matches!(self, Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(files: &[(&str, &str)], symbol: &str, config: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let conditions = Conditions::read(dir.path(), &BTreeSet::from([symbol]));
        conditions.why_not(symbol, &config.parse().unwrap())
    }

    const TREE: [(&str, &str); 2] = [
        (
            "Kconfig",
            "menu \"Top\"\n\tdepends on NET\nconfig A\n\tbool \"a\"\n\thelp\n\t  Text, which\n\n\t  depends on nothing\n\
             \nconfig B\n\tbool \"b\" if EXPERT\n\tdepends on X \\\n\t  && Y\nif Z\nsource \"arch/$(SRCARCH)/Kconfig\"\nendif\n\
             endmenu\n",
        ),
        ("arch/x86/Kconfig", "config C\n\tbool\n\tdefault y if Q\nconfig SELF\nsource \"Kconfig\"\n"),
    ];

    #[test]
    fn names_the_condition_that_does_not_hold() {
        assert_eq!(why(&TREE, "A", "CONFIG_Q=y"), "it depends on `NET`, which does not hold");
        assert!(why(&TREE, "A", "CONFIG_NET=y").starts_with("all it depends on is there"));
        let b = why(&TREE, "B", "CONFIG_NET=y\nCONFIG_X=y");
        assert_eq!(b, "it depends on `EXPERT` and `X && Y`, which does not hold");
        assert_eq!(why(&TREE, "C", "CONFIG_NET=y"), "it depends on `Z`, which does not hold");
        assert_eq!(why(&TREE, "NONE", "CONFIG_NET=y"), "this version has no such symbol");
    }
}
