use std::time::Duration;

use ktstr_model::{AffinityIntent, CpusetSpec, MemPolicy, Payload, SchedPolicy, WorkSpec};

use super::*;
use crate::steps::plan::Hold;
use ktstr_model::Op;

const NOTHING: [&str; 0] = [];
static BENCH: Payload = Payload::binary("bench", "schbench");

fn brought() -> Vec<PayloadOrder> {
    let [name, program] = ["bench", "schbench"].map(str::to_owned);
    vec![PayloadOrder { name, program, path: Some("/ktstr/payloads/schbench".into()), primary: true }]
}

/// Two nodes with an LLC of two CPUs each, and a node of memory only.
fn machine() -> TestTopology {
    let tree = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = tree.path().join("devices/system").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("cpu/online", "0-3");
    for (node, cpus) in [(0, "0-1"), (1, "2-3"), (2, "")] {
        put(&format!("node/node{node}/cpulist"), cpus);
    }
    for cpu in 0..4 {
        put(&format!("cpu/cpu{cpu}/topology/thread_siblings_list"), &cpu.to_string());
        put(&format!("cpu/cpu{cpu}/topology/package_cpus_list"), if cpu < 2 { "0-1" } else { "2-3" });
    }
    TestTopology::from_sysfs(tree.path()).unwrap()
}

fn step(number: usize, defs: Vec<CgroupDef>, ops: Vec<Op>) -> Part {
    let hold = Hold::For(Duration::ZERO);
    Part { title: format!("step {number}"), lasting: false, defs, payloads: vec![], ops, hold }
}

fn backdrop(defs: Vec<CgroupDef>) -> Part {
    Part { title: "backdrop".into(), lasting: true, ..step(0, defs, Vec::new()) }
}

fn checked(parts: Vec<Part>) -> Result<(), String> {
    let topo = machine();
    let given = Given {
        topo: &topo,
        usual_workers: 2,
        work_type_override: None,
        payloads: &brought(),
        hotplug: true,
    };
    check(&Plan { parts }, given).map_err(|error| error.to_string())
}

/// What is said of an operation after cgroups `a` and `b` were set up.
fn of_op(op: Op) -> String {
    let defs = vec![CgroupDef::named("a"), CgroupDef::named("b")];
    checked(vec![backdrop(defs), step(1, vec![], vec![Op::add_cgroup("empty"), op])]).unwrap_err()
}

fn of_def(def: CgroupDef) -> String {
    checked(vec![step(1, vec![def], vec![])]).unwrap_err()
}

#[test]
fn a_plan_that_makes_sense_passes() {
    let def = CgroupDef::named("a").with_cpuset(CpusetSpec::llc(0)).numa_node(0).memory_max(1 << 20);
    let ops = vec![
        Op::add_cgroup("c"),
        Op::spawn("c", WorkSpec::of(WorkType::pipe_io(5)).workers(4)),
        Op::set_affinity("c", AffinityIntent::exact([1])),
        Op::swap_cpusets("a", "c"),
        Op::move_all_tasks("a", "c"),
        Op::freeze_cgroup("c"),
        Op::unfreeze_cgroup("c"),
        Op::stop_cgroup("c"),
        Op::clear_cpuset("c"),
        Op::spawn_host(WorkSpec::default()),
        Op::cpu_offline(2),
        Op::cpu_online(2),
        Op::remove_cgroup("c"),
        Op::add_cgroup("c"),
    ];
    // The second step may use the names that the first one used.
    let again = step(2, vec![CgroupDef::named("c")], vec![Op::cpu_offline(2)]);
    assert_eq!(checked(vec![backdrop(vec![def]), step(1, vec![], ops), again]), Ok(()));
}

#[test]
fn cpusets_that_the_machine_cannot_give() {
    for (cpus, words) in [
        (CpusetSpec::exact([2, 9]), "the machine has CPUs 0-3, but not 9"),
        (CpusetSpec::exact([]), "that is none"),
        (CpusetSpec::llc(2), "the machine has LLCs 0 to 1"),
        (CpusetSpec::numa(5), "the machine has NUMA nodes 0-2"),
        (CpusetSpec::numa(2), "that is none"),
        (CpusetSpec::disjoint(3, 3), "there is no number 3"),
        (CpusetSpec::range(0.5, 0.2), "the first is below the second"),
    ] {
        let place = format!("step 1, op 2 (SetCpuset a to {cpus:?}): ");
        let says = of_op(Op::set_cpuset("a", cpus.clone()));
        assert!(says.starts_with(&place) && says.contains(words), "{says}");
        let says = of_def(CgroupDef::named("x").with_cpuset(cpus));
        assert!(says.starts_with("step 1, cgroup x: ") && says.contains(words), "{says}");
    }
}

