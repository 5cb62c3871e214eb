use super::*;
use crate::{
    KernelSource,
    testing::{add, config_text, write_image},
};

/// Surroundings without any kernel.
pub(crate) fn environment(host_root: &Path) -> Environment {
    Environment {
        test_kernel: None,
        kernel: None,
        cache_dir: None,
        xdg_cache_home: None,
        home: None,
        debian_mirror: None,
        kernel_mirror: None,
        current_dir: host_root.join("project/sched"),
        host_release: Some("6.12.1-host".into()),
        host_root: host_root.to_owned(),
    }
}

struct Host {
    dir: tempfile::TempDir,
    env: Environment,
    cache: Cache,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = environment(dir.path());
        fs::create_dir_all(&env.current_dir).unwrap();
        let cache = Cache::at(dir.path().join("cache"));
        Self { dir, env, cache }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn resolve(&self, spec: &str) -> Result<Kernel, Error> {
        resolve(&spec.parse().unwrap(), &self.env, &self.cache)
    }

    fn discover(&self) -> Result<Kernel, Error> {
        discover(&self.env, &self.cache)
    }

    fn discovered(&self) -> String {
        self.discover().unwrap().release
    }
}

#[test]
fn looks_in_the_documented_order() {
    let mut host = Host::new();
    let nothing = host.discover().unwrap_err().to_string();
    for place in [
        "cache",
        "linux: absent",
        "lib/modules/6.12.1-host/build",
        "boot/vmlinuz-6.12.1-host",
        "kernel fetch",
    ] {
        assert!(nothing.contains(place), "{place}: {nothing}");
    }
    // From the last place to the first, each hides those before it.
    let bz_image = "arch/x86/boot/bzImage";
    for (path, release) in [
        ("boot/vmlinuz-6.12.0-old".to_owned(), "6.12.0-old"),
        ("boot/vmlinuz-6.12.9-newer".to_owned(), "6.12.9-newer"),
        ("boot/vmlinuz-6.12.1-host".to_owned(), "6.12.1-host"),
        ("lib/modules/6.12.1-host/vmlinuz".to_owned(), "6.12.1-modules"),
        (format!("lib/modules/6.12.1-host/build/{bz_image}"), "6.12.1-build"),
        (format!("project/linux/{bz_image}"), "7.0.0-parent"),
        (format!("project/sched/linux/{bz_image}"), "7.0.0-here"),
    ] {
        write_image(&host.path(&path), release);
        assert_eq!(host.discovered(), release);
    }
    add(&host.cache, "6.18.2");
    add(&host.cache, "6.18.10");
    assert_eq!(host.discovered(), "6.18.10");
    host.env.kernel = Some("6.18.2".into());
    assert_eq!(host.discovered(), "6.18.2");
    write_image(&host.path("image"), "7.7.7");
    host.env.test_kernel = Some(host.path("image"));
    assert_eq!(host.discovered(), "7.7.7");
}

#[test]
fn a_named_kernel_is_never_replaced() {
    let mut host = Host::new();
    add(&host.cache, "7.3.4+deb13");
    for named in ["6.18", "6.18.1", "6.16..6.18", "7.3.4+deb14"] {
        let error = host.resolve(named).unwrap_err().to_string();
        assert!(error.contains("7.3.4+deb13") && error.contains("kernel fetch"), "{named}: {error}");
    }
    host.env.kernel = Some("7.0".into());
    let error = host.discover().unwrap_err().to_string();
    assert!(error.contains("KTSTR_KERNEL") && error.contains("kernel fetch 7.0"), "{error}");
    for (value, why) in
        [("7.0..7.3", "is a range"), ("banana", "does not name a kernel"), ("./none", "no kernel image")]
    {
        host.env.kernel = Some(value.into());
        let error = host.discover().unwrap_err().to_string();
        assert!(error.contains("KTSTR_KERNEL") && error.contains(why), "{value}: {error}");
    }
    host.env.test_kernel = Some("none".into());
    let error = host.discover().unwrap_err().to_string();
    assert!(error.contains("KTSTR_TEST_KERNEL") && error.contains("no kernel image"), "{error}");
}

#[test]
fn versions_ranges_and_keys_resolve_to_the_cache() {
    let host = Host::new();
    for release in ["6.18.2", "6.18.10+deb13", "7.3.4+deb13"] {
        add(&host.cache, release);
    }
    for (spec, release) in [
        ("6.18", "6.18.10+deb13"),
        ("6.18.2", "6.18.2"),
        ("6.16..=7.0", "6.18.10+deb13"),
        ("6.18..", "7.3.4+deb13"),
        ("7.3.4+deb13", "7.3.4+deb13"),
    ] {
        let kernel = host.resolve(spec).unwrap();
        assert_eq!((kernel.label(), kernel.sched_ext), (release, Some(true)), "{spec}");
        assert!(kernel.hold().unwrap().is_some());
    }
    let all = |spec: &str| {
        let kernels = cached(&spec.parse().unwrap(), &host.cache).unwrap();
        kernels.iter().map(|kernel| kernel.label().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(all("6.16..=7.0"), ["6.18.10+deb13", "6.18.2"]);
    assert_eq!(all("7.0..7.2"), [""; 0]);
}

#[test]
fn a_tree_is_used_as_built_or_refused() {
    let host = Host::new();
    let tree = host.path("tree");
    fs::create_dir(&tree).unwrap();
    let spec = format!("{}/", tree.display());
    assert!(matches!(host.resolve(&spec), Err(Error::NotATree { .. })));
    for file in ["Makefile", "Kbuild", "Kconfig", "kernel/sched/core.c"] {
        fs::create_dir_all(tree.join(file).parent().unwrap()).unwrap();
        fs::write(tree.join(file), "").unwrap();
    }
    assert!(matches!(host.resolve(&spec), Err(Error::Unbuilt { .. })));
    write_image(&tree.join("arch/x86/boot/bzImage"), "7.3.4-mine");
    fs::write(tree.join(".config"), config_text(KernelVersion::new(7, 3, 4), false)).unwrap();
    let kernel = host.resolve(&spec).unwrap();
    assert_eq!((kernel.label(), kernel.sched_ext), ("7.3.4-mine", Some(false)));
    assert!(matches!(kernel.source, KernelSource::Tree { .. }));
    assert!(kernel.to_string().contains("built just now in"), "{kernel}");
    assert!(matches!(host.resolve("git+https://example.org/l.git#v7.1"), Err(Error::Unbuilt { .. })));
}

#[test]
fn an_image_without_its_config_has_unknown_abilities() {
    let host = Host::new();
    write_image(&host.path("vmlinuz"), "7.3.4");
    let spec = host.path("vmlinuz").display().to_string();
    let kernel = host.resolve(&spec).unwrap();
    assert_eq!((kernel.sched_ext, kernel.config_text().unwrap()), (None, None));
    let text = config_text(kernel.version, true);
    fs::write(host.path("config-7.3.4"), &text).unwrap();
    let kernel = host.resolve(&spec).unwrap();
    assert_eq!((kernel.sched_ext, kernel.config_text().unwrap()), (Some(true), Some(text)));
}

#[test]
fn a_cached_image_that_was_changed_is_not_used() {
    let host = Host::new();
    let entry = add(&host.cache, "7.3.4");
    let mut image = fs::read(entry.image()).unwrap();
    image[0x7ff] ^= 1;
    fs::write(entry.image(), image).unwrap();
    assert!(matches!(host.resolve("7.3"), Err(Error::Corrupt { .. })));
    assert!(matches!(host.discover(), Err(Error::Corrupt { .. })));
}
