//! Arguments for nextest that say how cargo shall build: programs are built with the same ones.

use anyhow::{Result, bail};

/// What nextest and cargo call alike. A value follows, or is joined with `=`, or with nothing to a short name.
const WITH_VALUE: [&str; 7] =
    ["--features", "-F", "--target", "--target-dir", "--manifest-path", "--config", "-Z"];
const ALONE: [&str; 8] = [
    "--release",
    "-r",
    "--all-features",
    "--no-default-features",
    "--locked",
    "--offline",
    "--frozen",
    "--ignore-rust-version",
];
/// What nextest calls otherwise than cargo: its own `--profile` is no build profile.
const RENAMED: [(&str, &str); 2] = [("--cargo-profile", "--profile"), ("--build-jobs", "--jobs")];
/// Tests that were built somewhere else.
const BUILT_ELSEWHERE: [&str; 3] = ["--archive-file", "--binaries-metadata", "--cargo-metadata"];

/// The arguments for `cargo build` among those for `cargo nextest run`.
///
/// `-p` is none of them: it chooses tests, and their schedulers may be programs of other packages.
///
/// # Errors
/// When nextest is told to run tests that were built elsewhere: then nothing here would be built for them.
pub fn of(nextest: &[String]) -> Result<Vec<String>> {
    let mut flags = Vec::new();
    let mut rest = nextest.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = rest.next() {
        let (name, joined) = split(argument);
        if BUILT_ELSEWHERE.contains(&name) {
            bail!(
                "`{name}` runs tests that were built elsewhere, and `cargo ktstr test` builds its own: leave it out, or \
                 use `cargo nextest run` with KTSTR_TEST_KERNEL set"
            );
        }
        let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == name).map(|(_, cargos)| *cargos);
        let known = WITH_VALUE.iter().find(|known| **known == name).copied();
        if ALONE.contains(&name) {
            flags.push(name.to_owned());
        } else if let Some(cargos) = renamed.or(known) {
            flags.push(cargos.to_owned());
            flags.extend(joined.map(str::to_owned).or_else(|| rest.next().cloned()));
        }
    }
    Ok(flags)
}

/// Options that choose packages, with a value and without.
const PACKAGES: [&str; 3] = ["-p", "--package", "--exclude"];
const ALL_PACKAGES: [&str; 2] = ["--workspace", "--all"];
/// Options that choose features and the target, with a value and without.
const FEATURES: [&str; 3] = ["--features", "-F", "--target"];
const FEATURES_ALONE: [&str; 2] = ["--all-features", "--no-default-features"];

/// The arguments that choose what a test binary is built of: packages, because cargo unites the features that they ask
/// for, and features. `chosen` is the package that is chosen when none is named.
pub fn choice(nextest: &[String], chosen: Option<&str>) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = nextest.iter().take_while(|argument| *argument != "--");
    let mut names_packages = false;
    while let Some(argument) = rest.next() {
        let (name, joined) = split(argument);
        names_packages |= PACKAGES.contains(&name) || ALL_PACKAGES.contains(&name);
        if ALL_PACKAGES.contains(&name) || FEATURES_ALONE.contains(&name) {
            words.push(name.to_owned());
        } else if PACKAGES.contains(&name) || FEATURES.contains(&name) {
            words.push(name.to_owned());
            words.extend(joined.map(str::to_owned).or_else(|| rest.next().cloned()));
        }
    }
    match chosen.filter(|_| !names_packages) {
        Some(package) => ["--package".to_owned(), package.to_owned()].into_iter().chain(words).collect(),
        None => words,
    }
}

/// An option's name and the value that is joined to it.
fn split(argument: &str) -> (&str, Option<&str>) {
    if let Some((name, value)) = argument.split_once('=').filter(|_| argument.starts_with("--")) {
        return (name, Some(value));
    }
    let short =
        ["-F", "-Z", "-p"].into_iter().find(|short| argument.len() > 2 && argument.starts_with(short));
    match short {
        Some(short) => (short, Some(argument[2..].trim_start_matches('='))),
        None => (argument, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(nextest: &str) -> String {
        let words: Vec<String> = nextest.split_whitespace().map(str::to_owned).collect();
        of(&words).unwrap().join(" ")
    }

    #[test]
    fn what_matters_to_the_build_is_taken() {
        for (nextest, cargo) in [
            ("", ""),
            ("-E test(steady) --no-capture -p a", ""),
            ("--release", "--release"),
            ("-r steady", "-r"),
            ("--cargo-profile bench --profile ci", "--profile bench"),
            ("--cargo-profile=bench", "--profile bench"),
            ("--features a,b -F c -Fd", "--features a,b -F c -F d"),
            ("--all-features --target-dir x --locked", "--all-features --target-dir x --locked"),
            (
                "--build-jobs 1 --target x86_64-unknown-linux-gnu",
                "--jobs 1 --target x86_64-unknown-linux-gnu",
            ),
            ("--config net.offline=true -Zx", "--config net.offline=true -Z x"),
            ("steady -- --release", ""),
        ] {
            assert_eq!(flags(nextest), cargo, "{nextest}");
        }
    }

    #[test]
    fn what_decides_on_the_binary_is_chosen() {
        let chosen = |nextest: &str, package| {
            let words: Vec<String> = nextest.split_whitespace().map(str::to_owned).collect();
            choice(&words, package).join(" ")
        };
        assert_eq!(chosen("-E test(steady) --release", None), "");
        assert_eq!(chosen("-E test(steady)", Some("a")), "--package a");
        assert_eq!(chosen("-pb --features=x -F y", Some("a")), "-p b --features x -F y");
        assert_eq!(
            chosen("--workspace --exclude c --all-features", Some("a")),
            "--workspace --exclude c --all-features"
        );
        assert_eq!(chosen("steady -- -p b", None), "");
    }

    #[test]
    fn tests_that_were_built_elsewhere_are_refused() {
        let error = of(&["--archive-file=x.tar.zst".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("`--archive-file` runs tests that were built elsewhere"), "{error}");
    }
}
