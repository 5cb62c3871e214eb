//! `CgroupChurn`: moves itself between cgroups below its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

use super::Members;
use crate::error::{GuestError, on_file};
use crate::worker::bench::Bench;
use crate::worker::group::GroupPlan;
use crate::worker::work::{Trouble, Work, trouble, unless_interrupted};

struct CgroupChurn {
    paths: Vec<PathBuf>,
    /// The open `cgroup.procs` of each.
    tasks: Vec<File>,
    stay: Duration,
    next: usize,
}

/// Makes the cgroups `churn_0`, `churn_1` and so on, which all workers of one cgroup have in common. They go with it.
pub(super) fn members(groups: usize, cycle_ms: u64, plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    let Some(own) = plan.cgroup else {
        let why = "it moves between cgroups below its own, and these workers are outside of all".to_owned();
        return Err(GuestError::WorkTypeUnfit { work: "CgroupChurn", why });
    };
    let paths: Vec<PathBuf> = (0..groups).map(|number| own.join(format!("churn_{number}"))).collect();
    for path in &paths {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(on_file("create cgroup", path))?,
        }
    }
    let stay = Duration::from_millis(cycle_ms);
    Ok(vec![Box::new(CgroupChurn { paths, tasks: Vec::new(), stay, next: 0 })])
}

impl Work for CgroupChurn {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        for path in &self.paths {
            let tasks = OpenOptions::new().write(true).open(path.join("cgroup.procs"));
            let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            self.tasks.push(tasks.map_err(errno).map_err(trouble("open a cgroup below its own"))?);
        }
        self.next = bench.random().below(self.tasks.len() as u32) as usize;
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        // 0 is whoever writes.
        let moved = unless_interrupted(rustix::io::pwrite(&self.tasks[self.next], b"0", 0));
        moved.map_err(trouble("move itself to a cgroup below its own"))?;
        self.next = (self.next + 1) % self.tasks.len();
        bench.spin_for(self.stay);
        Ok(())
    }
}
