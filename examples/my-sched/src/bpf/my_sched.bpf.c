/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * my_sched: a task that wakes goes straight to an idle CPU if there is one.
 * All others wait in one queue, first in, first out, and each gets the same
 * slice, so equal spinners get equal shares. Weights are not looked at.
 */
#include "exit_record.bpf.h"
#include "shared_queue.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SCX_OPS(my_sched_select_cpu)
s32 BPF_PROG(my_sched_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

SCX_OPS(my_sched_enqueue)
void BPF_PROG(my_sched_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, shared_queue(), SCX_SLICE_DFL, enq_flags);
}

SCX_OPS(my_sched_dispatch)
void BPF_PROG(my_sched_dispatch, s32 cpu, struct task_struct *prev)
{
	take_from_shared_queue();
}

SCX_OPS_SLEEPABLE(my_sched_init)
s32 BPF_PROG(my_sched_init)
{
	return create_shared_queue();
}

SCX_OPS(my_sched_exit)
void BPF_PROG(my_sched_exit, struct scx_exit_info *info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops my_sched_ops = {
	.select_cpu = (void *)my_sched_select_cpu,
	.enqueue = (void *)my_sched_enqueue,
	.dispatch = (void *)my_sched_dispatch,
	.init = (void *)my_sched_init,
	.exit = (void *)my_sched_exit,
	.name = "my_sched",
};
