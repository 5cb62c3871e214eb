//! What cells will take, from the records of earlier runs.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ktstr_kernel::KernelSet;
use ktstr_model::{Mode, Preset, Topology};
use ktstr_results::{Phases, RecordKernel, RecordTemplate};
use serde::Deserialize;

use super::budget::Candidate;
use super::cells::is_cell;

/// What is read of a record.
#[derive(Clone, Debug, Deserialize)]
pub struct Earlier {
    pub test: String,
    #[serde(default)]
    pub topology: Option<Topology>,
    #[serde(default)]
    pub kernel: Option<RecordKernel>,
    #[serde(default)]
    pub mode: Option<Mode>,
    #[serde(default)]
    pub template: Option<RecordTemplate>,
    pub phases: Phases,
    pub began_unix_ms: u64,
}

/// A run of a test of which nothing is known: that of the default duration, with a good deal around it.
const UNKNOWN_RUN: Duration = Duration::from_secs(20);
/// A boot of which nothing is known, fitted to measured ones: 16, 64 and 128 CPUs took 12, 34 and 46 s.
const UNKNOWN_BOOT: Duration = Duration::from_secs(8);
const UNKNOWN_BOOT_PER_CPU: Duration = Duration::from_millis(400);

/// All that is known of earlier runs.
pub struct Estimates<'a> {
    earlier: Vec<Earlier>,
    kernels: &'a KernelSet,
    /// Keys of the templates in the cache.
    cached: HashSet<String>,
}

impl<'a> Estimates<'a> {
    /// Estimates from records in the mode that the cells will run in.
    pub fn new(
        mut earlier: Vec<Earlier>,
        mode: Mode,
        kernels: &'a KernelSet,
        cached: HashSet<String>,
    ) -> Self {
        earlier.retain(|record| record.mode == Some(mode));
        earlier.sort_by_key(|record| record.began_unix_ms);
        Self { earlier, kernels, cached }
    }

    /// The cells among `names` as candidates; a name that several test binaries have is one, which takes all their time.
    pub fn candidates<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<Candidate> {
        let mut candidates: BTreeMap<&str, Candidate> = BTreeMap::new();
        for name in names.filter(|name| is_cell(name)) {
            let candidate = self.candidate(name);
            candidates.entry(name).and_modify(|same| same.takes += candidate.takes).or_insert(candidate);
        }
        candidates.into_values().collect()
    }

    /// What the tests among `names` take that are no cells. One that left no record is none of ours, or new: it counts
    /// with nothing.
    pub fn given<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<Duration> {
        let tests = names.filter(|name| !is_cell(name));
        tests.filter_map(|test| self.newest(|record| record.test == test)).map(busy).collect()
    }

    fn candidate(&self, name: &str) -> Candidate {
        let covers: Vec<String> = name.split('/').skip(1).map(str::to_owned).collect();
        let preset = covers.iter().find_map(|part| Preset::named(part));
        let kernel = covers.last().filter(|part| self.kernels.get(part).is_some());
        let test = covers.first().map_or("", String::as_str);
        let own = preset.map(|preset| preset.topology);
        // A test's own topology is known from its records only.
        let topology = own.or_else(|| self.newest(|record| record.test == test)?.topology);
        let machine = format!(
            "{} {}",
            topology.map_or_else(|| test.to_owned(), |topology| topology.to_string()),
            kernel.map_or("", String::as_str)
        );
        let (takes, boot) = (self.run(test, topology), self.boot(topology, kernel.map(String::as_str)));
        Candidate { name: name.to_owned(), covers, takes, machine, boot }
    }

    /// The newest run of this test on this topology; else its longest on any; else the longest of any test there.
    fn run(&self, test: &str, topology: Option<Topology>) -> Duration {
        let there = |record: &Earlier| record.test == test && record.topology == topology;
        let longest = |of: &dyn Fn(&Earlier) -> bool| self.earlier.iter().filter(|r| of(r)).map(busy).max();
        (self.newest(there).map(busy))
            .or_else(|| longest(&|record| record.test == test))
            .or_else(|| longest(&|record| record.topology == topology))
            .unwrap_or(UNKNOWN_RUN)
    }

