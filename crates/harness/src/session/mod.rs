//! A session: somebody at a shell in a guest of `cargo ktstr shell`, with a scheduler or a test of this binary.
//!
//! On the host, the binary that declares it is asked for a plan of the machine, the files and the order ([`plan`]). In the
//! guest the same binary is there under the names of a few commands ([`commands`]). They start test processes as the boot
//! agent does, each with a channel in the guest's own memory ([`guest_run`]), and judge and tell what came of them as the
//! host does.

mod commands;
mod guest_run;
mod plan;

use std::env;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::process::exit;

use ktstr_model::Scheduler;
use ktstr_wire::session::VARIABLE;

pub use self::plan::{Request, SessionPlan, Wanted};
use crate::cells::Declared;
use crate::scheduler_names::named_schedulers;

/// The argument of a test binary that a [`Request`], as JSON, follows. It is answered with a [`SessionPlan`], as JSON on
/// stdout.
pub const REQUEST_ARGUMENT: &str = "--ktstr-session";
/// The variable that makes lists of tests name the declared schedulers too.
pub const LIST_SCHEDULERS: &str = "KTSTR_LIST_SCHEDULERS";
/// What the names of schedulers begin with in lists of tests.
const SCHEDULER_PREFIX: &str = "scheduler/";
/// Where the guest has the encoded order.
pub const ORDER_FILE: &str = "/ktstr/order";
/// The folder of the commands in the guest, which its `PATH` has.
pub const COMMAND_FOLDER: &str = "/ktstr/bin";

/// The request cannot be met.
const REFUSED: i32 = 1;

/// Answers a request for a plan, or carries a command of a session out, and ends the process; otherwise does nothing.
///
/// May be called before `main`, from a constructor: nothing unwinds out of it.
pub(crate) fn process_entry(declared: &Declared) {
    let mut arguments = env::args_os();
    let program = arguments.next().unwrap_or_default();
    if env::var_os(VARIABLE).is_some()
        && let Some(command) = Path::new(&program).file_name().and_then(OsStr::to_str)
        && let Some(command) = commands::named(command)
    {
        ktstr_guest::as_after_main_began();
        exit(commands::carry_out(command, declared));
    }
    let (Some(first), Some(request)) = (arguments.next(), arguments.next()) else { return };
    if first != REQUEST_ARGUMENT {
        return;
    }
    match plan::answer(&request.to_string_lossy(), declared) {
        Ok(answer) => {
            println!("{answer}");
            exit(0)
        }
        Err(refusal) => {
            eprintln!("{refusal}");
            exit(REFUSED)
        }
    }
}

/// The names of the commands of a session of this plan.
pub fn command_names(plan: &SessionPlan) -> Vec<&'static str> {
    commands::names(plan.plan.order.scheduler.is_some(), plan.test.is_some())
}

/// The declared schedulers as names in a list of tests, when that is asked for: `scheduler/NAME/FINGERPRINT`. Declarations
/// in other words have other fingerprints.
pub(crate) fn listed_schedulers(declared: &Declared) -> Vec<String> {
    if env::var_os(LIST_SCHEDULERS).is_none_or(|value| value != "1") {
        return Vec::new();
    }
    let names = named_schedulers(declared).into_iter();
    let listed = |(name, scheduler)| format!("{SCHEDULER_PREFIX}{name}/{:016x}", fingerprint(scheduler));
    names.map(listed).collect()
}

fn fingerprint(scheduler: &Scheduler) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{scheduler:?}").hash(&mut hasher);
    hasher.finish()
}

/// The name and the fingerprint of a scheduler in a list of tests; `None` for what else is on it.
pub fn parse_listed(listed: &str) -> Option<(&str, &str)> {
    listed.strip_prefix(SCHEDULER_PREFIX)?.split_once('/')
}
