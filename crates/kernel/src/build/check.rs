//! Whether kbuild granted the configuration that was asked for.

use std::{collections::BTreeSet, path::Path};

use super::{
    fragment::{Fragment, Level, Line},
    kconfig::Conditions,
};
use crate::{Error, KernelConfig};

/// Compares the final configuration with the fragment: what is wanted and was dropped comes back in words, what is
/// required and was dropped is an error. Each names the condition that does not hold.
pub fn check(fragment: &Fragment, config: &KernelConfig, tree: &Path) -> Result<Vec<String>, Error> {
    let found = |line: &Line| config.get(&line.symbol).unwrap_or("n").to_owned();
    let dropped: Vec<_> = fragment.lines().iter().filter(|line| found(line) != line.value).collect();
    if dropped.is_empty() {
        return Ok(Vec::new());
    }
    let symbols: BTreeSet<_> = dropped.iter().map(|line| line.symbol.as_str()).collect();
    let conditions = Conditions::read(tree, &symbols);
    let (mut required, mut wanted) = (Vec::new(), Vec::new());
    for line in dropped {
        let Line { symbol, value, .. } = line;
        let why = conditions.why_not(symbol, config);
        let message = format!("CONFIG_{symbol} is {} instead of {value}: {why}", found(line));
        match line.level {
            Level::Required => required.push(message),
            Level::Wanted if conditions.defines(symbol) => wanted.push(message),
            Level::Wanted => {}
        }
    }
    if required.is_empty() { Ok(wanted) } else { Err(Error::ConfigDropped { symbols: required }) }
}
