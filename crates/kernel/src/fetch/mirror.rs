//! The Debian mirror that this system uses.

use crate::{Environment, Error};

/// The releases whose suites lie on Debian's main archive.
const RELEASES: [&str; 10] =
    ["bullseye", "bookworm", "trixie", "forky", "duke", "sid", "unstable", "testing", "stable", "oldstable"];
const SUFFIXES: [&str; 4] = ["", "-updates", "-backports", "-proposed-updates"];

/// The address that holds `dists` and `pool`: `KTSTR_DEBIAN_MIRROR`, else the one in `uris`, the output of
/// `apt-get update --print-uris` with the system's own sources.
pub fn mirror(env: &Environment, uris: impl FnOnce() -> Result<String, Error>) -> Result<String, Error> {
    match &env.debian_mirror {
        Some(address) => check(address),
        None => of_uris(&uris()?).ok_or(Error::NoMirror),
    }
}

/// An address without its last `/`.
pub fn check(address: &str) -> Result<String, Error> {
    let refuse = |why| Err(Error::Mirror { address: address.to_owned(), why });
    if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return refuse("it has blanks in it");
    }
    match address.split_once("://") {
        Some(("http" | "https" | "file", rest)) if !rest.is_empty() => {
            Ok(address.trim_end_matches('/').to_owned())
        }
        _ => refuse("it does not begin with http://, https:// or file://"),
    }
}

/// Lines are `'ADDRESS/dists/SUITE/InRelease' FILE BYTES HASH`. Other archives use Debian's suite names too, so one
/// whose address ends in `/debian` comes first.
fn of_uris(uris: &str) -> Option<String> {
    let mirrors: Vec<_> = uris.lines().filter_map(|line| debian_mirror(line.split('\'').nth(1)?)).collect();
    let debian = mirrors.iter().find(|address| address.ends_with("/debian"));
    debian.or(mirrors.first()).map(|address| (*address).to_owned())
}

fn debian_mirror(uri: &str) -> Option<&str> {
    let (address, suite) = uri.strip_suffix("/InRelease")?.rsplit_once("/dists/")?;
    let is_debian = RELEASES
        .iter()
        .any(|release| suite.strip_prefix(release).is_some_and(|suffix| SUFFIXES.contains(&suffix)));
    is_debian.then_some(address)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::discover::tests::environment;

    #[test]
    fn takes_debians_own_archive_from_the_systems_sources() {
        let uris = "'https://tools.example/apt/dists/stable/InRelease' a 0 \n\
                    'http://mirror.example/debian-security/dists/bookworm-security/InRelease' b 0 \n\
                    'http://mirror.example/debian/dists/bookworm/InRelease' c 0 \n\
                    'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' d 0 \n";
        assert_eq!(of_uris(uris).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(
            of_uris("'http://m.example/x/dists/trixie/InRelease' c 0").as_deref(),
            Some("http://m.example/x")
        );
        for none in [
            "",
            "'http://m.example/ubuntu/dists/noble/InRelease' a 0",
            "'odd",
            "'http://m/dists/bookworm-pgdg/InRelease'",
        ] {
            assert_eq!(of_uris(none), None, "{none}");
        }
    }

    #[test]
    fn the_variable_comes_first_and_is_checked() {
        let mut env = environment(Path::new("/"));
        let asked = |env: &Environment| mirror(env, || Ok(String::new()));
        assert!(matches!(asked(&env), Err(Error::NoMirror)));
        env.debian_mirror = Some("https://mirror.example/debian/".into());
        assert_eq!(asked(&env).unwrap(), "https://mirror.example/debian");
        for bad in ["mirror.example/debian", "ftp://mirror.example", "https://", "http://a b", "file:///x\n"]
        {
            env.debian_mirror = Some(bad.into());
            assert!(matches!(asked(&env), Err(Error::Mirror { .. })), "{bad}");
        }
    }
}
