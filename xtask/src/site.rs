//! `target/site`: what the browser gets. Every file has a name that changes with its bytes, so that it can be
//! cached for good; `manifest.json` maps logical names to those. Text is compressed ahead.
//!
//! Knows nothing of how the islands are built, and nothing of the server that reads the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::css;
use crate::project::{Profile, Project};

const MANIFEST: &str = "manifest.json";

/// The files of the site by their path below it, with slashes.
type Files = BTreeMap<String, Vec<u8>>;

/// Makes the site from `style/`, `public/` and the folder of the islands' bundles. Writes only what changed,
/// and removes what no longer belongs. The number of files written.
pub fn build(project: &Project, islands: &Path, profile: Profile) -> Result<usize> {
    let mut assets = read_folder(&project.root.join("public"))?;
    let mut sheets = Files::new();
    for (name, bytes) in read_folder(&project.root.join("style"))? {
        if Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "css")
        {
            sheets.insert(name, bytes);
        } else {
            assets.insert(name, bytes);
        }
    }
    let (files, manifest) = lay_out(assets, sheets, read_folder(islands)?)?;
    write(
        &project.site(),
        &project.scratch().join("site-compression"),
        &files,
        &manifest,
        profile,
    )
}

/// All files below a folder; none when there is no such folder. Hidden files are left out.
fn read_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut pending = vec![(folder.to_path_buf(), String::new())];
    while let Some((here, prefix)) = pending.pop() {
        let Ok(entries) = fs::read_dir(&here) else {
            continue;
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", here.display()))?;
            let file_name = entry.file_name();
            let name = file_name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            if path.is_dir() {
                pending.push((path, format!("{prefix}{name}/")));
            } else {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(format!("{prefix}{name}"), bytes);
            }
        }
    }
    Ok(files)
}

/// Gives every file its hashed name, links the style sheets to those and joins them into one. The files by
/// hashed name, and the manifest.
fn lay_out(
    assets: Files,
    sheets: Files,
    islands: Files,
) -> Result<(Files, BTreeMap<String, String>)> {
    let mut files = Files::new();
    let mut names = BTreeMap::new();
    for (name, bytes) in assets {
        let hashed = hashed_name(&name, &hash8([bytes.as_slice()]));
        files.insert(hashed.clone(), bytes);
        names.insert(name, hashed);
    }
    let mut joined = String::new();
    for (name, bytes) in &sheets {
        let text =
            std::str::from_utf8(bytes).with_context(|| format!("style/{name} is not UTF-8"))?;
        joined.push_str(&css::link(text, &names).with_context(|| format!("style/{name}"))?);
        joined.push('\n');
    }
    let sheet = css::strip(&joined).into_bytes();
    let hashed = hashed_name("headroom.css", &hash8([sheet.as_slice()]));
    files.insert(hashed.clone(), sheet);
    names.insert("headroom.css".to_owned(), hashed);
    let mut bundles: BTreeMap<&str, Vec<(&str, &Vec<u8>)>> = BTreeMap::new();
    for (name, bytes) in &islands {
        let (bundle, file) = name
            .split_once('/')
            .with_context(|| format!("{name} is in no bundle"))?;
        bundles.entry(bundle).or_default().push((file, bytes));
    }
    for (bundle, content) in bundles {
        // The bindings name their own wasm file: the folder's name carries the hash of them all.
        let hash = hash8(content.iter().map(|(_, bytes)| bytes.as_slice()));
        let folder = format!("islands/{bundle}.{hash}");
        for (file, bytes) in content {
            files.insert(format!("{folder}/{file}"), bytes.clone());
        }
        names.insert(format!("islands/{bundle}"), folder);
    }
    Ok((files, names))
}

/// The first eight hexadecimal digits of the SHA-256 of all parts in turn.
fn hash8<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut digits = format!("{:x}", hasher.finalize());
    digits.truncate(8);
    digits
}

