//! `cargo xtask style`: the house rules that a program can check.

mod dependencies;
mod environment;
mod finding;
mod lints;
mod names;
mod size;
mod words;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, Workspace};
use finding::Finding;

/// Check the house rules: crate layers, file sizes, names, no traces of one machine
#[derive(clap::Args, Clone, Copy)]
pub struct Args {}

/// `cargo xtask style`.
///
/// # Errors
/// When something is against the rules; each finding is printed.
pub fn run(_: &Args) -> Result<()> {
    let findings = findings()?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 finding"),
        count => bail!("{count} findings"),
    }
}

fn findings() -> Result<Vec<Finding>> {
    let workspace = Workspace::read()?;
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let path = package.manifest_path.strip_prefix(&workspace.workspace_root);
        let path = path.unwrap_or(&package.manifest_path);
        let manifest = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        findings.extend(dependencies::check(package, path, &manifest));
        // Examples are written as a user would, who has lints of their own.
        if !path.starts_with("examples") {
            findings.extend(lints::check(path, &manifest));
        }
    }
    let page = fs::read_to_string(environment::PAGE)
        .with_context(|| format!("cannot read {}", environment::PAGE))?;
    let mut variables = BTreeSet::new();
    for path in workspace::files(None)? {
        findings.extend(names::check_path(&path));
        // What is no text has no lines to check.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        findings.extend(words::check(&path, &text));
        if path.extension().is_some_and(|extension| extension == "rs") {
            findings.extend(size::check(&path, &text));
            findings.extend(names::check_modules(&path, &text));
            let named = environment::named_in(&path, &text);
            findings.extend(environment::check_listed(&path, &named, &page));
            variables.extend(named.into_iter().map(|(_, name)| name));
        }
    }
    findings.extend(environment::check_real(&page, &variables));
    Ok(findings)
}
