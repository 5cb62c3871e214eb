//! Follows the links between pages.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::page::{Link, Page};

/// The book's table of contents. mdBook leaves out, without a word, a page that is not in it.
const CONTENTS: &str = "docs/src/SUMMARY.md";

/// A link that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    page: PathBuf,
    line: usize,
    why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.page.display(), self.line, self.why)
    }
}

/// Follows every link of `pages`, whose paths begin at the workspace's root. `exists` says whether a file that is
/// not a page is there.
pub fn check(pages: &BTreeMap<PathBuf, Page>, exists: impl Fn(&Path) -> bool) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            if let Some(why) = trouble(path, link, pages, &exists) {
                broken.push(Broken { page: path.clone(), line: link.line, why });
            }
        }
    }
    broken.extend(pages_outside_contents(pages));
    broken
}

fn trouble(
    from: &Path,
    link: &Link,
    pages: &BTreeMap<PathBuf, Page>,
    exists: impl Fn(&Path) -> bool,
) -> Option<String> {
    let target = &link.target;
    // An address: whether a site answers today says nothing about our pages.
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(f, a)| (f, Some(a)));
    let path = if file.is_empty() { from.to_owned() } else { beside(from, file) };
    match (pages.get(&path), anchor) {
        (None, _) if !exists(&path) => Some(format!("`{target}`: there is no {}", path.display())),
        (None, Some(_)) => Some(format!("`{target}`: {} has no headings", path.display())),
        (Some(page), Some(anchor)) if !page.anchors.contains(anchor) => {
            let known: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
            Some(format!("`{target}`: {} has no heading for it, only {}", path.display(), known.join(", ")))
        }
        _ => None,
    }
}

/// The path that `relative` means in the file `from`.
fn beside(from: &Path, relative: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(relative).components() {
        match part {
            Component::ParentDir if path.file_name().is_some() => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

fn pages_outside_contents(pages: &BTreeMap<PathBuf, Page>) -> Vec<Broken> {
    let contents = Path::new(CONTENTS);
    let Some(summary) = pages.get(contents) else { return Vec::new() };
    let listed: Vec<PathBuf> = summary.links.iter().map(|link| beside(contents, &link.target)).collect();
    let book = contents.parent().unwrap_or(contents);
    pages
        .keys()
        .filter(|page| page.starts_with(book) && *page != contents && !listed.contains(page))
        .map(|page| Broken { page: page.clone(), line: 1, why: format!("this page is not in {CONTENTS}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(pages: &[(&str, &str)]) -> Vec<String> {
        let pages = pages.iter().map(|(path, text)| (PathBuf::from(path), Page::read(text))).collect();
        let exists = |path: &Path| path == Path::new("docs/diagram.png");
        check(&pages, exists).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn good_links_are_silent() {
        let a = "# Top\n[here](#top) [b](b/c.md) [b](./b/c.md#two-words) [p](diagram.png) [w](https://docs.rs/x#y)\n";
        let c = "# Two words\n[up](../a.md#top)\n";
        assert!(broken(&[("docs/a.md", a), ("docs/b/c.md", c)]).is_empty());
    }

    #[test]
    fn bad_links_say_why() {
        let a = "# Top\n\n[x](gone.md)\n[y](#bottom)\n[z](diagram.png#top)\n[w](../../../out.md)\n";
        insta::assert_snapshot!(broken(&[("docs/a.md", a)]).join("\n"), @r"
        docs/a.md:3: `gone.md`: there is no docs/gone.md
        docs/a.md:4: `#bottom`: docs/a.md has no heading for it, only top
        docs/a.md:5: `diagram.png#top`: docs/diagram.png has no headings
        docs/a.md:6: `../../../out.md`: there is no ../../out.md
        ");
    }

    #[test]
    fn a_page_that_the_contents_forgot_is_found() {
        let pages = [("docs/src/SUMMARY.md", "- [a](a.md)\n"), ("docs/src/a.md", ""), ("docs/src/b.md", "")];
        assert_eq!(broken(&pages), ["docs/src/b.md:1: this page is not in docs/src/SUMMARY.md"]);
    }
}
