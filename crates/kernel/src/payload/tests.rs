use std::{
    io::{Seek, Write},
    process::{Command, Stdio},
};

use super::*;
use crate::testing::image_bytes;

/// An image whose header names `payload`, with a signature behind it.
fn image(payload: &[u8]) -> Vec<u8> {
    let mut image = image_bytes("7.3.4");
    let start = image.len() - 3 * SECTOR;
    image[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&(start as u32).to_le_bytes());
    image[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    image.extend_from_slice(payload);
    image.extend_from_slice(b"signature");
    image
}

fn unpacked(image: &[u8]) -> Result<Vec<u8>, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(image).unwrap();
    read_vmlinux(file.path()).map_err(|error| error.to_string())
}

/// Packs with the program that kbuild uses; `None` where it is not installed.
fn pack(program: &str, arguments: &[&str], content: &[u8]) -> Option<Vec<u8>> {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(content).unwrap();
    input.rewind().unwrap();
    let output = Command::new(program).args(arguments).stdin(input).stderr(Stdio::null()).output().ok()?;
    assert!(output.status.success(), "{program}");
    let mut packed = output.stdout;
    // kbuild puts the length behind all but gzip, whose own end is the same.
    if program != "gzip" {
        packed.extend_from_slice(&(content.len() as u32).to_le_bytes());
    }
    Some(packed)
}

#[test]
fn unpacks_every_format() {
    // More than one block of LZ4, and not of one letter.
    let text = (0u32..3_000_000).flat_map(u32::to_le_bytes);
    let vmlinux: Vec<u8> = b"\x7fELF".iter().copied().chain(text).collect();
    let formats: [(&str, &[&str]); 4] = [
        ("gzip", &["-n", "-c"]),
        ("xz", &["--check=crc32", "--x86", "--lzma2=preset=0", "-c"]),
        ("lz4", &["-l", "-c"]),
        ("zstd", &["-c"]),
    ];
    let mut tried = 0;
    for (program, arguments) in formats {
        if let Some(packed) = pack(program, arguments, &vmlinux) {
            assert!(unpacked(&image(&packed)).unwrap() == vmlinux, "{program}");
            tried += 1;
        }
    }
    assert!(tried > 0, "none of the packing programs is installed");
    assert!(unpacked(&image(&vmlinux)).unwrap() == vmlinux);
    assert!(unpacked(&vmlinux).unwrap() == vmlinux);
}

#[test]
fn says_what_is_wrong_with_a_payload() {
    let gzip = pack("gzip", &["-n", "-c"], b"\x7fELF and more").unwrap();
    let text = pack("gzip", &["-n", "-c"], b"just text").unwrap();
    for (bytes, why) in [
        (image(b"BZh91AY"), "a format that ktstr does not know"),
        (image(&gzip[..gzip.len() - 9]), "cannot be unpacked"),
        (image(&text), "no ELF file"),
        (image_bytes("7.3.4"), "names no payload"),
        (image(&gzip)[..0x820].to_vec(), "truncated"),
        (image(&[&LZ4_MAGIC[..], &[255, 0, 0, 0, 1]].concat()), "LZ4 block is truncated"),
    ] {
        let error = unpacked(&bytes).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
