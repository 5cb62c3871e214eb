use std::process::{Child, Command};

use super::*;

/// The host's cgroup2, where it has one that this user may change; otherwise the test has nothing to run on.
fn cgroups(parent: &str) -> Option<Cgroups> {
    let root = mounted_root()?;
    let probe = root.join(format!("{}_probe", parent.replace('/', "_")));
    let may = fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)).is_ok();
    if !may {
        eprintln!("skipped: {} is not writable", root.display());
        return None;
    }
    let topology = TestTopology::from_sysfs(Path::new("/sys")).unwrap();
    Some(Cgroups::below(root, Some(parent), &topology).unwrap())
}

fn sleeper() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

#[test]
fn a_cgroup_with_live_tasks_is_removed_with_all_below() {
    let Some(cgroups) = cgroups("ktstr_test_live") else { return };
    let outer = cgroups.create("outer").unwrap();
    let inner = cgroups.create("outer/deep/inner").unwrap();
    assert_eq!(inner.name(), "outer/deep/inner");
    let mut sleeper = sleeper();
    inner.add(sleeper.id()).unwrap();
    assert_eq!(inner.pids().unwrap(), [sleeper.id()]);
    let path = outer.path().to_owned();
    std::mem::forget(inner);
    outer.remove().unwrap();
    assert!(!path.exists());
    assert!(!sleeper.wait().unwrap().success());
    let parent = cgroups.parent().to_owned();
    drop(cgroups);
    assert!(!parent.exists());
}

#[test]
fn dropping_removes_and_errors_name_cgroup_and_file() {
    let Some(cgroups) = cgroups("ktstr_test_drop/nested") else { return };
    let cell = cgroups.create("cell").unwrap();
    let path = cell.path().to_owned();
    assert!(path.ends_with("ktstr_test_drop/nested/cell"));
    let error = cgroups.create("cell").unwrap_err().to_string();
    assert!(error.starts_with("cannot create cgroup") && error.contains("nested/cell"), "{error}");
    let error = cell.add(4_000_000).unwrap_err().to_string();
    assert!(error.starts_with("cannot write `4000000` to") && error.contains("cell/cgroup.procs"), "{error}");
    drop(cell);
    assert!(!path.exists());
}

#[test]
fn refuses_names_that_lead_elsewhere() {
    let Some(cgroups) = cgroups("ktstr_test_names") else { return };
    for name in ["", "..", "a/../b", "/a", "a//b"] {
        assert!(matches!(cgroups.create(name), Err(GuestError::CgroupName(_))), "{name:?}");
    }
    for parent in ["/", "../x", "a//b"] {
        let topology = TestTopology::from_sysfs(Path::new("/sys")).unwrap();
        let refused = Cgroups::below("/nowhere".into(), Some(parent), &topology);
        assert!(matches!(refused, Err(GuestError::CgroupName(_))), "{parent:?}");
    }
}
