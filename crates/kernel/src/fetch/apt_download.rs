//! Downloading packages with apt's own downloader, which knows the system's proxies, resumes, and checks sums.

use std::{
    fs,
    io::{self, Read, Seek},
    path::Path,
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use super::{
    apt::{APT_MISSING, Apt},
    package::Package,
    program::Failure,
};
use crate::{Error, Progress};

const POLL: Duration = Duration::from_millis(50);

/// Downloads packages into their files, going on with what an interrupted download left there.
pub fn download(apt: &Apt, wanted: &[(&Package, &Path)], progress: &dyn Progress) -> Result<(), Error> {
    let mut command = apt.download_command();
    for (package, file) in wanted {
        let sum = format!("SHA256:{}", package.record.sha256);
        command.arg(apt.address(&package.path)).arg(file).arg(sum);
    }
    let failure = Failure {
        program: "apt-helper",
        doing: "downloading the kernel's packages",
        remedy: "type the same command again: it goes on where it stopped. If the mirror has dropped the packages, \
                 name another with KTSTR_DEBIAN_MIRROR",
        if_missing: APT_MISSING,
    };
    let mut stderr = tempfile::tempfile().map_err(Error::io("create", &std::env::temp_dir()))?;
    let copy = stderr.try_clone().map_err(Error::io("open", &std::env::temp_dir()))?;
    let total = wanted.iter().map(|(package, _)| package.bytes).sum();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(copy)
        .spawn()
        .map_err(|error| failure.not_started(&error))?;
    let status: io::Result<ExitStatus> = loop {
        match child.try_wait() {
            Ok(None) => progress.bytes(wanted.iter().map(|(_, file)| length(file)).sum(), total),
            Ok(Some(status)) => break Ok(status),
            Err(error) => break Err(error),
        }
        thread::sleep(POLL);
    };
    if !status.is_ok_and(|status| status.success()) {
        let mut said = Vec::new();
        let _ = stderr.rewind().and_then(|()| stderr.read_to_end(&mut said));
        return Err(failure.failed(&said));
    }
    progress.bytes(total, total);
    Ok(())
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}
