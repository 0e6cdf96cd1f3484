//! The zip file that an account's archive travels in: written the same for the same content, and read with suspicion.
//!
//! Only `headroom.json` at the top of it is ever taken out, and nothing is written to disk. What is read comes from
//! anybody, so no header is believed: names, sizes, checksums and places are compared with what is there, and
//! unpacking stops at a limit. Must never know what the JSON means.

use std::io::{self, BufWriter, Cursor, Read as _, Write as _};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::domain::archive::{Archive, PromptTitles, Titles, markdown_folder};
use crate::domain::content::Prompt;
use crate::domain::exercise::Kind;

use super::content_library::Library;

/// The file that an import reads.
const JSON_NAME: &str = "headroom.json";
/// The largest `headroom.json` that is taken from the web, in bytes. The command line takes larger ones.
pub const JSON_BYTES: usize = 64 * 1024 * 1024;
/// The most files in a zip file.
const MOST_FILES: u16 = 10_000;
/// The longest name of a file in a zip file, in bytes.
const NAME_BYTES: usize = 1000;

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    #[error("The file is empty. Choose the file that the export gave you.")]
    Empty,
    #[error(
        "This is neither a zip file nor the headroom.json from one. Choose the file that the export gave you."
    )]
    NotAnArchive,
    #[error(
        "The zip file is damaged or was cut off: {0}. Download it again, or export again and import the new file."
    )]
    Damaged(&'static str),
    #[error(
        "There is no headroom.json at the top of the zip file. Choose the file that the export gave you, unchanged."
    )]
    Missing,
    #[error(
        "The zip file has more than {} files. Take headroom.json out of it and import that alone.",
        MOST_FILES
    )]
    TooManyFiles,
    #[error(
        "headroom.json has more than {} MB. Ask who runs this server to import it with headroom import.",
        .0 / (1024 * 1024)
    )]
    TooLarge(usize),
    #[error("The zip file is encrypted. Unpack it and import headroom.json from it.")]
    Encrypted,
    #[error(
        "The zip file holds a link or a device. Take headroom.json out of it and import that alone."
    )]
    Link,
    #[error(
        "The zip file holds a file whose name leads out of its folder or cannot be used: “{0}”. Export again and import the new file."
    )]
    Name(String),
    #[error("The zip file holds headroom.json twice. Export again and import the new file.")]
    Twice,
    #[error(
        "The zip file is packed in a way that is not read here: {0}. Take headroom.json out of it and import that alone."
    )]
    Unsupported(&'static str),
    #[error("headroom.json is not a text in UTF-8. Export again and import the new file.")]
    NotText,
}

