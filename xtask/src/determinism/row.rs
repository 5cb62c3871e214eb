//! What is counted, and the program that counts it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use ktstr_host::Invocation;
use serde::{Deserialize, Serialize};

use super::uncounted;
use crate::workspace::Workspace;
use crate::{kernel, real_schedulers};

/// Four CPUs, in two LLCs.
const FOUR_CPUS: &str = "1n2l2c1t";
/// Series of Debian's kernels beside the newest.
const SERIES: [&str; 7] = ["6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2"];
/// Runs enough to see that nothing repeats.
const OF_UNCOUNTED: usize = 20;

/// One plan, and how often it is carried out.
pub struct Row {
    /// What is special about it.
    pub name: String,
    /// Every CPU of the host has something else to do meanwhile.
    pub on_busy_host: bool,
    /// Half of the runs are made from a template that is built again.
    pub with_second_template: bool,
    /// Instructions are not counted: nothing is to be equal.
    pub uncounted: bool,
    /// The kernel's series; empty for the newest.
    series: &'static str,
    plan: Plan,
}

/// What the counter reads.
#[derive(Clone, Serialize)]
struct Plan {
    test: &'static str,
    topology: &'static str,
    clones: usize,
    seeds: usize,
}

/// What the counter prints.
#[derive(Deserialize)]
pub struct Counted {
    /// Digests of the runs of one plan.
    pub digests: BTreeSet<String>,
    /// How many digests the seeds had.
    pub digests_of_seeds: usize,
    /// Wall time of all runs.
    pub seconds: f64,
}

impl Counted {
    /// With the runs of the same plan from another template.
    pub fn merge(&mut self, other: Self) {
        self.digests.extend(other.digests);
        self.seconds += other.seconds;
    }
}

impl Row {
    fn new(name: &str, test: &'static str, topology: &'static str, clones: usize, seeds: usize) -> Self {
        Self {
            name: name.to_owned(),
            on_busy_host: false,
            with_second_template: false,
            uncounted: false,
            series: "",
            plan: Plan { test, topology, clones, seeds },
        }
    }

    /// Runs of the plan.
    pub fn clones(&self) -> usize {
        self.plan.clones
    }

    /// Seeds.
    pub fn seeds(&self) -> usize {
        self.plan.seeds
    }

    /// Whether it runs a scheduler that has to be built first, which takes long.
    pub fn needs_real_schedulers(&self) -> bool {
        matches!(self.plan.test, "bpfland" | "cosmos")
    }
}

/// All rows: `most` runs of the first plan, `clones` of each other one.
pub fn all(most: usize, clones: usize, seeds: usize) -> Vec<Row> {
    let example = |name: &str, topology| Row::new(name, "example", topology, clones, seeds);
    let scheduler = |name: &str, test| Row::new(name, test, FOUR_CPUS, clones, seeds);
    let first = Row {
        on_busy_host: true,
        with_second_template: true,
        ..Row::new("4 CPUs, two templates, busy host", "example", FOUR_CPUS, most, seeds)
    };
    let machines = [
        example("1 CPU", "1n1l1c1t"),
        example("2 CPUs", "1n1l2c1t"),
        example("8 CPUs", "1n2l4c1t"),
        example("16 CPUs", "1n4l4c1t"),
        example("32 CPUs", "1n4l8c1t"),
        example("8 CPUs with SMT", "1n2l2c2t"),
        example("8 CPUs on two NUMA nodes", "2n2l4c1t"),
    ];
    let kernels =
        SERIES.map(|series| Row { series, ..example(&format!("4 CPUs, kernel {series}"), FOUR_CPUS) });
    let schedulers = [
        scheduler("4 CPUs, the kernel's own scheduler", "eevdf"),
        scheduler("4 CPUs, scx_bpfland", "bpfland"),
        scheduler("4 CPUs, scx_cosmos", "cosmos"),
    ];
    let uncounted = Row {
        uncounted: true,
        ..Row::new(
            "4 CPUs, instructions not counted (thread=multi)",
            "eevdf",
            FOUR_CPUS,
            OF_UNCOUNTED.min(clones),
            0,
        )
    };
    let mut rows = vec![first];
    rows.extend(machines.into_iter().chain(kernels).chain(schedulers).chain([uncounted]));
    rows
}

/// Starts the program that counts: the benchmark `determinism` of the crate `ktstr`.
pub struct Counter<'a> {
    workspace: &'a Workspace,
    /// For what is not to be kept.
    scratch: PathBuf,
}

impl<'a> Counter<'a> {
    /// Makes room, and fetches the newest kernel unless one is cached.
    ///
    /// # Errors
    /// When the target folder cannot be written, or there is no kernel.
    pub fn new(workspace: &'a Workspace) -> Result<Self> {
        kernel::fetch_quietly(workspace)?;
        let scratch = workspace.target_directory.join("determinism");
        let counter = Self { workspace, scratch };
        counter.clear()?;
        Ok(counter)
    }

    /// Carries the runs of a row out; of one with a second template, the first half.
    ///
    /// # Errors
    /// When a run leaves no report.
    pub fn count(&self, row: &Row) -> Result<Counted> {
        let mut plan = row.plan.clone();
        if row.with_second_template {
            plan.clones = plan.clones.div_ceil(2);
        }
        if !row.uncounted {
            return carry_out(&plan, self.invocation(row)?);
        }
        let qemu = uncounted::wrapper(&self.scratch)?;
        self.in_scratch_cache(&plan, self.invocation(row)?.env("KTSTR_QEMU", qemu.display().to_string()))
    }

    /// The other half, from a template that is built for it.
    ///
    /// # Errors
    /// As [`Counter::count`].
    pub fn count_on_second_template(&self, row: &Row) -> Result<Counted> {
        let plan = Plan { clones: row.plan.clones / 2, seeds: 0, ..row.plan.clone() };
        self.in_scratch_cache(&plan, self.invocation(row)?)
    }

    fn in_scratch_cache(&self, plan: &Plan, invocation: Invocation) -> Result<Counted> {
        let cache = self.scratch.join("cache");
        let counted = carry_out(plan, invocation.env("KTSTR_CACHE_DIR", cache.display().to_string()));
        self.clear()?;
        counted
    }

    fn clear(&self) -> Result<()> {
        if self.scratch.exists() {
            fs::remove_dir_all(&self.scratch).with_context(|| self.scratch.display().to_string())?;
        }
        fs::create_dir_all(&self.scratch).with_context(|| self.scratch.display().to_string())
    }

    fn invocation(&self, row: &Row) -> Result<Invocation> {
        let image = match row.series {
            "" => kernel::newest_image(self.workspace)?,
            series => kernel::image_of(self.workspace, series)?,
        };
        let bench = Invocation::new("cargo bench --quiet --package ktstr --bench determinism --")
            .env("KTSTR_TEST_KERNEL", image.display().to_string());
        if row.needs_real_schedulers() {
            return Ok(bench.env("PATH", real_schedulers::search_path(&real_schedulers::folder()?)?));
        }
        Ok(bench)
    }
}

fn carry_out(plan: &Plan, invocation: Invocation) -> Result<Counted> {
    let printed = invocation.arg(serde_json::to_string(plan)?).stdout()?;
    serde_json::from_str(&printed).with_context(|| format!("cannot read what the counter printed: {printed}"))
}
