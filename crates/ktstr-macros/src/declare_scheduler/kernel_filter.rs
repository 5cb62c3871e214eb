//! The texts of `kernels = [..]`, judged by their form.
//!
//! The full grammar belongs to the kernel crate, which a macro must not pull in. Here only what cannot be any of its
//! forms is refused, so that a slip is seen before the verifier sweep silently matches nothing.

/// What is wrong with `filter`, if anything.
pub fn wrong(filter: &str) -> Option<String> {
    if filter != filter.trim() {
        return Some(format!("`{filter}` begins or ends with a blank"));
    }
    let known = match filter.strip_prefix("git+") {
        Some(address) => {
            address.rsplit_once('#').is_some_and(|(url, rev)| !url.is_empty() && !rev.is_empty())
        }
        None if filter.contains('/') || filter == "." => true,
        None => match filter.split_once("..") {
            Some((low, high)) => is_range(low, high.strip_prefix('=').unwrap_or(high)),
            None => begins_with_version(filter),
        },
    };
    (!known).then(|| {
        format!(
            "`{filter}` names no kernel: write a version (6.18.15, 7.1-rc3), a series (6.18), a range (6.16..=7.0), \
             a path (./linux), a cache key, or git+URL#REF"
        )
    })
}

/// Either side may be left open, not both.
fn is_range(low: &str, high: &str) -> bool {
    let side = |side: &str| side.is_empty() || begins_with_version(side);
    side(low) && side(high) && !(low.is_empty() && high.is_empty())
}

/// Whether `text` begins as `6.18` does; a cache key goes on from there.
fn begins_with_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let Some((major, rest)) = text.split_once('.') else { return false };
    !major.is_empty()
        && major.bytes().all(|b| b.is_ascii_digit())
        && rest.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn accepts_every_form() {
        for filter in [
            "6.18.15",
            "6.14",
            "7.1-rc3",
            "v6.18",
            "6.16..7.0",
            "6.15..=7.0",
            "..7.0",
            "6.16..",
            "/boot/vmlinuz",
            "./linux",
            "../linux",
            ".",
            "7.3.4+deb13-cloud-amd64",
            "git+https://example.org/linux.git#sched_ext/for-next",
        ] {
            assert_eq!(wrong(filter), None);
        }
    }

    #[test]
    fn refuses_what_has_no_form() {
        for filter in [
            "",
            " ",
            " 6.18",
            "6",
            "latest",
            "6.x",
            ">=6.14",
            "..",
            "..=",
            "6.14..x",
            "git+https://u",
            "git+#r",
        ] {
            assert!(wrong(filter).is_some(), "{filter:?}");
        }
    }
}
