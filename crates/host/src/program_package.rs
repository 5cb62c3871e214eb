//! Which package brings a program that tests run as a workload.

/// Debian's packages of programs that load a scheduler.
const PACKAGES: [(&str, &[&str]); 12] = [
    ("fio", &["fio"]),
    ("gzip", &["gzip"]),
    ("iperf3", &["iperf3"]),
    ("linux-perf", &["perf"]),
    ("memcached", &["memcached"]),
    ("openssl", &["openssl"]),
    ("redis-tools", &["redis-benchmark"]),
    (
        "rt-tests",
        &["cyclicdeadline", "cyclictest", "hackbench", "pi_stress", "pmqtest", "ptsematest", "signaltest"],
    ),
    ("stress", &["stress"]),
    ("stress-ng", &["stress-ng"]),
    ("sysbench", &["sysbench"]),
    ("xz-utils", &["xz"]),
];

/// What brings a program, in words; nothing where it is not known.
pub fn package_of(program: &str) -> Option<String> {
    if program == "schbench" {
        return Some("no Debian package brings it: build it from its source, git.kernel.org/pub/scm/linux/kernel/git/mason/schbench.git".to_owned());
    }
    let (package, _) = PACKAGES.iter().find(|(_, programs)| programs.contains(&program))?;
    Some(format!("the Debian package {package} brings it: apt-get install {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_packages() {
        let says = |program| package_of(program).unwrap_or_default();
        assert_eq!(says("hackbench"), "the Debian package rt-tests brings it: apt-get install rt-tests");
        assert!(says("schbench").starts_with("no Debian package"));
        assert_eq!(package_of("my_load"), None);
    }
}
