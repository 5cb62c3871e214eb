//! Everything that decides what a build yields.

use serde::{Deserialize, Serialize};
use std::path::Path;

use super::{fragment::Fragment, source::SourceRecord, tools::Toolchain};
use crate::{Error, KernelVersion, Sha256Sum};

/// How a kernel was built; the record in its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The sources.
    pub source: SourceRecord,
    /// Of ktstr's configuration fragment for this version.
    pub fragment_sha256: Sha256Sum,
    /// Of the user's fragment, when there was one.
    pub extra_config_sha256: Option<Sha256Sum>,
    /// The programs.
    pub toolchain: Toolchain,
}

impl Recipe {
    /// A kernel of `version` from these sources, with the fragment it is configured by.
    pub fn new(
        source: SourceRecord,
        version: KernelVersion,
        extra_config: Option<&Path>,
        toolchain: Toolchain,
    ) -> Result<(Self, Fragment), Error> {
        let mut fragment = Fragment::of_version(version)?;
        let fragment_sha256 = fragment.sha256();
        let extra = extra_config.map(Fragment::read).transpose()?;
        let extra_config_sha256 = extra.as_ref().map(Fragment::sha256);
        extra.into_iter().for_each(|extra| fragment.add(extra));
        Ok((Self { source, fragment_sha256, extra_config_sha256, toolchain }, fragment))
    }

    /// The name of its entry: the release and a hash of all the rest.
    pub fn key(&self, version: KernelVersion) -> String {
        let Toolchain { compiler, linker, pahole } = &self.toolchain;
        let extra = self.extra_config_sha256.map(|sum| sum.to_string()).unwrap_or_default();
        let identity = self.source.identity();
        let parts = [&identity, &self.fragment_sha256.to_string(), &extra, compiler, linker, pahole];
        let sum = Sha256Sum::of(parts.map(String::as_str).join("\n").as_bytes()).to_string();
        let KernelVersion { major, minor, patch, rc } = version;
        let rc = rc.map(|rc| format!("-rc{rc}")).unwrap_or_default();
        let changed = if self.source.is_changed() { "-changed" } else { "" };
        format!("{major}.{minor}.{patch}{rc}-ktstr{changed}-{}", &sum[..10])
    }

    /// Whether a build of the same sources would now be configured otherwise.
    pub fn is_stale(&self, version: KernelVersion) -> bool {
        !Fragment::of_version(version).is_ok_and(|now| now.sha256() == self.fragment_sha256)
    }
}