/// `a/b.c` with hash `h` is `a/b.h.c`.
fn hashed_name(name: &str, hash: &str) -> String {
    let (folder, file) = name
        .rsplit_once('/')
        .map_or(("", name), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    match file.rsplit_once('.') {
        Some((stem, extension)) => format!("{folder}{slash}{stem}.{hash}.{extension}"),
        None => format!("{folder}{slash}{file}.{hash}"),
    }
}

/// Brings the folder into line with `files` and `manifest`. `strength` is a file that remembers how the
/// folder's files were compressed.
fn write(
    site: &Path,
    strength: &Path,
    files: &Files,
    manifest: &BTreeMap<String, String>,
    profile: Profile,
) -> Result<usize> {
    let same_strength = fs::read_to_string(strength).is_ok_and(|text| text == profile.name());
    let _ = fs::remove_file(strength);
    let mut written = 0;
    let mut keep: BTreeSet<PathBuf> = [site.join(MANIFEST)].into();
    for (name, bytes) in files {
        let path = site.join(name);
        let (brotli, gzip) = (suffixed(&path, ".br"), suffixed(&path, ".gz"));
        if !same_strength || fs::read(&path).ok().as_deref() != Some(bytes) {
            if !is_compressed(&path) {
                write_smaller(&brotli, &brotli_of(bytes, profile)?, bytes.len())?;
                write_smaller(&gzip, &gzip_of(bytes, profile)?, bytes.len())?;
            }
            // Last: a file that is there has its compressed twins.
            write_changed(&path, bytes)?;
            written += 1;
        }
        keep.extend([path, brotli, gzip]);
    }
    let mut json = serde_json::to_string_pretty(manifest).context("cannot write the manifest")?;
    json.push('\n');
    write_changed(&site.join(MANIFEST), json.as_bytes())?;
    remove_others(site, &keep)?;
    if let Some(folder) = strength.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(strength, profile.name())
        .with_context(|| format!("cannot write {}", strength.display()))?;
    Ok(written)
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Formats that are compressed already.
fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["woff2", "png", "jpg", "webp", "avif"]
            .iter()
            .any(|known| extension == *known)
    })
}

fn write_smaller(path: &Path, bytes: &[u8], limit: usize) -> Result<()> {
    if bytes.len() < limit {
        write_changed(path, bytes)
    } else {
        let _ = fs::remove_file(path);
        Ok(())
    }
}

