//! The files under `deploy/`: they say nothing that the program does not know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::server::config::{Config, ConfigFlags, SETTINGS};

const EXAMPLE: &str = "deploy/headroom.toml";

fn deployed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn text(file: &str) -> String {
    fs::read_to_string(deployed(file)).expect("is there")
}

/// What `headroom --config FILE config check` finds, in a folder of its own.
fn check(file: &Path) -> Result<Config, Vec<String>> {
    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        flags: ConfigFlags,
    }
    let flags = Flags::parse_from(["headroom".as_ref(), "--config".as_ref(), file.as_os_str()]);
    let folder = tempfile::tempdir().expect("a folder");
    Config::load(&flags.flags, [], folder.path())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn the_example_of_a_configuration_passes_its_check() {
    let config = check(&deployed(EXAMPLE)).expect("no fault");
    assert!(config.lines().any(|line| line.place != "default"));

    // Its commented lines too, apart from those that name a file, which is not here.
    let example = text(EXAMPLE);
    let mut named = BTreeSet::new();
    let mut whole = String::new();
    for line in example.lines() {
        let setting = line.trim_start_matches("# ");
        let key = setting.split(" = ").next().unwrap_or_default();
        let is_setting =
            setting.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if is_setting {
            let in_file = key.strip_suffix("_file");
            let first = named.insert(in_file.unwrap_or(key).to_owned());
            if in_file.is_none() && first {
                whole.push_str(setting);
                whole.push('\n');
            }
        }
    }
    let every: BTreeSet<String> = SETTINGS
        .iter()
        .map(|setting| setting.key.to_owned())
        .collect();
    assert_eq!(
        named, every,
        "the example shows every setting, and no other"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("whole.toml");
    fs::write(&file, whole).expect("is written");
    check(&file).expect("no fault");
}

#[test]
fn variables_are_of_settings_that_there_are() {
    let known: BTreeSet<String> = SETTINGS
        .iter()
        .flat_map(|setting| {
            let in_file = setting
                .file_key()
                .map(|key| format!("HEADROOM_{}", key.to_uppercase()));
            [Some(setting.variable()), in_file]
        })
        .flatten()
        .chain(["HEADROOM_CONFIG".to_owned()])
        .collect();
    let mut found = 0;
    for file in [
        "Containerfile",
        "README.md",
        "headroom-backup.service",
        "headroom.service",
        "headroom.service.d/secrets.conf",
    ] {
        let text = text(&format!("deploy/{file}"));
        for (at, _) in text.match_indices("HEADROOM_") {
            let name: String = text[at..]
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect();
            assert!(known.contains(&name), "{file}: {name}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}
