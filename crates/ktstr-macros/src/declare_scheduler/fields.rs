//! The fields of `declare_scheduler!` and those of a `Scheduler` that they become.

use ktstr_model::{SwitchLine, cgroup_parent};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result};

use super::{kernel_argument, kernel_filter};
use crate::dimensions::{Dimension, Dimensions};
use crate::errors::Errors;
use crate::key_value::KeyValue;
use crate::known_keys::KnownKeys;
use crate::values::{Text, positive};

const FIELDS: KnownKeys = KnownKeys {
    owner: "declare_scheduler!",
    accepted: &[
        "name",
        "binary",
        "kernel_builtin_enable",
        "kernel_builtin_disable",
        "sched_args",
        "kernels",
        "topology",
        "memory_only_nodes",
        "constraints",
        "kargs",
        "sysctls",
        "cgroup_parent",
        "config_file",
        "config_file_def",
        "assert",
    ],
    aliases: &[],
    not_built: &[],
};

const TOPOLOGY: &str = "four whole numbers, 1 or more: (NUMA nodes, LLCs in total, cores per LLC, threads per core), such as (1, 2, 4, 1)";
const SYSCTLS: &str =
    r#"a list of kernel parameters, such as [Sysctl::new("kernel.sched_rt_runtime_us", "-1")]"#;
const CONFIG_FILE_DEF: &str = r#"an argument with {file} in it and an absolute path in the guest, such as ("--config {file}", "/run/my.conf")"#;
const SWITCH_LINES: &str =
    "an enabling and a disabling list of lines such as \"echo 1 > /sys/kernel/debug/NAME\"";

/// A scheduler's fields, ready to be emitted.
pub struct SchedulerFields {
    /// The text or constant of `name`.
    pub name: TokenStream,
    /// `field: value` for each of the others that does not keep its default.
    pub others: Vec<TokenStream>,
}

