/* SPDX-License-Identifier: GPL-2.0-only */
/* Hands the kernel's account of why a scheduler ended to its loader. */
#ifndef EXIT_RECORD_BPF_H
#define EXIT_RECORD_BPF_H

#include "sched_ext.bpf.h"

/* The loader reads this by offset: keep it in step with src/exit_info.rs. */
struct exit_record {
	s64 exit_code;
	u32 kind;	/* written last: a reader that sees a kind may read the rest */
	char reason[128];
	char message[1024];
};

/* Sections of their own give maps of their own, whatever else a scheduler stores. */
struct exit_record exit_record SEC(".data.exit_record");
char exit_dump[1] SEC(".data.exit_dump");

/* Size of exit_dump in bytes; the loader sets both before it loads the object. */
const volatile u32 exit_dump_len = 1;

static void record_exit(const struct scx_exit_info *info)
{
	exit_record.exit_code = info->exit_code;
	bpf_probe_read_kernel_str(exit_record.reason, sizeof(exit_record.reason), info->reason);
	bpf_probe_read_kernel_str(exit_record.message, sizeof(exit_record.message), info->msg);
	bpf_probe_read_kernel_str(exit_dump, exit_dump_len, info->dump);
	__sync_lock_test_and_set(&exit_record.kind, info->kind);
}

#endif
