//! How long a vCPU waits for its turn in deterministic mode, and how unequal the work is, by kernel arguments and number
//! of CPUs: `cargo bench -p ktstr-vm --bench turns -- KERNEL_IMAGE...`. Prints a table in Markdown; the figures are those
//! that every template measures of itself, with one spinner on each CPU.

use std::error::Error;
use std::path::{Path, PathBuf};

use ktstr_kernel::Sha256Sum;
use ktstr_model::{Mode, Topology};
use ktstr_vm::{MachineSpec, Purpose, Qemu, Template};

/// Kernel arguments that were tried. The words that a machine has anyway stand before them.
const TRIED: [&str; 6] =
    ["", "skew_tick=1", "nohz=off", "highres=off", "nohz=off highres=off", "preempt=full threadirqs"];
/// Cores of the two LLCs of each machine that is measured.
const CORES_OF_AN_LLC: [u32; 4] = [1, 2, 4, 8];

fn main() -> Result<(), Box<dyn Error>> {
    let images: Vec<PathBuf> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").map(PathBuf::from).collect();
    if images.is_empty() {
        return Err("name one or more kernel images".into());
    }
    let qemu = Qemu::find()?;
    println!("QEMU {}; longest wait, most over least work\n", qemu.version);
    let columns = CORES_OF_AN_LLC.map(|cores| format!("{} CPUs", 2 * cores));
    println!("| kernel | arguments | {} |", columns.join(" | "));
    println!("|---|---|{}", "---|".repeat(columns.len()));
    for image in &images {
        for arguments in TRIED {
            let mut release = String::new();
            let mut cells = Vec::new();
            for cores in CORES_OF_AN_LLC {
                let template = measure(&qemu, image, arguments, cores);
                cells.push(match &template {
                    Ok((_, cell)) => cell.clone(),
                    Err(error) => format!("failed: {}", error.to_string().lines().next().unwrap_or_default()),
                });
                release = template.map_or(release, |(found, _)| found);
            }
            println!("| {release} | `{arguments}` | {} |", cells.join(" | "));
        }
    }
    Ok(())
}

/// Boots a template of its own; returns the kernel's release and what was measured.
fn measure(
    qemu: &Qemu,
    image: &Path,
    arguments: &str,
    cores: u32,
) -> Result<(String, String), Box<dyn Error>> {
    let cache = tempfile::tempdir()?;
    let spec = MachineSpec {
        kernel: image.to_owned(),
        kernel_sha256: Sha256Sum::of_file(image)?.to_string(),
        kargs: arguments.split_whitespace().map(str::to_owned).collect(),
        topology: Topology::of(1, 2, cores, 1),
        memory_mb: 1024,
        mode: Mode::Deterministic,
        purpose: Purpose::Test,
        disk_mb: 0,
    };
    let template = Template::get(cache.path(), qemu, &spec, &mut |_: &str| {})?;
    let (turn, skew) = (template.turn_ns() as f64 / 1e6, template.skew_permille() as f64 / 1e3);
    Ok((template.kernel_release().to_owned(), format!("{turn:.1} ms, {skew:.1}")))
}
