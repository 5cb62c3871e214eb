//! Finding the kernel to use, in the same order for every command.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Cache, Environment, Error, Kernel, KernelSpec, KernelVersion, Origin, Slot, SourceRecord,
    build::tree_identity,
    tree::{built_image, is_source_tree},
};

/// The kernel that `spec` names: a path as it is, else the newest cached kernel that it selects. Nothing is fetched.
///
/// # Errors
/// When it is absent, not built or not a kernel; never another kernel in its place.
pub fn resolve(spec: &KernelSpec, env: &Environment, cache: &Cache) -> Result<Kernel, Error> {
    match spec {
        KernelSpec::Path(path) => of_path(&env.absolute(path), cache, env),
        KernelSpec::Git { url, reference } => {
            let source = |source: &SourceRecord| matches!(source, SourceRecord::Git { url: u, reference: r, .. } if u == url && r == reference);
            of_built(source, cache, || spec.to_string())
        }
        KernelSpec::Key(key) => match cache.get(key)? {
            Some(entry) => Kernel::of_entry(entry, cache),
            None => Err(not_cached(spec, cache)),
        },
        KernelSpec::Version(_) | KernelSpec::Range(_) => match cache.newest(Some(spec))? {
            Some(entry) => Kernel::of_entry(entry, cache),
            None => Err(not_cached(spec, cache)),
        },
    }
}

/// All cached kernels that `spec` selects, newest first.
///
/// # Errors
/// When the cache cannot be read, or one of them is corrupt.
pub fn cached(spec: &KernelSpec, cache: &Cache) -> Result<Vec<Kernel>, Error> {
    cache.selected(Some(spec))?.into_iter().map(|entry| Kernel::of_entry(entry, cache)).collect()
}

/// The kernel to use when none is named: `KTSTR_TEST_KERNEL`, `KTSTR_KERNEL`, the newest in the cache, `./linux`,
/// `../linux`, the host's build tree, the host's own kernels.
///
/// # Errors
/// When a variable names a kernel that cannot be used, or there is none anywhere.
pub fn discover(env: &Environment, cache: &Cache) -> Result<Kernel, Error> {
    if let Some(path) = &env.test_kernel {
        let image = env.absolute(path);
        return Kernel::of_image(&image, cache, env)
            .map_err(variable("KTSTR_TEST_KERNEL", &path.to_string_lossy()));
    }
    if let Some(value) = &env.kernel {
        return of_variable(value, cache, env).map_err(variable("KTSTR_KERNEL", value));
    }
    if let Some(entry) = cache.newest(None)? {
        return Kernel::of_entry(entry, cache);
    }
    let mut looked_at = vec![format!("the cache {}: empty", cache.root().display())];
    for place in places(env) {
        let found = match &place {
            Place::Tree(dir) => match built_image(dir) {
                Some(image) => Kernel::of_tree(dir, &image, cache, env),
                None => Err(Error::Unbuilt { what: dir.display().to_string() }),
            },
            Place::Image(image) => Kernel::of_image(image, cache, env),
        };
        match found {
            Ok(kernel) => return Ok(kernel),
            Err(error) => looked_at.push(place.why_not(&error)),
        }
    }
    Err(Error::NoneFound { looked_at })
}

enum Place {
    Tree(PathBuf),
    Image(PathBuf),
}

impl Place {
    fn why_not(&self, error: &Error) -> String {
        let (Self::Tree(path) | Self::Image(path)) = self;
        match error {
            Error::ImageAbsent { .. } | Error::Unbuilt { .. } if !path.exists() => {
                format!("{}: absent", path.display())
            }
            Error::Unbuilt { .. } => format!("{}: not built", path.display()),
            Error::Io { cause, .. } => format!("{}: {cause}", path.display()),
            other => other.to_string(),
        }
    }
}

