//! `declare_scheduler!`: from fields to a registered static.

mod fields;
mod kernel_argument;
mod kernel_filter;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Ident, Result, Token, Visibility, braced, token};

use fields::SchedulerFields;

const SHAPE: &str = "after the static's name come a comma and the fields in braces: \
                     declare_scheduler!(MY_SCHED, { name = \"..\", binary = \"..\" })";

/// What the macro is given.
struct Declaration {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    ident: Ident,
    fields: TokenStream,
}

impl Parse for Declaration {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = match input.parse()? {
            Visibility::Inherited => Visibility::Public(Token![pub](input.span())),
            written => written,
        };
        let ident = input.parse()?;
        if !input.peek(Token![,]) || !input.peek2(token::Brace) {
            return Err(Error::new_spanned(&ident, SHAPE));
        }
        input.parse::<Token![,]>()?;
        let fields;
        braced!(fields in input);
        let fields = fields.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("nothing follows the fields"));
        }
        Ok(Self { attributes, visibility, ident, fields })
    }
}

/// The static and its registration, or the errors.
pub fn expand(input: TokenStream) -> TokenStream {
    let declared = Declaration::parse.parse2(input).and_then(|declaration| {
        let fields = SchedulerFields::read(&declaration.ident, declaration.fields.clone())?;
        Ok(emit(&declaration, &fields))
    });
    declared.unwrap_or_else(Error::into_compile_error)
}

fn emit(declaration: &Declaration, fields: &SchedulerFields) -> TokenStream {
    let Declaration { attributes, visibility, ident, .. } = declaration;
    let SchedulerFields { name, others } = fields;
    quote! {
        #[doc = ::core::concat!("The scheduler `", #name, "`.")]
        #(#attributes)*
        #visibility static #ident: ::ktstr::__private::Scheduler = ::ktstr::__private::Scheduler {
            #(#others,)*
            ..::ktstr::__private::Scheduler::new(#name)
        };

        const _: () = {
            #[allow(unsafe_code)]
            #[::ktstr::__private::linkme::distributed_slice(::ktstr::KTSTR_SCHEDULERS)]
            #[linkme(crate = ::ktstr::__private::linkme)]
            static __KTSTR_SCHEDULER: &::ktstr::__private::Scheduler = &#ident;
        };
    }
}
