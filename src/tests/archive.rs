//! The archive of an account: what is exported comes back as it was, on each engine; and what a zip file may not be.

use std::io::{Cursor, Read as _, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::app::{START, library};
use super::engines::{Database, on_each_engine};
use crate::accounts::store::{self as accounts, NewAccount};
use crate::domain::archive::{
    Account, Archive, ArchivedAttempt, ArchivedRevision, Format, Titles, parse,
};
use crate::domain::attempt::{
    ATTEMPTS_PER_ACCOUNT, MINUTE, SECTION_BYTES, SectionName, Terms, UnixMillis, Way,
};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::scorecard::{Entry, Scorecard};
use crate::error::AppError;
use crate::operations::archive::{ExportArgs, ImportArgs, export, import as import_file};
use crate::practice::store;
use crate::practice::store::archive::{ImportReport, everything, import};
use crate::server::clock::new_id;
use crate::server::database::{Db, StoreError};
use crate::server::extract::Theme;
use crate::server::store::insert_owner;
use crate::server::zip_archive::{
    ArchiveFault, JSON_BYTES, account_zip, read_archive, read_upload, titles,
};
use crate::transact;

const MB: usize = 1024 * 1024;
const LATER: UnixMillis = START + 1_000_000;

/// One person's attempts in a database, without a server around them.
struct Shelf {
    db: Db,
    owner: String,
    account: String,
}

impl Shelf {
    async fn new(database: &Database) -> Self {
        let shelf = Self {
            db: database.db.clone(),
            owner: new_id(START),
            account: new_id(START),
        };
        let email = format!("{}@example.org", shelf.account);
        transact!(shelf.db, |conn| {
            insert_owner(conn, &shelf.owner, START).await?;
            let new = NewAccount {
                id: &shelf.account,
                owner_id: &shelf.owner,
                name: "Ada",
                email: &email,
                password_hash: "",
                theme: Theme::Auto,
            };
            accounts::create(conn, &new, START).await
        })
        .expect("an account");
        shelf
    }

    /// An attempt with everything that one can have, odd texts among it. The answer is its id.
    async fn fill(&self, started_at: UnixMillis, prompt: &str, minutes: Option<u32>) -> String {
        let id = new_id(started_at);
        let terms = Terms {
            way: Way::Interview,
            level: Level::Staff,
            minutes,
        };
        let outcome: Result<(), StoreError> = transact!(self.db, |conn| {
            let owner = &self.owner;
            let phase = Phase::Requirements;
            let start = store::Start {
                id: &id,
                prompt,
                // One with a variant and one without.
                variant: minutes.map(|_| "tenfold"),
                terms,
                phase,
            };
            store::start_attempt(conn, owner, 2000, start, started_at).await?;
            let permit = store::permit(conn, Some(owner), &id).await?;
            for (number, name, body) in texts() {
                let current = store::current(conn, &permit, &name).await?;
                let save = store::Save {
                    name: &name,
                    body: &body,
                    base: current.revision,
                    key: &format!("key {number}"),
                };
                // Far enough apart that each stays a revision of its own.
                let now = started_at + number * 2 * MINUTE;
                store::save(conn, &permit, &save, now).await?;
                if let Some(phase) = name.phase() {
                    let permit = store::permit(conn, Some(owner), &id).await?;
                    store::mark(conn, &permit, phase, now).await?;
                }
            }
            for number in 0..3 {
                store::ask_hint(conn, &permit, number, started_at + number).await?;
            }
            for number in 0..2 {
                let entry = |criterion, rating, evidence: &str| Entry {
                    criterion,
                    rating,
                    evidence: evidence.to_owned(),
                };
                let card = Scorecard {
                    entries: vec![
                        entry(CriterionId::TradeOffs, Rating::Below, ""),
                        entry(CriterionId::Api, Rating::Staff, "“quoted”\n| 'x' | \u{1b}"),
                    ],
                };
                let at = started_at + number;
                store::commit_score(conn, &permit, &new_id(at), 3, &card, at).await?;
            }
            Ok(())
        });
        outcome.expect("filled");
        id
    }

    async fn everything(&self) -> Vec<ArchivedAttempt> {
        let mut reader = self.db.read().await.expect("a reader");
        everything(&mut reader.conn(), &self.owner)
            .await
            .expect("reads")
    }

    async fn import(&self, attempts: &[ArchivedAttempt]) -> Result<ImportReport, AppError> {
        let outcome = transact!(self.db, |conn| {
            let permit = accounts::permit(conn, Some(&self.account)).await?;
            import(conn, &permit, attempts, || new_id(LATER), LATER).await
        });
        outcome.map_err(AppError::from)
    }

    async fn remove(self) {
        let outcome: Result<(), StoreError> = transact!(self.db, |conn| {
            let permit = accounts::permit(conn, Some(&self.account)).await?;
            accounts::delete(conn, &permit).await
        });
        outcome.expect("removed");
    }

    async fn imported_at(&self) -> Vec<Option<i64>> {
        let mut reader = self.db.read().await.expect("a reader");
        let conn = &mut reader.conn();
        let rows = crate::on!(conn, |c| sqlx::query_as::<_, (Option<i64>,)>(
            "SELECT imported_at FROM attempt WHERE owner_id = $1 ORDER BY started_at"
        )
        .bind(&self.owner)
        .fetch_all(c));
        rows.expect("reads").into_iter().map(|(at,)| at).collect()
    }
}

/// Texts in the order in which they are saved: (number, section, text).
fn texts() -> Vec<(i64, SectionName, String)> {
    let api = SectionName::Phase(Phase::Api);
    let crlf = crate::server::form::plain_text("line\r\nline\rend\0\n");
    assert_eq!(crlf, "line\nlineend\n");
    let bodies = [
        (api.clone(), "quotes \" ' `` “” \\ $1 ? % _".to_owned()),
        (api.clone(), String::new()),
        (api.clone(), crlf),
        (
            api,
            "🦀 emoji, tab\t, escape \u{1b}, \u{2028}, ]]></script>".to_owned(),
        ),
        (
            SectionName::Worksheet,
            "dau: 5M\npeak: = dau * 6 / 86400".to_owned(),
        ),
        (
            SectionName::Phase(Phase::TradeOffs),
            "é".repeat(SECTION_BYTES / 2),
        ),
        (
            SectionName::Curveball("key-reused".to_owned()),
            " \n ".to_owned(),
        ),
    ];
    (1..)
        .zip(bodies)
        .map(|(number, (name, body))| (number, name, body))
        .collect()
}

fn account() -> Account {
    Account {
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.org".to_owned(),
        level: Some(Level::Senior),
        interview_on: Some("2026-03-01".to_owned()),
        hours_a_week: Some(6),
        time_zone: "Europe/London".to_owned(),
        theme: "dark".to_owned(),
        created_at: START,
    }
}

fn archive(attempts: Vec<ArchivedAttempt>) -> Archive {
    Archive {
        format: Format::One,
        exported_at: LATER,
        account: account(),
        attempts,
        exercises: Vec::new(),
        ticks: Vec::new(),
    }
}

/// Through the zip file and back.
fn travelled(attempts: Vec<ArchivedAttempt>) -> Vec<ArchivedAttempt> {
    let zip = account_zip(&archive(attempts), &titles(library())).expect("is packed");
    let text = read_upload(&zip).expect("is unpacked");
    let (read, faults) = parse(&text, JSON_BYTES);
    assert_eq!(faults, []);
    read.expect("reads").attempts
}

fn json(attempts: &[ArchivedAttempt]) -> String {
    serde_json::to_string_pretty(attempts).expect("is written")
}

#[tokio::test]
async fn an_account_comes_back_as_it_was() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        let second = shelf.fill(START + 50, "news-feed", None).await;
        let first = shelf.fill(START, "payments-processor", Some(60)).await;
        let third = shelf
            .fill(START + 90, "no-longer-published", Some(45))
            .await;
        let before = shelf.everything().await;
        let ids: Vec<&String> = before.iter().map(|attempt| &attempt.id).collect();
        assert_eq!(ids, [&first, &second, &third]);
        let kept: Vec<usize> = before[0]
            .sections
            .iter()
            .map(|section| section.revisions.len())
            .collect();
        // Worksheet, API, trade-offs, curveball, as they are read.
        assert_eq!(kept, [1, 4, 1, 1]);
        assert!(before[0].spent.iter().sum::<i64>() > 0);
        assert_eq!((before[0].hints.len(), before[0].scores.len()), (3, 2));
        assert_eq!(before[0].scores[0].entries.len(), 2);

        let archived = travelled(before.clone());
        shelf.remove().await;
        let fresh = Shelf::new(database).await;
        let report = fresh.import(&archived).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (3, 0));
        assert_eq!(json(&fresh.everything().await), json(&before));
        assert_eq!(fresh.imported_at().await, [Some(LATER); 3]);

        // A second time there is nothing to do.
        let report = fresh.import(&archived).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (0, 3));
        assert_eq!(json(&fresh.everything().await), json(&before));
    })
    .await;
}