    /// Nothing when a record has a template of this topology and kernel that is still cached.
    fn boot(&self, topology: Option<Topology>, kernel: Option<&str>) -> Duration {
        let image = match kernel {
            Some(label) => self.kernels.get(label),
            None => self.kernels.kernels().first(),
        };
        let there = |record: &&Earlier| record.topology == topology;
        let on_kernel = |record: &&Earlier| {
            image.is_none_or(|image| record.kernel.as_ref().is_some_and(|kernel| kernel.image == image.image))
        };
        let templates =
            self.earlier.iter().filter(there).filter(on_kernel).filter_map(|r| r.template.as_ref());
        if templates.into_iter().any(|template| self.cached.contains(&template.key)) {
            return Duration::ZERO;
        }
        let boots = self.earlier.iter().filter(there);
        let fresh = boots.filter(|record| record.template.as_ref().is_some_and(|template| template.fresh));
        let measured = fresh.map(|record| ms(record.phases.template_ms)).max();
        let cpus = topology.map_or(2, |topology| topology.cpus());
        measured.unwrap_or(UNKNOWN_BOOT + UNKNOWN_BOOT_PER_CPU * cpus)
    }

    fn newest(&self, of: impl Fn(&Earlier) -> bool) -> Option<&Earlier> {
        self.earlier.iter().rev().find(|record| of(record))
    }
}

/// What a run took, but for booting its template and for waiting.
fn busy(record: &Earlier) -> Duration {
    ms(record.phases.busy_ms() - record.phases.template_ms)
}

fn ms(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn earlier(test: &str, topology: &str, run_ms: f64, fresh: bool, key: &str, at: u64) -> Earlier {
        Earlier {
            test: test.to_owned(),
            topology: topology.parse().ok(),
            kernel: Some(RecordKernel { release: "7".into(), image: "/new".into(), sha256: String::new() }),
            mode: Some(Mode::Deterministic),
            template: Some(RecordTemplate { key: key.to_owned(), fresh, turn_ns: 0, skew_permille: 0 }),
            phases: Phases { run_ms, template_ms: 9000.0, wait_ms: 5000.0, ..Phases::default() },
            began_unix_ms: at,
        }
    }

    #[test]
    fn what_was_measured_last_counts() {
        let kernels = KernelSet::of_variable(OsStr::new("7.3=/new:6.18=/old")).unwrap();
        let records = vec![
            earlier("a", "1n1l4c1t", 3000.0, false, "kept", 2),
            earlier("a", "1n1l4c1t", 8000.0, true, "kept", 1),
            earlier("a", "1n2l2c1t", 4000.0, true, "gone", 3),
        ];
        let cached = HashSet::from(["kept".to_owned()]);
        let estimates = Estimates::new(records, Mode::Deterministic, &kernels, cached);
        let of = |name: &str| {
            let candidate = &estimates.candidates([name].into_iter())[0];
            (candidate.takes.as_millis(), candidate.boot.as_millis())
        };
        assert_eq!(of("gauntlet/a/tiny-1llc/7.3"), (3000, 0), "the template is cached");
        assert_eq!(of("gauntlet/a/tiny-1llc/6.18"), (3000, 9000), "not with this kernel");
        assert_eq!(of("gauntlet/a/tiny-2llc/7.3"), (4000, 9000), "it was evicted");
        assert_eq!(of("gauntlet/a/odd-3llc/7.3"), (8000, 11_600), "never run there");
        assert_eq!(of("gauntlet/b/tiny-1llc/7.3"), (8000, 0), "another test");
        assert_eq!(of("gauntlet/b/odd-3llc/7.3"), (20_000, 11_600), "nothing is known");
        assert_eq!(
            estimates.given(["a", "b", "gauntlet/a/tiny-1llc/7.3"].into_iter()),
            [Duration::from_secs(4)]
        );
        let twice = estimates.candidates(["gauntlet/a/tiny-1llc/7.3"; 2].into_iter());
        assert_eq!((twice.len(), twice[0].takes.as_millis()), (1, 6000));
    }

    #[test]
    fn another_mode_says_nothing() {
        let kernels = KernelSet::default();
        let records = vec![earlier("a", "1n1l4c1t", 3000.0, false, "kept", 2)];
        let estimates = Estimates::new(records, Mode::RealTime, &kernels, HashSet::new());
        assert_eq!(estimates.candidates(["gauntlet/a/tiny-1llc"].into_iter())[0].takes, UNKNOWN_RUN);
    }
}
