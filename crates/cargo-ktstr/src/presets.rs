//! Names of presets that somebody typed.

use anyhow::{Result, bail};
use ktstr_model::{PRESETS, Preset, near_miss};

/// All names.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

/// Refuses a name that no preset has, with those that there are.
pub fn check(name: &str) -> Result<()> {
    if Preset::named(name).is_some() {
        return Ok(());
    }
    let near = near_miss(name, names()).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    bail!("there is no preset `{name}`{near}; there are {}", names().join(", "))
}