#[tokio::test]
async fn what_is_there_is_left_and_what_is_anothers_gets_new_ids() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        shelf.fill(START, "payments-processor", Some(60)).await;
        let before = shelf.everything().await;
        let mut archived = before.clone();
        archived[0].sections[0].body = "changed in the file".to_owned();
        let report = shelf.import(&archived).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (0, 1));
        assert_eq!(shelf.everything().await, before);
        assert_eq!(shelf.imported_at().await, [None]);

        // Another account imports the same file while the first one is still there.
        let other = Shelf::new(database).await;
        let report = other.import(&before).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (1, 0));
        assert_eq!(shelf.everything().await, before);
        let mut copy = other.everything().await;
        assert_ne!(copy[0].id, before[0].id);
        for (score, original) in copy[0].scores.iter_mut().zip(&before[0].scores) {
            assert_ne!(score.id, original.id);
            score.id.clone_from(&original.id);
        }
        copy[0].id.clone_from(&before[0].id);
        assert_eq!(copy, before);

        // The same attempt twice in one call is one attempt.
        let third = Shelf::new(database).await;
        let twice = [before[0].clone(), before[0].clone()];
        let report = third.import(&twice).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_import_is_whole_or_nothing() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        shelf.fill(START, "payments-processor", Some(60)).await;
        let original = shelf.everything().await.remove(0);
        let plain = |number: usize| ArchivedAttempt {
            id: format!("0198f2a0-0000-7000-8000-{number:012x}"),
            sections: Vec::new(),
            hints: Vec::new(),
            scores: Vec::new(),
            ..original.clone()
        };
        let most = usize::try_from(ATTEMPTS_PER_ACCOUNT).expect("a count");
        let too_many: Vec<ArchivedAttempt> = (0..most).map(plain).collect();
        let refused = shelf.import(&too_many).await;
        assert!(
            matches!(&refused, Err(AppError::Invalid(faults)) if faults[0].field == "archive"),
            "{refused:?}"
        );
        assert_eq!(shelf.everything().await, std::slice::from_ref(&original));
        // With what is there already they are as many as are kept.
        let mut fits = too_many;
        fits[0] = original.clone();
        let report = shelf.import(&fits).await.expect("imports");
        assert_eq!((report.imported, report.already_there), (most - 1, 1));

        // What breaks in the middle takes everything with it. Two sections of one name do not get past `parse`.
        let other = Shelf::new(database).await;
        let mut broken = plain(most);
        broken.sections = vec![original.sections[0].clone(); 2];
        other
            .import(&[plain(most + 1), broken])
            .await
            .expect_err("is refused");
        assert_eq!(other.everything().await, []);

        let nobody = Shelf {
            db: database.db.clone(),
            account: new_id(START),
            owner: new_id(START),
        };
        let refused = nobody.import(&[plain(most + 2)]).await;
        assert_eq!(refused, Err(AppError::NotFound));
    })
    .await;
}

