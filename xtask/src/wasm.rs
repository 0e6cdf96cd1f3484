//! The islands: a tool chain that can build for wasm32, the build itself, and the JavaScript bindings.
//!
//! Two ways lead to the standard library for wasm32: rustup's download, and (where only package mirrors are
//! reached) Debian's `rustc-web`, with the library built once from Debian's copy of its source into a
//! sysroot of our own under the target directory. Whichever was found first is kept.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::project::{Profile, Project};
use crate::setup::{Apt, Node};
use crate::steps::step;

const TARGET: &str = "wasm32-unknown-unknown";

/// The islands come in bundles: features of the package, of which a page loads one.
const BUNDLES: [&str; 2] = ["workspace", "pages"];

/// The profile of the root `Cargo.toml` that the islands are built with.
const PROFILE: &str = "web";

/// Forces a route, to test both: `rustup` or `debian`.
const FORCE: &str = "HEADROOM_WASM_TOOLCHAIN";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";

/// How the islands are made smaller: `-Oz`, without the inlining that saves bytes and costs more of them once they are
/// compressed. What wasm-opt may use is what every current browser has; its `--all-features` writes imports that they
/// refuse.
const WASM_OPT: [&str; 8] = [
    "-Oz",
    "--skip-pass=inlining-optimizing",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// How the bindings are made smaller.
const TERSER: [&str; 3] = ["--module", "--compress", "--mangle"];

/// The compiler that builds the islands.
#[derive(Debug, Clone)]
pub enum Toolchain {
    /// The Rust that runs us, with rustup's standard library.
    Rustup,
    /// Debian's, with a standard library of our own making.
    Debian {
        /// The folder for `rustc --sysroot`.
        sysroot: PathBuf,
        /// `wasm-ld-NN`.
        linker: String,
    },
}

impl Toolchain {
    /// Finds a tool chain, or installs one.
    pub fn set_up(project: &Project, apt: &mut Apt) -> Result<Self> {
        let forced = env::var(FORCE).ok();
        match forced.as_deref() {
            Some("rustup") => return set_up_rustup(),
            Some("debian") => return set_up_debian(project, apt),
            Some(other) => bail!("{FORCE}={other}: it is `rustup` or `debian`"),
            None => {}
        }
        if has_std(Path::new(
            process::output(Command::new("rustc").args(["--print", "sysroot"]))?.trim(),
        )) {
            return Ok(Self::Rustup);
        }
        if let Some(ready) = ready_debian(project) {
            return Ok(ready);
        }
        let first = match set_up_rustup() {
            Ok(toolchain) => return Ok(toolchain),
            Err(fault) => fault,
        };
        process::check_interrupt()?;
        println!(
            "    rustup's way is closed ({}); trying Debian's",
            first.root_cause()
        );
        set_up_debian(project, apt).with_context(|| {
            format!("the islands need Rust's standard library for {TARGET}: run `rustup target add {TARGET}`")
        })
    }

    /// What to call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rustup => "this Rust, with its own standard library for wasm32",
            Self::Debian { .. } => {
                "Debian's rustc-web, with a standard library built from its source"
            }
        }
    }

    /// Where this tool chain builds: one folder each, or two compilers would fight over it.
    pub fn folder(&self, project: &Project) -> PathBuf {
        match self {
            Self::Rustup => project.target.join("web"),
            Self::Debian { .. } => project.target.join("web-debian"),
        }
    }

    /// `cargo clippy …` for the islands, without further arguments.
    pub fn clippy(&self, project: &Project) -> Command {
        self.cargo(project, "clippy", &BUNDLES.join(","))
    }

    /// `cargo COMMAND …` for some bundles, without further arguments.
    fn cargo(&self, project: &Project, command: &str, bundles: &str) -> Command {
        let mut cargo = match self {
            Self::Rustup => {
                let mut cargo = cargo();
                cargo.arg(command);
                cargo
            }
            Self::Debian { sysroot, linker } => {
                let mut cargo = debian(if command == "clippy" {
                    DEBIAN_CLIPPY
                } else {
                    DEBIAN_CARGO
                });
                let flags = format!("--sysroot\u{1f}{}", sysroot.display());
                cargo
                    .arg(command)
                    .env("CARGO_ENCODED_RUSTFLAGS", flags)
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                cargo
            }
        };
        cargo
            .args([
                "--package",
                "headroom",
                "--lib",
                "--no-default-features",
                "--features",
                bundles,
            ])
            .args(["--target", TARGET, "--profile", PROFILE, "--target-dir"])
            .arg(self.folder(project))
            .current_dir(&project.root);
        cargo
    }

    /// Makes clippy available for this tool chain.
    pub fn set_up_clippy(&self, apt: &mut Apt) -> Result<()> {
        match self {
            Self::Debian { .. } if !Path::new(DEBIAN_CLIPPY).exists() => {
                apt.install(&["rust-web-clippy"])
            }
            _ => Ok(()),
        }
    }
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program of Debian's Rust, kept from what rustup's cargo has put into our environment.
fn debian(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO", DEBIAN_CARGO)
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC_WRAPPER");
    command
}

