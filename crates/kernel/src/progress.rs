//! How slow work tells of itself.

/// Receives what a slow operation does. The command line draws it; a library user may pass [`Silent`].
pub trait Progress {
    /// A step begins.
    fn step(&self, text: &str);
    /// `done` of `total` bytes of the current step are there. Called several times a second.
    fn bytes(&self, done: u64, total: u64);
    /// `done` objects of a build are there, of about `total`, in a build from nothing: one that compiles only
    /// what changed ends sooner. Called for each.
    fn objects(&self, _done: u64, _total: u64) {}
    /// Something the user should know, now and afterwards.
    fn notice(&self, text: &str);
}

/// Tells nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str) {}
    fn bytes(&self, _: u64, _: u64) {}
    fn notice(&self, _: &str) {}
}