#[tokio::test]
async fn many_rows_go_in_batches() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        shelf.fill(START, "payments-processor", Some(60)).await;
        let mut archived = shelf.everything().await;
        let section = archived[0]
            .sections
            .iter_mut()
            .find(|section| section.revisions.len() > 1)
            .expect("a section with revisions");
        let kept = |number| ArchivedRevision {
            number,
            began_at: START + number,
            saved_at: LATER + number,
            body: format!("text {number}"),
        };
        // Three batches and some over.
        section.revisions = (1..=101).map(kept).collect();
        section.revision = 101;
        shelf.remove().await;
        let fresh = Shelf::new(database).await;
        fresh.import(&archived).await.expect("imports");
        assert_eq!(fresh.everything().await, archived);
    })
    .await;
}

#[tokio::test]
async fn an_imported_attempt_can_be_worked_on() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        let id = shelf.fill(START, "payments-processor", Some(60)).await;
        let mut archived = shelf.everything().await;
        archived[0].scores.clear();
        shelf.remove().await;
        let fresh = Shelf::new(database).await;
        fresh.import(&archived).await.expect("imports");
        let name = SectionName::Phase(Phase::Api);
        let saved = transact!(fresh.db, |conn| {
            let permit = store::permit(conn, Some(&fresh.owner), &id).await?;
            let current = store::current(conn, &permit, &name).await?;
            let save = store::Save {
                name: &name,
                body: "one more",
                base: current.revision,
                key: "after the import",
            };
            store::save(conn, &permit, &save, LATER).await
        });
        assert_eq!(saved.expect("saved").revision, 5);
    })
    .await;
}

