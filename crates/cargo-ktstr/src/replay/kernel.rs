//! The kernel of a token: the very image, else what its release names.

use anyhow::{Context as _, Result};
use ktstr_kernel::{Cache, Environment, Kernel, KernelSpec, discover, resolve, resolve_or_get};
use ktstr_results::replay::ReplayToken;

use crate::{kernel::BuildBar, test::kernels::resolve_one};

/// The kernel that was named; else the one with the token's hash in the cache, or the one that runs take here; else the
/// one with the token's release, which is fetched or built when it is absent. What has another hash is said when the run
/// is compared.
pub fn find(
    token: &ReplayToken,
    named: Option<&KernelSpec>,
    offline: bool,
    environment: &Environment,
    cache: &Cache,
) -> Result<Kernel> {
    if named.is_some() {
        return resolve_one(named, offline, environment, cache);
    }
    let is_same = |sha256: &dyn ToString| sha256.to_string() == token.kernel.sha256;
    let slots = cache.list()?;
    let mut cached = slots.iter().filter_map(|slot| slot.ready());
    if let Some(entry) = cached.find(|entry| is_same(&entry.metadata().image_sha256)) {
        return Ok(resolve(&KernelSpec::Key(entry.key().to_owned()), environment, cache)?);
    }
    if let Ok(kernel) = discover(environment, cache)
        && is_same(&kernel.image_sha256)
    {
        return Ok(kernel);
    }
    let release = &token.kernel.release;
    let get = || -> Result<Kernel> {
        Ok(resolve_or_get(&release.parse()?, offline, environment, cache, &BuildBar::new())?)
    };
    get().with_context(|| {
        format!(
            "the token's kernel {release} (SHA-256 {}) is not here, and cannot be got; `--kernel SPEC` runs on another one",
            token.kernel.sha256
        )
    })
}
