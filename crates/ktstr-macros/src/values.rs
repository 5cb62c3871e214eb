//! Reading the value of a key: what each kind of key takes, in tokens and in words.

use std::str::FromStr;

use syn::{
    Error, Expr, ExprArray, ExprLit, ExprPath, ExprTuple, ExprUnary, Lit, LitInt, LitStr, Result, UnOp,
};

use crate::errors::Errors;
use crate::key_value::KeyValue;

/// A text: written out, or the name of a constant whose value only the compiler knows.
pub enum Text<'a> {
    /// A string literal.
    Literal(&'a LitStr),
    /// The path of a constant.
    Constant(&'a ExprPath),
}

impl quote::ToTokens for Text<'_> {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::Literal(literal) => literal.to_tokens(tokens),
            Self::Constant(path) => path.to_tokens(tokens),
        }
    }
}

impl Text<'_> {
    /// Checks the text where it is known here; `wrong` says what is wrong with it.
    pub fn check(&self, wrong: impl Fn(&str) -> Option<String>) -> Result<()> {
        match self {
            Self::Literal(literal) => match wrong(&literal.value()) {
                Some(message) => Err(Error::new_spanned(literal, message)),
                None => Ok(()),
            },
            Self::Constant(_) => Ok(()),
        }
    }
}

fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// A text, if `expr` can be one.
pub fn text(expr: &Expr) -> Option<Text<'_>> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(Text::Literal(text)),
        Expr::Path(path) => Some(Text::Constant(path)),
        _ => None,
    }
}

/// The number, when it has no suffix or that of its own type.
fn whole<T: FromStr>(int: &LitInt) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    let own_suffix = [std::any::type_name::<T>(), ""].contains(&int.suffix());
    own_suffix.then(|| int.base10_parse().ok()).flatten()
}

/// A `u32` that is not zero, if `expr` is one.
pub fn positive(expr: &Expr) -> Option<u32> {
    match literal(expr)? {
        Lit::Int(int) => whole(int).filter(|n| *n > 0),
        _ => None,
    }
}

/// A number, if `expr` is one.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|number| -number),
        expr => match literal(expr)? {
            Lit::Int(int) => whole::<u64>(int).map(|number| number as f64),
            Lit::Float(float) => float.base10_parse().ok(),
            _ => None,
        },
    }
}

impl KeyValue {
    /// A whole number from 1 to `u32::MAX`.
    pub fn positive(&self) -> Result<u32> {
        let number = self.value.as_ref().and_then(positive);
        number.ok_or_else(|| self.refuse("a whole number of 1 or more"))
    }

    /// A whole number from 0 to `u64::MAX`.
    pub fn whole(&self) -> Result<u64> {
        match self.value.as_ref().and_then(literal) {
            Some(Lit::Int(int)) => whole(int),
            _ => None,
        }
        .ok_or_else(|| self.refuse("a whole number"))
    }

