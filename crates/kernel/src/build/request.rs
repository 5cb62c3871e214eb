//! From a request to a built kernel in the cache.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use super::{
    check::check,
    export::export,
    fragment::Fragment,
    git,
    hidden_changes::has_hidden_changes,
    keep::keep,
    kernel_org::{CANDIDATES, KernelOrg, candidate, unpack},
    make::Make,
    object_count,
    recipe::Recipe,
    source::{BuildSource, SourceRecord},
    tools::Toolchain,
    tree_content::{TreeContent, require_new_enough},
    workspace::Workspace,
};
use crate::{
    Bound, Cache, Entry, Environment, Error, KernelConfig, KernelSpec, KernelVersion, KeyLock, Origin,
    Progress,
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
            let content = TreeContent::read(&tree, cache)?;
            let toolchain = Toolchain::find()?;
            let job = Job { request, extra_config, toolchain, cache, progress };
            job.tree(&tree, content)
        }
        BuildSource::Release(wanted) => {
            let wanted = wanted.as_ref();
            if let Some(spec @ (KernelSpec::Path(_) | KernelSpec::Key(_) | KernelSpec::Git { .. })) = wanted {
                return Err(Error::NotARelease { wanted: spec.to_string() });
            }
            // What cannot be built is not looked for.
            match wanted {
                Some(KernelSpec::Version(Bound::Exact(version))) => require_new_enough(*version)?,
                Some(KernelSpec::Version(Bound::Series { major, minor })) => {
                    require_new_enough(KernelVersion::new(*major, *minor, 0))?;
                }
                _ => {}
            }
            let mirror = KernelOrg::of(env)?;
            let toolchain = Toolchain::find()?;
            let job = Job { request, extra_config, toolchain, cache, progress };
            match wanted.and_then(candidate) {
                Some(version) => job.git(CANDIDATES, &format!("v{version}")),
                None => job.release(wanted, &mirror),
            }
        }
        BuildSource::Git { url, reference } => {
            let toolchain = Toolchain::find()?;
            Job { request, extra_config, toolchain, cache, progress }.git(url, reference)
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
        let (recipe, fragment) = self.recipe(record, version)?;
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
        if let Some(last) = workspace.last_build()
            && has_hidden_changes(&built_tree, last)?
        {
            let tree = built_tree.display();
            self.progress.notice(&format!(
                "{tree} has files with older dates than at the last build: everything is compiled again"
            ));
            workspace.clean()?;
        }
        self.compile(&built_tree, &workspace, &fragment)?;
        if TreeContent::read(tree, self.cache)? != content {
            return Err(Error::TreeChanged { tree: tree.to_owned() });
        }
        keep(&workspace, &lock, recipe, self.cache, self.progress)
    }

    fn release(&self, wanted: Option<&KernelSpec>, mirror: &KernelOrg) -> Result<Built, Error> {
        if let Some(wanted) = wanted {
            let is_meant = |entry: &Entry, source: &SourceRecord| {
                matches!(source, SourceRecord::Release { .. }) && wanted.accepts(entry.metadata().version)
            };
            if let Some(built) = self.cached_like(is_meant)? {
                return Ok(built);
            }
        }
        self.progress.step("Looking for the release");
        let release = mirror.find(wanted)?;
        require_new_enough(release.version)?;
        let name = format!("linux-{}", release.version);
        // Its own lock too: `clean` goes by the locks of downloads.
        let _download = self.lock(&name)?;
        let (archive, sha256) = mirror.download(&release, self.cache, self.progress)?;
        let is_listed = release.sha256.is_some();
        let record = SourceRecord::Release { url: release.url, sha256, is_listed };
        let (recipe, fragment) = self.recipe(record, release.version)?;
        let key = recipe.key(release.version);
        let workspace = Workspace::open(self.cache, &name, self.progress)?;
        let lock = self.lock(&key)?;
        if let Some(built) = self.cached(&key) {
            return Ok(built);
        }
        let tree = workspace.source();
        if !tree.exists() {
            unpack(&archive, &tree, self.progress)?;
        }
        let version = TreeContent::version_of(&tree)?;
        if version != release.version {
            return Err(Error::NotATree { path: tree });
        }
        self.compile(&tree, &workspace, &fragment)?;
        let built = keep(&workspace, &lock, recipe, self.cache, self.progress)?;
        // A release never changes: nobody builds it again by halves, and it takes gigabytes.
        workspace.discard()?;
        let _ = archive.parent().map(fs::remove_dir_all);
        Ok(built)
    }

    fn git(&self, url: &str, reference: &str) -> Result<Built, Error> {
        self.progress.step(&format!("Looking for {reference} in {url}"));
        if let Some(now) = git::commit_of(url, reference)? {
            let is_meant = |_: &Entry, source: &SourceRecord| matches!(source, SourceRecord::Git { commit, .. } if *commit == now);
            if let Some(built) = self.cached_like(is_meant)? {
                return Ok(built);
            }
        }
        let workspace = Workspace::open(self.cache, url, self.progress)?;
        let tree = workspace.source();
        let commit = git::check_out(url, reference, &tree, self.progress)?;
        let version = TreeContent::version_of(&tree)?;
        let record = SourceRecord::Git { url: url.to_owned(), reference: reference.to_owned(), commit };
        let (recipe, fragment) = self.recipe(record, version)?;
        let key = recipe.key(version);
        let lock = self.lock(&key)?;
        if let Some(built) = self.cached(&key) {
            return Ok(built);
        }
        self.compile(&tree, &workspace, &fragment)?;
        keep(&workspace, &lock, recipe, self.cache, self.progress)
    }

    fn recipe(&self, record: SourceRecord, version: KernelVersion) -> Result<(Recipe, Fragment), Error> {
        Recipe::new(record, version, self.extra_config.as_deref(), self.toolchain.clone())
    }

    /// The newest built entry whose sources are meant and that would be built the same way now; no network is asked.
    fn cached_like(&self, is_meant: impl Fn(&Entry, &SourceRecord) -> bool) -> Result<Option<Built>, Error> {
        for slot in self.cache.list()? {
            if let Some(entry) = slot.ready()
                && let Origin::Built(recipe) = &entry.metadata().origin
                && is_meant(entry, &recipe.source)
                && let (now, _) = self.recipe(recipe.source.clone(), entry.metadata().version)?
                && now == **recipe
            {
                return Ok(self.cached(entry.key()));
            }
        }
        Ok(None)
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
        let asked = workspace.asked();
        fs::write(&asked, fragment.text()).map_err(Error::cache_io("write", &asked))?;
        make.configure(&asked)?;
        let config = KernelConfig::read(&objects.join(".config"))?;
        let version = TreeContent::version_of(tree)?;
        for dropped in check(fragment, &config, tree)? {
            self.progress.notice(&dropped);
        }
        self.progress.step("Compiling");
        if let Some(count) = make.build(object_count::expected(self.cache, version), self.progress)? {
            object_count::remember(self.cache, version, count);
        }
        Ok(())
    }
}
