//! Presets in the names of cells.

use ktstr_model::{PRESETS, Preset};

/// The preset `name`, when it is among those that `whose` constraints accept.
///
/// # Errors
/// When it is not, with those that are.
pub(super) fn preset_named(
    name: &str,
    whose: &str,
    accepted: &[&'static Preset],
) -> Result<&'static Preset, String> {
    let names = |presets: &mut dyn Iterator<Item = &'static Preset>| {
        presets.map(|preset| preset.name).collect::<Vec<_>>().join(", ")
    };
    let Some(preset) = Preset::named(name) else {
        return Err(format!("there is no preset `{name}`; there are {}", names(&mut PRESETS.iter())));
    };
    if accepted.contains(&preset) {
        return Ok(preset);
    }
    Err(match names(&mut accepted.iter().copied()) {
        none if none.is_empty() => format!("`{whose}` runs on no preset"),
        some => format!(
            "the constraints of `{whose}` leave the preset `{name}` ({}) out; they accept {some}",
            preset.topology
        ),
    })
}