// The zip file.

#[test]
fn the_same_archive_gives_the_same_bytes() {
    let pack = || account_zip(&archive(Vec::new()), &Titles::new()).expect("is packed");
    let zip = pack();
    assert_eq!(zip, pack());
    let mut opened = ZipArchive::new(Cursor::new(&zip)).expect("another reader takes it");
    let mut readme = String::new();
    opened
        .by_name("README.md")
        .expect("is there")
        .read_to_string(&mut readme)
        .expect("reads");
    assert!(readme.contains("There are no attempts."));
    let text = read_upload(&zip).expect("reads");
    // The JSON alone is taken too, with a byte order mark as well.
    assert_eq!(read_upload(text.as_bytes()), Ok(text.clone()));
    let marked = format!("\u{feff}\n{text}");
    assert_eq!(read_upload(marked.as_bytes()), Ok(marked.clone()));
}

/// A file for a zip file that is written byte by byte, so that any of it can be a lie.
#[derive(Clone)]
struct Part {
    name: Vec<u8>,
    local_name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    size: u32,
    attributes: u32,
    data: Vec<u8>,
    /// Where its header is said to be, when that is not where it is.
    offset: Option<u32>,
}

impl Part {
    fn stored(name: &str, data: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(data);
        Self {
            name: name.as_bytes().to_vec(),
            local_name: name.as_bytes().to_vec(),
            flags: 0,
            method: 0,
            crc: crc.sum(),
            size: data.len() as u32,
            attributes: 0,
            data: data.to_vec(),
            offset: None,
        }
    }

    fn deflated(name: &str, data: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).expect("packs");
        Self {
            method: 8,
            data: encoder.finish().expect("packs"),
            ..Self::stored(name, data)
        }
    }
}

