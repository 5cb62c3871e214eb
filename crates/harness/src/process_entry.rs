//! What a test binary does on the host before libtest: it lists its cells for a runner, and runs one.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::time::Instant;

use ktstr_kernel::KernelSet;
use ktstr_model::ModeChoice;
use ktstr_vm::{Qemu, known_kvm};
use serde::Serialize;

use crate::cells::{self, CellEnd, Declared, Listed, NoCells, TooLarge};
use crate::error::HarnessError;
use crate::run::Host;
use crate::runner_protocol::RunnerRequest;
use crate::session;
use crate::settings::Settings;
use crate::test_entry::{failure_of, watch_the_runner};

/// The variable with the path of a file: names of cells, one a line. No others are listed.
const CHOICE: &str = "KTSTR_CELLS";
/// The variable that leaves out of lists the cells that only run when ignored tests are asked for, which nobody did.
const NO_IGNORED: &str = "KTSTR_NO_IGNORED_CELLS";
/// libtest's code for tests that failed.
const FAILED: i32 = 101;
/// The code for a request that cannot be understood.
const BAD_REQUEST: i32 = 1;

/// Does what the command line asks for, as far as it concerns cells: prints their names and returns, so that libtest
/// prints its own; or runs one and ends the process, as libtest would. Otherwise does nothing.
///
/// May be called before `main`, from a constructor: nothing unwinds out of it.
pub fn process_entry(declared: &Declared) {
    session::process_entry(declared);
    let Some(request) = RunnerRequest::parse(env::args_os().skip(1)) else { return };
    match request {
        RunnerRequest::List { ignored } => print_names(declared, ignored),
        RunnerRequest::Run(name) if cells::is_cell_name(&name) => exit(run_one(&name, declared)),
        RunnerRequest::Run(_) => {}
        RunnerRequest::TooLarge => exit(print_lines(|| too_large(declared))),
        RunnerRequest::NoCells => exit(print_lines(|| no_cells(declared))),
    }
}

fn print_names(declared: &Declared, ignored: bool) {
    let kernels = match kernels_of_this_process() {
        Ok(kernels) => kernels,
        Err(error) => refuse(&error),
    };
    let mut cells = cells::list(declared, &kernels);
    if env::var_os(NO_IGNORED).is_some_and(|value| value == "1") {
        cells.retain(|cell| !cell.ignored);
    }
    if let Some(path) = env::var_os(CHOICE).filter(|path| !path.is_empty()) {
        match fs::read_to_string(&path) {
            Ok(choice) => keep_chosen(&mut cells, &choice),
            Err(source) => refuse(&HarnessError::File {
                what: "the choice of cells in KTSTR_CELLS",
                path: path.into(),
                source,
            }),
        }
    }
    let mut text = terse_list(&cells, ignored);
    text.extend(session::listed_schedulers(declared).iter().map(|name| format!("{name}: test\n")));
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        refuse(&error);
    }
}

/// Prints what was found, each as JSON in a line of its own. Returns the exit code.
fn print_lines<T: Serialize>(find: impl FnOnce() -> Result<Vec<T>, HarnessError>) -> i32 {
    ktstr_guest::as_after_main_began();
    match find() {
        Ok(found) => {
            // Plain data; nothing in it can fail to be written.
            let line = |found: &T| serde_json::to_string(found).unwrap_or_default() + "\n";
            print!("{}", found.iter().map(line).collect::<String>());
            0
        }
        Err(error) => refuse(&error),
    }
}

/// What is too large for this host.
fn too_large(declared: &Declared) -> Result<Vec<TooLarge>, HarnessError> {
    let kernels = kernels_of_this_process()?;
    let mode = Settings::of_this_process()?.mode;
    let cells = cells::list(declared, &kernels);
    if mode != ModeChoice::Auto {
        return Ok(cells::too_large(&cells, &Qemu::find()?, mode, &[]));
    }
    let Host { cache, qemu, kernel } = Host::of_this_process(None)?;
    let kvm = known_kvm(&cache, &qemu, &kernel.image, &kernel.image_sha256.to_string())?;
    Ok(cells::too_large(&cells, &qemu, mode, cells::modes_of_auto(&kvm)))
}

