//! The one trait that a work type implements.

use std::borrow::Cow;
use std::fmt;

use rustix::io::Errno;

use super::bench::Bench;

/// What one worker does.
///
/// Values are made in the test process, a group at a time ([`members`](super::kinds::members)), and then belong to the
/// worker: a forked process or a thread of one. What the members of a group share is made before that too: pipes, and
/// memory with [`Shared`](super::group::Shared).
pub(crate) trait Work: Send {
    /// Gets the worker ready: it is in its cgroup and has its affinity, policies and memory policy, but not yet another
    /// user. Memory for the work belongs here, so that it follows the memory policy.
    ///
    /// # Errors
    /// What cannot be had; the worker is then reported as failed.
    fn prepare(&mut self, _bench: &mut Bench<'_>) -> Result<(), Trouble> {
        Ok(())
    }

    /// Does one unit of the work. Allocates nothing, and calls the kernel only for what the work type is about.
    ///
    /// A call that may block for long is interrupted again and again once the worker is to stop: treat `EINTR` as done
    /// ([`unless_interrupted`]) and return. A loop over shared memory looks at [`Bench::stopped`].
    ///
    /// # Errors
    /// Why the worker cannot go on; it is then reported as failed.
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble>;

    /// Whether one step lasts until the worker is to stop and measures itself.
    fn measures_itself(&self) -> bool {
        false
    }

    /// Puts away what is neither memory nor descriptors, such as child processes.
    fn finish(&mut self) {}
}

impl<F: FnMut(&mut Bench<'_>) -> Result<(), Trouble> + Send> Work for F {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self(bench)
    }
}

/// Why a worker cannot be prepared or go on.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What it was about to do.
    action: Cow<'static, str>,
    /// What the kernel said.
    errno: Errno,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, errno } = self;
        write!(f, "could not {action}: {}", std::io::Error::from(*errno))
    }
}

/// Makes an error of the kernel say what was attempted.
pub(crate) fn trouble<A: Into<Cow<'static, str>>>(action: A) -> impl FnOnce(Errno) -> Trouble {
    move |errno| Trouble { action: action.into(), errno }
}

/// `None` when a signal ended the call, which is what happens to workers that are to stop.
pub(crate) fn unless_interrupted<T>(result: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::INTR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// The error that the last call of libc left.
pub(crate) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