/// Packs an archive: `headroom.json` with everything, and a folder of Markdown for reading. The same archive gives the
/// same bytes. Takes as long as compressing does: not for a thread that serves others.
pub fn account_zip(archive: &Archive, titles: &Titles) -> io::Result<Vec<u8>> {
    // The fixed time is the earliest that a zip file can hold.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(JSON_NAME, options)?;
    let mut json = BufWriter::new(&mut zip);
    serde_json::to_writer_pretty(&mut json, archive)?;
    json.flush()?;
    drop(json);
    for (path, text) in markdown_folder(archive, titles) {
        zip.start_file(path, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The titles of what is published, for the Markdown folder.
pub fn titles(library: &Library) -> Titles {
    let prompts = library.prompts.iter().map(|published| &published.prompt);
    let prompts = prompts.map(|prompt| (prompt.slug.clone(), prompt_titles(prompt)));
    let exercises = Kind::ALL.into_iter().flat_map(|kind| {
        let of_kind = library.exercises.of_kind(kind).into_iter();
        of_kind.map(move |(slug, front)| {
            let titles = PromptTitles {
                title: front.title.clone(),
                ..PromptTitles::default()
            };
            (format!("{}/{slug}", kind.slug()), titles)
        })
    });
    prompts.chain(exercises).collect()
}

pub fn prompt_titles(prompt: &Prompt) -> PromptTitles {
    let curveballs = prompt.curveballs.iter();
    PromptTitles {
        title: prompt.title.clone(),
        curveballs: curveballs
            .map(|ball| (ball.id.clone(), ball.title.clone()))
            .collect(),
    }
}

/// The text of `headroom.json` from an upload: the zip file of an export, or the JSON alone.
pub fn read_upload(bytes: &[u8]) -> Result<String, ArchiveFault> {
    read_archive(bytes, JSON_BYTES)
}

/// The same with a limit on the JSON, in bytes.
pub fn read_archive(bytes: &[u8], most_bytes: usize) -> Result<String, ArchiveFault> {
    if bytes.is_empty() {
        return Err(ArchiveFault::Empty);
    }
    let json = if bytes.starts_with(b"PK") {
        unpack(bytes, most_bytes)?
    } else {
        let start = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        if start.trim_ascii_start().first() != Some(&b'{') {
            return Err(ArchiveFault::NotAnArchive);
        }
        if bytes.len() > most_bytes {
            return Err(ArchiveFault::TooLarge(most_bytes));
        }
        bytes.to_vec()
    };
    String::from_utf8(json).map_err(|_| ArchiveFault::NotText)
}

// The layout of a zip file is that of PKWARE's APPNOTE 6.3.10, sections 4.3 (records) and 4.4 (fields). Numbers are
// little-endian.

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const LOCAL_HEADER_BYTES: usize = 30;
const DIRECTORY_HEADER: &[u8] = b"PK\x01\x02";
const DIRECTORY_HEADER_BYTES: usize = 46;
const END_RECORD: &[u8] = b"PK\x05\x06";
const END_RECORD_BYTES: usize = 22;
/// Bits of the flags: encrypted, strongly encrypted, and the directory masked by encryption (4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// What stands in a field of 32 bits when the number is in a ZIP64 record instead (4.5.3).
const IN_ZIP64: u32 = u32::MAX;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

const OUT_OF_BOUNDS: ArchiveFault = ArchiveFault::Damaged("a part is missing");
const OVERLAPPING: ArchiveFault = ArchiveFault::Damaged("files in it overlap");

/// Reads numbers and names at offsets, and never beyond the end.
#[derive(Clone, Copy)]
struct Record<'b>(&'b [u8]);

impl<'b> Record<'b> {
    /// The record of a kind that starts at an offset.
    fn at(bytes: &'b [u8], offset: usize, signature: &[u8]) -> Result<Self, ArchiveFault> {
        let record = bytes.get(offset..).ok_or(OUT_OF_BOUNDS)?;
        if record.starts_with(signature) {
            Ok(Self(record))
        } else {
            Err(OUT_OF_BOUNDS)
        }
    }

    fn bytes(self, offset: usize, length: usize) -> Result<&'b [u8], ArchiveFault> {
        self.0
            .get(offset..)
            .and_then(|rest| rest.get(..length))
            .ok_or(OUT_OF_BOUNDS)
    }

    fn u16(self, offset: usize) -> Result<u16, ArchiveFault> {
        let bytes = self.bytes(offset, 2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(self, offset: usize) -> Result<u32, ArchiveFault> {
        let bytes = self.bytes(offset, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn length(self, offset: usize) -> Result<usize, ArchiveFault> {
        self.u16(offset).map(usize::from)
    }
}

/// A file in the zip file, as the directory has it.
struct Member<'b> {
    name: &'b [u8],
    method: u16,
    crc: u32,
    packed_bytes: usize,
    unpacked_bytes: usize,
    /// Where its local header starts.
    offset: usize,
}

/// Takes `headroom.json` out of a zip file.
fn unpack(bytes: &[u8], most_bytes: usize) -> Result<Vec<u8>, ArchiveFault> {
    let (members, directory_start) = directory(bytes)?;
    // Every file has a place of its own: no byte is unpacked twice, and none is a header and data at once.
    let mut places = Vec::with_capacity(members.len());
    for member in &members {
        places.push((member.offset, place_of_data(bytes, member)?));
    }
    let json = members
        .iter()
        .zip(&places)
        .find(|(member, _)| member.name == JSON_NAME.as_bytes())
        .map(|(member, (_, data))| (member, data.clone()));
    places.sort_unstable_by_key(|(start, _)| *start);
    let ends_before = |next: usize, data: &std::ops::Range<usize>| data.end <= next;
    let last_ends = places
        .last()
        .is_none_or(|(_, data)| ends_before(directory_start, data));
    if !last_ends
        || !places
            .windows(2)
            .all(|pair| ends_before(pair[1].0, &pair[0].1))
    {
        return Err(OVERLAPPING);
    }
    let (member, data) = json.ok_or(ArchiveFault::Missing)?;
    let data = bytes.get(data).ok_or(OUT_OF_BOUNDS)?;
    inflate(member, data, most_bytes)
}

/// The files that the directory at the end names, and where it starts.
fn directory(bytes: &[u8]) -> Result<(Vec<Member<'_>>, usize), ArchiveFault> {
    let (end, end_at) = end_record(bytes)?;
    let (files_here, files) = (end.u16(8)?, end.u16(10)?);
    let (size, start) = (end.u32(12)?, end.u32(16)?);
    if size == IN_ZIP64 || start == IN_ZIP64 || files == u16::MAX {
        return Err(ArchiveFault::Unsupported("it is in the ZIP64 format"));
    }
    if end.u16(4)? != 0 || end.u16(6)? != 0 || files_here != files {
        return Err(ArchiveFault::Unsupported("it is one of several parts"));
    }
    if files > MOST_FILES {
        return Err(ArchiveFault::TooManyFiles);
    }
    let (size, start) = (size as usize, start as usize);
    if start.checked_add(size) != Some(end_at) {
        return Err(ArchiveFault::Damaged("its directory is not where it says"));
    }
    let mut members = Vec::new();
    let mut at = start;
    for _ in 0..files {
        let header = Record::at(bytes, at, DIRECTORY_HEADER)?;
        let lengths = (header.length(28)?, header.length(30)?, header.length(32)?);
        let name = header.bytes(DIRECTORY_HEADER_BYTES, lengths.0)?;
        if header.u16(8)? & ENCRYPTED != 0 {
            return Err(ArchiveFault::Encrypted);
        }
        check_name(name)?;
        check_kind(header.u32(38)?)?;
        let (packed, unpacked, offset) = (header.u32(20)?, header.u32(24)?, header.u32(42)?);
        if [packed, unpacked, offset].contains(&IN_ZIP64) {
            return Err(ArchiveFault::Unsupported("it is in the ZIP64 format"));
        }
        members.push(Member {
            name,
            method: header.u16(10)?,
            crc: header.u32(16)?,
            packed_bytes: packed as usize,
            unpacked_bytes: unpacked as usize,
            offset: offset as usize,
        });
        at += DIRECTORY_HEADER_BYTES + lengths.0 + lengths.1 + lengths.2;
    }
    if at != end_at {
        return Err(ArchiveFault::Damaged("its directory has another length"));
    }
    let named = |member: &&Member<'_>| member.name == JSON_NAME.as_bytes();
    if members.iter().filter(named).count() > 1 {
        return Err(ArchiveFault::Twice);
    }
    Ok((members, start))
}

/// The last record, whose comment reaches to the end of the file, and where it starts.
fn end_record(bytes: &[u8]) -> Result<(Record<'_>, usize), ArchiveFault> {
    let missing = ArchiveFault::Damaged("its end is missing");
    let last = bytes
        .len()
        .checked_sub(END_RECORD_BYTES)
        .ok_or(missing.clone())?;
    (last.saturating_sub(usize::from(u16::MAX))..=last)
        .rev()
        .find_map(|at| {
            let record = Record::at(bytes, at, END_RECORD).ok()?;
            (record.length(20).ok()? == last - at).then_some((record, at))
        })
        .ok_or(missing)
}

/// Refuses names that lead anywhere but below the folder in which one would unpack.
fn check_name(name: &[u8]) -> Result<(), ArchiveFault> {
    let drive = name.get(1) == Some(&b':') && name[0].is_ascii_alphabetic();
    let refused = name.is_empty()
        || name.len() > NAME_BYTES
        || name.starts_with(b"/")
        || drive
        || name
            .iter()
            .any(|byte| *byte == b'\\' || *byte < 0x20 || *byte == 0x7f)
        || name.split(|byte| *byte == b'/').any(|part| part == b"..");
    if refused {
        let start = String::from_utf8_lossy(&name[..name.len().min(40)]);
        return Err(ArchiveFault::Name(start.escape_debug().to_string()));
    }
    Ok(())
}

/// Refuses everything but files and folders. The upper half of the attributes is the mode of Unix, or 0.
fn check_kind(attributes: u32) -> Result<(), ArchiveFault> {
    match (attributes >> 16) & 0o170_000 {
        0 | 0o100_000 | 0o040_000 => Ok(()),
        _ => Err(ArchiveFault::Link),
    }
}

/// Where a file's data lies. Its local header has to name the same file as the directory does.
fn place_of_data(
    bytes: &[u8],
    member: &Member<'_>,
) -> Result<std::ops::Range<usize>, ArchiveFault> {
    let header = Record::at(bytes, member.offset, LOCAL_HEADER)?;
    let lengths = (header.length(26)?, header.length(28)?);
    if header.bytes(LOCAL_HEADER_BYTES, lengths.0)? != member.name {
        return Err(ArchiveFault::Damaged("a file in it has two names"));
    }
    let start = member.offset + LOCAL_HEADER_BYTES + lengths.0 + lengths.1;
    let end = start
        .checked_add(member.packed_bytes)
        .filter(|end| *end <= bytes.len())
        .ok_or(OUT_OF_BOUNDS)?;
    Ok(start..end)
}

/// Unpacks a file, as far as the limit, and compares it with what its headers say.
fn inflate(member: &Member<'_>, data: &[u8], most_bytes: usize) -> Result<Vec<u8>, ArchiveFault> {
    if member.unpacked_bytes > most_bytes {
        return Err(ArchiveFault::TooLarge(most_bytes));
    }
    let mut unpacked = Vec::new();
    match member.method {
        STORED => unpacked.extend_from_slice(data),
        DEFLATED => {
            let mut decoder = DeflateDecoder::new(data);
            let one_over = most_bytes as u64 + 1;
            decoder
                .by_ref()
                .take(one_over)
                .read_to_end(&mut unpacked)
                .map_err(|_| ArchiveFault::Damaged("headroom.json cannot be unpacked"))?;
            if unpacked.len() <= most_bytes && decoder.total_in() != data.len() as u64 {
                return Err(ArchiveFault::Damaged(
                    "there is something after headroom.json",
                ));
            }
        }
        _ => return Err(ArchiveFault::Unsupported("it is not deflated")),
    }
    if unpacked.len() > most_bytes {
        return Err(ArchiveFault::TooLarge(most_bytes));
    }
    let mut crc = Crc::new();
    crc.update(&unpacked);
    if unpacked.len() != member.unpacked_bytes || crc.sum() != member.crc {
        return Err(ArchiveFault::Damaged(
            "headroom.json is not what it was when it was packed",
        ));
    }
    Ok(unpacked)
}
