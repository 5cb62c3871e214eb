use proptest::prelude::*;

use super::*;
use crate::version::tests::any_version;

fn spec(text: &str) -> KernelSpec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn accepts(text: &str, version: &str) -> bool {
    spec(text).accepts(version.parse().expect(version))
}

#[test]
fn each_form_is_told_apart() {
    let exact = |text: &str| KernelSpec::Version(Bound::Exact(text.parse().expect(text)));
    for (text, wanted) in [
        ("6.18", KernelSpec::Version(Bound::Series { major: 6, minor: 18 })),
        ("v7.0", KernelSpec::Version(Bound::Series { major: 7, minor: 0 })),
        ("6.18.15", exact("6.18.15")),
        ("6.18.0", exact("6.18")),
        ("7.1-rc3", exact("7.1-rc3")),
        ("7.3.4+deb13-cloud-amd64", KernelSpec::Key("7.3.4+deb13-cloud-amd64".into())),
        ("7.3.4-ktstr-0a1b", KernelSpec::Key("7.3.4-ktstr-0a1b".into())),
        ("./bzImage", KernelSpec::Path("./bzImage".into())),
        ("../linux", KernelSpec::Path("../linux".into())),
        ("/boot/vmlinuz-6.18", KernelSpec::Path("/boot/vmlinuz-6.18".into())),
        (".", KernelSpec::Path(".".into())),
        (
            "git+https://example.org/linux.git#v7.1",
            KernelSpec::Git { url: "https://example.org/linux.git".into(), reference: "v7.1".into() },
        ),
    ] {
        assert_eq!(spec(text), wanted, "{text}");
    }
}

#[test]
fn a_prefix_covers_its_series_and_an_exact_version_only_itself() {
    assert!(accepts("6.18", "6.18.15") && accepts("6.18", "6.18") && accepts("6.18", "6.18-rc3"));
    assert!(!accepts("6.18", "6.1") && !accepts("6.18", "6.19-rc1") && !accepts("6.18", "7.18"));
    assert!(accepts("6.18.1", "6.18.1") && !accepts("6.18.1", "6.18.15"));
    assert!(accepts("6.18.0", "6.18") && !accepts("6.18.0", "6.18.1"));
}

#[test]
fn a_two_part_bound_covers_its_series() {
    for range in ["6.15..=7.0", "6.15..7.0", "..=7.0", "..7.0"] {
        assert!(accepts(range, "7.0.13") && accepts(range, "6.15"), "{range}");
        assert!(!accepts(range, "7.1-rc1"), "{range}");
    }
    assert!(!accepts("6.15..7.0", "6.14.9"));
    assert!(accepts("7.1..", "7.1-rc1") && accepts("7.1..", "9.0") && !accepts("7.1..", "7.0.99"));
    assert!(accepts("6.18.3..6.18", "6.18.99") && !accepts("6.18.3..6.18", "6.18.2"));
    assert!(accepts("6.18-rc2..6.18-rc4", "6.18-rc3") && !accepts("6.18-rc2..6.18-rc4", "6.18"));
}

#[test]
fn a_range_that_accepts_nothing_is_an_error() {
    for text in ["7.1..7.0", "7.0.5..=7.0.4", "7.0..6.18.99", "7.1..7.1-rc0"] {
        let result = text.parse::<KernelSpec>();
        if text == "7.1..7.1-rc0" {
            // The series begins with its candidates, so this range has one version in it.
            assert!(result.is_ok());
        } else {
            assert!(matches!(result, Err(Error::EmptyRange { .. })), "{text}: {result:?}");
        }
    }
}

#[test]
fn nonsense_is_refused_with_what_is_accepted() {
    for text in [
        "",
        " ",
        "banana",
        "6",
        "6.x",
        "6.18.x",
        "6.18-rcX",
        "6.18-rc",
        "6.18-7.0",
        "..",
        "..=",
        "a..b",
        "6.18..b",
        "git+",
        "git+https://x",
        "git+#v1",
        "bzImage",
        "6.18 7.0",
        "6.18+a;b",
        "7.0+",
        "6.1..6.2..6.3",
    ] {
        let error = text.parse::<KernelSpec>().expect_err(text).to_string();
        for form in ["6.18", "6.16..7.0", "git+URL#REF", "./"] {
            assert!(error.contains(form), "{text}: {error}");
        }
    }
}

#[test]
fn a_path_or_key_accepts_no_version_but_a_key_selects_its_entry() {
    let key = spec("7.3.4+deb13-cloud-amd64");
    let version = KernelVersion::new(7, 3, 4);
    assert!(!key.accepts(version) && key.selects("7.3.4+deb13-cloud-amd64", version));
    assert!(!key.selects("7.3.4-ktstr-0a1b", version));
    assert!(spec("7.3").selects("7.3.4-ktstr-0a1b", version));
    assert!(!spec("./bzImage").selects("./bzImage", version));
}

proptest! {
    #[test]
    fn prints_what_it_reads(version in any_version(), other in any_version(), three_parts in any::<bool>()) {
        let (low, high) = if version < other { (version, other) } else { (other, version) };
        let bound = if three_parts { Bound::Exact(version) } else {
            Bound::Series { major: version.major, minor: version.minor }
        };
        for text in [bound.to_string(), format!("{}..={}", Bound::Exact(low), Bound::Exact(high))] {
            prop_assert_eq!(spec(&text).to_string(), text);
        }
        prop_assert_eq!(spec(&bound.to_string()), KernelSpec::Version(bound));
    }

    #[test]
    fn a_range_accepts_what_lies_between(mut three in [any_version(), any_version(), any_version()]) {
        three.sort();
        let [low, middle, high] = three;
        let range = spec(&format!("{}..{}", Bound::Exact(low), Bound::Exact(high)));
        prop_assert!(range.accepts(low) && range.accepts(middle) && range.accepts(high));
        prop_assert_eq!(spec(&format!("{}..{}", Bound::Exact(low), Bound::Exact(middle))).accepts(high), high == middle);
    }

    #[test]
    fn a_series_accepts_by_its_two_numbers_alone(version in any_version(), major in any::<u16>(), minor in any::<u16>()) {
        let series = Bound::Series { major, minor };
        prop_assert_eq!(series.accepts(version), (version.major, version.minor) == (major, minor));
        let member = KernelVersion { major, minor, ..version };
        prop_assert!(series.accepts(member));
    }

    #[test]
    fn never_panics(text in ".{0,40}") {
        let _ = text.parse::<KernelSpec>();
    }

    #[test]
    fn a_key_is_a_plain_file_name(text in "[0-9]\\.[0-9]{1,2}[+.~a-z/ 0-9-]{0,20}") {
        if let Ok(KernelSpec::Key(key)) = text.parse() {
            prop_assert!(!key.contains(['/', ' ', '\0']) && !key.starts_with('.'));
        }
    }
}
