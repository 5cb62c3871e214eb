//! What a Markdown page offers to links and where its own links lead.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The anchors and links of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What `#...` may name.
    pub anchors: BTreeSet<String>,
    /// In the page's order.
    pub links: Vec<Link>,
}

/// A link as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counted from 1.
    pub line: usize,
    /// An address, a path or an anchor.
    pub target: String,
}

impl Page {
    /// Reads Markdown.
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut uses = BTreeMap::new();
        let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let line = text[..range.start].matches('\n').count() + 1;
                    page.links.push(Link { line, target: dest_url.into_string() });
                }
                Event::Start(Tag::Heading { id: Some(id), .. }) => {
                    page.anchors.insert(id.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(words) | Event::Code(words) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some(heading) = heading.take() {
                        page.anchors.insert(unique(anchor(&heading), &mut uses));
                    }
                }
                _ => {}
            }
        }
        page
    }
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The second heading of a name gets `-1`, the third `-2`.
fn unique(anchor: String, uses: &mut BTreeMap<String, u32>) -> String {
    let count = uses.entry(anchor.clone()).or_default();
    *count += 1;
    match *count {
        1 => anchor,
        count => format!("{anchor}-{}", count - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(text: &str) -> Vec<String> {
        Page::read(text).anchors.into_iter().collect()
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchors("# Build a kernel\n"), ["build-a-kernel"]);
        assert_eq!(
            anchors("## `cargo ktstr test`, once more: 2 ways?\n"),
            ["cargo-ktstr-test-once-more-2-ways"]
        );
        assert_eq!(anchors("# Same\n\n# Same\n\n# Same\n"), ["same", "same-1", "same-2"]);
        assert_eq!(anchors("# Real-time mode {#kvm}\n"), ["kvm"]);
    }

    #[test]
    fn links_are_found_with_their_lines() {
        let page = Page::read("[a](b.md)\n\nText [c][d] and ![e](f.png).\n\n[d]: g.md#h\n");
        let links: Vec<_> = page.links.iter().map(|link| (link.line, link.target.as_str())).collect();
        assert_eq!(links, [(1, "b.md"), (3, "g.md#h"), (3, "f.png")]);
    }

    #[test]
    fn code_holds_no_links() {
        assert!(Page::read("`[a](b)`\n\n```\n[c](d)\n```\n").links.is_empty());
    }
}
