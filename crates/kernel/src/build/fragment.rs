//! The configuration that ktstr asks for: which symbols, how badly, in which versions.

use std::{fs, path::Path};

use crate::{Error, KernelVersion, Sha256Sum};

const BUILTIN: &str = include_str!("ktstr.kconfig");

/// How bad it is when kbuild does not grant a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The kernel is of no use.
    Required,
    /// Something is missing; a version that does not know the symbol is fine.
    Wanted,
}

/// A symbol and the value that it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without `CONFIG_`.
    pub symbol: String,
    /// As [`KernelConfig::get`](crate::KernelConfig::get) gives it; `n` for "is not set".
    pub value: String,
    /// How badly it is needed.
    pub level: Level,
    text: String,
    group: Group,
}

/// What a `#!` line says of the lines below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    level: Level,
    from: Option<(u16, u16)>,
    until: Option<(u16, u16)>,
}

impl Group {
    const REQUIRED: Self = Self { level: Level::Required, from: None, until: None };

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let level = match words.next()? {
            "required" => Level::Required,
            "wanted" => Level::Wanted,
            _ => return None,
        };
        let mut group = Self { level, ..Self::REQUIRED };
        while let Some(word) = words.next() {
            let version: KernelVersion = words.next()?.parse().ok()?;
            let series = Some((version.major, version.minor));
            match word {
                "from" => group.from = series,
                "until" => group.until = series,
                _ => return None,
            }
        }
        Some(group)
    }

    fn covers(&self, version: KernelVersion) -> bool {
        let series = (version.major, version.minor);
        self.from.is_none_or(|from| from <= series) && self.until.is_none_or(|until| series <= until)
    }
}

/// A part of a kernel configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    lines: Vec<Line>,
}

impl Fragment {
    /// ktstr's own, as far as it concerns kernels of `version`.
    pub fn of_version(version: KernelVersion) -> Result<Self, Error> {
        let mut fragment = Self::parse(BUILTIN, None)?;
        fragment.lines.retain(|line| line.group.covers(version));
        Ok(fragment)
    }

    /// A user's; all of it is required.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text, Some(path))
    }

    fn parse(text: &str, path: Option<&Path>) -> Result<Self, Error> {
        let mut lines: Vec<Line> = Vec::new();
        let mut group = Group::REQUIRED;
        for (number, text) in text.lines().map(str::trim_end).enumerate() {
            let refuse = |why: &str| Error::Config {
                path: path.map(Path::to_owned),
                why: format!("line {} is `{text}`, {why}", number + 1),
            };
            if let Some(rest) = text.strip_prefix("#!") {
                group = Group::parse(rest).ok_or_else(|| refuse("which says no level"))?;
            } else if let Some((symbol, value)) = assignment(text) {
                if value == "m" {
                    return Err(refuse("but ktstr's kernels have no modules: write y"));
                }
                let (symbol, value) = (symbol.to_owned(), value.to_owned());
                lines.retain(|line| line.symbol != symbol || line.group != group);
                lines.push(Line { symbol, value, level: group.level, text: text.to_owned(), group });
            } else if !text.starts_with('#') && !text.is_empty() {
                return Err(refuse("neither CONFIG_NAME=VALUE nor `# CONFIG_NAME is not set`"));
            }
        }
        Ok(Self { lines })
    }

    /// Adds another fragment, whose values win.
    pub fn add(&mut self, other: Self) {
        self.lines.retain(|line| other.lines.iter().all(|new| new.symbol != line.symbol));
        self.lines.extend(other.lines);
    }

    /// What it asks for.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// As kbuild reads it.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    /// Of [`text`](Self::text): comments do not count.
    pub fn sha256(&self) -> Sha256Sum {
        Sha256Sum::of(self.text().as_bytes())
    }
}

/// The symbol and the value of a line of a configuration.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let unset = line.strip_prefix("# CONFIG_").and_then(|rest| rest.strip_suffix(" is not set"));
    let (symbol, value) = match unset {
        Some(symbol) => (symbol, "n"),
        None => line.strip_prefix("CONFIG_")?.split_once('=')?,
    };
    let is_name = !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    is_name.then_some((symbol, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: &str) -> Fragment {
        Fragment::of_version(version.parse().unwrap()).unwrap()
    }

    fn parse(text: &str) -> Result<Fragment, Error> {
        Fragment::parse(text, None)
    }

    #[test]
    fn the_builtin_fragment_follows_the_version() {
        let has = |version: &str, line: &str| of(version).text().lines().any(|l| l == line);
        assert!(has("6.12.5", "CONFIG_PREEMPT=y") && !has("6.12.5", "CONFIG_PREEMPT_LAZY=y"));
        assert!(has("6.13", "CONFIG_PREEMPT_LAZY=y") && !has("6.13", "CONFIG_PREEMPT=y"));
        for version in ["6.12", "6.18.15", "7.3.4", "9.0"] {
            assert!(has(version, "CONFIG_SCHED_CLASS_EXT=y") && has(version, "# CONFIG_MODULES is not set"));
            let fragment = of(version);
            let mut symbols: Vec<_> = fragment.lines().iter().map(|line| &line.symbol).collect();
            symbols.sort();
            assert!(symbols.windows(2).all(|pair| pair[0] != pair[1]), "twice in {version}");
        }
        assert_ne!(of("6.12").sha256(), of("7.3").sha256());
        assert_eq!(of("7.3.4").sha256(), of("7.3.5").sha256());
    }

    #[test]
    fn a_users_fragment_wins() {
        let mut fragment = of("7.3");
        fragment.add(parse("# why\nCONFIG_HZ_1000=n\nCONFIG_NR_CPUS=64\n# CONFIG_PSI is not set\n").unwrap());
        let values = |symbol: &str| {
            let lines = fragment.lines().iter().filter(|line| line.symbol == symbol);
            lines.map(|line| (line.value.as_str(), line.level)).collect::<Vec<_>>()
        };
        assert_eq!(values("NR_CPUS"), [("64", Level::Required)]);
        assert_eq!(values("PSI"), [("n", Level::Required)]);
        assert_eq!(values("LOCALVERSION"), [("-ktstr", Level::Required)]);
    }

    #[test]
    fn comments_do_not_change_the_sum() {
        let sum = |text: &str| parse(text).unwrap().sha256();
        assert_eq!(sum("CONFIG_SMP=y\n"), sum("# a word\n\nCONFIG_SMP=y  \n"));
        assert_ne!(sum("CONFIG_SMP=y\n"), sum("# CONFIG_SMP is not set\n"));
    }

    #[test]
    fn refuses_what_kbuild_would_pass_over() {
        for (text, why) in [
            ("SMP=y", "line 1 is `SMP=y`, neither"),
            ("\nCONFIG_SMP", "line 2"),
            ("CONFIG_A B=y", "neither"),
            ("CONFIG_KVM=m", "write y"),
            ("#! maybe", "says no level"),
            ("#! wanted since 6.12", "says no level"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
