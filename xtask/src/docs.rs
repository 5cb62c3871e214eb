//! `cargo xtask docs`: builds the book and follows its links.

mod links;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::{cargo_tools, stage, workspace};
use ktstr_host::Invocation;
use page::Page;

/// Build the book into docs/book and check the links of all Markdown files
#[derive(clap::Args, Clone, Copy)]
pub struct Args {}

/// `cargo xtask docs`.
///
/// # Errors
/// When the book does not build or a link leads nowhere; each such link is printed.
pub fn run(_: &Args) -> Result<()> {
    // The links first: they take no time, and mdBook does not look at them.
    stage::timed("links", "cargo xtask docs", check_links)?;
    let mdbook = cargo_tools::mdbook()?;
    stage::run("book", &Invocation::of(mdbook).args(["build", "docs"]))
}

fn check_links() -> Result<()> {
    let pages = read_pages()?;
    let broken = links::check(&pages, |path| path.exists());
    for link in &broken {
        println!("{link}");
    }
    match broken.len() {
        0 => Ok(()),
        1 => bail!("1 link leads nowhere"),
        count => bail!("{count} links lead nowhere"),
    }
}

fn read_pages() -> Result<BTreeMap<PathBuf, Page>> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path, Page::read(&text)))
    };
    workspace::files(Some("*.md"))?.into_iter().map(read).collect()
}