    /// A whole number from 1 to `u64::MAX`.
    pub fn positive_u64(&self) -> Result<u64> {
        self.whole()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| self.refuse("a whole number of 1 or more"))
    }

    /// A number from 0 to `most`, with or without a fraction.
    pub fn number(&self, most: f64) -> Result<f64> {
        let number = self.value.as_ref().and_then(number);
        number.filter(|number| number.is_finite() && (0.0..=most).contains(number)).ok_or_else(|| match most
            .is_finite()
        {
            true => self.refuse(&format!("a number from 0 to {most}")),
            false => self.refuse("a number of 0 or more"),
        })
    }

    /// `true` or `false`; a key that stands alone means `true`.
    pub fn flag(&self) -> Result<bool> {
        match &self.value {
            None => Ok(true),
            Some(value) => match literal(value) {
                Some(Lit::Bool(flag)) => Ok(flag.value),
                _ => Err(self.refuse(&format!("true or false; `{}` alone means true", self.key))),
            },
        }
    }

    /// A text that is not empty and of which `wrong` has nothing to say.
    pub fn text(&self, wrong: impl Fn(&str) -> Option<String>) -> Result<Text<'_>> {
        let text = self.value.as_ref().and_then(text);
        let text = text.ok_or_else(|| self.refuse("a text in quotes, or the name of a `&str` constant"))?;
        text.check(|text| match text.is_empty() {
            true => Some(format!("`{}` is empty", self.key)),
            false => wrong(text),
        })?;
        Ok(text)
    }

    /// A list of texts, none of them empty, of which `wrong` has nothing to say.
    pub fn texts(&self, wrong: impl Fn(&str) -> Option<String>) -> Result<Vec<Text<'_>>> {
        self.texts_that(|text| match text.is_empty() {
            true => Some(format!("an empty text in `{}`", self.key)),
            false => wrong(text),
        })
    }

    fn texts_that(&self, wrong: impl Fn(&str) -> Option<String>) -> Result<Vec<Text<'_>>> {
        const ACCEPTED: &str = r#"a list of texts, such as ["first", "second"]"#;
        let mut errors = Errors::default();
        let mut texts = Vec::new();
        for element in self.list(ACCEPTED)? {
            match text(element) {
                Some(text) => {
                    errors.keep(text.check(&wrong));
                    texts.push(text);
                }
                None => errors.push(Error::new_spanned(element, format!("`{}` takes {ACCEPTED}", self.key))),
            }
        }
        errors.finish(texts)
    }

    /// A list of texts, of which some may be empty.
    pub fn any_texts(&self) -> Result<Vec<Text<'_>>> {
        self.texts_that(|_| None)
    }

    /// A number, with or without a sign and a fraction.
    pub fn signed_number(&self) -> Result<f64> {
        let number = self.value.as_ref().and_then(number).filter(|number| number.is_finite());
        number.ok_or_else(|| self.refuse("a number"))
    }

    /// A code that a process can exit with.
    pub fn exit_code(&self) -> Result<i32> {
        let code = match self.value.as_ref().and_then(literal) {
            Some(Lit::Int(int)) => whole::<i32>(int).filter(|code| (0..=255).contains(code)),
            _ => None,
        };
        code.ok_or_else(|| self.refuse("a whole number from 0 to 255"))
    }

    /// The elements of a list in brackets.
    pub fn list(&self, accepted: &str) -> Result<impl Iterator<Item = &Expr>> {
        match &self.value {
            Some(Expr::Array(ExprArray { elems, .. })) => Ok(elems.iter()),
            _ => Err(self.refuse(accepted)),
        }
    }

    /// The `N` parts of a tuple.
    pub fn tuple<const N: usize>(&self, accepted: &str) -> Result<[&Expr; N]> {
        match &self.value {
            Some(Expr::Tuple(ExprTuple { elems, .. })) => {
                let parts: Vec<_> = elems.iter().collect();
                parts.try_into().map_err(|_| self.refuse(accepted))
            }
            _ => Err(self.refuse(accepted)),
        }
    }

    /// Two texts in parentheses.
    pub fn two_texts(&self, accepted: &str) -> Result<[Text<'_>; 2]> {
        let [first, second] = self.tuple(accepted)?;
        match (text(first), text(second)) {
            (Some(first), Some(second)) => Ok([first, second]),
            (None, _) => Err(Error::new_spanned(first, format!("`{}` takes {accepted}", self.key))),
            (_, None) => Err(Error::new_spanned(second, format!("`{}` takes {accepted}", self.key))),
        }
    }

    /// The path of a constant or a static.
    pub fn path(&self, accepted: &str) -> Result<&ExprPath> {
        match &self.value {
            Some(Expr::Path(path)) => Ok(path),
            _ => Err(self.refuse(accepted)),
        }
    }

    /// A list of paths of constants or statics.
    pub fn paths(&self, accepted: &str) -> Result<Vec<&ExprPath>> {
        let mut errors = Errors::default();
        let mut paths = Vec::new();
        for element in self.list(accepted)? {
            match element {
                Expr::Path(path) => paths.push(path),
                other => errors.push(Error::new_spanned(other, format!("`{}` takes {accepted}", self.key))),
            }
        }
        errors.finish(paths)
    }

    /// Any expression.
    pub fn expression(&self, accepted: &str) -> Result<&Expr> {
        self.value.as_ref().ok_or_else(|| self.refuse(accepted))
    }
}
