//! What nextest has to know of tests that boot machines, so that no user has to write it down.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

/// nextest's configuration, below the workspace's own `.config/nextest.toml`, which may say otherwise.
const CONFIG: &str = r#"[profile.default]
# One cell's failure hides no other's.
fail-fast = false
# A template's boot may take minutes on a busy host. What hangs is ended by the harness's own deadlines, which can say
# more about it; this is the net below them.
slow-timeout = { period = "120s", terminate-after = 30 }

[profile.default.junit]
path = "junit.xml"
"#;

/// The configuration in a file, which is there as long as this is.
pub struct NextestConfig(NamedTempFile);

impl NextestConfig {
    /// Writes the file.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn write() -> Result<Self> {
        let file = tempfile::Builder::new().prefix("ktstr-nextest-").suffix(".toml").tempfile();
        let mut file = file.context("making a temporary file for nextest's configuration")?;
        file.write_all(CONFIG.as_bytes()).context("writing nextest's configuration")?;
        Ok(Self(file))
    }

    /// The arguments that give it to nextest.
    pub fn arguments(&self) -> [String; 2] {
        ["--tool-config-file".to_owned(), format!("ktstr:{}", self.0.path().display())]
    }
}