#[test]
fn names_that_are_wrong() {
    assert_eq!(
        of_def(CgroupDef::named("a/b")),
        "step 1, cgroup a/b: `a/b` is no name for a cgroup of a scenario (it has a slash): these have no levels; for \
         nested ones use `ctx.cgroups.create`"
    );
    assert!(of_op(Op::add_cgroup("x/y")).starts_with("step 1, op 2 (AddCgroup x/y): `x/y` is no name"));
    assert!(of_def(CgroupDef::named("a//b")).contains("it has a slash"));
    let says = of_def(CgroupDef::named(""));
    assert!(
        says.starts_with("step 1, cgroup \"\": `` is no name for a cgroup (it names nothing): "),
        "{says}"
    );
    let says = of_op(Op::add_cgroup(""));
    assert!(
        says.starts_with("step 1, op 2 (AddCgroup \"\"): `` is no name for a cgroup (it names nothing"),
        "{says}"
    );
    assert!(of_def(CgroupDef::named("..")).contains("begins with a dot"));
    let says = of_op(Op::add_cgroup("a"));
    assert_eq!(says, "step 1, op 2 (AddCgroup a): there is a cgroup a already; give each a name of its own");
    let twice = vec![CgroupDef::named("x"), CgroupDef::named("x")];
    assert!(checked(vec![step(1, twice, vec![])]).unwrap_err().starts_with("step 1, cgroup x: there is a"));
}

#[test]
fn every_operation_names_a_cgroup_that_is_not_there() {
    for op in [
        Op::remove_cgroup("x"),
        Op::set_cpuset("x", CpusetSpec::llc(0)),
        Op::clear_cpuset("x"),
        Op::swap_cpusets("a", "x"),
        Op::swap_cpusets("x", "a"),
        Op::spawn("x", WorkSpec::default()),
        Op::stop_cgroup("x"),
        Op::set_affinity("x", AffinityIntent::SingleCpu),
        Op::move_all_tasks("a", "x"),
        Op::move_all_tasks("x", "a"),
        Op::freeze_cgroup("x"),
        Op::unfreeze_cgroup("x"),
    ] {
        let expected = format!("step 1, op 2 ({op}): there is no cgroup x; there are: a, b, empty");
        assert_eq!(of_op(op), expected);
    }
}

#[test]
fn cgroups_that_are_gone_say_how_they_went() {
    let remove = vec![Op::remove_cgroup("a"), Op::freeze_cgroup("a")];
    let says = checked(vec![backdrop(vec![CgroupDef::named("a")]), step(1, vec![], remove)]).unwrap_err();
    assert_eq!(says, "step 1, op 2 (FreezeCgroup a): there is no cgroup a any more: step 1 removed it");
    let steps =
        vec![step(1, vec![CgroupDef::named("b")], vec![]), step(2, vec![], vec![Op::stop_cgroup("b")])];
    let says = checked(steps).unwrap_err();
    assert_eq!(
        says,
        "step 2, op 1 (StopCgroup b): there is no cgroup b any more: it went when step 1 was over"
    );
}

#[test]
fn workers_that_make_no_sense() {
    let of_work = |work: WorkSpec| of_op(Op::spawn("a", work));
    let says = of_work(WorkSpec::default().workers(0));
    assert!(
        says.starts_with("step 1, op 2 (Spawn 0 x SpinWait in a): ") && says.contains("0 workers"),
        "{says}"
    );
    assert!(of_work(WorkSpec::of(WorkType::pipe_io(1)).workers(3)).contains("groups of 2: 3 workers"));
    assert!(of_work(WorkSpec::default().nice(20)).contains("nice value 20"));
    assert!(of_work(WorkSpec::default().sched_policy(SchedPolicy::Fifo(0))).contains("1 to 99"));
    assert!(of_work(WorkSpec::default().affinity(AffinityIntent::exact([9]))).contains("but not 9"));
    assert!(of_op(Op::spawn_host(WorkSpec::default().workers(0))).contains("(SpawnHost 0 x SpinWait)"));

    let def = || CgroupDef::named("x");
    assert!(of_def(def().workers(0)).starts_with("step 1, cgroup x: SpinWait: 0 workers"));
    let two_of_one = AffinityIntent::random_subset([], 2);
    let says = of_def(def().with_cpuset(CpusetSpec::exact([1])).affinity(two_of_one));
    assert!(says.contains("2 of the 1 CPUs 1 cannot be chosen"), "{says}");
    let says = of_def(def().numa_node(0).mem_policy(MemPolicy::Bind([1].into())));
    assert!(says.contains("nodes 1 are not among those that the cgroup may use, 0"), "{says}");
}

