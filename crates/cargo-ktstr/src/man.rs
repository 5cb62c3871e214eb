//! `cargo ktstr man`: the manual pages, for those who package ktstr.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

/// Write the manual pages into a folder
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo ktstr man ~/.local/share/man/man1")]
pub struct Args {
    /// The folder, made when it is not there
    folder: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    clap_mangen::generate_to(crate::command_line(), folder)
        .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
    println!("wrote the manual pages into {}", folder.display());
    Ok(())
}
