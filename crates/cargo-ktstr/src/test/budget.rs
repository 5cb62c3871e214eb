//! Which cells to run in a given time. Pure: estimates in, a choice out.

use std::collections::HashSet;
use std::time::Duration;

/// A cell that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The parts of its name: what it covers, such as a test, a preset and a kernel.
    pub covers: Vec<String>,
    /// What it is estimated to take.
    pub takes: Duration,
    /// The machine that it runs on. The first cell on it takes `boot` besides.
    pub machine: String,
    /// What booting its template is estimated to take, the same for all cells of a machine; nothing when it is cached.
    pub boot: Duration,
}

impl Candidate {
    /// What it takes if it comes to be the one that boots the template.
    fn longest(&self) -> Duration {
        self.takes + self.boot
    }
}

/// Time and how it may be used.
#[derive(Clone, Debug)]
pub struct Budget {
    /// From the first run's start to the last one's end.
    pub wall: Duration,
    /// Runs at a time, 1 or more.
    pub at_once: u32,
    /// What runs in any case, such as tests without a choice.
    pub given: Vec<Duration>,
}

/// Chooses cells that cover as much as possible: each is the one that covers most of what those before it did not, tests,
/// presets and kernels alike, and among equals the shortest. They fit into the budget in whatever order they run:
/// any order of work `w` in all on `n` CPUs, with `l` the longest piece, ends after `w/n + l(n-1)/n` at the latest (Graham,
/// Bounds on Multiprocessing Timing Anomalies, 1969). While a template boots, other cells are taken to run. Returns their places among the candidates, in order; the same for
/// the same input.
pub fn choose(candidates: &[Candidate], budget: &Budget) -> Vec<usize> {
    let mut spent = Spent::of(budget);
    let mut booted: HashSet<&str> = HashSet::new();
    let mut covered: HashSet<&str> = HashSet::new();
    let mut rest: Vec<usize> = (0..candidates.len()).collect();
    let mut chosen = Vec::new();
    loop {
        let cost = |at: usize| {
            let candidate = &candidates[at];
            let boot =
                if booted.contains(candidate.machine.as_str()) { Duration::ZERO } else { candidate.boot };
            candidate.takes + boot
        };
        // What does not fit now will not fit later, unless another boots its machine; then it may.
        let fitting =
            rest.iter().copied().filter(|at| spent.has_room_for(cost(*at), candidates[*at].longest()));
        let news =
            |at: usize| candidates[at].covers.iter().filter(|part| !covered.contains(part.as_str())).count();
        let best = fitting.min_by(|a, b| {
            (news(*b).cmp(&news(*a)))
                .then(cost(*a).cmp(&cost(*b)))
                .then(candidates[*a].name.cmp(&candidates[*b].name))
        });
        let Some(best) = best else { break };
        spent.add(cost(best), candidates[best].longest());
        booted.insert(&candidates[best].machine);
        covered.extend(candidates[best].covers.iter().map(String::as_str));
        rest.retain(|at| *at != best);
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen
}

/// What was chosen so far.
struct Spent {
    wall: Duration,
    at_once: u32,
    work: Duration,
    longest: Duration,
}

impl Spent {
    fn of(budget: &Budget) -> Self {
        let at_once = budget.at_once.max(1);
        let longest = budget.given.iter().copied().max().unwrap_or_default();
        Self { wall: budget.wall, at_once, work: budget.given.iter().sum(), longest }
    }

    fn has_room_for(&self, cost: Duration, longest: Duration) -> bool {
        latest_end(self.work + cost, self.longest.max(longest), self.at_once) <= self.wall
    }

    fn add(&mut self, cost: Duration, longest: Duration) {
        self.work += cost;
        self.longest = self.longest.max(longest);
    }
}

/// When work ends at the latest, in whatever order it is done.
fn latest_end(work: Duration, longest: Duration, at_once: u32) -> Duration {
    (work + longest * (at_once - 1)) / at_once
}

#[cfg(test)]
mod tests;
