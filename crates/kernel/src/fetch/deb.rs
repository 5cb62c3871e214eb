//! Reading a Debian package without dpkg: an `ar` archive, one member of which is the packed archive of its files.

use std::{
    fs, io,
    io::{Cursor, Read},
    path::Path,
};

const MAGIC: &[u8] = b"!<arch>\n";
/// Of each member: name, three numbers, mode, length and two closing bytes.
const HEADER: usize = 60;

/// The unpacked archive of the package's files.
pub fn files_archive(package: &Path) -> io::Result<Box<dyn Read>> {
    let bytes = fs::read(package)?;
    let refuse = |why: &str| io::Error::other(why.to_owned());
    let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(|| refuse("it is no Debian package"))?;
    while let Some((header, after)) = rest.split_at_checked(HEADER) {
        let field =
            |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_end().to_owned();
        let length: usize = field(48..58).parse().map_err(|_| refuse("one of its members has no length"))?;
        let content = after.get(..length).ok_or_else(|| refuse("it is truncated"))?;
        let content = || Cursor::new(content.to_vec());
        match field(0..16).trim_end_matches('/') {
            "data.tar" => return Ok(Box::new(content())),
            "data.tar.xz" => return Ok(Box::new(lzma_rust2::XzReader::new(content(), true))),
            "data.tar.gz" => return Ok(Box::new(flate2::read::GzDecoder::new(content()))),
            "data.tar.zst" => {
                let reader = ruzstd::decoding::StreamingDecoder::new(content()).map_err(io::Error::other)?;
                return Ok(Box::new(reader));
            }
            _ => {}
        }
        // Members begin at even places.
        rest = after.get(length + length % 2..).unwrap_or_default();
    }
    Err(refuse("it has no member data.tar.xz, data.tar.zst or data.tar.gz"))
}
