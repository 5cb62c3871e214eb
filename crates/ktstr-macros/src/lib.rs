//! The macros that declare tests, schedulers and payloads: each parses, validates and emits, in files of its own.
//!
//! What can be judged from the tokens alone is judged here, at the offending token; what depends on a constant
//! elsewhere is left to constant evaluation in the emitted code. The macros emit paths below `::ktstr::__private`, so
//! a test author depends on `ktstr` alone, under that name.

mod declare_scheduler;
mod derive_payload;
mod dimensions;
mod errors;
mod key_value;
mod known_keys;
mod ktstr_test;
mod values;

use proc_macro::TokenStream;

/// Declares a test: `fn(&Ctx) -> Result<AssertResult>` becomes a `#[test]` that runs its body in a guest.
///
/// The keys, such as `#[ktstr_test(scheduler = MY_SCHED, threads = 2)]`, are listed in the book under *The
/// `#[ktstr_test]` attribute*; each has a default.
#[proc_macro_attribute]
pub fn ktstr_test(keys: TokenStream, item: TokenStream) -> TokenStream {
    ktstr_test::expand(keys.into(), item.into()).into()
}

/// Declares an external program that runs as part of a workload: on `struct StressNg;` it makes `StressNg::PAYLOAD` and
/// `static STRESS_NG: Payload`.
///
/// `#[payload(program = "stress-ng", args = [..])]` says which program it is, and each `#[metric(..)]` which figure stands
/// where in its output; the keys are listed in the book under *Payloads*.
#[proc_macro_derive(Payload, attributes(payload, metric))]
pub fn derive_payload(input: TokenStream) -> TokenStream {
    derive_payload::expand(input.into()).into()
}

/// Declares a scheduler: `declare_scheduler!([pub|pub(crate)] IDENT, { name = "..", binary = "..", .. })` becomes
/// `static IDENT: Scheduler`, public unless a visibility is written, and is registered in `KTSTR_SCHEDULERS`.
///
/// The fields are listed in the book under *Scheduler definitions*.
#[proc_macro]
pub fn declare_scheduler(input: TokenStream) -> TokenStream {
    declare_scheduler::expand(input.into()).into()
}
