//! The keys of `#[ktstr_test]` and the fields of a `TestSpec` that they become.

use ktstr_model::ModeChoice;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Result};

use crate::dimensions::{Dimension, Dimensions};
use crate::errors::Errors;
use crate::key_value::KeyValue;
use crate::known_keys::KnownKeys;

const INTROSPECTION: &str = "host-side introspection";

const KEYS: KnownKeys = KnownKeys {
    owner: "#[ktstr_test]",
    accepted: &[
        "numa_nodes",
        "llcs",
        "cores",
        "threads",
        "memory_mb",
        "disk_mb",
        "scheduler",
        "extra_sched_args",
        "config",
        "extra_include_files",
        "payload",
        "workloads",
        "not_starved",
        "isolation",
        "max_gap_ms",
        "max_spread_pct",
        "max_throughput_cv",
        "min_work_rate",
        "min_iteration_rate",
        "max_p99_wake_latency_ns",
        "max_wake_latency_cv",
        "max_migration_ratio",
        "min_page_locality",
        "max_cross_node_migration_ratio",
        "max_slow_tier_ratio",
        "min_llcs",
        "max_llcs",
        "min_cpus",
        "max_cpus",
        "min_numa_nodes",
        "max_numa_nodes",
        "requires_smt",
        "duration_s",
        "cleanup_budget_ms",
        "post_vm",
        "expect_err",
        "host_only",
        "mode",
        "seed",
    ],
    aliases: &[("sockets", "llcs")],
    not_built: &[
        (
            INTROSPECTION,
            &[
                "watchdog_timeout_s",
                "auto_repro",
                "bpf_map_write",
                "num_snapshots",
                "max_imbalance_ratio",
                "max_local_dsq_depth",
                "fail_on_stall",
                "sustained_samples",
                "max_fallback_rate",
                "max_keep_last_rate",
            ],
        ),
        ("host CPUs reserved for a guest", &["performance_mode", "no_perf_mode"]),
    ],
};

/// The keys that choose presets. All but the last are limits.
const CONSTRAINTS: [&str; 7] =
    ["min_llcs", "max_llcs", "min_cpus", "max_cpus", "min_numa_nodes", "max_numa_nodes", "requires_smt"];

/// A test's keys, ready to be emitted.
#[derive(Default)]
pub struct TestKeys {
    /// `field: value` for each field of a `TestSpec` that does not keep its default.
    pub fields: Vec<TokenStream>,
    /// An item that checks at compile time what depends on the scheduler's constant; empty when nothing does.
    pub check: TokenStream,
    /// A reference to the scheduler's constant.
    scheduler: Option<TokenStream>,
    /// The function of `post_vm`.
    post_vm: Option<ExprPath>,
    dimensions: Dimensions,
    /// `field: value` for each constraint.
    constraints: Vec<TokenStream>,
    /// Setters of an `Assert`.
    thresholds: Vec<TokenStream>,
}

impl TestKeys {
    /// The keys in the attribute's parentheses.
    pub fn read(tokens: TokenStream) -> Result<Self> {
        let pairs = KEYS.pairs(tokens)?;
        let mut errors = Errors::default();
        let mut keys = Self::default();
        for (name, pair) in &pairs {
            errors.keep(keys.take(name, pair));
        }
        errors.keep(keys.dimensions.check());
        errors.keep(check_machine(&pairs));
        keys.add_compound_fields();
        keys.check = keys.scheduler_check(&pairs);
        errors.finish(keys)
    }

