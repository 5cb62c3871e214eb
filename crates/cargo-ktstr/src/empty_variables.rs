//! An empty environment variable counts as unset, also one that stands for an option.

use std::env;

use clap::{Arg, Command, builder::Resettable};

/// The command line without the variables that are empty now; clap would read them as empty values.
pub fn ignore(command: Command) -> Command {
    let arg = |arg: Arg| if names_an_empty(&arg) { arg.env(Resettable::Reset) } else { arg };
    command.mut_args(arg).mut_subcommands(ignore)
}

fn names_an_empty(arg: &Arg) -> bool {
    arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty())
}
