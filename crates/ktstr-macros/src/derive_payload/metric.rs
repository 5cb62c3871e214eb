//! The keys of `#[metric(..)]`: a figure and its bounds.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Error, Expr, Result};

use crate::errors::Errors;
use crate::key_value::KeyValue;
use crate::known_keys::KnownKeys;
use crate::values::text;

const KEYS: KnownKeys = KnownKeys {
    owner: "#[metric]",
    accepted: &[
        "name",
        "source",
        "unit",
        "higher_is_better",
        "lower_is_better",
        "min",
        "max",
        "in_real_time",
    ],
    aliases: &[],
    not_built: &[],
};

/// A figure, ready to be emitted.
pub struct MetricKeys {
    /// A `Metric`.
    pub metric: TokenStream,
    /// A `MetricCheck`, if there are bounds.
    pub check: Option<TokenStream>,
}

#[derive(Default)]
struct Fields {
    name: Option<TokenStream>,
    /// The constructor of `Metric`, and what it is given after the name.
    source: Option<(Ident, TokenStream)>,
    unit: Option<TokenStream>,
    polarity: Option<TokenStream>,
    min: Option<f64>,
    max: Option<f64>,
    in_real_time: bool,
}

impl MetricKeys {
    /// The keys in the attribute's parentheses.
    pub fn read(attribute: &Attribute, tokens: TokenStream) -> Result<Self> {
        let pairs = KEYS.pairs(tokens)?;
        let mut errors = Errors::default();
        let mut fields = Fields::default();
        for (key, pair) in &pairs {
            errors.keep(fields.take(key, pair));
        }
        let given = |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, pair)| &pair.key);
        let mut needs = |keys: &[&str], message: &str| {
            if keys.iter().all(|key| given(key).is_none()) {
                errors.push(Error::new_spanned(attribute, message));
            }
        };
        needs(&["name"], "`name = \"..\"` is missing: what is the figure called?");
        needs(
            &["source"],
            "where the figure stands is missing: `source = json(\"path.to.it\")` or `source = pattern(r\"text (number)\")`",
        );
        if let (Some(_), Some(key)) = (given("higher_is_better"), given("lower_is_better")) {
            let message = "`higher_is_better` and `lower_is_better` exclude each other";
            errors.push(Error::new_spanned(key, message));
        }
        if let (Some(key), None, None) = (given("in_real_time"), given("min"), given("max")) {
            errors.push(Error::new_spanned(key, "`in_real_time` is about bounds: give `min` or `max`"));
        }
        errors.finish(fields.emit())
    }
}

impl Fields {
    fn take(&mut self, key: &str, pair: &KeyValue) -> Result<()> {
        match key {
            "name" => {
                let name = pair.text(|_| None)?;
                self.name = Some(quote!(#name));
            }
            "source" => self.source = Some(source(pair)?),
            "unit" => {
                let unit = pair.text(|_| None)?;
                self.unit = Some(quote!(.unit(#unit)));
            }
            "higher_is_better" if pair.flag()? => self.polarity = Some(quote!(.higher_is_better())),
            "lower_is_better" if pair.flag()? => self.polarity = Some(quote!(.lower_is_better())),
            "higher_is_better" | "lower_is_better" => {}
            "min" => self.min = Some(pair.signed_number()?),
            "max" => self.max = Some(pair.signed_number()?),
            "in_real_time" => self.in_real_time = pair.flag()?,
            _ => unreachable!("`{key}` is in the list of accepted keys without a reading"),
        }
        Ok(())
    }

    fn emit(self) -> MetricKeys {
        let Self { name, source, unit, polarity, min, max, in_real_time } = self;
        let (constructor, place) = source.unzip();
        let metric = quote!(::ktstr::__private::Metric::#constructor(#name, #place) #unit #polarity);
        let check = quote!(::ktstr::__private::MetricCheck);
        let bounds = match (min, max) {
            (Some(min), Some(max)) => Some(quote!(range(#name, #min, #max))),
            (Some(min), None) => Some(quote!(min(#name, #min))),
            (None, Some(max)) => Some(quote!(max(#name, #max))),
            (None, None) => None,
        };
        let in_real_time = in_real_time.then(|| quote!(.in_real_time()));
        MetricKeys { metric, check: bounds.map(|bounds| quote!(#check::#bounds #in_real_time)) }
    }
}

/// `json("..")` or `pattern("..")`. (A call, and not a key for each: what clippy takes for attributes of the language it
/// would warn of where two metrics have one unit.)
fn source(pair: &KeyValue) -> Result<(Ident, TokenStream)> {
    const ACCEPTED: &str = r#"json("path.to.it") or pattern(r"text (number)")"#;
    let call = match &pair.value {
        Some(Expr::Call(call)) => call,
        _ => return Err(pair.refuse(ACCEPTED)),
    };
    let constructor = match &*call.func {
        Expr::Path(path) => path.path.get_ident().filter(|ident| *ident == "json" || *ident == "pattern"),
        _ => None,
    };
    match (constructor, call.args.len(), call.args.first().and_then(text)) {
        (Some(constructor), 1, Some(text)) => Ok((constructor.clone(), quote!(#text))),
        _ => Err(pair.refuse(ACCEPTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tokens: &str) -> std::result::Result<MetricKeys, String> {
        MetricKeys::read(&syn::parse_quote!(#[metric()]), tokens.parse().unwrap())
            .map_err(|error| error.into_iter().map(|error| error.to_string()).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn every_accepted_key_is_read() {
        for key in KEYS.accepted {
            // No key takes a block, so each must refuse it in its own words.
            let errors = read(&format!("{key} = {{}}")).err().unwrap();
            assert!(errors.starts_with(&format!("`{key}` takes ")), "{errors}");
        }
    }

    #[test]
    fn bounds_become_a_check() {
        let check = |keys: &str| {
            let keys = read(&format!("name = \"t\", source = json(\"t\"), {keys}")).unwrap();
            keys.check.map(|check| check.to_string().replace(' ', "").replace("::ktstr::__private::", ""))
        };
        assert_eq!(check("unit = \"s\""), None);
        assert_eq!(check("min = 1").unwrap(), "MetricCheck::min(\"t\",1f64)");
        assert_eq!(
            check("max = -2.5, in_real_time").unwrap(),
            "MetricCheck::max(\"t\",-2.5f64).in_real_time()"
        );
        assert_eq!(check("min = 0, max = 3").unwrap(), "MetricCheck::range(\"t\",0f64,3f64)");
    }
}
