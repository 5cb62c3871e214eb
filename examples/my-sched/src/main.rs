//! Loads `my_sched`, waits until it is told to stop or the kernel ejects it, and says why.

mod args;
mod exit_info;

use std::mem::MaybeUninit;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{ErrorExt, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

use args::Args;
use exit_info::{ExitInfo, dump_buffer_len};

#[allow(missing_docs, unused_qualifications, clippy::all, clippy::unwrap_used)]
mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/my_sched.skel.rs"));
}
use skeleton::MySchedSkelBuilder;

/// How often the loader looks for a signal or an ejection.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(Some(exit)) if exit.is_ejection() => {
            eprintln!("{exit}");
            ExitCode::from(2)
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scx_my_sched: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how the scheduler ended.
fn run(args: &Args) -> Result<Option<ExitInfo>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }

    let mut object = MaybeUninit::uninit();
    let mut scheduler =
        MySchedSkelBuilder::default().open(&mut object).context("cannot open the BPF object")?;
    scheduler.struct_ops.my_sched_ops_mut().exit_dump_len = args.exit_dump_len;
    let dump_len = dump_buffer_len(args.exit_dump_len);
    scheduler.maps.data_exit_dump.set_value_size(dump_len).context("cannot size the dump")?;
    let constants = scheduler.maps.rodata_data.as_mut().expect("the scheduler has constants");
    constants.exit_dump_len = dump_len;

    let mut scheduler = scheduler.load().context("the kernel refused to load the scheduler")?;
    let link = scheduler
        .maps
        .my_sched_ops
        .attach_struct_ops()
        .context("the kernel refused to enable the scheduler")?;

    let maps = &scheduler.maps;
    while !stop.load(Ordering::Relaxed) {
        if let Some(exit) = ExitInfo::read(&maps.data_exit_record, &maps.data_exit_dump)? {
            return Ok(Some(exit));
        }
        sleep(LOOK_INTERVAL);
    }
    // Closing the link detaches the scheduler and returns once its exit callback has run.
    drop(link);
    ExitInfo::read(&maps.data_exit_record, &maps.data_exit_dump)
}
