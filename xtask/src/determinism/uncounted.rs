//! A QEMU whose clones do not count instructions and have a thread for each vCPU: what a machine is without all this.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Passes all arguments of a clone on but `-icount`, and asks for threads. What is no clone gets its arguments as they are: a
/// template's saved clock has to be one that counts.
const SCRIPT: &str = r#"#!/bin/sh
case " $* " in
*,share=off,*) ;;
*) exec "${KTSTR_COUNTING_QEMU:-qemu-system-x86_64}" "$@" ;;
esac
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    -icount)
        shift
        left=$((left - 1))
        continue
        ;;
    tcg) word=tcg,thread=multi ;;
    esac
    set -- "$@" "$word"
done
exec "${KTSTR_COUNTING_QEMU:-qemu-system-x86_64}" "$@"
"#;

/// Writes the program into `folder`.
///
/// # Errors
/// When it cannot be written.
pub fn wrapper(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("qemu-uncounted");
    fs::write(&path, SCRIPT).with_context(|| path.display().to_string())?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn it_takes_a_clones_counting_out_and_leaves_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let program = wrapper(folder.path()).unwrap();
        let said = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.env("KTSTR_COUNTING_QEMU", "echo").args(arguments);
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        let counts = ["-accel", "tcg", "-icount", "shift=2,sleep=off"];
        let clone = ["-object", "ram,share=off,size=1", "-append", "a 'b  c'"];
        let all = [&counts[..], &clone[..]].concat();
        assert_eq!(said(&all), "-accel tcg,thread=multi -object ram,share=off,size=1 -append a 'b  c'\n");
        assert_eq!(said(&counts), "-accel tcg -icount shift=2,sleep=off\n");
    }
}
