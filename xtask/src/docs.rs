//! `cargo xtask docs`: builds the book and follows its links.

mod links;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cargo_tools;
use crate::invocation::Invocation;
use crate::stage;
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

/// Every Markdown file that git knows or would take.
fn read_pages() -> Result<BTreeMap<PathBuf, Page>> {
    let listed = Invocation::new("git ls-files -z --cached --others --exclude-standard -- *.md").stdout()?;
    let existing = listed.split_terminator('\0').map(Path::new).filter(|path| path.exists());
    existing
        .map(|path| {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.to_owned(), Page::read(&text)))
        })
        .collect()
}
