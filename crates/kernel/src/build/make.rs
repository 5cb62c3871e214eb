//! Running the kernel's makefiles: everything goes to a log, the objects are counted.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use crate::{Error, Progress, program::find_program};

/// Lines kept to look for the cause of a failure; parallel jobs go on for a while after the first error.
const KEPT: usize = 400;
const SHOWN: usize = 12;
/// Variables of the caller's that would change what is built, or where.
const FOREIGN: [&str; 10] = [
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "ARCH",
    "CROSS_COMPILE",
    "LLVM",
    "KBUILD_OUTPUT",
    "KCONFIG_CONFIG",
    "KCFLAGS",
    "INSTALL_PATH",
];

/// The folders of one build.
pub struct Make<'a> {
    /// Where the sources are; nothing is written there.
    pub source: &'a Path,
    /// Where everything is built.
    pub objects: &'a Path,
    /// What make says.
    pub log: PathBuf,
    /// Commands at a time.
    pub jobs: usize,
}

impl Make<'_> {
    /// Turns the fragment in `fragment` into a whole configuration, in which everything that it does not say is off.
    pub fn configure(&self, fragment: &Path) -> Result<(), Error> {
        let mut command = self.command();
        command.env("KCONFIG_ALLCONFIG", fragment).arg("allnoconfig");
        self.run(command, "configuring the kernel", |_| ())
    }

    /// Builds the image, for which about `expected` objects are compiled if there are none. Returns how many were, then.
    pub fn build(&self, expected: u64, progress: &dyn Progress) -> Result<Option<u64>, Error> {
        // One of the first objects: a build that was interrupted left it too.
        let is_first = !self.objects.join("init/main.o").exists();
        let mut count = 0;
        let mut phase = "";
        let mut command = self.command();
        command.arg("bzImage");
        self.run(command, "building the kernel", |line| {
            let mut words = line.split_whitespace();
            match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
                ("CC" | "AS", _) => {
                    count += 1;
                    if phase.is_empty() {
                        progress.objects(count, expected.max(count));
                    }
                }
                ("LD", "vmlinux.o") => step(progress, &mut phase, "Linking"),
                ("BTF", _) => step(progress, &mut phase, "Collecting type information (pahole)"),
                ("LD", "arch/x86/boot/compressed/vmlinux") => step(progress, &mut phase, "Packing the image"),
                _ => {}
            }
        })?;
        // An incremental build counts only what changed.
        Ok(Some(count).filter(|count| is_first && *count > 0))
    }

    fn command(&self) -> Command {
        let mut command = Command::new("make");
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").arg("-C").arg(self.source);
        let mut objects = std::ffi::OsString::from("O=");
        objects.push(self.objects);
        command.arg(objects).arg(format!("-j{}", self.jobs)).args([
            "ARCH=x86_64",
            "V=0",
            // Without it a tree under git gets a `+` in its release.
            "LOCALVERSION=",
            // Else every build differs, and everything is linked again.
            "KBUILD_BUILD_USER=ktstr",
            "KBUILD_BUILD_HOST=ktstr",
            "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
            "KBUILD_BUILD_VERSION=1",
        ]);
        if find_program("ccache").is_some() {
            command.arg("CC=ccache gcc");
        }
        command
    }

    fn run(
        &self,
        mut command: Command,
        doing: &'static str,
        mut on_line: impl FnMut(&str),
    ) -> Result<(), Error> {
        let write_error = |error| Error::cache_io("write", &self.log)(error);
        let mut log = File::options().create(true).append(true).open(&self.log).map_err(write_error)?;
        let mut last = VecDeque::new();
        let status = lines_of(&mut command, |line| {
            writeln!(log, "{line}")?;
            on_line(line);
            if last.len() == KEPT {
                last.pop_front();
            }
            last.push_back(line.to_owned());
            Ok(())
        });
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(Error::BuildFailed { doing, said: causes(&last), log: self.log.clone() }),
            Err(error) => Err(write_error(error)),
        }
    }
}

fn step(progress: &dyn Progress, phase: &mut &'static str, next: &'static str) {
    if *phase != next {
        *phase = next;
        progress.step(next);
    }
}

/// Runs a command to its end and hands on each line that it writes, to either stream.
fn lines_of(
    command: &mut Command,
    mut on_line: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<ExitStatus> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    // SAFETY: `prctl` is async-signal-safe. When we are killed, make ends too, and it ends its children.
    unsafe {
        command.pre_exec(|| {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
            Ok(())
        })
    };
    let mut child = command.spawn()?;
    // The command holds our copies of the writing end, and the reader waits for the last to close.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    let mut result = Ok(());
    while result.is_ok() && reader.read_until(b'\n', &mut bytes)? > 0 {
        result = on_line(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    // After a failure of ours make meets a closed pipe, and ends.
    drop(reader);
    let status = child.wait()?;
    result.map(|()| status)
}

/// The lines that say why a build failed, or its last lines.
fn causes(last: &VecDeque<String>) -> String {
    let is_cause = |line: &&String| {
        // What kbuild does is indented, and may have such a word in a file's name.
        !line.starts_with("  ")
            && ["error", "Error", "***", "No space left", "undefined reference", "not found", "FAILED"]
                .iter()
                .any(|word| line.contains(word))
    };
    let mut lines: Vec<_> = last.iter().filter(is_cause).collect();
    if lines.is_empty() {
        lines = last.iter().collect();
    }
    let shown = &lines[lines.len().saturating_sub(SHOWN)..];
    shown.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
