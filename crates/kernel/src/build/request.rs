//! From a request to a built kernel in the cache.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::available_parallelism,
};

use super::{
    check::check,
    export::export,
    fragment::Fragment,
    make::Make,
    recipe::Recipe,
    scx_prototypes,
    source::{BuildSource, ReadySource, SourceRecord},
    tools::Toolchain,
    tree_content::TreeContent,
    workspace::Workspace,
};
use crate::{
    Btf, Cache, Entry, Environment, Error, KernelConfig, KernelSpec, KeyLock, Origin, Progress, StagedEntry,
};

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// The sources.
    pub source: BuildSource,
    /// Build although the cache has this kernel.
    pub force: bool,
    /// Compile everything again.
    pub clean: bool,
    /// Commands at a time; by itself one for each CPU that this process may use.
    pub jobs: Option<usize>,
    /// A configuration fragment that is put over ktstr's own.
    pub extra_config: Option<PathBuf>,
}

impl BuildRequest {
    /// A build of `source` with everything else as it usually is.
    pub fn of(source: BuildSource) -> Self {
        Self { source, force: false, clean: false, jobs: None, extra_config: None }
    }

    fn jobs(&self) -> usize {
        self.jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from))
    }
}

/// A built kernel that is now in the cache.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its entry.
    pub entry: Entry,
    /// Whether it was there before.
    pub was_cached: bool,
}

/// Builds a kernel for tests and puts it into the cache, unless the cache has it.
///
/// # Errors
/// When a tool is missing, the sources cannot be had or are of no use, the configuration is not granted, the build
/// fails, or schedulers could not be loaded on the result.
pub fn build(
    request: &BuildRequest,
    env: &Environment,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Built, Error> {
    let extra_config = request.extra_config.as_deref().map(|path| env.absolute(path));
    // A bad file is found before anything slow begins.
    extra_config.as_deref().map(Fragment::read).transpose()?;
    match &request.source {
        BuildSource::Tree(tree) => {
            let tree = env.absolute(tree);
            let content = TreeContent::read(&tree)?;
            let toolchain = Toolchain::find()?;
            let job = Job { request, extra_config, toolchain, cache, progress };
            job.tree(&tree, content)
        }
        BuildSource::Release(_) | BuildSource::Git { .. } => {
            Err(Error::NotFetchable { wanted: "sources".into() })
        }
    }
}

struct Job<'a> {
    request: &'a BuildRequest,
    extra_config: Option<PathBuf>,
    toolchain: Toolchain,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    fn tree(&self, tree: &Path, content: TreeContent) -> Result<Built, Error> {
        let TreeContent { version, identity, is_changed, is_built_in_place } = content.clone();
        let record = SourceRecord::Tree { path: tree.to_owned(), identity, is_changed };
        let (recipe, fragment) =
            Recipe::new(record, version, self.extra_config.as_deref(), self.toolchain.clone())?;
        let key = recipe.key(version);
        if let Some(built) = self.cached(&key) {
            return Ok(built);
        }
        if is_changed == Some(true) {
            let notice =
                format!("{} has uncommitted changes: they are built, and the key says so", tree.display());
            self.progress.notice(&notice);
        }
        let workspace = Workspace::open(self.cache, &tree.to_string_lossy(), self.progress)?;
        let lock = self.lock(&key)?;
        if let Some(built) = self.cached(&key) {
            return Ok(built);
        }
        let mut built_tree = tree.to_owned();
        if is_built_in_place {
            self.progress.step(&format!("Copying {}, in which a kernel was built", tree.display()));
            built_tree = workspace.source();
            export(tree, &built_tree)?;
        }
        self.compile(&built_tree, &workspace, &fragment)?;
        if TreeContent::read(tree)? != content {
            return Err(Error::TreeChanged { tree: tree.to_owned() });
        }
        self.keep(&workspace, &lock, recipe)
    }

    fn cached(&self, key: &str) -> Option<Built> {
        // A corrupt entry is as good as none: it is written anew.
        let entry =
            self.cache.get(key).ok().flatten().filter(|_| !self.request.force && !self.request.clean)?;
        Some(Built { entry, was_cached: true })
    }

    fn lock(&self, key: &str) -> Result<KeyLock, Error> {
        self.cache.lock(key, || self.progress.step(&format!("Waiting for another process that builds {key}")))
    }

    fn compile(&self, tree: &Path, workspace: &Workspace, fragment: &Fragment) -> Result<(), Error> {
        if self.request.clean {
            workspace.clean()?;
        }
        let objects = workspace.objects();
        fs::create_dir_all(&objects).map_err(Error::cache_io("create", &objects))?;
        // Of this build only.
        let _ = fs::remove_file(workspace.log());
        let make = Make { source: tree, objects: &objects, log: workspace.log(), jobs: self.request.jobs() };
        self.progress.step("Configuring");
        let asked = objects.join("ktstr.kconfig");
        fs::write(&asked, fragment.text()).map_err(Error::cache_io("write", &asked))?;
        make.configure(&asked)?;
        let config = KernelConfig::read(&objects.join(".config"))?;
        for dropped in check(fragment, &config, tree)? {
            self.progress.notice(&dropped);
        }
        self.progress.step("Compiling");
        make.build(self.progress)
    }

    /// Puts what was built into the cache.
    fn keep(&self, workspace: &Workspace, lock: &KeyLock, recipe: Recipe) -> Result<Built, Error> {
        self.progress.step("Storing");
        let objects = workspace.objects();
        let staged = self.cache.stage(lock)?;
        copy(&objects.join("arch/x86/boot/bzImage"), &staged.image())?;
        copy(&objects.join(".config"), &staged.config())?;
        strip(&objects.join("vmlinux"), &staged)?;
        let btf = Btf::of_elf(&staged.vmlinux())?;
        if KernelConfig::read(&staged.config())?.has_sched_ext() {
            scx_prototypes::check(&btf, &recipe.toolchain.pahole)?;
        }
        fs::write(staged.btf(), btf.bytes()).map_err(Error::cache_io("write", &staged.btf()))?;
        let entry = staged.commit(Origin::Built(Box::new(recipe)))?;
        Ok(Built { entry, was_cached: false })
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map(drop).map_err(Error::cache_io("write", to))
}

/// Symbols and types stay; the debug information, nine tenths of the file, goes.
fn strip(vmlinux: &Path, staged: &StagedEntry) -> Result<(), Error> {
    let mut command = Command::new("objcopy");
    command.arg("--strip-debug").arg(vmlinux).arg(staged.vmlinux());
    let output = command.output().map_err(Error::io("strip", vmlinux))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::cache_io("write", &staged.vmlinux())(std::io::Error::other(said)))
}