/// Puts a zip file together; the fields of the end record may be changed.
fn zip_of(parts: &[Part], end: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for part in parts {
        let at = zip.len() as u32;
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(part.flags.to_le_bytes());
        common.extend(part.method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(part.crc.to_le_bytes());
        common.extend((part.data.len() as u32).to_le_bytes());
        common.extend(part.size.to_le_bytes());
        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend((part.local_name.len() as u16).to_le_bytes());
        zip.extend([0; 2]);
        zip.extend(&part.local_name);
        zip.extend(&part.data);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend((part.name.len() as u16).to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(part.attributes.to_le_bytes());
        directory.extend(part.offset.unwrap_or(at).to_le_bytes());
        directory.extend(&part.name);
    }
    let mut record = b"PK\x05\x06\0\0\0\0".to_vec();
    record.extend((parts.len() as u16).to_le_bytes());
    record.extend((parts.len() as u16).to_le_bytes());
    record.extend((directory.len() as u32).to_le_bytes());
    record.extend((zip.len() as u32).to_le_bytes());
    record.extend([0; 2]);
    end(&mut record);
    zip.extend(directory);
    zip.extend(record);
    zip
}

fn read_parts(parts: &[Part]) -> Result<String, ArchiveFault> {
    read_upload(&zip_of(parts, |_| {}))
}

const TEXT: &[u8] = b"{\"format\": 1}";

fn good() -> Part {
    Part::deflated("headroom.json", TEXT)
}

#[test]
fn a_zip_file_is_read_however_it_was_packed() {
    let text = || Ok(String::from_utf8(TEXT.to_vec()).expect("text"));
    assert_eq!(read_parts(&[good()]), text());
    assert_eq!(read_parts(&[Part::stored("headroom.json", TEXT)]), text());
    let mode = |mode: u32| Part {
        attributes: mode << 16,
        ..good()
    };
    assert_eq!(read_parts(&[mode(0o100_644)]), text());
    let folder = Part {
        attributes: 0o040_755 << 16,
        ..Part::stored("attempts/", b"")
    };
    let inner = zip_of(&[good()], |_| {});
    let nested = Part::stored("attempts/archive.zip", &inner);
    let odd = Part::stored("attempts/Über uns… 日本.md", b"# x");
    let other = Part::stored("x/headroom.json", b"{}");
    assert_eq!(read_parts(&[folder, nested, good(), odd, other]), text());
    // A comment after the end, and one that looks like another end.
    let commented = |comment: &[u8]| {
        let mut zip = zip_of(&[good()], |end| {
            end[20..22].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        });
        zip.extend(comment);
        read_upload(&zip)
    };
    assert_eq!(commented(b"made by hand"), text());
    assert_eq!(commented(b"PK\x05\x06"), text());
    // Another program's zip file, written as a stream with its sizes after the data.
    let mut stream = ZipWriter::new_stream(Vec::new());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    stream.start_file("headroom.json", options).expect("starts");
    stream.write_all(TEXT).expect("packs");
    let streamed = stream.finish().expect("packs").into_inner();
    assert_eq!(read_upload(&streamed), text());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../headroom.json",
        "a/../../x",
        "..",
        "a/..",
        "/etc/passwd",
        "\\\\server\\x",
        "a\\..\\x",
        "C:x",
        "c:/x",
        "a\0.md",
        "a\nb.md",
        "",
        &"n".repeat(1001),
        &"n".repeat(65_535),
    ] {
        let refused = read_parts(&[good(), Part::stored(name, b"x")]);
        let Err(ArchiveFault::Name(shown)) = &refused else {
            panic!("{name:?}: {refused:?}");
        };
        assert!(shown.len() < 200 && !shown.contains(char::is_control));
    }
}

#[test]
fn links_encryption_and_other_formats_are_refused() {
    for kind in [0o120_777_u32, 0o020_644, 0o060_644, 0o010_644, 0o140_755] {
        let link = Part {
            attributes: kind << 16,
            ..Part::stored("link", b"/etc/passwd")
        };
        assert_eq!(read_parts(&[good(), link]), Err(ArchiveFault::Link));
        let json = Part {
            attributes: kind << 16,
            ..good()
        };
        assert_eq!(read_parts(&[json]), Err(ArchiveFault::Link));
    }
    for flags in [1, 1 << 6 | 1, 1 << 13] {
        let locked = Part { flags, ..good() };
        assert_eq!(read_parts(&[locked]), Err(ArchiveFault::Encrypted));
    }
    for method in [1, 6, 9, 12, 14, 93, 99] {
        let packed = Part { method, ..good() };
        assert!(matches!(
            read_parts(&[packed]),
            Err(ArchiveFault::Unsupported(_))
        ));
    }
    let twice = [good(), good()];
    assert_eq!(read_parts(&twice), Err(ArchiveFault::Twice));
    assert_eq!(read_parts(&[]), Err(ArchiveFault::Missing));
    let below = Part::stored("export/headroom.json", TEXT);
    assert_eq!(read_parts(&[below]), Err(ArchiveFault::Missing));
    let nest = zip_of(&[good()], |_| {});
    let nest = Part::deflated("headroom.zip", &nest);
    assert_eq!(read_parts(&vec![nest; 16]), Err(ArchiveFault::Missing));
    let binary = Part::stored("headroom.json", b"{\xff\xfe}");
    assert_eq!(read_parts(&[binary]), Err(ArchiveFault::NotText));
}

#[test]
fn what_is_no_zip_file_is_told() {
    assert_eq!(read_upload(b""), Err(ArchiveFault::Empty));
    for other in [
        &b"hello"[..],
        b"[]",
        b"\x1f\x8b\x08",
        b"\0\0\0",
        b"<html>",
        b" ",
    ] {
        assert_eq!(read_upload(other), Err(ArchiveFault::NotAnArchive));
    }
    let zip = zip_of(&[good(), Part::stored("a.md", b"a")], |_| {});
    // Cut off anywhere, it is refused.
    for length in 2..zip.len() {
        assert!(
            matches!(read_upload(&zip[..length]), Err(ArchiveFault::Damaged(_))),
            "{length}"
        );
    }
    // With any one byte changed, it is refused or gives the same text; nothing panics.
    for at in 0..zip.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = zip.clone();
            changed[at] ^= flip;
            if let Ok(text) = read_upload(&changed) {
                assert_eq!(text.as_bytes(), TEXT, "byte {at}");
            }
        }
    }
    let wrong = Part {
        crc: good().crc ^ 1,
        ..good()
    };
    assert!(matches!(
        read_parts(&[wrong]),
        Err(ArchiveFault::Damaged(_))
    ));
}

