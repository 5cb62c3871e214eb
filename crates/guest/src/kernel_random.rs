//! The kernel's random number generator, whose state all clones of a template share.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// `RNDADDENTROPY` and `RNDRESEEDCRNG` of random(4).
const ADD_ENTROPY: libc::Ioctl = 0x4008_5203_u32 as libc::Ioctl;
const RESEED: libc::Ioctl = 0x5207;

/// `struct rand_pool_info` with 64 bytes.
#[repr(C)]
struct Entropy {
    bits: i32,
    bytes: i32,
    data: [u64; 8],
}

/// Mixes the run's seed in: what programs draw from the kernel, address layouts among it, then follows the seed.
///
/// # Errors
/// When the device cannot be opened or this process is not root.
pub(crate) fn stir(seed: u64) -> io::Result<()> {
    let mut state = seed;
    let data = std::array::from_fn(|_| {
        // Knuth's MMIX generator: enough to spread a seed over 64 bytes.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    });
    let entropy = Entropy { bits: 512, bytes: 64, data };
    let random = File::open("/dev/urandom")?;
    // SAFETY: the first reads a `struct rand_pool_info` of the length it names, the second takes nothing.
    let codes = unsafe {
        [
            libc::ioctl(random.as_raw_fd(), ADD_ENTROPY, &raw const entropy),
            libc::ioctl(random.as_raw_fd(), RESEED),
        ]
    };
    if codes.contains(&-1) { Err(io::Error::last_os_error()) } else { Ok(()) }
}