/// The schedulers that have nothing to run on.
fn no_cells(declared: &Declared) -> Result<Vec<NoCells>, HarnessError> {
    Ok(cells::no_cells(declared, &kernels_of_this_process()?))
}

/// Keeps the cells whose names are among the lines of `choice`.
fn keep_chosen(cells: &mut Vec<Listed>, choice: &str) {
    let chosen: HashSet<&str> = choice.lines().collect();
    cells.retain(|cell| chosen.contains(cell.name.as_str()));
}

/// As libtest prints names: without `ignored`, those of ignored tests too.
fn terse_list(cells: &[Listed], ignored: bool) -> String {
    let wanted = cells.iter().filter(|cell| cell.ignored || !ignored);
    wanted.map(|cell| format!("{}: test\n", cell.name)).collect()
}

fn kernels_of_this_process() -> Result<KernelSet, ktstr_kernel::Error> {
    KernelSet::of_variable(&env::var_os(KernelSet::VARIABLE).unwrap_or_default())
}

fn refuse(error: &dyn std::error::Error) -> ! {
    eprintln!("error: {error}");
    exit(BAD_REQUEST)
}

/// Runs a cell as libtest runs a test: its output around the cell's own. Returns the exit code.
fn run_one(name: &str, declared: &Declared) -> i32 {
    ktstr_guest::as_after_main_began();
    watch_the_runner();
    let (kernels, settings) = match (kernels_of_this_process(), Settings::of_this_process()) {
        (Ok(kernels), Ok(settings)) => (kernels, settings),
        (Err(error), _) => refuse(&error),
        (_, Err(error)) => refuse(&error),
    };
    let began = Instant::now();
    println!("\nrunning 1 test");
    // The panic hook has told of a panic by then.
    let end = catch_unwind(AssertUnwindSafe(|| cells::run_named(name, declared, &kernels, &settings)));
    let failed = match end {
        Ok(Ok(CellEnd { verdict, text })) => match failure_of(verdict, &text, &settings) {
            None => {
                println!("{text}");
                false
            }
            Some(failure) => {
                eprintln!("{failure}");
                true
            }
        },
        Ok(Err(unknown)) => refuse(&unknown),
        Err(_) => true,
    };
    println!("{}", libtest_result(name, failed, began.elapsed().as_secs_f64()));
    if failed { FAILED } else { 0 }
}

fn libtest_result(name: &str, failed: bool, seconds: f64) -> String {
    let (word, result, passed) = if failed { ("FAILED", "FAILED", 0) } else { ("ok", "ok", 1) };
    let failures = if failed { format!("\nfailures:\n    {name}\n") } else { String::new() };
    format!(
        "test {name} ... {word}\n{failures}\ntest result: {result}. {passed} passed; {} failed; 0 ignored; 0 measured; \
         0 filtered out; finished in {seconds:.2}s\n",
        1 - passed
    )
}

#[cfg(test)]
mod tests {
    use ktstr_model::TestSpec;

    use super::*;

    fn listed(name: &str, ignored: bool) -> Listed {
        Listed { name: name.to_owned(), ignored, spec: TestSpec::new("a", "c") }
    }

    #[test]
    fn names_are_printed_as_libtest_prints_them() {
        let cells = [listed("kernels/a/7", false), listed("gauntlet/a/tiny-1llc", true)];
        assert_eq!(terse_list(&cells, false), "kernels/a/7: test\ngauntlet/a/tiny-1llc: test\n");
        assert_eq!(terse_list(&cells, true), "gauntlet/a/tiny-1llc: test\n");
    }

    #[test]
    fn a_choice_leaves_out_what_it_does_not_name() {
        let mut cells =
            ["gauntlet/a/x", "gauntlet/a/xy", "gauntlet/b/x"].map(|name| listed(name, true)).to_vec();
        keep_chosen(&mut cells, "gauntlet/a/xy\ngauntlet/c/x\n");
        let names: Vec<_> = cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, ["gauntlet/a/xy"]);
    }

    #[test]
    fn results_read_as_libtest_s() {
        let results = [false, true].map(|failed| libtest_result("kernels/a/7", failed, 0.524));
        insta::assert_snapshot!(results.join("\n"), @r"
        test kernels/a/7 ... ok

        test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.52s

        test kernels/a/7 ... FAILED

        failures:
            kernels/a/7

        test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.52s
        ");
    }
}
