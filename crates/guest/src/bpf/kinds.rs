//! The types of programs and maps, by the names that the kernel's tools use. The orders are those of `enum
//! bpf_prog_type` and `enum bpf_map_type` in the kernel's `include/uapi/linux/bpf.h`.

const PROGRAMS: [&str; 33] = [
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
];

const MAPS: [&str; 34] = [
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
];

/// A program's type.
pub(super) fn of_program(kind: u32) -> String {
    named(&PROGRAMS, kind)
}

/// A map's type.
pub(super) fn of_map(kind: u32) -> String {
    named(&MAPS, kind)
}

/// Types that are newer than this list have their numbers.
fn named(names: &[&str], kind: u32) -> String {
    names.get(kind as usize).map_or_else(|| format!("type {kind}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_kernels_numbers() {
        for (number, name) in [(5, "tracepoint"), (26, "tracing"), (27, "struct_ops"), (31, "syscall")] {
            assert_eq!(of_program(number), name);
        }
        for (number, name) in [(22, "queue"), (26, "struct_ops"), (29, "task_storage"), (33, "arena")] {
            assert_eq!(of_map(number), name);
        }
        assert_eq!(of_map(77), "type 77");
    }
}