#[test]
fn limits_and_nodes_that_make_no_sense() {
    let def = || CgroupDef::named("x");
    assert_eq!(of_def(def().cpu_weight(0)), "step 1, cgroup x: cpu.weight = 0 is outside 1 to 10000");
    assert!(of_def(def().cpuset_mems([0, 7])).contains("NUMA nodes {0, 7}; the machine has {0, 1, 2}"));
    assert!(of_def(def().cpuset_mems([])).contains("NUMA nodes {}"));
    assert!(of_def(def().numa_node(2)).contains("Numa(2) is no cpuset here"));
}

#[test]
fn more_tasks_than_a_cgroup_may_have() {
    let words = "pids.max = 2 of cgroup x leaves no room for 5 tasks beside the 0 in it; raise it, or make fewer workers";
    let def = || CgroupDef::named("x").pids_max(2);
    assert_eq!(of_def(def().workers(5)), format!("step 1, cgroup x: {words}"));
    // The process whose threads they are is a task too.
    assert!(of_def(def().workers(2).pcomm("leader")).contains("no room for 3 tasks"));
    let full = |ops| checked(vec![backdrop(vec![def(), CgroupDef::named("other")]), step(1, vec![], ops)]);
    let spawn = || Op::spawn("x", WorkSpec::default().workers(1));
    assert_eq!(
        full(vec![spawn()]).unwrap_err(),
        "step 1, op 1 (Spawn 1 x SpinWait in x): pids.max = 2 of cgroup x leaves no room for 1 tasks beside the 2 in it; \
         raise it, or make fewer workers"
    );
    let says = full(vec![Op::move_all_tasks("other", "x")]).unwrap_err();
    assert!(says.starts_with("step 1, op 1 (MoveAllTasks other to x): pids.max = 2 of cgroup x"), "{says}");
    assert_eq!(full(vec![Op::stop_cgroup("x"), spawn(), spawn()]), Ok(()));
    let unlimited = def().workers(5).pids_unlimited();
    assert_eq!(checked(vec![step(1, vec![unlimited], vec![])]), Ok(()));
}

#[test]
fn affinities_that_cannot_be() {
    let says = of_op(Op::set_affinity("empty", AffinityIntent::SingleCpu));
    assert!(says.ends_with("cgroup empty has no workers whose affinity could change"), "{says}");
    assert!(of_op(Op::set_affinity("a", AffinityIntent::exact([4]))).contains("but not 4"));
    assert!(of_op(Op::set_affinity("a", AffinityIntent::exact([]))).contains("these are no CPUs"));
}

#[test]
fn one_cgroup_where_two_are_meant() {
    assert!(of_op(Op::swap_cpusets("a", "a")).ends_with("name two cgroups"));
    assert!(of_op(Op::move_all_tasks("b", "b")).ends_with("name two cgroups"));
}

#[test]
fn cpus_that_cannot_go_or_come() {
    assert!(of_op(Op::cpu_offline(4)).ends_with("there is no CPU 4; the machine has 0-3"));
    assert!(of_op(Op::cpu_offline(0)).contains("CPU 0 cannot be taken off line"));
    assert!(of_op(Op::cpu_online(1)).ends_with("CPU 1 is not off line"));
    let twice = vec![step(1, vec![], vec![Op::cpu_offline(1)]), step(2, vec![], vec![Op::cpu_offline(1)])];
    assert_eq!(checked(twice).unwrap_err(), "step 2, op 1 (CpuOffline 1): CPU 1 is off line already");

    let topo = machine();
    let given =
        Given { topo: &topo, usual_workers: 2, work_type_override: None, payloads: &[], hotplug: false };
    let plan = Plan { parts: vec![step(1, vec![], vec![Op::cpu_offline(1)])] };
    assert!(check(&plan, given).unwrap_err().to_string().contains("this test runs on the host"));
}

#[test]
fn what_is_not_built_is_refused_with_words() {
    for op in [Op::snapshot("late"), Op::watch_snapshot("nr_running")] {
        let says = of_op(op.clone());
        assert!(says.starts_with(&format!("step 1, op 2 ({op}): snapshots need the host")), "{says}");
    }
}

#[test]
fn programs_that_the_test_does_not_name_are_refused_with_the_key() {
    static OTHER: Payload = Payload::binary("other", "fio");
    static NAMESAKE: Payload = Payload::binary("bench", "fio");
    let words = "payload other is not here: name it in the test's attribute, with `payload = ..` or `workloads = [..]`, \
                 so that its program is brought into the guest; it names bench";
    let says = of_op(Op::run_payload(&OTHER, NOTHING));
    assert_eq!(says, format!("step 1, op 2 (RunPayload other): {words}"));
    let says = of_def(CgroupDef::named("x").workload(&OTHER));
    assert_eq!(says, format!("step 1, cgroup x: {words}"));
    let part = Part { payloads: vec![&OTHER], ..backdrop(vec![]) };
    assert_eq!(checked(vec![part]).unwrap_err(), format!("backdrop, payload other: {words}"));
    assert!(of_op(Op::run_payload(&NAMESAKE, NOTHING)).contains("payload bench is not here"));
}

