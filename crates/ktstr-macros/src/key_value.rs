//! `key = value` pairs, as both macros take them.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Result, Token};

/// One pair; a key that stands alone has no value.
pub struct KeyValue {
    /// The key as it was written.
    pub key: Ident,
    /// The expression after `=`.
    pub value: Option<Expr>,
}

impl Parse for KeyValue {
    fn parse(input: ParseStream) -> Result<Self> {
        let key: Ident = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self { key, value: None });
        }
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(&key, format!("`{key} =` has no value")));
        }
        Ok(Self { value: Some(ungrouped(input.parse()?)), key })
    }
}

impl KeyValue {
    /// The error for a value that is not `accepted`, at the value.
    pub fn refuse(&self, accepted: &str) -> Error {
        Error::new_spanned(self.token(), format!("`{}` takes {accepted}", self.key))
    }

    /// What an error about the value points at: the value, or the key when there is none.
    pub fn token(&self) -> TokenStream {
        match &self.value {
            Some(value) => value.to_token_stream(),
            None => self.key.to_token_stream(),
        }
    }
}

/// The expression itself where `macro_rules!` put it into an invisible group.
fn ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}
