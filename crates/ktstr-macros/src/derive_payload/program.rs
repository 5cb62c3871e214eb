//! The keys of `#[payload(..)]` and the fields of a `Payload` that they become.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, Result};

use crate::errors::Errors;
use crate::key_value::KeyValue;
use crate::known_keys::KnownKeys;
use crate::values::Text;

const KEYS: KnownKeys = KnownKeys {
    owner: "#[payload]",
    accepted: &["name", "program", "args", "include_files", "exit_code", "any_exit"],
    aliases: &[("binary", "program")],
    not_built: &[],
};

/// What is said of a program.
pub struct ProgramKeys {
    /// `field: value` for each field but those of the metrics.
    pub fields: Vec<TokenStream>,
}

impl ProgramKeys {
    /// The keys in the attribute's parentheses; the payload is called `name` unless they say otherwise.
    pub fn read(attribute: &Attribute, tokens: TokenStream, name: String) -> Result<Self> {
        let pairs = KEYS.pairs(tokens)?;
        let mut errors = Errors::default();
        let mut fields = Fields { name: quote!(#name), ..Fields::default() };
        for (key, pair) in &pairs {
            errors.keep(fields.take(key, pair));
        }
        let Fields { name, program, args, include_files, exit } = fields;
        if program.is_none() && !pairs.iter().any(|(key, _)| *key == "program") {
            errors.push(Error::new_spanned(attribute, "`program = \"..\"` is missing: which program is it?"));
        }
        let given = |key: &str| pairs.iter().find(|(name, _)| *name == key);
        if let (Some(_), Some((_, any))) = (given("exit_code"), given("any_exit")) {
            errors.push(Error::new_spanned(&any.key, "`any_exit` and `exit_code` exclude each other"));
        }
        let exit = exit.unwrap_or(quote!(::ktstr::__private::ExpectedExit::Code(0)));
        errors.finish(Self {
            fields: vec![
                quote!(name: #name),
                quote!(program: #program),
                quote!(args: &[#(#args),*]),
                quote!(include_files: &[#(#include_files),*]),
                quote!(exit: #exit),
            ],
        })
    }
}

#[derive(Default)]
struct Fields {
    name: TokenStream,
    program: Option<TokenStream>,
    args: Vec<TokenStream>,
    include_files: Vec<TokenStream>,
    exit: Option<TokenStream>,
}

impl Fields {
    fn take(&mut self, key: &str, pair: &KeyValue) -> Result<()> {
        match key {
            "name" => {
                let name = pair.text(|_| None)?;
                self.name = quote!(#name);
            }
            "program" => self.program = Some(program(&pair.text(|_| None)?)),
            "args" => {
                // An empty argument is one.
                self.args = pair.any_texts()?.iter().map(|text| quote!(#text)).collect();
            }
            "include_files" => {
                self.include_files = pair.texts(|_| None)?.iter().map(of_this_package).collect();
            }
            "exit_code" => {
                let code = pair.exit_code()?;
                self.exit = Some(quote!(::ktstr::__private::ExpectedExit::Code(#code)));
            }
            "any_exit" if pair.flag()? => self.exit = Some(quote!(::ktstr::__private::ExpectedExit::Any)),
            "any_exit" => {}
            _ => unreachable!("`{key}` is in the list of accepted keys without a reading"),
        }
        Ok(())
    }
}

/// A name is looked for; a path begins at the package that declares it.
fn program(text: &Text<'_>) -> TokenStream {
    match text {
        Text::Literal(literal) if literal.value().contains('/') => of_this_package(text),
        _ => quote!(#text),
    }
}

fn of_this_package(text: &Text<'_>) -> TokenStream {
    match text {
        Text::Literal(literal) if !literal.value().starts_with('/') => {
            quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #literal))
        }
        _ => quote!(#text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_key_is_read() {
        for key in KEYS.accepted {
            // No key takes a block, so each must refuse it in its own words.
            let tokens = format!("{key} = {{}}").parse().unwrap();
            let attribute = syn::parse_quote!(#[payload()]);
            let error = ProgramKeys::read(&attribute, tokens, "x".into()).err().unwrap();
            assert!(error.to_string().starts_with(&format!("`{key}` takes ")), "{error}");
        }
    }
}
