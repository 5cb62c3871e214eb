//! Getting the kernel that a spec names, when it is not here.

use crate::{
    BuildRequest, BuildSource, Cache, Environment, Error, FetchRequest, Kernel, KernelSpec, Progress, build,
    fetch, resolve,
};

/// The kernel that `spec` names, as [`resolve`] finds it; when it is absent it is fetched or built, after one line that
/// says so. A source tree without an image is built, and so is a git reference; a version, series, range or release is
/// fetched ready-made, and a version or series that nobody offers so is built from its release.
///
/// With `offline` nothing is fetched or built.
///
/// # Errors
/// When it is absent and cannot be had, or `offline` forbids it; never another kernel in its place.
pub fn resolve_or_get(
    spec: &KernelSpec,
    offline: bool,
    env: &Environment,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Kernel, Error> {
    // A branch moves on: only its repository knows whether what is cached is still meant.
    let found = match spec {
        KernelSpec::Git { .. } if !offline => Err(Error::Unbuilt { what: spec.to_string() }),
        _ => resolve(spec, env, cache),
    };
    match found {
        Err(cause @ (Error::NotCached { .. } | Error::Unbuilt { .. })) if offline => {
            Err(Error::Offline { wanted: spec.to_string(), cause: Box::new(cause) })
        }
        Err(absent @ (Error::NotCached { .. } | Error::Unbuilt { .. })) => {
            get(spec, absent, env, cache, progress)
        }
        other => other,
    }
}

fn get(
    spec: &KernelSpec,
    absent: Error,
    env: &Environment,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Kernel, Error> {
    let of_source = |source| {
        let built = build(&BuildRequest::of(source), env, cache, progress)?;
        Kernel::of_entry(built.entry, cache)
    };
    match spec {
        KernelSpec::Path(tree) => {
            progress.notice(&format!("{spec} is not built: building it in the cache"));
            of_source(BuildSource::Tree(tree.clone()))
        }
        KernelSpec::Git { url, reference } => {
            progress.notice(&format!("{spec}: building what it is now, unless the cache has that"));
            of_source(BuildSource::Git { url: url.clone(), reference: reference.clone() })
        }
        // Its name carries a hash of what it was made of, from which nothing can be made again.
        KernelSpec::Key(key) if key.contains("-ktstr-") => Err(absent),
        KernelSpec::Version(_) | KernelSpec::Range(_) | KernelSpec::Key(_) => {
            progress.notice(&match spec {
                KernelSpec::Range(_) => {
                    format!("no kernel in {spec} is cached: fetching the newest ready-made")
                }
                _ => format!("kernel {spec} is not cached: fetching it ready-made"),
            });
            let request = FetchRequest { wanted: Some(spec.clone()), ..FetchRequest::default() };
            match (fetch(&request, env, cache, progress), spec) {
                (Ok(fetched), _) => Kernel::of_entry(fetched.entry, cache),
                (Err(error @ Error::NotOffered { .. }), KernelSpec::Version(_)) => {
                    progress.notice(&format!("{error}; building it from its release"));
                    of_source(BuildSource::Release(Some(spec.clone())))
                }
                (Err(error), _) => Err(error),
            }
        }
    }
}
