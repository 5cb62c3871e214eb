//! The function under `#[ktstr_test]`: its signature judged, its attributes sorted.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Error, FnArg, ItemFn, Result, ReturnType, Signature, Type, Visibility};

use crate::errors::Errors;

/// What a test looks like, for errors.
const SHAPE: &str = "a test is `fn NAME(ctx: &Ctx) -> Result<AssertResult>`";

/// A function that can be a test.
pub struct TestFunction {
    /// Attributes of the `#[test]` function around it.
    pub attributes: Vec<Attribute>,
    /// Whether `#[ignore]` is among them.
    pub ignored: bool,
    /// Its visibility, which goes to the `#[test]` function.
    pub visibility: Visibility,
    /// The function itself, with the attributes that concern its code.
    pub body: ItemFn,
}

impl TestFunction {
    /// The function in `item`.
    pub fn read(item: TokenStream) -> Result<Self> {
        let mut body: ItemFn = syn::parse2(item).map_err(|error| {
            Error::new(error.span(), format!("#[ktstr_test] goes on a function: {SHAPE}"))
        })?;
        let mut errors = Errors::default();
        check_signature(&body.sig, &mut errors);
        for attribute in &body.attrs {
            if let Some(message) = refusal(attribute) {
                errors.push(Error::new_spanned(attribute, message));
            }
        }
        let (attributes, own): (Vec<_>, _) = body.attrs.into_iter().partition(concerns_the_test);
        let ignored = attributes.iter().any(|attribute| attribute.path().is_ident("ignore"));
        body.attrs = own;
        let visibility = std::mem::replace(&mut body.vis, Visibility::Inherited);
        errors.finish(Self { attributes, ignored, visibility, body })
    }
}

/// Whether an attribute says something about the test (what it is for, whether it runs, lints of all of it) rather than
/// about the code of its body.
fn concerns_the_test(attribute: &Attribute) -> bool {
    const OF_THE_TEST: [&str; 7] = ["doc", "ignore", "allow", "expect", "warn", "deny", "forbid"];
    OF_THE_TEST.iter().any(|name| attribute.path().is_ident(name))
}

fn refusal(attribute: &Attribute) -> Option<&'static str> {
    let name = attribute.path().segments.last()?.ident.to_string();
    match name.as_str() {
        "should_panic" => Some(
            "a panic in a guest is never a pass; for a test whose body is to fail or return an error \
             use `expect_err`: #[ktstr_test(expect_err)]",
        ),
        "test" => Some("#[ktstr_test] makes the #[test] itself; remove this one"),
        "ktstr_test" => Some("a second #[ktstr_test]; put all keys into one"),
        _ => None,
    }
}

fn check_signature(signature: &Signature, errors: &mut Errors) {
    let mut refuse = |token: &dyn ToTokens, what: &str| {
        errors.push(Error::new_spanned(token.to_token_stream(), format!("{what}: {SHAPE}")));
    };
    if let Some(token) = &signature.asyncness {
        refuse(token, "a test cannot be async");
    }
    if let Some(token) = &signature.constness {
        refuse(token, "a test cannot be const");
    }
    if let Some(token) = &signature.unsafety {
        refuse(token, "a test cannot be unsafe");
    }
    if let Some(token) = &signature.abi {
        refuse(token, "a test has no ABI of its own");
    }
    if !signature.generics.params.is_empty() {
        refuse(&signature.generics, "a test cannot be generic");
    }
    if let Some(clause) = &signature.generics.where_clause {
        refuse(clause, "a test has no where clause");
    }
    match signature.inputs.first() {
        None => refuse(&signature.ident, "the argument is missing"),
        Some(FnArg::Typed(argument)) if is_shared_reference(&argument.ty) => {}
        Some(argument) => refuse(argument, "the argument must be `&Ctx`"),
    }
    for argument in signature.inputs.iter().skip(1) {
        refuse(argument, "one argument too many");
    }
    if let ReturnType::Default = signature.output {
        refuse(&signature.ident, "the return type is missing");
    }
}

/// Whether this can be `&Ctx`; the compiler compares what it refers to, which may have any name.
fn is_shared_reference(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference.mutability.is_none(),
        Type::Group(group) => is_shared_reference(&group.elem),
        _ => false,
    }
}