fn places(env: &Environment) -> Vec<Place> {
    let mut places =
        vec![Place::Tree(env.absolute(Path::new("linux"))), Place::Tree(env.absolute(Path::new("../linux")))];
    let boot = env.host_root.join("boot");
    if let Some(release) = &env.host_release {
        let modules = env.host_root.join("lib/modules").join(release);
        places.push(Place::Tree(modules.join("build")));
        places.push(Place::Image(modules.join("vmlinuz")));
        places.push(Place::Image(boot.join(format!("vmlinuz-{release}"))));
    }
    places.extend(other_boot_images(&boot, env.host_release.as_deref()).into_iter().map(Place::Image));
    places
}

/// The images in `/boot` other than that of the running kernel, newest first.
fn other_boot_images(boot: &Path, running: Option<&str>) -> Vec<PathBuf> {
    let mut images: Vec<_> = fs::read_dir(boot)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| {
            let name = file.file_name();
            let release = name.to_str()?.strip_prefix("vmlinuz-")?;
            let version = KernelVersion::from_release(release).ok()?;
            (Some(release) != running).then(|| (version, file.path()))
        })
        .collect();
    images.sort_by(|a, b| b.cmp(a));
    images.into_iter().map(|(_, path)| path).collect()
}

fn of_path(path: &Path, cache: &Cache, env: &Environment) -> Result<Kernel, Error> {
    if !path.is_dir() {
        return Kernel::of_image(path, cache, env);
    }
    match built_image(path) {
        Some(image) => Kernel::of_tree(path, &image, cache, env),
        None if is_source_tree(path) => {
            // A tree that cannot be built has no identity; the build will say why.
            let now = tree_identity(path, cache).ok();
            let source = |source: &SourceRecord| matches!(source, SourceRecord::Tree { path: p, identity, .. } if p == path && Some(identity) == now.as_ref());
            of_built(source, cache, || path.display().to_string())
        }
        None => Err(Error::NotATree { path: path.to_owned() }),
    }
}

/// The kernel that was built last, into the cache, from sources that are meant.
fn of_built(
    is_meant: impl Fn(&SourceRecord) -> bool,
    cache: &Cache,
    what: impl FnOnce() -> String,
) -> Result<Kernel, Error> {
    let slots = cache.list()?;
    let built = slots.iter().filter_map(Slot::ready).filter(
        |entry| matches!(&entry.metadata().origin, Origin::Built(recipe) if is_meant(&recipe.source)),
    );
    match built.max_by_key(|entry| entry.metadata().added_at) {
        Some(entry) => Kernel::of_entry(entry.clone(), cache),
        None => Err(Error::Unbuilt { what: what() }),
    }
}

fn of_variable(value: &str, cache: &Cache, env: &Environment) -> Result<Kernel, Error> {
    match value.parse()? {
        KernelSpec::Range(_) => Err(Error::OneKernel { spec: value.to_owned() }),
        spec => resolve(&spec, env, cache),
    }
}

fn variable(variable: &'static str, value: &str) -> impl FnOnce(Error) -> Error {
    move |cause| Error::Variable { variable, value: value.to_owned(), cause: Box::new(cause) }
}

fn not_cached(wanted: &KernelSpec, cache: &Cache) -> Error {
    let slots = cache.list().unwrap_or_default();
    let keys: Vec<_> = slots.iter().filter_map(Slot::ready).map(|entry| entry.key()).collect();
    let cached = if keys.is_empty() {
        "which holds none".to_owned()
    } else {
        format!("which holds {}", keys.join(", "))
    };
    let remedy = match wanted {
        KernelSpec::Version(_) => format!("`cargo ktstr kernel fetch {wanted}` gets it"),
        KernelSpec::Range(_) => format!("`cargo ktstr kernel fetch '{wanted}'` gets the newest of them"),
        _ => "`cargo ktstr kernel fetch SERIES` gets a ready-made one".to_owned(),
    };
    Error::NotCached { wanted: wanted.to_string(), cached, remedy }
}

#[cfg(test)]
pub(crate) mod tests;
