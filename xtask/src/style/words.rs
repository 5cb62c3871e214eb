//! Traces of one machine or one network in text.

use std::path::Path;

use super::finding::Finding;

/// Sites that text may link to. Mirrors and registries are not among them: those are taken from the configuration of
/// the host that runs us. Names reserved for examples need no entry.
const SITES: [&str; 15] = [
    "cdn.kernel.org",
    "docs.kernel.org",
    "doc.rust-lang.org",
    "docs.rs",
    "git.kernel.org",
    "github.com",
    "keepachangelog.com",
    "kernel.org",
    "lore.kernel.org",
    "nexte.st",
    "semver.org",
    "spdx.org",
    "www.apache.org",
    "www.kernel.org",
    "www.rust-lang.org",
];
/// Users that nobody is, for tests and examples.
const MADE_UP_USERS: [&str; 2] = ["u", "user"];
const RESERVED: [&str; 4] = ["example", "invalid", "localhost", "test"];

/// Findings in the text of the file at `path`.
pub fn check(path: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        // Inside a guest, paths are ours to choose.
        if !line.contains("guest")
            && let Some(home) = home_folder(line)
        {
            let what = format!("`{home}` is a path of one machine");
            findings.push(Finding::new(path, index, what, "make it relative, or find it at run time"));
        }
        for site in sites(line).filter(|site| !is_allowed(site)) {
            let what = format!("the site `{site}`");
            let advice =
                "take addresses from the host's configuration, or allow it in xtask/src/style/words.rs";
            findings.push(Finding::new(path, index, what, advice));
        }
    }
    findings
}

/// A path into somebody's home folder, as far as it shows where it is.
fn home_folder(line: &str) -> Option<&str> {
    [concat!("/", "home/"), concat!("/", "root/")].into_iter().find_map(|home| {
        line.match_indices(home).find_map(|(at, _)| {
            let before = line[..at].chars().next_back();
            // Not the tail of a longer path, as in the kernel's own `sched_ext` folder in sysfs.
            let begins = !before.is_some_and(|c| c.is_alphanumeric() || "_-.}>*".contains(c));
            let rest = &line[at + home.len()..];
            let name = rest.split(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).next()?;
            (begins && !name.is_empty() && !MADE_UP_USERS.contains(&name)).then_some(home)
        })
    })
}

/// The hosts of all addresses in a line.
fn sites(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        let site = &rest[..end.unwrap_or(rest.len())];
        // `https://{host}` and the like have none, and a single word is a placeholder.
        site.contains('.').then_some(site.trim_end_matches('.'))
    })
}

fn is_allowed(site: &str) -> bool {
    let last = site.rsplit('.').next().unwrap_or(site);
    let is_number = site.starts_with("127.");
    SITES.contains(&site) || RESERVED.contains(&last) || is_number || is_example(site)
}

/// `example.com`, `example.org` and what is below them.
fn is_example(site: &str) -> bool {
    site.rsplit('.').nth(1) == Some("example")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> bool {
        !check(Path::new("a.md"), line).is_empty()
    }

    /// Built from parts, so that this file passes its own check.
    fn home(rest: &str) -> String {
        ["/", "home", "/", rest].concat()
    }

    fn address(site: &str) -> String {
        ["https:", "//", site, "/x"].concat()
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        assert!(found(&home("ada/src")));
        assert!(found(&format!("see `{}`", home("ada"))));
        assert!(found(&home("ada").replace("home", "root")));
        assert!(!found(&home("user/.cache")));
        assert!(!found("cat /sys/kernel/sched_ext/root/ops"));
        assert!(!found(&format!("{} in the guest", home("ada"))));
        assert!(!found("$HOME/.cache/ktstr"));
        assert!(!found("examples/home/page"));
    }

    #[test]
    fn sites_outside_the_list_are_found() {
        assert!(found(&address("packages.vendor.io")));
        assert!(found(&format!("{} {}", address("docs.rs"), address("packages.vendor.io"))));
        assert!(!found(&address("docs.kernel.org")));
        assert!(!found(&address("mirror.example")));
        assert!(!found(&address("www.example.org")));
        assert!(!found("https://{host}/path and git+file:///tmp/x"));
    }

    #[test]
    fn a_finding_says_where_and_what() {
        let text = format!("one\n{}\n", home("ada"));
        let found = check(Path::new("docs/a.md"), &text);
        assert_eq!(
            found[0].to_string(),
            format!(
                "docs/a.md:2: `{}` is a path of one machine: make it relative, or find it at run time",
                home("")
            )
        );
    }
}
