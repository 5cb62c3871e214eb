use std::thread;
use std::time::Duration;

use std::sync::Arc;

use ktstr_model::{ExitHow, Mode};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::*;
use crate::worker::bench::Bench;
use crate::worker::places::CpuPlaces;
use crate::worker::settings::Settings;
use crate::worker::work::{Trouble, Work};
use ktstr_model::SplitMix64;

fn member(work: impl Work + 'static) -> Member {
    Member {
        work: Box::new(work),
        name: command("worker"),
        settings: Settings::default(),
        random: SplitMix64::of_worker(1, 0),
        mode: Mode::RealTime,
        places: Arc::new(CpuPlaces::one()),
        numa: false,
    }
}

fn spin(bench: &mut Bench<'_>) -> Result<(), Trouble> {
    bench.spin_one_checkpoint();
    Ok(())
}

/// Turns a function into work without the compiler guessing its lifetimes wrong.
fn work(step: impl FnMut(&mut Bench<'_>) -> Result<(), Trouble> + Send) -> impl Work {
    step
}

fn spinners(count: usize) -> Team {
    let mut team = Team::new(count).unwrap();
    for _ in 0..count {
        team.fork("", vec![member(spin)]).unwrap();
    }
    team.placed();
    team
}

#[test]
fn spinners_wait_at_the_gate_then_work_then_stop() {
    let mut team = spinners(2);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(team.memory.read(0).progress.units(), 0, "the gate is shut");
    team.start(0);
    thread::sleep(Duration::from_millis(300));
    let ended = team.collect().unwrap();
    assert_eq!(ended.len(), 2);
    for worker in ended {
        let progress = &worker.record.progress;
        assert_eq!(worker.exit, WorkerExit::Stopped);
        assert!(progress.units() > 20, "{} checkpoints", progress.units());
        assert!(worker.wall_ns >= 300_000_000, "{}", worker.wall_ns);
        assert!(worker.cpu_ns > 0 && worker.cpu_ns < worker.wall_ns * 2, "{}", worker.cpu_ns);
        assert!(progress.max_gap().ns > 0 && progress.max_gap().ns <= worker.wall_ns);
        assert!(!progress.cpus().is_empty());
        let (events, _) = progress.events();
        assert!(events.len() > 20 && events.is_sorted_by_key(|event| (event.at_ns, event.count)));
    }
}

#[test]
fn a_worker_without_a_thread_id_does_not_shift_the_others() {
    let mut team = spinners(3);
    assert!(team.wait_until_ready(10_000_000_000));
    let all: Vec<(u32, u32)> = team.tids().collect();
    assert_eq!(all.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 1, 2]);
    // SAFETY: the word is the worker's, which has written it and does not look at it again.
    unsafe { (&raw mut (*team.memory.record(1)).tid).write_volatile(0) };
    assert_eq!(team.tids().collect::<Vec<_>>(), [all[0], all[2]]);
    team.start(0);
    team.collect().unwrap();
}

#[test]
fn settling_does_not_count() {
    let mut team = spinners(1);
    let began_ns = monotonic_ns();
    team.start(400_000_000);
    thread::sleep(Duration::from_millis(600));
    let ended = team.collect().unwrap();
    let [worker] = &ended[..] else { panic!("one worker") };
    assert!(
        worker.wall_ns > 0 && began_ns + 400_000_000 + worker.wall_ns <= monotonic_ns(),
        "{}",
        worker.wall_ns
    );
    assert!(worker.cpu_ns <= worker.wall_ns + 20_000_000, "{} of {}", worker.cpu_ns, worker.wall_ns);
    let (events, _) = worker.record.progress.events();
    assert!(events[0].at_ns >= team.memory.control().measure_from_ns());
}

#[test]
fn a_stop_before_measuring_began_leaves_nothing_to_judge() {
    let mut team = spinners(1);
    team.start(60_000_000_000);
    thread::sleep(Duration::from_millis(20));
    let worker = &team.collect().unwrap()[0];
    assert_eq!((worker.wall_ns, worker.record.progress.units()), (0, 0));
    assert_eq!((worker.record.progress.max_gap().ns, worker.exit.clone()), (0, WorkerExit::Stopped));
}

#[test]
fn a_worker_that_first_runs_after_the_stop_has_starved() {
    let mut team = Team::new(1).unwrap();
    let late = work(|bench| {
        thread::sleep(Duration::from_millis(200));
        spin(bench)
    });
    team.fork("", vec![member(late)]).unwrap();
    team.placed();
    team.start(0);
    thread::sleep(Duration::from_millis(50));
    let worker = &team.collect().unwrap()[0];
    assert_eq!((worker.record.progress.units(), worker.exit.clone()), (0, WorkerExit::Stopped));
    assert_eq!(worker.record.progress.max_gap().ns, worker.wall_ns);
}

#[test]
fn crashes_panics_and_early_exits_are_told_apart() {
    let mut team = Team::new(3).unwrap();
    // SAFETY: ends the worker.
    team.fork("", vec![member(work(|_| unsafe { libc::abort() }))]).unwrap();
    // SAFETY: ends the worker.
    team.fork("", vec![member(work(|_| unsafe { libc::_exit(0) }))]).unwrap();
    team.fork("", vec![member(work(|_| std::panic::resume_unwind(Box::new(()))))]).unwrap();
    team.placed();
    team.start(0);
    // However busy the host is: all have ended before they are told to.
    for pid in team.pids() {
        let worker = WaitId::Pid(Pid::from_raw(pid as i32).unwrap());
        waitid(worker, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    }
    let exits: Vec<WorkerExit> = team.collect().unwrap().into_iter().map(|worker| worker.exit).collect();
    assert_eq!(
        exits,
        [
            WorkerExit::Died(ExitHow::Signal(libc::SIGABRT)),
            WorkerExit::Died(ExitHow::Code(0)),
            WorkerExit::Died(ExitHow::Code(101)),
        ]
    );
}

#[test]
fn a_worker_that_does_not_stop_is_killed() {
    let mut team = Team::new(1).unwrap();
    let deaf = work(|_| {
        loop {
            std::hint::spin_loop();
        }
    });
    team.fork("", vec![member(deaf)]).unwrap();
    team.placed();
    team.start(0);
    // Stopped before its first step, it would never begin it.
    thread::sleep(Duration::from_millis(100));
    let before_ns = monotonic_ns();
    let worker = &team.collect().unwrap()[0];
    assert_eq!(worker.exit, WorkerExit::HungOnStop);
    assert!(worker.cpu_ns > 0, "by the kernel's account");
    assert!((STOP_GRACE_NS..STOP_GRACE_NS * 3).contains(&(monotonic_ns() - before_ns)));
}

#[test]
fn a_dropped_team_leaves_no_process() {
    let team = spinners(3);
    let pids: Vec<u32> = team.pids().collect();
    drop(team);
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid}");
    }
}