/// Writes through a temporary file, so that a reader never sees half of it; leaves an equal file alone.
fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).ok().as_deref() == Some(bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let temporary = suffixed(path, ".new");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn remove_others(folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if path.is_dir() {
            remove_others(&path, keep)?;
            // Goes only when it is empty.
            let _ = fs::remove_dir(&path);
        } else if !keep.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn brotli_of(bytes: &[u8], profile: Profile) -> Result<Vec<u8>> {
    let quality = if profile == Profile::Release { 11 } else { 5 };
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)
        .context("cannot compress by brotli")?;
    Ok(compressed)
}

fn gzip_of(bytes: &[u8], profile: Profile) -> Result<Vec<u8>> {
    let level = if profile == Profile::Release {
        Compression::best()
    } else {
        Compression::default()
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .context("cannot compress by gzip")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn example(colour: &str) -> (Files, BTreeMap<String, String>) {
        lay_out(
            files(&[
                ("inter.woff2", "font"),
                ("img/logo.svg", "<svg/>"),
                ("LICENSE", "free"),
            ]),
            files(&[
                ("20-page.css", "a { color: red; }"),
                (
                    "10-base.css",
                    &format!("/* base */ :root {{ --c: {colour}; src: url(inter.woff2) }}"),
                ),
            ]),
            files(&[
                ("pages/headroom.js", "js"),
                ("pages/headroom_bg.wasm", "other wasm"),
                ("tool/headroom.js", "js"),
                ("tool/headroom_bg.wasm", "wasm"),
                ("tool/snippets/x/inline0.js", "x"),
            ]),
        )
        .expect("it holds no fault")
    }

    fn show(files: &Files, manifest: &BTreeMap<String, String>) -> String {
        let mut text = String::new();
        for (name, bytes) in files {
            let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(bytes));
        }
        let _ = write!(text, "{manifest:#?}");
        text
    }

    #[test]
    fn every_file_has_a_hashed_name() {
        let (files, manifest) = example("blue");
        insta::assert_snapshot!(show(&files, &manifest), @r#"
        LICENSE.ad95d5fa: free
        headroom.fd4c00e3.css: :root{--c:blue;src:url(inter.795ea3ef.woff2)}a{color:red}
        img/logo.d4dc5666.svg: <svg/>
        inter.795ea3ef.woff2: font
        islands/pages.32dc5f95/headroom.js: js
        islands/pages.32dc5f95/headroom_bg.wasm: other wasm
        islands/tool.554137e1/headroom.js: js
        islands/tool.554137e1/headroom_bg.wasm: wasm
        islands/tool.554137e1/snippets/x/inline0.js: x
        {
            "LICENSE": "LICENSE.ad95d5fa",
            "headroom.css": "headroom.fd4c00e3.css",
            "img/logo.svg": "img/logo.d4dc5666.svg",
            "inter.woff2": "inter.795ea3ef.woff2",
            "islands/pages": "islands/pages.32dc5f95",
            "islands/tool": "islands/tool.554137e1",
        }
        "#);
    }

    #[test]
    fn a_name_changes_with_its_bytes_and_with_nothing_else() {
        let (blue, green) = (example("blue").1, example("green").1);
        let changed: Vec<&String> = blue
            .keys()
            .filter(|name| blue[*name] != green[*name])
            .collect();
        assert_eq!(changed, ["headroom.css"]);
    }

    #[test]
    fn a_fault_names_its_sheet() {
        let fault = lay_out(
            files(&[]),
            files(&[("a.css", "b{c:url(gone.png)}")]),
            files(&[]),
        )
        .expect_err("gone");
        assert_eq!(
            format!("{fault:#}"),
            "style/a.css: line 1: url(gone.png) names no file of style/ or public/"
        );
    }

    #[test]
    fn the_folder_follows_and_is_written_only_when_something_changed() {
        let base = std::env::temp_dir().join(format!("headroom-site-{}", std::process::id()));
        let (site, strength) = (base.join("site"), base.join("strength"));
        let long = "a repeated sentence. ".repeat(50);
        let sync = |files: &Files, profile| {
            let written =
                write(&site, &strength, files, &BTreeMap::new(), profile).expect("it can write");
            let names: Vec<String> = read_folder(&site)
                .expect("it can read")
                .into_keys()
                .collect();
            format!("{written} written: {}", names.join(" "))
        };
        let first = files(&[
            ("a.1.css", long.as_str()),
            ("f.1.woff2", long.as_str()),
            ("d/s.1.txt", "short"),
        ]);
        let mut log = vec![
            sync(&first, Profile::Debug),
            sync(&first, Profile::Debug),
            sync(&first, Profile::Release),
            sync(&files(&[("a.2.css", long.as_str())]), Profile::Release),
        ];
        log.push(sync(&files(&[("a.2.css", "tiny")]), Profile::Release));
        let _ = fs::remove_dir_all(&base);
        insta::assert_snapshot!(log.join("\n"), @r"
        3 written: a.1.css a.1.css.br a.1.css.gz d/s.1.txt f.1.woff2 manifest.json
        0 written: a.1.css a.1.css.br a.1.css.gz d/s.1.txt f.1.woff2 manifest.json
        3 written: a.1.css a.1.css.br a.1.css.gz d/s.1.txt f.1.woff2 manifest.json
        1 written: a.2.css a.2.css.br a.2.css.gz manifest.json
        1 written: a.2.css manifest.json
        ");
    }

    #[test]
    fn both_compressions_can_be_undone() {
        let text = "system design ".repeat(1_000);
        for profile in [Profile::Debug, Profile::Release] {
            let packed = brotli_of(text.as_bytes(), profile).expect("brotli");
            let mut plain = Vec::new();
            brotli::BrotliDecompress(&mut packed.as_slice(), &mut plain).expect("it is brotli");
            assert_eq!(plain, text.as_bytes());
            let packed = gzip_of(text.as_bytes(), profile).expect("gzip");
            let mut plain = String::new();
            std::io::Read::read_to_string(
                &mut flate2::read::GzDecoder::new(packed.as_slice()),
                &mut plain,
            )
            .expect("it is gzip");
            assert_eq!(plain, text);
        }
    }
}
