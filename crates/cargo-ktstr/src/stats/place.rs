//! Where records are.

use std::path::Path;

use anyhow::{Result, anyhow};
use ktstr_results::{RecordFolder, RunFolder};

use crate::test::records::{Workspace, folder_of, named_folder};

/// The folder of records: `named`, else `KTSTR_SIDECAR_DIR`, else that of this workspace.
pub fn records(named: Option<&Path>) -> Result<RecordFolder> {
    if let Some(folder) = named {
        // What holds records itself is one folder of runs.
        let run = RunFolder::at(folder)?;
        let folder = folder.to_owned();
        return Ok(if run.is_empty()? { RecordFolder::Below(folder) } else { RecordFolder::Fixed(folder) });
    }
    if let Some(folder) = named_folder() {
        return Ok(folder);
    }
    let workspace = Workspace::of(&[]).map_err(|error| {
        anyhow!(
            "where records are is not known: {error:#}; run this in your workspace, or name the folder with --dir"
        )
    })?;
    Ok(folder_of(&workspace))
}