#[test]
fn headers_that_lie_are_refused() {
    let damaged = |parts: &[Part], end: &dyn Fn(&mut Vec<u8>)| {
        let read = read_upload(&zip_of(parts, end));
        assert!(
            matches!(
                read,
                Err(ArchiveFault::Damaged(_) | ArchiveFault::Unsupported(_))
            ),
            "{read:?}"
        );
    };
    let same = |_: &mut Vec<u8>| {};
    for size in [
        0,
        1,
        TEXT.len() as u32 - 1,
        TEXT.len() as u32 + 1,
        MB as u32,
    ] {
        damaged(&[Part { size, ..good() }], &same);
    }
    // Sizes and places of the ZIP64 format, and an end that claims more than there is.
    for (at, width) in [(8, 4), (12, 4), (16, 4), (4, 2), (6, 2)] {
        damaged(&[good()], &move |end: &mut Vec<u8>| {
            end[at..at + width].fill(0xff);
        });
    }
    damaged(
        &[Part {
            size: u32::MAX,
            ..good()
        }],
        &same,
    );
    for (at, value) in [(10, 0_u16), (10, 2), (8, 2), (12, 0), (16, 7)] {
        damaged(&[good()], &move |end: &mut Vec<u8>| {
            end[at..at + 2].copy_from_slice(&value.to_le_bytes());
        });
    }
    for offset in [1, 1_000_000, u32::MAX - 1, u32::MAX] {
        let part = Part {
            offset: Some(offset),
            ..good()
        };
        damaged(&[part], &same);
    }
    // Two names for one place, one inside of the other, and a name that the data does not have.
    let shared = Part {
        offset: Some(0),
        name: b"headroom.json".to_vec(),
        ..Part::stored("a", b"")
    };
    let first = Part::stored("headroom.json", TEXT);
    let second = Part {
        offset: Some(0),
        local_name: b"headroom.json".to_vec(),
        ..first.clone()
    };
    let mut renamed = second.clone();
    renamed.name = b"headroom.jsox".to_vec();
    damaged(&[first.clone(), renamed], &same);
    damaged(&[shared], &same);
    let inner = zip_of(&[first], |_| {});
    let around = Part::stored("around.bin", &inner);
    let within = Part {
        offset: Some(30 + "around.bin".len() as u32),
        ..Part::stored("headroom.json", TEXT)
    };
    let read = read_parts(&[around, within]);
    assert!(
        matches!(read, Err(ArchiveFault::Damaged(words)) if words.contains("overlap")),
        "{read:?}"
    );
    let other_name = Part {
        local_name: b"headroom.jsom".to_vec(),
        ..good()
    };
    damaged(&[other_name], &same);
}

