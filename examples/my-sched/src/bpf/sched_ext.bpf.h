/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types and functions that a small sched_ext scheduler uses,
 * in place of a generated vmlinux.h of three megabytes that fits one kernel.
 *
 * Structures list only the members we touch: libbpf matches members by name
 * and relocates their offsets when it loads the object, so one object serves
 * every kernel.
 */
#ifndef SCHED_EXT_BPF_H
#define SCHED_EXT_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Not just declared: libbpf takes a function's arguments for different types then. */
struct cpumask {
	unsigned long bits[1];
};

struct task_struct {
	s32 pid;
	s32 tgid;
	u32 flags;
	u32 policy;
	s32 nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	char comm[16];
};

enum scx_exit_kind {
	SCX_EXIT_NONE,
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	const char *msg;
	const char *dump;
};

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	char name[128];
};

#pragma clang attribute pop

/* Values that have been the same since sched_ext was merged. */
#define SCX_SLICE_DFL		20000000ULL	/* ns */
#define SCX_DSQ_GLOBAL		0x8000000000000001ULL
#define SCX_DSQ_LOCAL		0x8000000000000002ULL
#define SCX_DSQ_LOCAL_ON	0xc000000000000000ULL
#define SCX_ENQ_WAKEUP		1ULL
#define SCX_ENQ_LAST		(1ULL << 41)
#define SCX_OPS_ENQ_LAST	(1ULL << 1)
#define PF_KTHREAD		0x00200000

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym;

/*
 * 6.12 knows these two by their first names. libbpf looks a function up by its
 * name without what follows three underscores.
 */
void scx_bpf_dsq_insert___renamed(struct task_struct *p, u64 dsq_id, u64 slice,
				  u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local___renamed(u64 dsq_id) __ksym __weak;
void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
bool scx_bpf_consume(u64 dsq_id) __ksym __weak;

static __always_inline void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
					       u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___renamed))
		scx_bpf_dsq_insert___renamed(p, dsq_id, slice, enq_flags);
	else
		scx_bpf_dispatch(p, dsq_id, slice, enq_flags);
}

static __always_inline bool scx_bpf_dsq_move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___renamed))
		return scx_bpf_dsq_move_to_local___renamed(dsq_id);
	return scx_bpf_consume(dsq_id);
}

#define SCX_OPS(func) SEC("struct_ops/" #func)
#define SCX_OPS_SLEEPABLE(func) SEC("struct_ops.s/" #func)

#endif
