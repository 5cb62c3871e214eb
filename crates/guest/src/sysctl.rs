//! Kernel parameters.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{GuestError, on_file};

/// Sets kernel parameters in order, below the procfs mounted at `procfs`.
///
/// # Errors
/// On the first that the kernel does not have or does not take.
pub(crate) fn apply(procfs: &Path, sysctls: &[(String, String)]) -> Result<(), GuestError> {
    for (key, value) in sysctls {
        let path = procfs.join("sys").join(path_of(key));
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()))
            .map_err(on_file(format!("set {key} = {value} in"), &path))?;
    }
    Ok(())
}

/// As sysctl(8) reads keys: the first of `.` and `/` that occurs separates levels, the other one is part of a name.
fn path_of(key: &str) -> PathBuf {
    let dots = key.find(['.', '/']).is_none_or(|at| key[at..].starts_with('.'));
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    if dots { key.chars().map(swap).collect::<String>().into() } else { key.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_paths() {
        assert_eq!(path_of("kernel.sched_rt_runtime_us"), Path::new("kernel/sched_rt_runtime_us"));
        assert_eq!(path_of("net.ipv4.conf.eth0/1.mtu"), Path::new("net/ipv4/conf/eth0.1/mtu"));
        assert_eq!(path_of("net/ipv4/conf/eth0.1/mtu"), Path::new("net/ipv4/conf/eth0.1/mtu"));
    }

    #[test]
    fn sets_in_order_and_names_the_one_that_is_missing() {
        let procfs = tempfile::tempdir().unwrap();
        fs::create_dir_all(procfs.path().join("sys/kernel")).unwrap();
        let file = procfs.path().join("sys/kernel/panic");
        fs::write(&file, "0").unwrap();
        let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let error = apply(procfs.path(), &[set("kernel.panic", "1"), set("kernel.shoes", "2")]).unwrap_err();
        assert!(error.to_string().starts_with("cannot set kernel.shoes = 2 in /"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "1");
    }
}
