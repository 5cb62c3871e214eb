//! Which keys a macro takes, and the words for those it does not.

use ktstr_model::near_miss;
use proc_macro2::Ident;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Result, Token};

use crate::errors::Errors;
use crate::key_value::KeyValue;

/// The keys of one macro.
pub struct KnownKeys {
    /// What the keys belong to, as an error names it.
    pub owner: &'static str,
    /// Keys that work, in the order in which an error lists them.
    pub accepted: &'static [&'static str],
    /// Other names of accepted keys.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Keys that will work one day, by what they still need.
    pub not_built: &'static [(&'static str, &'static [&'static str])],
}

impl KnownKeys {
    /// The pairs in `tokens`, each with its key's accepted name.
    ///
    /// # Errors
    /// When the tokens are no pairs, for keys that are unknown or not built yet, and for those given twice.
    pub fn pairs(&self, tokens: proc_macro2::TokenStream) -> Result<Vec<(&'static str, KeyValue)>> {
        let pairs = Punctuated::<KeyValue, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut errors = Errors::default();
        let mut named: Vec<(&'static str, KeyValue)> = Vec::new();
        for pair in pairs {
            let Some(name) = errors.keep(self.accepted_name(&pair.key)) else { continue };
            match named.iter().find(|(earlier, _)| *earlier == name) {
                Some((_, earlier)) => errors.push(given_twice(&pair.key, &earlier.key)),
                None => named.push((name, pair)),
            }
        }
        errors.finish(named)
    }

    fn accepted_name(&self, key: &Ident) -> Result<&'static str> {
        let text = key.to_string();
        let name = self.aliases.iter().find(|(alias, _)| *alias == text).map_or(&*text, |(_, name)| *name);
        match self.accepted.iter().find(|accepted| **accepted == name) {
            Some(accepted) => Ok(accepted),
            None => Err(Error::new_spanned(key, self.refusal(&text))),
        }
    }

    fn refusal(&self, key: &str) -> String {
        for (needs, keys) in self.not_built {
            if keys.contains(&key) {
                return format!("`{key}` is not built yet: it needs {needs}");
            }
        }
        let hint = match self.nearest(key) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        format!("{} has no key `{key}`{hint}\naccepted keys: {}", self.owner, self.accepted.join(", "))
    }

    fn nearest(&self, key: &str) -> Option<&'static str> {
        let not_built = self.not_built.iter().flat_map(|(_, keys)| keys.iter());
        let aliases = self.aliases.iter().map(|(alias, _)| alias);
        near_miss(key, self.accepted.iter().chain(aliases).chain(not_built).copied())
    }
}

fn given_twice(key: &Ident, earlier: &Ident) -> Error {
    let message = if key == earlier {
        format!("`{key}` is given twice")
    } else {
        format!("`{key}` is another name of `{earlier}`, which is given already")
    };
    Error::new_spanned(key, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: KnownKeys = KnownKeys {
        owner: "a test",
        accepted: &["llcs", "threads", "seed"],
        aliases: &[("sockets", "llcs")],
        not_built: &[("a rocket", &["orbit"])],
    };

    fn message(tokens: &str) -> String {
        KEYS.pairs(tokens.parse().unwrap()).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn pairs_have_accepted_names() {
        let pairs = KEYS.pairs("sockets = 2, seed".parse().unwrap()).ok().unwrap();
        let names: Vec<_> = pairs.iter().map(|(name, pair)| (*name, pair.value.is_some())).collect();
        assert_eq!(names, [("llcs", true), ("seed", false)]);
    }

    #[test]
    fn a_near_miss_is_recognised() {
        for (typed, meant) in
            [("thread", "threads"), ("lcls", "llcs"), ("sokets", "sockets"), ("obrit", "orbit")]
        {
            assert!(message(typed).contains(&format!("did you mean `{meant}`?")), "{}", message(typed));
        }
        for typed in ["cores", "sd", "x"] {
            assert!(!message(typed).contains("did you mean"), "{}", message(typed));
            assert!(message(typed).ends_with("accepted keys: llcs, threads, seed"), "{}", message(typed));
        }
    }

    #[test]
    fn a_key_that_is_not_built_says_what_it_needs() {
        assert_eq!(message("orbit = 3"), "`orbit` is not built yet: it needs a rocket");
    }

    #[test]
    fn a_key_and_its_other_name_are_one() {
        assert_eq!(message("llcs = 1, llcs = 2"), "`llcs` is given twice");
        assert_eq!(
            message("llcs = 1, sockets = 2"),
            "`sockets` is another name of `llcs`, which is given already"
        );
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert_eq!(message("llcs = , seed"), "`llcs =` has no value");
        assert_eq!(message("llcs 2"), "expected `=`");
        assert!(message("\"llcs\"").contains("identifier"));
    }
}
