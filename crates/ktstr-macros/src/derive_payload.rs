//! `#[derive(Payload)]`: from a unit struct with attributes to a static that tests name.

mod metric;
mod program;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Error, Fields, Meta, Result};

use crate::errors::Errors;
use metric::MetricKeys;
use program::ProgramKeys;

const SHAPE: &str = "#[derive(Payload)] goes on a unit struct with a program: \
                     #[payload(program = \"..\")] struct NAME;";

/// The struct's constant and the static, or the errors.
pub fn expand(input: TokenStream) -> TokenStream {
    syn::parse2(input).and_then(|input| derive(&input)).unwrap_or_else(Error::into_compile_error)
}

fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, vis, ident, generics, data } = input;
    let is_unit = matches!(data, Data::Struct(data) if matches!(data.fields, Fields::Unit));
    if !is_unit || !generics.params.is_empty() {
        return Err(Error::new_spanned(ident, SHAPE));
    }
    let mut errors = Errors::default();
    let mut programs = attrs.iter().filter(|attribute| attribute.path().is_ident("payload"));
    let program = match programs.next() {
        Some(attribute) => {
            let tokens = tokens_of(attribute);
            errors.keep(tokens.and_then(|tokens| ProgramKeys::read(attribute, tokens, snake(ident))))
        }
        None => return Err(Error::new_spanned(ident, format!("there is no #[payload(..)]: {SHAPE}"))),
    };
    for second in programs {
        errors.push(Error::new_spanned(second, "a second #[payload(..)]; put all keys into one"));
    }
    let mut metrics = Vec::new();
    for attribute in attrs.iter().filter(|attribute| attribute.path().is_ident("metric")) {
        let read = tokens_of(attribute).and_then(|tokens| MetricKeys::read(attribute, tokens));
        metrics.extend(errors.keep(read));
    }
    let program = errors.finish(program)?;
    let fields = program.map(|program| program.fields).unwrap_or_default();
    let checks = metrics.iter().filter_map(|metric| metric.check.as_ref());
    let metrics = metrics.iter().map(|metric| &metric.metric);
    let constant = format_ident!("{}", snake(ident).to_uppercase(), span = ident.span());
    let doc = format!("The external program that [`{ident}`] declares.");
    Ok(quote! {
        impl #ident {
            #[doc = #doc]
            pub const PAYLOAD: ::ktstr::__private::Payload = ::ktstr::__private::Payload {
                metrics: &[#(#metrics),*],
                checks: &[#(#checks),*],
                #(#fields,)*
            };
        }

        #[doc = #doc]
        #vis static #constant: ::ktstr::__private::Payload = #ident::PAYLOAD;

        // The struct only carries attributes; nobody else makes one.
        const _: fn() -> #ident = || #ident;
    })
}

/// What stands in an attribute's parentheses.
fn tokens_of(attribute: &Attribute) -> Result<TokenStream> {
    match &attribute.meta {
        Meta::List(list) => Ok(list.tokens.clone()),
        other => Err(Error::new_spanned(other, "keys in parentheses are missing")),
    }
}

/// `StressNg` as `stress_ng`.
fn snake(ident: &Ident) -> String {
    let mut snake = String::new();
    for letter in ident.to_string().trim_start_matches("r#").chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
