//! `#[ktstr_test(...)]`: from a function with keys to a registered `#[test]`.

mod function;
mod keys;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Error;

use crate::errors::Errors;
use function::TestFunction;
use keys::TestKeys;

/// What replaces the function: the test or the errors. Beside errors in the keys a good function stays, so that the
/// compiler goes on to report what is wrong in its body.
pub fn expand(keys: TokenStream, item: TokenStream) -> TokenStream {
    match (TestKeys::read(keys), TestFunction::read(item)) {
        (Ok(keys), Ok(function)) => emit(&keys, &function),
        (Err(error), Ok(TestFunction { body, .. })) => {
            let error = error.into_compile_error();
            quote!(#error #body)
        }
        (keys, function) => {
            let mut errors = Errors::default();
            errors.keep(keys);
            errors.keep(function);
            errors.finish(TokenStream::new()).unwrap_or_else(Error::into_compile_error)
        }
    }
}

/// The test goes inside the `#[test]` function with all that belongs to it, so that builds without tests have nothing of
/// it. Only the check of constants stands beside it and is made in every build. (A `#[cfg]` on the function needs no
/// care: the compiler obeys it before it calls this macro.)
fn emit(keys: &TestKeys, function: &TestFunction) -> TokenStream {
    let TestFunction { attributes, ignored, visibility, body } = function;
    let name = &body.sig.ident;
    let text = name.to_string();
    let text = text.trim_start_matches("r#");
    let TestKeys { fields, check, .. } = keys;
    let post_vm = keys.post_vm();
    // `line!()` takes the line of its own span: that of the function's name, not of the attribute.
    let location = quote_spanned!(name.span()=> (::core::file!(), ::core::line!()));
    quote! {
        #(#attributes)*
        #[::core::prelude::v1::test]
        #visibility fn #name() {
            #body

            #[allow(unsafe_code)]
            #[::ktstr::__private::linkme::distributed_slice(::ktstr::KTSTR_TESTS)]
            #[linkme(crate = ::ktstr::__private::linkme)]
            static __KTSTR_TEST: ::ktstr::__private::TestEntry = ::ktstr::__private::TestEntry {
                spec: ::ktstr::__private::TestSpec {
                    manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
                    location: #location,
                    ignored: #ignored,
                    #(#fields,)*
                    ..::ktstr::__private::TestSpec::new(#text, ::core::module_path!())
                },
                body: #name,
                post_vm: #post_vm,
            };

            // Runs before `main`, hence before libtest: in a guest the test's binary must not behave as a test runner.
            #[allow(unsafe_code)]
            #[used]
            #[unsafe(link_section = ".init_array")]
            static __KTSTR_PROCESS_ENTRY: extern "C" fn() = ::ktstr::__private::process_entry;

            ::ktstr::__private::run_test(&__KTSTR_TEST);
        }

        #check
    }
}
