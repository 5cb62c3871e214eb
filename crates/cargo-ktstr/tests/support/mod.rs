//! What several tests need.

/// The start of a bzImage of this release, which is all that is read of one.
pub fn bz_image(release: &str) -> Vec<u8> {
    let mut image = vec![0; 0x800];
    image[0x1f1] = 2;
    image[0x1fe..0x206].copy_from_slice(b"\x55\xaa\xeb\x6aHdrS");
    image[0x20e..0x210].copy_from_slice(&0x200u16.to_le_bytes());
    image[0x236] = 1;
    image[0x400..0x400 + release.len()].copy_from_slice(release.as_bytes());
    image
}
