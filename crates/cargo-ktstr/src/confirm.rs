//! Asking before something is removed.

use std::io::{IsTerminal, Write, stdin, stdout};

use anyhow::bail;

/// Whether a person agrees that all of these are removed.
///
/// # Errors
/// When there is no terminal to ask at.
pub fn removal<'a>(names: impl IntoIterator<Item = &'a str>) -> anyhow::Result<bool> {
    let names: String = names.into_iter().map(|name| format!("\n  {name}")).collect();
    if !stdin().is_terminal() {
        bail!("not removing without a terminal to ask at; --force removes{names}");
    }
    print!("remove{names}\n? [y/N] ");
    stdout().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