impl SchedulerFields {
    /// The fields in the braces of the scheduler `ident`.
    pub fn read(ident: &Ident, tokens: TokenStream) -> Result<Self> {
        let pairs = FIELDS.pairs(tokens)?;
        let mut errors = Errors::default();
        let mut fields = Self { name: TokenStream::new(), others: Vec::new() };
        let mut builtin = (None, None);
        let (mut topology, mut memory_only_nodes) = (None, None);
        for (name, pair) in &pairs {
            errors.keep(match *name {
                "name" => pair.text(anything).map(|text| fields.name = text.into_token_stream()),
                "binary" => binary(pair).map(|spec| fields.set("binary", spec)),
                "kernel_builtin_enable" => switch_lines(pair).map(|lines| builtin.0 = Some(lines)),
                "kernel_builtin_disable" => switch_lines(pair).map(|lines| builtin.1 = Some(lines)),
                "topology" => read_topology(pair).map(|read| topology = Some(read)),
                "memory_only_nodes" => {
                    pair.positive().map(|count| memory_only_nodes = Some((count, pair.token().span())))
                }
                other => read_optional(other, pair).map(|value| fields.set(other, value)),
            });
        }
        if let (Some(enable), Some(disable)) = builtin {
            let spec = quote!(::ktstr::__private::SchedulerSpec::KernelBuiltin { enable: #enable, disable: #disable });
            fields.set("binary", spec);
        }
        if let Some(topology) = with_memory_only_nodes(topology, memory_only_nodes) {
            fields.set("topology", topology);
        }
        errors.keep(check_required(ident, &pairs));
        errors.finish(fields)
    }

    fn set(&mut self, field: &str, value: TokenStream) {
        let field = quote::format_ident!("{field}");
        self.others.push(quote!(#field: #value));
    }
}

/// A scheduler has a name, and is either a program or a part of the kernel that can be switched on and off.
fn check_required(ident: &Ident, pairs: &[(&'static str, KeyValue)]) -> Result<()> {
    let key = |wanted| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, pair)| &pair.key);
    let mut errors = Errors::default();
    if key("name").is_none() {
        errors.push(Error::new_spanned(
            ident,
            "`name` is missing: write name = \"..\", as results shall call it",
        ));
    }
    match (key("binary"), key("kernel_builtin_enable"), key("kernel_builtin_disable")) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        (Some(_), Some(switch), _) | (Some(_), None, Some(switch)) => errors.push(Error::new_spanned(
            switch,
            "a scheduler is a program (`binary`) or part of the kernel (`kernel_builtin_..`), not both",
        )),
        (None, Some(lone), None) | (None, None, Some(lone)) => errors.push(Error::new_spanned(
            lone,
            "`kernel_builtin_enable` and `kernel_builtin_disable` go together: a test leaves the kernel as it was",
        )),
        (None, None, None) => errors.push(Error::new_spanned(
            ident,
            "`binary` is missing: write binary = \"PROGRAM\", which is found by its name, or a `SchedulerSpec`",
        )),
    }
    errors.finish(())
}

/// No text is wrong.
fn anything(_: &str) -> Option<String> {
    None
}

fn read_optional(name: &str, pair: &KeyValue) -> Result<TokenStream> {
    match name {
        "sched_args" => text_list(pair, anything),
        "kernels" => text_list(pair, kernel_filter::wrong),
        "kargs" => text_list(pair, kernel_argument::wrong),
        "constraints" => {
            const ACCEPTED: &str = "a `TopologyConstraints`, such as TopologyConstraints { min_llcs: 2, ..TopologyConstraints::DEFAULT }";
            let constraints = pair.expression(ACCEPTED)?;
            Ok(quote_spanned!(constraints.span()=> ::ktstr::__private::checked_constraints(#constraints)))
        }
        "sysctls" => sysctls(pair),
        "cgroup_parent" => some_text(pair, wrong_cgroup_parent),
        "config_file" => some_text(pair, anything),
        "config_file_def" => config_file_def(pair),
        "assert" => {
            let assert = pair.expression("an `Assert`, such as Assert::NO_OVERRIDES.max_gap_ms(500)")?;
            Ok(assert.to_token_stream())
        }
        _ => unreachable!("`{name}` is in the list of accepted fields without a reading"),
    }
}

fn binary(pair: &KeyValue) -> Result<TokenStream> {
    const ACCEPTED: &str =
        "the program's name in quotes, or a `SchedulerSpec` such as SchedulerSpec::Path(\"..\")";
    match pair.expression(ACCEPTED)? {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            let name = pair.text(|name| {
                name.contains('/').then(|| {
                    format!(
                        "a name that is looked for has no `/`; for a path write SchedulerSpec::Path({name:?})"
                    )
                })
            })?;
            Ok(quote!(::ktstr::__private::SchedulerSpec::Discover(#name)))
        }
        Expr::Lit(_) => Err(pair.refuse(ACCEPTED)),
        spec => Ok(spec.to_token_stream()),
    }
}

fn text_list(pair: &KeyValue, wrong: impl Fn(&str) -> Option<String>) -> Result<TokenStream> {
    let texts = pair.texts(wrong)?;
    Ok(quote!(&[#(#texts),*]))
}

fn some_text(pair: &KeyValue, wrong: impl Fn(&str) -> Option<String>) -> Result<TokenStream> {
    let text = pair.text(wrong)?;
    Ok(quote!(::core::option::Option::Some(#text)))
}

fn switch_lines(pair: &KeyValue) -> Result<TokenStream> {
    let lines = pair.texts(|line| SwitchLine::parse(line).err().map(|error| error.to_string()))?;
    match lines.is_empty() {
        true => Err(pair.refuse(SWITCH_LINES)),
        false => Ok(quote!(&[#(#lines),*])),
    }
}

fn wrong_cgroup_parent(path: &str) -> Option<String> {
    let error = cgroup_parent(path).err()?;
    Some(format!("`cgroup_parent`: {error}, such as \"/ktstr\" or \"workloads/test\""))
}

/// The topology with what the other field, a count and where it stands, adds to it; none when neither is written.
fn with_memory_only_nodes(topology: Option<TokenStream>, added: Option<(u32, Span)>) -> Option<TokenStream> {
    let Some((count, span)) = added else { return topology };
    let topology = topology.unwrap_or_else(|| quote!(::ktstr::__private::Scheduler::EEVDF.topology));
    Some(quote_spanned!(span=> ::ktstr::__private::Topology::with_memory_only_nodes(#topology, #count)))
}

fn read_topology(pair: &KeyValue) -> Result<TokenStream> {
    let parts = pair.tuple::<4>(TOPOLOGY)?;
    let mut errors = Errors::default();
    let counts = parts.map(|part| {
        let count =
            positive(part).ok_or_else(|| Error::new_spanned(part, format!("`topology` takes {TOPOLOGY}")));
        errors.keep(count).map(|count| Dimension { count, token: part.to_token_stream() })
    });
    let [numa_nodes, llcs, cores, threads] = counts;
    errors.keep(Dimensions { numa_nodes, llcs, cores, threads }.check());
    let [numa_nodes, llcs, cores, threads] = parts;
    errors.finish(quote!(::ktstr::__private::Topology::of(#numa_nodes, #llcs, #cores, #threads)))
}

fn sysctls(pair: &KeyValue) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let mut sysctls = Vec::new();
    for element in pair.list(SYSCTLS)? {
        match element {
            Expr::Lit(_) | Expr::Tuple(_) => {
                errors.push(Error::new_spanned(element, format!("`sysctls` takes {SYSCTLS}")));
            }
            _ => sysctls.push(element),
        }
    }
    errors.finish(quote!(&[#(#sysctls),*]))
}

fn config_file_def(pair: &KeyValue) -> Result<TokenStream> {
    let [arg, guest_path]: [Text<'_>; 2] = pair.two_texts(CONFIG_FILE_DEF)?;
    let refuse = || Some(format!("`config_file_def` takes {CONFIG_FILE_DEF}"));
    let mut errors = Errors::default();
    errors.keep(arg.check(|arg| (!arg.contains("{file}")).then(refuse).flatten()));
    errors.keep(guest_path.check(|path| (!path.starts_with('/')).then(refuse).flatten()));
    errors.finish(quote! {
        ::core::option::Option::Some(::ktstr::__private::ConfigFileDef { arg: #arg, guest_path: #guest_path })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_field_is_read() {
        for field in FIELDS.accepted {
            // A field that stands alone says nothing, so each must refuse it in its own words.
            let ident = Ident::new("MY_SCHED", Span::call_site());
            let error = SchedulerFields::read(&ident, field.parse().unwrap()).err().unwrap();
            assert!(error.to_string().starts_with(&format!("`{field}` takes ")), "{error}");
        }
    }
}
