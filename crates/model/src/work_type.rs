//! What workers do.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::{SchedPolicy, WorkerReport};

mod by_name;
mod constructors;
mod groups;
mod names;
mod parameters;

pub use by_name::UnknownWorkType;
pub use groups::WorkTypeError;
pub use parameters::{AluWidth, FutexLockMode, Phase, WakeMechanism};

/// A test's own work: runs until the flag is set, then says what it did. Of what it returns, the work units, wake
/// latencies and iteration costs are taken; the rest the engine knows better.
pub type CustomWork = fn(&AtomicBool) -> WorkerReport;

/// The work of one worker, or of a group of workers that work together.
///
/// Iterations are those of a chain of register operations that neither compiler nor CPU can shorten, about 2 ns each on
/// a real machine. What one step of a work type is, and so what is counted as a work unit, is said with each.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum WorkType {
    /// Computes without pause, touching no memory beyond its registers and never blocking. A step is some 200 to 300 us.
    #[default]
    SpinWait,
    /// Computes next to nothing between calls of `sched_yield`. A step is one yield.
    YieldHeavy,
    /// Computes for a while, then yields. A step is both.
    Mixed,
    /// Keeps the arithmetic units busy with independent operations of this width. A step is some 200 to 300 us.
    AluHot {
        /// How wide the operands are.
        width: AluWidth,
    },
    /// Two workers that spin on the SMT threads of one core. Groups of two.
    SmtSiblingSpin,
    /// Alternates between computing in registers and chasing pointers through memory, so that the instructions per
    /// cycle change. A step is one period.
    IpcVariance {
        /// Iterations in registers.
        hot_iters: u64,
        /// Dependent loads.
        cold_iters: u64,
        /// How often both are repeated in one step.
        period_iters: u64,
    },
    /// Writes 64 KiB to a file of its own and waits until they are on disk. A step is one such write.
    IoSyncWrite,
    /// Reads 4 KiB at a random place of its file. A step is one read.
    IoRandRead,
    /// Alternates between appending with a wait for the disk and random reads, in one file that all such workers of a
    /// test share, so that they queue behind each other. A step is one of either.
    IoConvoy,
    /// Computes, then sleeps. A step is both.
    Bursty {
        /// How long it computes.
        burst_duration: Duration,
        /// How long it sleeps.
        sleep_duration: Duration,
    },
    /// Computes and sleeps for short times, so that its CPU enters and leaves idle often. A step is both.
    IdleChurn {
        /// How long it computes.
        burst_duration: Duration,
        /// How long it sleeps.
        sleep_duration: Duration,
        /// Whether its timers fire without the slack of 50 us that ordinary tasks have.
        precise_timing: bool,
    },
    /// Two workers that compute and then pass a message through a pipe and wait for the answer. Groups of two. A step is
    /// one message.
    PipeIo {
        /// Iterations between messages.
        burst_iters: u64,
    },
    /// Two workers that wake each other in turn through a futex. Groups of two. A step is one turn.
    FutexPingPong {
        /// Iterations before the other is woken.
        spin_iters: u64,
    },
    /// One worker that wakes many at once through a futex. Groups of `fan_out` + 1. A step is one round.
    FutexFanOut {
        /// How many are woken.
        fan_out: usize,
        /// Iterations of each after it was woken.
        spin_iters: u64,
    },
    /// Reads and writes memory in strides. A step is one pass.
    CachePressure {
        /// The memory in KiB.
        size_kb: usize,
        /// Bytes from one access to the next.
        stride: usize,
    },
    /// As [`CachePressure`](Self::CachePressure), with a yield after each pass.
    CacheYield {
        /// The memory in KiB.
        size_kb: usize,
        /// Bytes from one access to the next.
        stride: usize,
    },
    /// Two workers that pass over memory of their own and then pass a message through a pipe. Groups of two.
    CachePipe {
        /// The memory of each in KiB.
        size_kb: usize,
        /// Passes between messages.
        burst_iters: u64,
    },
    /// Goes through phases, again and again. A step is one phase.
    Sequence {
        /// The first phase.
        first: Phase,
        /// Those after it.
        rest: Vec<Phase>,
    },
    /// Forks a child that exits at once, and waits for it. A step is one child.
    ForkExit,
    /// Computes at one nice value after the other, from -20 to 19, which needs the rights of root. A step is one value.
    NiceSweep,
    /// Binds itself to a random CPU of its cpuset, then computes. A step is both.
    AffinityChurn {
        /// Iterations between changes.
        spin_iters: u64,
    },
    /// Changes its scheduling policy, then computes: Normal, Batch, Idle, Fifo(1), RoundRobin(1) and, where the kernel has
    /// sched_ext, Ext. It needs the rights of root. A step is both.
    PolicyChurn {
        /// Iterations between changes.
        spin_iters: u64,
    },
    /// Moves from NUMA node to NUMA node with its memory left behind. A step is one stay.
    NumaMigrationChurn {
        /// How long it stays on a node, in milliseconds.
        period_ms: u64,
    },
    /// Moves itself between cgroups below its own (`churn_0` and so on, which all such workers of the cgroup have in
    /// common), and computes there. Workers that are threads of one process move together. A step is one stay.
    CgroupChurn {
        /// How many cgroups.
        groups: usize,
        /// How long it stays in one, in milliseconds.
        cycle_ms: u64,
    },
    /// One worker that wakes many, each of which passes over memory of its own. Groups of `fan_out` + 1.
    FanOutCompute {
        /// How many are woken.
        fan_out: usize,
        /// The memory of each in KiB.
        cache_footprint_kb: usize,
        /// Passes of each after it was woken.
        operations: usize,
        /// How long the waker sleeps between rounds, in microseconds.
        sleep_usec: u64,
    },
    /// Two workers of different policies, of which the first wakes the second. Groups of two. A step is one wake-up.
    AsymmetricWaker {
        /// Policy of the one that wakes.
        waker_class: SchedPolicy,
        /// Policy of the one that is woken.
        wakee_class: SchedPolicy,
        /// Iterations of each between wake-ups.
        burst_iters: u64,
    },
    /// Workers in a ring, each of which wakes the next. Groups of `depth`. A step is one hop.
    WakeChain {
        /// Workers in the ring.
        depth: usize,
        /// What they wake each other with.
        wake: WakeMechanism,
        /// How long each computes before it wakes the next.
        work_per_hop: Duration,
    },
    /// Producers that make events, and consumers that wait for them in one epoll. Groups of `producers` + `consumers`.
    EpollStorm {
        /// Workers that make events.
        producers: usize,
        /// Workers that wait for them.
        consumers: usize,
        /// Events that a producer makes in one step.
        events_per_burst: u64,
    },
    /// One worker that wakes all others at the same instant, again and again. Groups of `waiters` + 1. A step is one
    /// wake-up of all.
    ThunderingHerd {
        /// How many are woken.
        waiters: usize,
        /// Wake-ups in a row before a pause.
        batches: u64,
        /// The pause in milliseconds.
        inter_batch_ms: u64,
    },
    /// Touches pages of memory that it has just given back, so that each faults. A step is one cycle.
    PageFaultChurn {
        /// The memory in KiB.
        region_kb: usize,
        /// Pages touched in one cycle, each once: at most as many as the memory has.
        touches_per_cycle: usize,
        /// Iterations between cycles.
        spin_iters: u64,
    },
    /// Passes over memory whose pages are moved from NUMA node to NUMA node. A step is one pass.
    NumaWorkingSetSweep {
        /// The memory in KiB.
        region_kb: usize,
        /// How long the pages stay on a node, in milliseconds.
        sweep_period_ms: u64,
        /// The nodes in order; empty for all that have memory.
        target_nodes: Vec<usize>,
    },
    /// Workers that take turns at one lock. Groups of `contenders`. A step is one time of holding it.
    MutexContention {
        /// How many want the lock.
        contenders: usize,
        /// Iterations while holding it.
        hold_iters: u64,
        /// Iterations before wanting it again.
        work_iters: u64,
    },
    /// Workers of low and high priority that share a lock, and others of medium priority that keep the CPUs busy.
    /// Groups of `high_count` + `medium_count` + `low_count`.
    PriorityInversion {
        /// Workers under SCHED_FIFO, priority 50, that want the lock.
        high_count: usize,
        /// Workers under SCHED_FIFO, priority 25, that want no lock.
        medium_count: usize,
        /// Ordinary workers that want the lock.
        low_count: usize,
        /// Iterations while holding it.
        hold_iters: u64,
        /// Iterations before wanting it again.
        work_iters: u64,
        /// Whether the lock lends the waiter's priority to its holder.
        pi_mode: FutexLockMode,
    },
    /// Producers and consumers of one queue, at different speeds. Groups of `producers` + `consumers`. A step is one
    /// item.
    ProducerConsumerImbalance {
        /// Workers that fill the queue.
        producers: usize,
        /// Workers that empty it.
        consumers: usize,
        /// Items that each producer makes a second.
        produce_rate_hz: u64,
        /// Iterations that an item costs its consumer.
        consume_iters: u64,
        /// Items at which producers wait.
        queue_depth_target: u64,
    },
    /// Two workers that send each other signals. Groups of two.
    SignalStorm {
        /// Signals that a step sends.
        signals_per_iter: u64,
        /// Iterations of a step.
        work_iters: u64,
    },
    /// One worker under SCHED_FIFO that wakes often and computes for a short time, among ordinary ones that spin. Groups
    /// of `cfs_workers` + 1.
    PreemptStorm {
        /// Ordinary workers.
        cfs_workers: usize,
        /// Iterations of the real-time worker each time.
        rt_burst_iters: u64,
        /// How long it sleeps, in microseconds.
        rt_sleep_us: u64,
    },
    /// Workers under SCHED_FIFO that leave ordinary ones little time. Groups of `rt_workers` + `cfs_workers`.
    RtStarvation {
        /// Workers under SCHED_FIFO.
        rt_workers: usize,
        /// Ordinary workers.
        cfs_workers: usize,
        /// Priority of the former, 1 to 99.
        rt_priority: i32,
        /// Iterations between two short sleeps of the former.
        burst_iters: u64,
    },
    /// What the test brings itself.
    Custom {
        /// A name for the report.
        name: &'static str,
        /// The work.
        run: CustomWork,
    },
}