#[test]
fn programs_are_waited_for_and_killed_where_they_are() {
    let run = |cgroup: &'static str| Op::run_payload_in_cgroup(&BENCH, NOTHING, cgroup);
    let defs = || vec![CgroupDef::named("a"), CgroupDef::named("b")];
    let played = |ops: Vec<Op>| checked(vec![backdrop(defs()), step(1, vec![], ops)]);
    let well = vec![
        run("a"),
        run("b"),
        Op::run_payload(&BENCH, NOTHING),
        Op::wait_payload_in_cgroup("bench", "a"),
        run("a"),
        Op::move_all_tasks("a", "b"),
        Op::kill_payload_in_cgroup("bench", "b"),
        Op::wait_payload("bench"),
    ];
    assert_eq!(played(well), Ok(()));
    let says = |ops| played(ops).unwrap_err();
    assert_eq!(
        says(vec![run("a"), run("a")]),
        "step 1, op 2 (RunPayload bench in a): bench in a was started already; wait for it or kill it first, or start it \
         in another cgroup"
    );
    assert_eq!(
        says(vec![run("a"), Op::wait_payload_in_cgroup("bench", "b")]),
        "step 1, op 2 (WaitPayload bench in b): no payload bench was started in b that is not over by then; there are: \
         bench in a"
    );
    assert!(says(vec![Op::kill_payload("bench")]).ends_with("that is not over by then; there are: none"));
    for over in [Op::stop_cgroup("a"), Op::remove_cgroup("a"), Op::kill_payload("bench")] {
        assert!(
            says(vec![run("a"), over, Op::wait_payload("bench")])
                .contains("step 1, op 3 (WaitPayload bench)")
        );
    }
    assert!(says(vec![run("x")]).starts_with("step 1, op 1 (RunPayload bench in x): there is no cgroup x"));
    assert!(says(vec![run("a"), Op::kill_payload_in_cgroup("bench", "x")]).contains("there is no cgroup x"));
    assert!(
        says(vec![run("a"), Op::kill_payload("cyclictest")]).contains("no payload cyclictest was started")
    );
    let steps = vec![step(1, defs(), vec![run("a")]), step(2, vec![], vec![Op::wait_payload("bench")])];
    assert!(checked(steps).unwrap_err().starts_with("step 2, op 1 (WaitPayload bench): no payload bench"));
    let part = Part { payloads: vec![&BENCH], ..backdrop(vec![]) };
    assert_eq!(checked(vec![part, step(1, vec![], vec![Op::wait_payload("bench")])]), Ok(()));
}

#[test]
fn a_cgroup_with_only_a_program_has_no_workers_to_bind() {
    let only = CgroupDef::named("only").workload(&BENCH);
    let bind = vec![Op::set_affinity("only", AffinityIntent::SingleCpu)];
    let says = checked(vec![step(1, vec![only.clone()], bind.clone())]).unwrap_err();
    assert!(says.contains("cgroup only has no workers"), "{says}");
    assert_eq!(checked(vec![step(1, vec![only.workers(1)], bind)]), Ok(()));
}

#[test]
fn what_is_repeated_has_to_make_sense_twice() {
    let hold = Hold::Rounds { total: Duration::from_secs(1), interval: Duration::from_millis(300) };
    let rounds = |ops| Part { hold, ..step(1, vec![], ops) };
    let says = checked(vec![rounds(vec![Op::add_cgroup("x")])]).unwrap_err();
    assert!(
        says.starts_with("step 1, op 1 (AddCgroup x), when it is repeated: there is a cgroup x"),
        "{says}"
    );
    assert_eq!(checked(vec![rounds(vec![Op::add_cgroup("x"), Op::remove_cgroup("x")])]), Ok(()));
}

#[test]
fn an_override_is_checked_as_it_is_used() {
    let (topo, instead) = (machine(), WorkType::futex_fan_out(0, 5));
    let given = Given {
        topo: &topo,
        usual_workers: 2,
        work_type_override: Some(&instead),
        payloads: &[],
        hotplug: true,
    };
    let of = |swappable| {
        let parts = vec![step(1, vec![CgroupDef::named("x").swappable(swappable)], vec![])];
        check(&Plan { parts }, given).map_err(|error| error.to_string())
    };
    assert!(of(true).unwrap_err().contains("FutexFanOut"));
    assert_eq!(of(false), Ok(()));
}
