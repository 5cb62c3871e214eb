use std::{sync::mpsc, thread, time::Duration};

use super::*;
use crate::{
    Origin,
    testing::{add, fill},
};

fn cache() -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path());
    (dir, cache)
}

fn keys(cache: &Cache) -> Vec<String> {
    cache.list().unwrap().iter().map(|slot| slot.key().to_owned()).collect()
}

fn reason(cache: &Cache, key: &str) -> String {
    match cache.get(key) {
        Err(Error::Corrupt { reason, .. }) => reason,
        other => panic!("{key}: {other:?}"),
    }
}

/// A change to the metadata of a good entry.
fn edit_metadata(cache: &Cache, key: &str, edit: impl FnOnce(String) -> String) {
    let path = cache.entry_dir(key).join("metadata.json");
    fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
}

#[test]
fn the_first_variable_that_is_set_decides() {
    let mut env = crate::discover::tests::environment(Path::new("/host"));
    env.home = Some("/home/u".into());
    let root = |env: &Environment| Cache::locate(env).unwrap().root;
    assert_eq!(root(&env), Path::new("/home/u/.cache/ktstr"));
    env.xdg_cache_home = Some("/xdg".into());
    assert_eq!(root(&env), Path::new("/xdg/ktstr"));
    env.cache_dir = Some("/mine".into());
    assert_eq!(root(&env), Path::new("/mine"));
    (env.home, env.xdg_cache_home, env.cache_dir) = (None, None, None);
    assert!(matches!(Cache::locate(&env), Err(Error::NoCacheDir)));
}

#[test]
fn lists_newest_first_and_corrupt_last() {
    let (_dir, cache) = cache();
    assert!(cache.list().unwrap().is_empty());
    for release in ["6.18.2", "7.3.4+deb13", "6.18.10", "7.3-rc1"] {
        add(&cache, release);
    }
    fs::create_dir(cache.kernels().join("9.0-empty")).unwrap();
    assert_eq!(keys(&cache), ["7.3.4+deb13", "7.3-rc1", "6.18.10", "6.18.2", "9.0-empty"]);
    assert_eq!(cache.newest(Some(&"6.18".parse().unwrap())).unwrap().unwrap().key(), "6.18.10");
    assert_eq!(cache.newest(None).unwrap().unwrap().key(), "7.3.4+deb13");
    assert!(cache.newest(Some(&"9.0".parse().unwrap())).unwrap().is_none());
}

#[test]
fn an_entry_says_what_was_staged() {
    let (_dir, cache) = cache();
    add(&cache, "7.3.4+deb13");
    let entry = cache.get("7.3.4+deb13").unwrap().unwrap();
    let metadata = entry.metadata();
    assert_eq!((metadata.release.as_str(), metadata.sched_ext), ("7.3.4+deb13", true));
    assert_eq!(metadata.image_sha256, Sha256Sum::of_file(&entry.image()).unwrap());
    assert_eq!(metadata.config_sha256, Sha256Sum::of_file(&entry.config()).unwrap());
}

