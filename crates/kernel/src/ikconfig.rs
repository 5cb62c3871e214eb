//! The configuration that a kernel with `CONFIG_IKCONFIG` carries in itself.

use std::{io::Read, path::Path};

use crate::{Error, payload::read_vmlinux};

/// Around the packed text, as the kernel's `kernel/configs.c` puts them.
const START: &[u8] = b"IKCFG_ST";
const END: &[u8] = b"IKCFG_ED";

/// The text of the configuration in the image at `path`, if it has one.
///
/// # Errors
/// When the image cannot be read or unpacked.
pub(crate) fn embedded_config(path: &Path) -> Result<Option<String>, Error> {
    Ok(find(&read_vmlinux(path)?))
}

fn find(vmlinux: &[u8]) -> Option<String> {
    let start = position(vmlinux, START)? + START.len();
    let packed = &vmlinux[start..];
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..position(packed, END)?]).read_to_string(&mut text).ok()?;
    Some(text)
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn finds_the_text_between_its_marks() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"CONFIG_SMP=y\n").unwrap();
        let packed = packed.finish().unwrap();
        let all = [b"\x7fELF...".as_slice(), START, &packed, END, b"..."].concat();
        assert_eq!(find(&all).as_deref(), Some("CONFIG_SMP=y\n"));
        assert_eq!(find(&all[..all.len() - 4]), None);
        assert_eq!(find(&[START, b"no gzip", END].concat()), None);
        assert_eq!(find(b"\x7fELF"), None);
    }
}
