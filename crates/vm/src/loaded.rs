//! Loaded templates: a payload has been unpacked into a template, and its test process started, up to the point where it
//! waits for an order.
//!
//! Most of what a clone would do before its test begins is the same for every run of one test binary, and costs more than
//! it seems to: TCG translates each piece of code again in each clone. So it is done once for a payload.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ktstr_wire::layout::{TEST_LOG, stage};
use serde::{Deserialize, Serialize};

use crate::build_once::{Once, Place, build_once};
use crate::clone::go_on;
use crate::command_line::{Role, ram_file};
use crate::disk_room;
use crate::error::VmError;
use crate::eviction::{self, Held};
use crate::host_channel::{Input, Work};
use crate::machine::{Deadline, Disk, Machine, Stop};
use crate::payload::Payload;
use crate::qemu::Qemu;
use crate::saved::{self, RECORD, STATE};
use crate::sparse_copy::copy_sparse;
use crate::template::{Progress, Template};

/// Changes when older folders cannot be used any more.
const SCHEMA: u32 = 1;
/// Bytes that stay on disk; one takes some 150 to 250 MiB.
const MOST_KEPT: u64 = 4 << 30;
/// Where loaded templates are in the cache.
pub(crate) const LOADED: &str = "loaded";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: u32,
    key: String,
    state_sha256: String,
    /// What the test process wrote before it was saved.
    test_log: String,
    loaded_ms: u64,
}

/// A template with a payload in it, ready to be cloned.
#[derive(Clone, Debug)]
pub struct LoadedTemplate {
    folder: PathBuf,
    record: Record,
    template: Template,
    /// Whether this call loaded it.
    pub fresh: bool,
    _held: Option<Arc<Held>>,
}

/// What came of loading a payload.
pub enum Loading {
    /// Its test process waits for an order.
    Ready(Box<LoadedTemplate>),
    /// The machine stopped before it did.
    Ended(Box<Machine>, Stop),
}

impl LoadedTemplate {
    /// The template with `payload` loaded, from the cache when it has been loaded before. One process loads, others wait
    /// for it.
    ///
    /// # Errors
    /// When the payload does not fit, the cache cannot be used, or QEMU cannot take the template over.
    pub fn get(
        cache: &Path,
        qemu: &Qemu,
        template: &Template,
        payload: &Payload,
        deadline: Deadline,
        progress: &mut dyn Progress,
    ) -> Result<Loading, VmError> {
        payload.check_fits(template.spec().memory_mb)?;
        let root = cache.join(LOADED);
        let key = key(template, payload);
        let needed_mb = (template.ram_bytes() + 2 * payload.size()) >> 20;
        let place = Place { root: &root, key: &key, most_kept: MOST_KEPT, needed_mb };
        let folder = root.join(&key);
        let find = || Ok(find(&folder, &key, template));
        let load = |aside: &Path, progress: &mut dyn Progress| {
            let began = Instant::now();
            let mut machine = start_loader(aside, qemu, template, payload, progress)?;
            let stop = machine.wait_stop(deadline)?;
            if disk_room::was_full(&stop) {
                return Err(disk_room::full(&root, 0, needed_mb));
            }
            if stop != Stop::Guest || machine.stage() != stage::LOADED {
                return Ok(Err((Box::new(machine), stop)));
            }
            Ok(Ok(Record {
                schema: SCHEMA,
                key: key.clone(),
                state_sha256: saved::save_state(&mut machine, qemu, template.spec(), aside)?,
                test_log: machine.log(TEST_LOG),
                loaded_ms: began.elapsed().as_millis() as u64,
            }))
        };
        Ok(match build_once(&place, find, load, progress)? {
            Once::Found(found) => Loading::Ready(Box::new(found)),
            Once::Built { folder, held, record } => {
                let template = template.clone();
                Loading::Ready(Box::new(Self { folder, record, template, fresh: true, _held: held }))
            }
            Once::NotBuilt((machine, stop)) => Loading::Ended(machine, stop),
        })
    }

    /// Makes a clone that does `work`, and lets it go.
    ///
    /// # Errors
    /// When the order does not fit, or QEMU cannot take the template over.
    pub fn start(
        &self,
        qemu: &Qemu,
        work: Work<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Machine, VmError> {
        work.check_fits()?;
        let input = Input { payload: None, work: Some(work), test_log: self.record.test_log.as_bytes() };
        let disk = Disk { ram: &self.folder, initrd: &self.template.initrd() };
        go_on(qemu, &self.template, Role::Clone, &disk, &self.folder.join(STATE), input, progress)
    }

    /// How long loading took.
    pub fn loaded_in(&self) -> Duration {
        Duration::from_millis(self.record.loaded_ms)
    }
}

/// Lets a copy of the template go on in the folder `aside`, with the payload in front of it.
fn start_loader(
    aside: &Path,
    qemu: &Qemu,
    template: &Template,
    payload: &Payload,
    progress: &mut dyn Progress,
) -> Result<Machine, VmError> {
    for node in 0..template.spec().topology.memory_nodes() {
        let (from, to) = (template.folder().join(ram_file(node)), aside.join(ram_file(node)));
        copy_sparse(&from, &to).map_err(VmError::file("copying a template's RAM to", to))?;
    }
    let input = Input { payload: Some(payload), ..Input::default() };
    let disk = Disk { ram: aside, initrd: &template.initrd() };
    go_on(qemu, template, Role::Loader, &disk, &template.state(), input, progress)
}

/// Hashes what shapes it: the saved template and every byte of the payload.
fn key(template: &Template, payload: &Payload) -> String {
    let mut hash = blake3::Hasher::new();
    for part in [template.key().as_bytes(), template.state_sha256().as_bytes(), payload.hash().as_bytes()] {
        hash.update(part).update(&[0]);
    }
    hash.update(&SCHEMA.to_le_bytes());
    hash.finalize().to_hex()[..32].to_owned()
}

/// What is in `folder`, if it can be used; loading again costs little, so the reason why not is of no interest.
fn find(folder: &Path, key: &str, template: &Template) -> Option<LoadedTemplate> {
    let held = Arc::new(eviction::hold(folder)?);
    let record: Record = serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()?;
    if record.schema != SCHEMA || record.key != key {
        return None;
    }
    saved::check_files(folder, template.spec(), &record.state_sha256).ok()?;
    Some(LoadedTemplate {
        folder: folder.to_owned(),
        record,
        template: template.clone(),
        fresh: false,
        _held: Some(held),
    })
}
