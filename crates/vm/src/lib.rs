//! Machines: QEMU command lines, templates, clones, and what becomes of them.
//!
//! A *template* is a machine that has booted to the point where its agent waits for orders, saved to disk. A *clone*
//! maps the template's RAM copy-on-write and finds its work in the channel when it wakes up. `docs` and the design
//! notes say what keeps a deterministic clone deterministic; the rule to remember here is that nobody speaks to QEMU
//! between letting a clone go and its stop.

mod boot_end;
mod build_once;
mod choose_mode;
mod clone;
mod command_line;
mod disk_room;
mod elf;
mod error;
mod eviction;
mod file_lock;
mod guest_disk;
mod host_capacity;
mod host_channel;
mod identity;
mod interrupt;
mod kvm_limit;
mod lease;
mod loaded;
mod lockstep;
mod machine;
mod machine_size;
mod machine_spec;
mod payload;
mod process;
mod process_times;
mod qemu;
mod qmp;
mod saved;
mod saved_instant;
mod saved_list;
mod sparse_copy;
mod template;

pub use boot_end::BootEnd;
pub use choose_mode::{ChosenMode, KnownKvm, choose_mode, forget_kvm, known_kvm};
pub use clone::start as start_clone;
pub use error::VmError;
pub use host_capacity::host_memory_mb;
pub use host_channel::{ChannelReader, Work, channel_with_order};
pub use interrupt::interrupt_waits;
pub use ktstr_host::Version;
pub use loaded::{LoadedTemplate, Loading};
pub use machine::{Deadline, Machine, Stop, private_memory};
pub use machine_size::check_size;
pub use machine_spec::{MachineSpec, Purpose};
pub use payload::Payload;
pub use process::end_with_parent;
pub use process_times::cpu_time;
pub use qemu::Qemu;
pub use saved_list::{SavedKind, SavedMachine, remove_idle_locks, saved_machines};
pub use template::{Progress, Template};