#[test]
fn too_many_files_are_refused() {
    let parts = |count: usize| -> Vec<Part> {
        let empty = |number: usize| Part::stored(&format!("{number}.md"), b"");
        std::iter::once(good())
            .chain((1..count).map(empty))
            .collect()
    };
    assert!(read_parts(&parts(10_000)).is_ok());
    assert_eq!(read_parts(&parts(10_001)), Err(ArchiveFault::TooManyFiles));
}

/// Deflate that unpacks to so many megabytes of zeros: one block again and again, each independent of what was before.
fn zeros(megabytes: usize) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(64 * 1024);
    compress
        .compress_vec(&vec![0; MB], &mut block, FlushCompress::Full)
        .expect("packs");
    assert_eq!(compress.total_in(), MB as u64);
    let mut data = block.repeat(megabytes);
    // An empty last block.
    data.extend([0x03, 0x00]);
    data
}

#[test]
fn bombs_are_refused() {
    let bomb = |size: u32| Part {
        data: zeros(1024),
        size,
        ..good()
    };
    assert!(bomb(0).data.len() < 2 * MB);
    // However large it says it is.
    let gigabyte = 1024 * MB as u32;
    for size in [gigabyte, 13, JSON_BYTES as u32] {
        assert_eq!(
            read_parts(&[bomb(size)]),
            Err(ArchiveFault::TooLarge(JSON_BYTES)),
            "{size}"
        );
    }
    // Files that nobody asks for are not unpacked, and a zip file in a zip file is not opened.
    let aside = Part {
        name: b"x.bin".to_vec(),
        local_name: b"x.bin".to_vec(),
        ..bomb(gigabyte)
    };
    let nest = zip_of(&vec![aside.clone(); 1], |_| {});
    let nest = Part::stored("nest.zip", &nest);
    assert!(read_parts(&[good(), aside, nest]).is_ok());
    // A zip file under the name of the JSON is not opened either.
    let inner = zip_of(&[good()], |_| {});
    let itself = Part::deflated("headroom.json", &inner);
    let read = read_parts(&[itself]);
    match read {
        Err(ArchiveFault::NotText) => {}
        Ok(text) => assert!(parse(&text, JSON_BYTES).0.is_none()),
        Err(other) => panic!("{other}"),
    }
    let limit = |bytes: &[u8]| read_archive(bytes, TEXT.len() - 1);
    let over = Err(ArchiveFault::TooLarge(TEXT.len() - 1));
    assert_eq!(limit(&zip_of(&[good()], |_| {})), over);
    let stored = Part {
        size: 1,
        ..Part::stored("headroom.json", TEXT)
    };
    assert_eq!(limit(&zip_of(&[stored], |_| {})), over);
    assert_eq!(limit(TEXT), over);
    assert!(read_archive(TEXT, TEXT.len()).is_ok());
}

// The commands.