#[test]
fn damage_is_named_and_never_a_panic() {
    let (_dir, cache) = cache();
    let key = "7.3.4";
    let spoil = |edit: &dyn Fn(String) -> String| {
        add(&cache, key);
        edit_metadata(&cache, key, edit);
        reason(&cache, key)
    };
    assert!(spoil(&|text| text[..text.len() / 2].to_owned()).contains("EOF"));
    assert!(spoil(&|_| String::new()).contains("cannot be read"));
    assert!(spoil(&|_| "[1, 2]".into()).contains("cannot be read"));
    assert!(spoil(&|_| r#"{"name": "something else"}"#.into()).contains("schema"));
    assert!(spoil(&|_| r#"{"schema": 99, "shape": "new"}"#.into()).contains("schema 99"));
    assert!(spoil(&|text| text.replace("debian", "martian")).contains("martian"));
    assert!(spoil(&|text| text.replace("\"key\": \"7.3.4\"", "\"key\": \"7.3.5\"")).contains("7.3.5"));

    add(&cache, key);
    fs::write(cache.entry_dir(key).join("image"), "short").unwrap();
    assert!(reason(&cache, key).contains("5 bytes"));
    fs::remove_file(cache.entry_dir(key).join("image")).unwrap();
    assert!(reason(&cache, key).contains("image"));
    assert_eq!(keys(&cache), [key]);
}

#[test]
fn a_writer_replaces_a_corrupt_entry_and_leaves_nothing_else() {
    let (_dir, cache) = cache();
    add(&cache, "7.3.4");
    edit_metadata(&cache, "7.3.4", |_| "{".into());
    add(&cache, "7.3.4");
    assert!(cache.get("7.3.4").unwrap().is_some());
    assert_eq!(folder_names(&cache.kernels()).unwrap(), [".locks", "7.3.4"]);
}

#[test]
fn a_staged_entry_that_fails_leaves_nothing() {
    let (_dir, cache) = cache();
    let lock = cache.lock("7.3.4", || ()).unwrap();
    let staged = cache.stage(&lock).unwrap();
    fs::write(staged.image(), "not a kernel").unwrap();
    fs::write(staged.config(), "CONFIG_SMP=y\n").unwrap();
    assert!(matches!(staged.commit(Origin::Debian { packages: vec![] }), Err(Error::NotAKernel { .. })));
    assert_eq!(folder_names(&cache.kernels()).unwrap(), [".locks"]);
}

#[test]
fn the_second_writer_waits_and_finds_the_work_done() {
    let (_dir, cache) = cache();
    let lock = cache.lock("7.3.4", || panic!("nobody else writes")).unwrap();
    let (waits, waiting) = mpsc::channel();
    let second = thread::spawn({
        let cache = cache.clone();
        move || {
            let _lock = cache.lock("7.3.4", || waits.send(()).unwrap()).unwrap();
            cache.get("7.3.4").unwrap().is_some()
        }
    });
    waiting.recv_timeout(Duration::from_secs(10)).expect("the second writer waits");
    let staged = cache.stage(&lock).unwrap();
    fill(&staged, "7.3.4", true);
    staged.commit(Origin::Debian { packages: vec![] }).unwrap();
    drop(lock);
    assert!(second.join().unwrap());
}

#[test]
fn an_entry_in_use_is_not_removed() {
    let (_dir, cache) = cache();
    let entry = add(&cache, "7.3.4");
    let slot = &cache.list().unwrap()[0];
    let hold = entry.hold().unwrap();
    assert!(matches!(cache.remove(slot), Err(Error::InUse { .. })));
    drop(hold);
    let writer = cache.lock("7.3.4", || ()).unwrap();
    assert!(matches!(cache.remove(slot), Err(Error::InUse { .. })));
    drop(writer);
    cache.remove(slot).unwrap();
    assert!(keys(&cache).is_empty());
    assert!(entry.hold().is_err());
}

#[test]
fn a_sweep_takes_only_what_nobody_writes() {
    let (_dir, cache) = cache();
    add(&cache, "7.3.4");
    for path in
        ["kernels/.staging-6.18.1", "kernels/.staging-6.18.2", "kernels/.removed-6.18.3", "downloads/6.18.4"]
    {
        fs::create_dir_all(cache.root().join(path)).unwrap();
    }
    let _lock = cache.lock("6.18.2", || ()).unwrap();
    cache.sweep().unwrap();
    assert_eq!(folder_names(&cache.kernels()).unwrap(), [".locks", ".staging-6.18.2", "7.3.4"]);
    assert!(folder_names(&cache.downloads()).unwrap().is_empty());
}

#[test]
fn a_cache_that_cannot_be_used_says_what_to_set() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let cache = Cache::at(file.join("cache"));
    for error in [cache.list().unwrap_err(), cache.lock("7.3.4", || ()).unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains("KTSTR_CACHE_DIR") && text.contains("file/cache"), "{text}");
    }
}