    fn take(&mut self, name: &str, pair: &KeyValue) -> Result<()> {
        match name {
            "numa_nodes" => self.dimensions.numa_nodes = Some(dimension(pair)?),
            "llcs" => self.dimensions.llcs = Some(dimension(pair)?),
            "cores" => self.dimensions.cores = Some(dimension(pair)?),
            "threads" => self.dimensions.threads = Some(dimension(pair)?),
            "scheduler" => {
                let path =
                    pair.path("the path of a declared scheduler, such as MY_SCHED or Scheduler::EEVDF")?;
                self.scheduler = Some(quote_spanned!(path.span()=> &#path));
            }
            "memory_mb" | "disk_mb" | "duration_s" => self.set(name, pair.positive()?),
            "extra_sched_args" | "extra_include_files" => {
                let texts = pair.texts(|_| None)?;
                self.set(name, quote!(&[#(#texts),*]));
            }
            "payload" => {
                let path = pair.path("the path of a declared payload, such as SCHBENCH")?;
                self.set_some(name, quote_spanned!(path.span()=> &#path));
            }
            "workloads" => {
                let paths = pair.paths("a list of declared payloads, such as [STRESS_NG, HACKBENCH]")?;
                let each = paths.iter().map(|path| quote_spanned!(path.span()=> &#path));
                self.set(name, quote!(&[#(#each),*]));
            }
            "config" => self.set_some(name, pair.text(|_| None)?),
            "seed" => self.set_some(name, pair.whole()?),
            "cleanup_budget_ms" => self.set_some(name, pair.positive()?),
            "post_vm" => {
                let path = pair.path("the name of a function `fn(&RunResult) -> Result<AssertResult>`")?;
                self.post_vm = Some(path.clone());
            }
            "expect_err" | "host_only" => self.set(name, pair.flag()?),
            "mode" => self.set(name, mode(pair)?),
            "requires_smt" => self.constraint(name, pair.flag()?),
            limit if CONSTRAINTS.contains(&limit) => self.constraint(name, pair.positive()?),
            "not_starved" | "isolation" => self.threshold(name, pair.flag()?),
            "max_gap_ms" => self.threshold(name, u64::from(pair.positive()?)),
            "max_p99_wake_latency_ns" => self.threshold(name, pair.positive_u64()?),
            "max_spread_pct" => self.threshold(name, pair.number(100.0)?),
            "max_migration_ratio" | "min_page_locality" | "max_slow_tier_ratio" => {
                self.threshold(name, pair.number(1.0)?);
            }
            "max_throughput_cv"
            | "min_work_rate"
            | "min_iteration_rate"
            | "max_wake_latency_cv"
            | "max_cross_node_migration_ratio" => self.threshold(name, pair.number(f64::INFINITY)?),
            _ => unreachable!("`{name}` is in the list of accepted keys without a reading"),
        }
        Ok(())
    }

    /// The function of `post_vm`, or that there is none.
    pub fn post_vm(&self) -> TokenStream {
        match &self.post_vm {
            None => quote!(::core::option::Option::None),
            Some(path) => quote_spanned!(path.span()=> ::core::option::Option::Some(#path)),
        }
    }

    fn set(&mut self, field: &str, value: impl ToTokens) {
        let field = quote::format_ident!("{field}");
        self.fields.push(quote!(#field: #value));
    }

    fn set_some(&mut self, field: &str, value: impl ToTokens) {
        self.set(field, quote!(::core::option::Option::Some(#value)));
    }

    fn threshold(&mut self, setter: &str, value: impl ToTokens) {
        let setter = quote::format_ident!("{setter}");
        self.thresholds.push(quote!(.#setter(#value)));
    }

    fn constraint(&mut self, field: &str, value: impl ToTokens) {
        let field = quote::format_ident!("{field}");
        self.constraints.push(quote!(#field: ::core::option::Option::Some(#value)));
    }

    fn constraints(&self) -> TokenStream {
        let constraints = &self.constraints;
        let others = match constraints.len() {
            all if all == CONSTRAINTS.len() => None,
            _ => Some(quote!(..::ktstr::__private::ConstraintsChoice::INHERITED)),
        };
        quote!(::ktstr::__private::ConstraintsChoice { #(#constraints,)* #others })
    }

    fn add_compound_fields(&mut self) {
        if let Some(scheduler) = self.scheduler.clone() {
            self.set("scheduler", scheduler);
        }
        if self.dimensions.written().next().is_some() {
            let topology = self.topology();
            self.set("topology", topology);
        }
        if !self.constraints.is_empty() {
            let constraints = self.constraints();
            self.set("constraints", constraints);
        }
        if !self.thresholds.is_empty() {
            let thresholds = &self.thresholds;
            let assert = quote!(::ktstr::__private::Assert::NO_OVERRIDES #(#thresholds)*);
            self.set("assert", assert);
        }
    }

    fn topology(&self) -> TokenStream {
        let Dimensions { numa_nodes, llcs, cores, threads } = &self.dimensions;
        let [numa_nodes, llcs, cores, threads] = [numa_nodes, llcs, cores, threads].map(|dimension| {
            let count = dimension.as_ref().map(|d| d.count);
            count.map_or(quote!(::core::option::Option::None), |n| quote!(::core::option::Option::Some(#n)))
        });
        quote! {
            ::ktstr::__private::TopologyChoice {
                numa_nodes: #numa_nodes,
                llcs: #llcs,
                cores: #cores,
                threads: #threads,
            }
        }
    }

    /// Dimensions must fit those that the scheduler has, and what is for the scheduler must be able to reach it. Each
    /// error points at the key that asks for it.
    fn scheduler_check(&self, pairs: &[(&'static str, KeyValue)]) -> TokenStream {
        // One identifier for all: spans of values may come from a `macro_rules!` expansion, each with its own scope.
        let argument = Ident::new("__ktstr_scheduler", Span::call_site());
        let mut calls = TokenStream::new();
        if let Some(first) = self.dimensions.written().next() {
            let topology = self.topology();
            calls.extend(quote_spanned! {first.token.span()=>
                ::ktstr::__private::topology_fits(&#topology, #argument);
            });
        }
        let constraint = |(name, _): &&(&str, KeyValue)| CONSTRAINTS.contains(name);
        if let Some((_, last)) = pairs.iter().rfind(constraint) {
            let constraints = self.constraints();
            calls.extend(quote_spanned! {last.token().span()=>
                ::ktstr::__private::constraints_fit(&#constraints, #argument);
            });
        }
        for (name, pair) in pairs {
            let check = match *name {
                "config" => quote!(takes_inline_config),
                "extra_sched_args" => quote!(takes_arguments),
                "max_slow_tier_ratio" => quote!(has_memory_only_nodes),
                _ => continue,
            };
            calls.extend(quote_spanned! {pair.token().span()=>
                ::ktstr::__private::#check(#argument);
            });
        }
        if calls.is_empty() {
            return calls;
        }
        let scheduler = self.scheduler.clone().unwrap_or(quote!(&::ktstr::__private::Scheduler::EEVDF));
        quote! {
            const _: () = {
                let #argument: &::ktstr::__private::Scheduler = #scheduler;
                #calls
            };
        }
    }
}

/// What looks at a machine makes no sense without one.
fn check_machine(pairs: &[(&'static str, KeyValue)]) -> Result<()> {
    let key = |wanted| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, pair)| pair);
    if !key("host_only").is_some_and(|pair| pair.flag().is_ok_and(|on| on)) {
        return Ok(());
    }
    let mut errors = Errors::default();
    for name in ["post_vm", "cleanup_budget_ms"] {
        if let Some(pair) = key(name) {
            let message = format!("`{name}` is about a machine that ends, and `host_only` runs without one");
            errors.push(syn::Error::new_spanned(&pair.key, message));
        }
    }
    errors.finish(())
}

fn dimension(pair: &KeyValue) -> Result<Dimension> {
    Ok(Dimension { count: pair.positive()?, token: pair.token() })
}

fn mode(pair: &KeyValue) -> Result<TokenStream> {
    let choice = match &pair.value {
        Some(Expr::Path(path)) => path.path.get_ident().and_then(|ident| ident.to_string().parse().ok()),
        _ => None,
    };
    let choice = choice.ok_or_else(|| pair.refuse("one of these words: auto, real_time, deterministic"))?;
    Ok(match choice {
        ModeChoice::Auto => quote!(::ktstr::__private::ModeChoice::Auto),
        ModeChoice::RealTime => quote!(::ktstr::__private::ModeChoice::RealTime),
        ModeChoice::Deterministic => quote!(::ktstr::__private::ModeChoice::Deterministic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_key_is_read() {
        for key in KEYS.accepted {
            // No key takes a block, so each must refuse it in its own words.
            let error = TestKeys::read(format!("{key} = {{}}").parse().unwrap()).err().unwrap();
            assert!(error.to_string().starts_with(&format!("`{key}` takes ")), "{error}");
        }
    }
}
