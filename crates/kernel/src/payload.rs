//! The kernel inside an image: unpacking `vmlinux` from a bzImage, whatever it was packed with.
//!
//! The header's fields are those of the kernel's `Documentation/arch/x86/boot.rst`. Since an image may end in a
//! signature or padding, each format is read to its own end, and what follows is not looked at.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use crate::{Error, little_endian::u32_at};

const SETUP_SECTORS: usize = 0x1f1;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
const SECTOR: usize = 512;
/// No kernel is larger; a damaged image must not fill the memory.
const LARGEST: u64 = 1 << 30;
/// Kernels use the old form of LZ4: blocks of 8 MiB, each with its packed length before it.
const LZ4_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
const LZ4_BLOCK: usize = 8 << 20;

/// The ELF file `vmlinux`, without its debug information, in the image at `path`.
pub(crate) fn read_vmlinux(path: &Path) -> Result<Vec<u8>, Error> {
    let image = fs::read(path).map_err(Error::io("read", path))?;
    let refuse = |why: String| Error::Payload { path: path.to_owned(), why };
    if image.starts_with(b"\x7fELF") {
        return Ok(image);
    }
    let payload =
        payload(&image).ok_or_else(|| refuse("its header names no payload, or it is truncated".into()))?;
    let vmlinux = unpack(payload).map_err(|error| refuse(error.to_string()))?;
    if vmlinux.starts_with(b"\x7fELF") {
        Ok(vmlinux)
    } else {
        Err(refuse("what is packed in it is no ELF file".into()))
    }
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let field = |at: usize| u32_at(image, at).map(|value| value as usize);
    let sectors = match *image.get(SETUP_SECTORS)? {
        // As old boot loaders counted.
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (sectors + 1) * SECTOR + field(PAYLOAD_OFFSET)?;
    image.get(start..start.checked_add(field(PAYLOAD_LENGTH)?)?).filter(|payload| !payload.is_empty())
}

fn unpack(payload: &[u8]) -> io::Result<Vec<u8>> {
    match payload {
        [0x1f, 0x8b, ..] => read(flate2::read::GzDecoder::new(payload)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => read(lzma_rust2::XzReader::new(payload, false)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            read(ruzstd::decoding::StreamingDecoder::new(payload).map_err(io::Error::other)?)
        }
        _ if payload.starts_with(&LZ4_MAGIC) => unpack_lz4(&payload[LZ4_MAGIC.len()..]),
        _ if payload.starts_with(b"\x7fELF") => Ok(payload.to_vec()),
        _ => Err(io::Error::other(format!(
            "it is packed in a format that ktstr does not know (it begins with {:02x?}); gzip, xz, lz4 and zstd it knows",
            &payload[..payload.len().min(6)]
        ))),
    }
}

fn read(packed: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    packed.take(LARGEST).read_to_end(&mut content)?;
    Ok(content)
}

fn unpack_lz4(mut blocks: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut block = vec![0; LZ4_BLOCK];
    // Behind the last block kbuild puts four bytes, the unpacked length.
    while let Some((length, rest)) = blocks.split_first_chunk::<4>()
        && !rest.is_empty()
    {
        let length = u32::from_le_bytes(*length) as usize;
        let packed = rest.get(..length).ok_or_else(|| io::Error::other("an LZ4 block is truncated"))?;
        let bytes = lz4_flex::block::decompress_into(packed, &mut block).map_err(io::Error::other)?;
        content.extend_from_slice(&block[..bytes]);
        blocks = &rest[length..];
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