async fn sign_up(database: &Database, shelf: &Shelf, email: &str) {
    let outcome: Result<u64, StoreError> = transact!(database.db, |conn| {
        crate::affected!(conn, |c| {
            sqlx::query(
            "UPDATE account SET name = $2, email = $3, email_key = $4, level = 'senior', interview_on = '2026-03-01', \
             hours_a_week = 6, time_zone = $5, theme = 'dark', created_at = $6 WHERE id = $1"
        )
        .bind(&shelf.account)
        .bind("Ada Lovelace")
        .bind(email)
        .bind(email.to_lowercase())
        .bind("Europe/London")
        .bind(START)
        .execute(c)
        })
    });
    outcome.expect("an account");
}

#[tokio::test]
async fn the_commands_write_a_file_and_read_it_back() {
    on_each_engine(async |database| {
        let folder = TempDir::new().expect("a folder");
        let shelf = Shelf::new(database).await;
        shelf.fill(START, "payments-processor", Some(60)).await;
        sign_up(database, &shelf, "Ada@example.org").await;
        let before = shelf.everything().await;
        let mut args = ExportArgs {
            email: " ada@EXAMPLE.org".to_owned(),
            to: folder.path().join("ada.zip"),
            force: false,
        };
        let report = export(&database.db, library(), &args, LATER)
            .await
            .expect("exports");
        assert_eq!(report.attempts, 1);
        assert!(report.to_string().starts_with("1 attempts exported to "));
        let bytes = std::fs::read(&args.to).expect("is there");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&args.to).expect("is there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        let text = read_upload(&bytes).expect("reads");
        let (archive, faults) = parse(&text, JSON_BYTES);
        assert_eq!(faults, []);
        let archive = archive.expect("reads");
        assert_eq!(archive.account.email, "Ada@example.org");
        assert_eq!(archive.account.level, Some(Level::Senior));
        assert_eq!(archive.attempts, before);

        // Never over another file unasked.
        std::fs::write(&args.to, "mine").expect("written");
        let refused = export(&database.db, library(), &args, LATER).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("--force")));
        assert_eq!(std::fs::read(&args.to).expect("is there"), b"mine");
        args.force = true;
        export(&database.db, library(), &args, LATER)
            .await
            .expect("exports");
        assert_eq!(std::fs::read(&args.to).expect("is there"), bytes);
        let names = std::fs::read_dir(folder.path()).expect("reads").count();
        assert_eq!(names, 1, "nothing unfinished is left");

        let other = Shelf::new(database).await;
        sign_up(database, &other, "grace@example.org").await;
        let mut args = ImportArgs {
            file: args.to,
            email: "grace@example.org".to_owned(),
        };
        let report = import_file(&database.db, &args, LATER)
            .await
            .expect("imports");
        assert_eq!(
            report.to_string(),
            "1 attempts imported, 0 were there already and are as they were"
        );
        assert_eq!(other.everything().await.len(), 1);

        for (email, file, words) in [
            ("nobody@example.org", args.file.clone(), "no account"),
            ("a\0b", args.file.clone(), "no account"),
            (
                "grace@example.org",
                folder.path().join("none"),
                "cannot be read",
            ),
            (
                "grace@example.org",
                folder.path().to_owned(),
                "cannot be read",
            ),
        ] {
            args.email = email.to_owned();
            args.file = file;
            let refused = import_file(&database.db, &args, LATER).await;
            let said = format!("{:#}", refused.expect_err("is refused"));
            assert!(said.contains(words), "{said}");
        }
        args.file = folder.path().join("bad.json");
        args.email = "grace@example.org".to_owned();
        let bad = text.replace("\"way\": \"interview\"", "\"way\": \"x\", \"level\": 3");
        std::fs::write(&args.file, bad).expect("written");
        let refused = import_file(&database.db, &args, LATER).await;
        let said = format!("{:#}", refused.expect_err("is refused"));
        assert!(
            said.contains("\n  attempts[0]: The field “level” stands here twice")
                && said.contains("\n  attempts[0].way: "),
            "{said}"
        );
        assert_eq!(other.everything().await.len(), 1);
    })
    .await;
}
