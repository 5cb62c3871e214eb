use std::cell::Cell;
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::saved::RECORD;

fn place<'a>(root: &'a Path, key: &'a str) -> Place<'a> {
    Place { root, key, most_kept: 3 << 20, needed_mb: 2 }
}

fn silent(_: &str) {}

/// What there is of `key`: its record.
fn find(root: &Path, key: &str) -> Result<Option<String>, String> {
    Ok(fs::read_to_string(root.join(key).join(RECORD)).ok())
}

fn built(folder: &Path, mib: usize) -> Result<Result<u32, ()>, VmError> {
    fs::write(folder.join("ram0"), vec![1; mib << 20]).unwrap();
    Ok(Ok(7))
}

fn names_in(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_is_there_is_not_built_again() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let times = Cell::new(0);
    let get = || {
        let build = |folder: &Path, _: &mut dyn Progress| {
            times.set(times.get() + 1);
            built(folder, 1)
        };
        build_once(&place(root, "a"), || find(root, "a"), build, &mut silent).unwrap()
    };
    let Once::Built { folder, held, record } = get() else { panic!("nothing was there") };
    assert_eq!((folder, record, names_in(root)), (root.join("a"), 7, vec!["a".into(), "a.lock".into()]));
    assert!(matches!(get(), Once::Found(record) if record == "7"));
    assert_eq!(times.get(), 1);
    eviction::evict(root, 0);
    assert!(root.join("a").exists(), "who built it holds it");
    drop(held);
    eviction::evict(root, 0);
    assert!(names_in(root).is_empty());
}

#[test]
fn there_is_room_for_the_new_one_before_it_is_built() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let get = |key: &str| {
        let build = |folder: &Path, _: &mut dyn Progress| {
            assert!(!root.join("old").exists(), "together with the old one it would be too much");
            built(folder, 2)
        };
        build_once(&place(root, key), || find(root, key), build, &mut silent).unwrap()
    };
    drop(get("old"));
    drop(get("new"));
    assert_eq!(names_in(root), ["new", "new.lock"]);
}

#[test]
fn what_was_not_built_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let build = |folder: &Path, _: &mut dyn Progress| {
        fs::write(folder.join("ram0"), "x").unwrap();
        Ok(Err::<u32, _>("the guest panicked"))
    };
    let end = build_once(&place(root, "a"), || find(root, "a"), build, &mut silent).unwrap();
    assert!(matches!(end, Once::NotBuilt("the guest panicked")));
    assert!(names_in(root).is_empty(), "{:?}", names_in(root));
}

#[test]
fn what_cannot_be_used_is_built_again_and_that_is_said() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    fs::create_dir(root.join("a")).unwrap();
    let mut said = Vec::new();
    let unusable = || Err::<Option<()>, _>("its device state is damaged".to_owned());
    let build = |folder: &Path, _: &mut dyn Progress| built(folder, 1);
    let mut tell = |what: &str| said.push(what.to_owned());
    let end = build_once(&place(root, "a"), unusable, build, &mut tell).unwrap();
    assert!(matches!(end, Once::Built { .. }));
    assert!(
        said.len() == 1 && said[0].ends_with("cannot be used (its device state is damaged): built again")
    );
}

#[test]
fn nobody_works_under_a_lock_that_was_removed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let first = Site::lock(root, "a", &mut silent).unwrap();
    thread::scope(|scope| {
        let (waits, waiting) = channel();
        let second = scope.spawn(move || {
            let mut tell = |_: &str| waits.send(()).unwrap();
            Site::lock(root, "a", &mut tell).unwrap()
        });
        waiting.recv().unwrap();
        // Removes its lock, for which the second waits.
        drop(first);
        let second = second.join().unwrap();
        assert!(is_at(&second.lock, &second.lock_path));
    });
}
