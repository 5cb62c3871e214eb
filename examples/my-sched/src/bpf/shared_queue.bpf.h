/* SPDX-License-Identifier: GPL-2.0-only */
/* One first-in, first-out queue that all CPUs take from. */
#ifndef SHARED_QUEUE_BPF_H
#define SHARED_QUEUE_BPF_H

#include "sched_ext.bpf.h"

#define SHARED_QUEUE 0

/*
 * Some builds of 7.1 and 7.2 describe scx_bpf_create_dsq() in a way that no
 * program can call it (their BTF lacks its _impl twin). There the kernel's own
 * global queue serves: also first in, first out, but one for each NUMA node,
 * and the kernel takes from it by itself.
 */
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym __weak;

static u64 shared_queue(void)
{
	return bpf_ksym_exists(scx_bpf_create_dsq) ? SHARED_QUEUE : SCX_DSQ_GLOBAL;
}

static s32 create_shared_queue(void)
{
	if (!bpf_ksym_exists(scx_bpf_create_dsq))
		return 0;
	return scx_bpf_create_dsq(SHARED_QUEUE, -1);
}

static void take_from_shared_queue(void)
{
	if (bpf_ksym_exists(scx_bpf_create_dsq))
		scx_bpf_dsq_move_to_local(SHARED_QUEUE);
}

#endif