fn libraries(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn has_std(sysroot: &Path) -> bool {
    fs::read_dir(libraries(sysroot)).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn set_up_rustup() -> Result<Toolchain> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if has_std(Path::new(sysroot.trim())) {
        return Ok(Toolchain::Rustup);
    }
    if process::which("rustup").is_none() {
        bail!("there is no rustup");
    }
    let add = format!("rustup target add {TARGET}");
    step("wasm32 standard library", &add, || {
        let mut rustup = process::Running::start(
            Command::new("rustup").args(["target", "add", TARGET]),
            nix::sys::signal::Signal::SIGTERM,
        )?;
        match rustup.wait(Some(Duration::from_mins(3)), true)? {
            Some(status) if status.success() => Ok(Toolchain::Rustup),
            Some(status) => bail!("`{add}`: {status}"),
            None => bail!("`{add}` took longer than three minutes"),
        }
    })
}

/// What `rustc -vV` says of itself, as far as we need it.
#[derive(Debug, PartialEq, Eq)]
struct Compiler {
    /// `1.96`, as a pair.
    release: (u32, u32),
    llvm_major: u32,
}

impl Compiler {
    fn read(version: &str) -> Option<Self> {
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
        let mut release = field("release: ")?.split('.');
        Some(Self {
            release: (release.next()?.parse().ok()?, release.next()?.parse().ok()?),
            llvm_major: field("LLVM version: ")?.split('.').next()?.parse().ok()?,
        })
    }

    fn linker(&self) -> String {
        format!("wasm-ld-{}", self.llvm_major)
    }
}

/// The oldest compiler that will do: our own `rust-version`.
fn oldest() -> (u32, u32) {
    let mut parts = env!("CARGO_PKG_RUST_VERSION")
        .split('.')
        .map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Debian's compiler if it is there and new enough, with all that it says of itself.
fn debian_compiler() -> Option<(Compiler, String)> {
    let version = process::output(debian(DEBIAN_RUSTC).arg("-vV")).ok()?;
    let compiler = Compiler::read(&version)?;
    (compiler.release >= oldest()).then_some((compiler, version))
}

/// The sysroot of our own, and the file that says which compiler made it.
fn own_sysroot(project: &Project) -> (PathBuf, PathBuf) {
    let folder = project.target.join("wasm-std");
    (folder.join("sysroot"), folder.join("made-by"))
}

/// Debian's way if it was gone before and its compiler is still the same.
fn ready_debian(project: &Project) -> Option<Toolchain> {
    let (sysroot, made_by) = own_sysroot(project);
    let (compiler, version) = debian_compiler()?;
    let linker = compiler.linker();
    let ready = has_std(&sysroot)
        && fs::read_to_string(made_by).is_ok_and(|text| text == version)
        && process::which(&linker).is_some()
        && Path::new(DEBIAN_CARGO).exists();
    ready.then_some(Toolchain::Debian { sysroot, linker })
}

fn set_up_debian(project: &Project, apt: &mut Apt) -> Result<Toolchain> {
    if let Some(ready) = ready_debian(project) {
        return Ok(ready);
    }
    let source = Path::new("/usr/lib/rustlib/src/rust/library/Cargo.lock");
    if debian_compiler().is_none() || !Path::new(DEBIAN_CARGO).exists() || !source.exists() {
        apt.install(&["rustc-web", "cargo-web", "rust-web-src"])?;
    }
    let Some((compiler, version)) = debian_compiler() else {
        let (major, minor) = oldest();
        bail!("Debian's rustc-web is older than {major}.{minor}");
    };
    let linker = compiler.linker();
    if process::which(&linker).is_none() {
        apt.install(&[&format!("lld-{}", compiler.llvm_major)])?;
    }
    let (sysroot, made_by) = own_sysroot(project);
    step(
        "wasm32 standard library",
        "Debian's rustc-web builds it from source, once",
        || {
            build_std(project, &sysroot)?;
            fs::write(&made_by, version)
                .with_context(|| format!("cannot write {}", made_by.display()))
        },
    )?;
    Ok(Toolchain::Debian { sysroot, linker })
}

/// Builds the standard library for wasm32 by way of an empty crate, and lays it out as a sysroot.
fn build_std(project: &Project, sysroot: &Path) -> Result<()> {
    let empty = project.target.join("wasm-std/empty");
    fs::create_dir_all(&empty).with_context(|| format!("cannot make {}", empty.display()))?;
    // `[workspace]` keeps the crate out of ours.
    let manifest = "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n[workspace]\n";
    fs::write(empty.join("Cargo.toml"), manifest).context("cannot write the empty crate")?;
    fs::write(empty.join("lib.rs"), "#![no_std]\n").context("cannot write the empty crate")?;

    let mut build = debian(DEBIAN_CARGO);
    build
        .args([
            "build",
            "--release",
            "-Z",
            "build-std=std,panic_abort",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(empty.join("target"))
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(&empty);
    process::stream(&mut build)?;

    let libraries = libraries(sysroot);
    let _ = fs::remove_dir_all(&libraries);
    fs::create_dir_all(&libraries)
        .with_context(|| format!("cannot make {}", libraries.display()))?;
    let built = empty.join("target").join(TARGET).join("release/deps");
    for file in fs::read_dir(&built).with_context(|| format!("cannot list {}", built.display()))? {
        let file = file.context("cannot list the standard library")?;
        let path = file.path();
        let name = file.file_name().to_string_lossy().into_owned();
        if path
            .extension()
            .is_some_and(|extension| extension == "rlib")
            && !name.starts_with("libempty-")
        {
            fs::copy(&path, libraries.join(&name))
                .with_context(|| format!("cannot copy {name}"))?;
        }
    }
    Ok(())
}

/// A bundle as the compiler made it.
pub struct Raw {
    bundle: &'static str,
    file: PathBuf,
}

/// Builds the islands, bundle by bundle.
pub fn build(project: &Project, toolchain: &Toolchain) -> Result<Vec<Raw>> {
    let folder = build_folder(project, toolchain);
    BUNDLES
        .into_iter()
        .map(|bundle| {
            process::stream(&mut toolchain.cargo(project, "build", bundle))?;
            // The next bundle's files have the same names.
            for extension in ["wasm", "d"] {
                let from = folder.join("headroom").with_extension(extension);
                fs::copy(&from, folder.join(bundle).with_extension(extension))
                    .with_context(|| format!("cannot copy {}", from.display()))?;
            }
            Ok(Raw {
                bundle,
                file: folder.join(bundle).with_extension("wasm"),
            })
        })
        .collect()
}

fn build_folder(project: &Project, toolchain: &Toolchain) -> PathBuf {
    toolchain.folder(project).join(TARGET).join(PROFILE)
}

/// The source files that the last build of the islands read, as its dep-info files list them.
pub fn sources(project: &Project, toolchain: &Toolchain) -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let folder = build_folder(project, toolchain);
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        if file
            .path()
            .extension()
            .is_some_and(|extension| extension == "d")
        {
            sources.extend(listed(&fs::read_to_string(file.path()).unwrap_or_default()));
        }
    }
    sources
}

/// The prerequisites in a dep-info file (make's syntax; a space in a name is escaped by a backslash).
fn listed(dep_info: &str) -> Vec<PathBuf> {
    dep_info
        .lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(_, names)| {
            names
                .replace("\\ ", "\u{0}")
                .split_whitespace()
                .map(|name| PathBuf::from(name.replace('\u{0}', " ")))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Makes the JavaScript bindings and, for a release, the smaller wasm. The folder that holds one for each bundle, with
/// `headroom.js` and `headroom_bg.wasm`; nothing is done where it was made from the same wasm before.
pub fn bind(
    project: &Project,
    raw: &[Raw],
    profile: Profile,
    node: Option<&Node>,
) -> Result<PathBuf> {
    let bundles = project.scratch().join("islands").join(profile.name());
    for raw in raw {
        bind_one(raw, &bundles, profile, node, project)?;
    }
    Ok(bundles)
}

fn bind_one(
    raw: &Raw,
    bundles: &Path,
    profile: Profile,
    node: Option<&Node>,
    project: &Project,
) -> Result<()> {
    let folder = bundles.join(raw.bundle);
    // Hidden, so that it is no file of the site.
    let stamp = bundles.join(format!(".{}-made-from", raw.bundle));
    let bytes =
        fs::read(&raw.file).with_context(|| format!("cannot read {}", raw.file.display()))?;
    let made_from = format!("{:x} {WASM_OPT:?} {TERSER:?}", Sha256::digest(&bytes));
    if fs::read_to_string(&stamp).is_ok_and(|text| text == made_from)
        && folder.join("headroom.js").exists()
    {
        return Ok(());
    }
    let _ = fs::remove_file(&stamp);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    step("bindings", &format!("wasm-bindgen, {}", raw.bundle), || {
        Bindgen::new()
            .input_path(&raw.file)
            .out_name("headroom")
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(&folder)
    })?;
    if profile == Profile::Release {
        let node = node.context("wasm-opt and terser need Node")?;
        let bindings = folder.join("headroom.js");
        step("smaller bindings", "terser", || {
            let mut command = node.command("terser");
            command
                .args(TERSER)
                .arg("--output")
                .arg(&bindings)
                .arg("--")
                .arg(&bindings);
            process::quiet(
                &mut command,
                &project.scratch().join("log/terser.log"),
                None,
            )
        })?;
        let wasm = folder.join("headroom_bg.wasm");
        step("smaller wasm", "wasm-opt -Oz", || {
            let mut command = node.command("wasm-opt");
            command.args(WASM_OPT).arg(&wasm).arg("-o").arg(&wasm);
            process::quiet(
                &mut command,
                &project.scratch().join("log/wasm-opt.log"),
                None,
            )
        })?;
    }
    fs::write(&stamp, made_from).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_tells_its_release_and_llvm() {
        let text = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)\nbinary: rustc\n\
                    host: x86_64-unknown-linux-gnu\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        let compiler = Compiler::read(text).expect("all fields are there");
        assert_eq!(
            compiler,
            Compiler {
                release: (1, 96),
                llvm_major: 22
            }
        );
        assert_eq!(compiler.linker(), "wasm-ld-22");
        assert_eq!(Compiler::read("rustc 1.63.0"), None);
        assert_eq!(Compiler::read("release: 1.x\nLLVM version: 22.1"), None);
    }

    #[test]
    fn the_oldest_compiler_is_a_version() {
        assert!(oldest() >= (1, 94), "{:?}", oldest());
    }

    #[test]
    fn dep_info_lists_names() {
        let text = "/t/headroom.wasm: /p/src/lib.rs /p/my\\ file.rs\n\n/p/src/lib.rs:\n";
        assert_eq!(
            listed(text),
            [
                PathBuf::from("/p/src/lib.rs"),
                PathBuf::from("/p/my file.rs")
            ]
        );
    }
}
