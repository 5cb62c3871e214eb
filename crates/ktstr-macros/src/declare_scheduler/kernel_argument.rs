//! The texts of `kargs = [..]`.

/// Arguments on which booting and hearing of a panic depend.
const OURS: [&str; 5] = ["console", "init", "rdinit", "root", "panic"];

/// What is wrong with `argument`, if anything.
pub fn wrong(argument: &str) -> Option<String> {
    let names = argument.split_whitespace().map(|word| word.split('=').next().unwrap_or(word));
    let taken = names.into_iter().find(|name| OURS.contains(name))?;
    Some(format!(
        "`{taken}` is set by ktstr itself ({}); a guest would not start with another value",
        OURS.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn refuses_our_own_and_nothing_else() {
        for argument in ["console=tty0", "init=/bin/sh", "nosmt panic=0", "root", "rdinit=/x"] {
            assert!(wrong(argument).is_some(), "{argument}");
        }
        for argument in ["nosmt", "panic_on_warn=1", "rootwait", "isolcpus=1-3", "sched_debug"] {
            assert_eq!(wrong(argument), None);
        }
    }
}
