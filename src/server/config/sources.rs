//! The levels that give values: the TOML file, the environment, the flags. What they give is checked here, with the
//! place where it stands.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::settings::{Form, SETTINGS, Setting, Shown, variable};
use super::{ConfigFault, ConfigFlags, DEFAULT_FILE, FILE_VARIABLE, Given};

/// Larger files are not a configuration and not a secret.
const LARGEST_FILE: u64 = 256 * 1024;

/// Variables of this project that set nothing of the server: of its tests and builds.
const OTHER_VARIABLES: [&str; 4] = [
    FILE_VARIABLE,
    "HEADROOM_BIN",
    "HEADROOM_WASM_TOOLCHAIN",
    "HEADROOM_REVISION",
];

/// By key. A value stands here only when its setting takes it.
pub(super) type Level = BTreeMap<&'static str, Given>;

/// Something that one level says, not checked yet.
struct Raw {
    /// A setting's key, or one that names a file.
    key: String,
    /// As this level spells the key.
    spelled: String,
    /// With its form, where the level has forms. `None` for what no setting takes: a date, a list of numbers.
    value: Option<(String, Option<Form>)>,
    place: String,
    /// Where the key itself stands, for one that there is not.
    key_place: String,
}

fn fault(place: &str, message: impl Into<String>) -> ConfigFault {
    ConfigFault {
        place: place.to_owned(),
        message: message.into(),
    }
}

/// The level of the TOML file: the one that is named, else the usual one if it is there.
pub(super) fn file(
    flag: Option<&Path>,
    variable: Option<&String>,
    folder: &Path,
    faults: &mut Vec<ConfigFault>,
) -> Level {
    let named = flag
        .map(|path| (path.to_owned(), "flag --config".to_owned()))
        .or_else(|| {
            variable.map(|path| (PathBuf::from(path), format!("environment {FILE_VARIABLE}")))
        });
    let usual = || {
        folder
            .join(DEFAULT_FILE)
            .exists()
            .then(|| (PathBuf::from(DEFAULT_FILE), DEFAULT_FILE.to_owned()))
    };
    let Some((path, place)) = named.or_else(usual) else {
        return Level::new();
    };
    let name = path.display().to_string();
    match text_of(&folder.join(&path)) {
        Ok(text) => of_toml(&name, &text, folder, faults),
        Err(why) => {
            faults.push(fault(&place, format!("{name} {why}")));
            Level::new()
        }
    }
}

/// The level of the environment.
pub(super) fn environment(
    variables: &BTreeMap<String, String>,
    folder: &Path,
    faults: &mut Vec<ConfigFault>,
) -> Level {
    let raws = variables
        .iter()
        .filter(|(name, _)| !is_of_another(name))
        .map(|(name, value)| {
            let place = format!("environment {name}");
            Raw {
                key: name
                    .strip_prefix("HEADROOM_")
                    .unwrap_or_default()
                    .to_lowercase(),
                spelled: name.clone(),
                value: Some((value.clone(), None)),
                key_place: place.clone(),
                place,
            }
        });
    checked(raws.collect(), variable, folder, faults)
}

/// Whether a variable of our prefix is meant for something else.
fn is_of_another(name: &str) -> bool {
    OTHER_VARIABLES.contains(&name)
        || name.starts_with("HEADROOM_TEST_")
        // Kubernetes makes these up for every container beside a service that is called headroom.
        || name.starts_with("HEADROOM_SERVICE_")
        || name == "HEADROOM_PORT"
        || name.starts_with("HEADROOM_PORT_")
}

/// The level of the command line.
pub(super) fn flags(flags: &ConfigFlags, folder: &Path, faults: &mut Vec<ConfigFault>) -> Level {
    let spell = |key: &str| format!("--{}", key.replace('_', "-"));
    let raws = flags.values.iter().map(|(key, value)| {
        let place = format!("flag {}", spell(key));
        Raw {
            key: key.clone(),
            spelled: spell(key),
            value: Some((value.clone(), None)),
            key_place: place.clone(),
            place,
        }
    });
    checked(raws.collect(), spell, folder, faults)
}

fn of_toml(name: &str, text: &str, folder: &Path, faults: &mut Vec<ConfigFault>) -> Level {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        faults.push(fault(&place_in(name, text, at), error.message()));
    }
    let mut raws = Vec::new();
    flatten(name, text, table.get_ref(), &[], &mut raws);
    checked(raws, ToOwned::to_owned, folder, faults)
}

/// Keys of nested tables are joined: `[database] url` is `database_url`.
fn flatten(name: &str, text: &str, table: &DeTable<'_>, above: &[&str], raws: &mut Vec<Raw>) {
    for (key, value) in table {
        let path: Vec<&str> = above
            .iter()
            .copied()
            .chain([key.get_ref().as_ref()])
            .collect();
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(name, text, inner, &path, raws);
            continue;
        }
        raws.push(Raw {
            key: path.join("_"),
            spelled: path.join("."),
            value: plain(value.get_ref()),
            place: place_in(name, text, value.span().start),
            key_place: place_in(name, text, key.span().start),
        });
    }
}

fn plain(value: &DeValue<'_>) -> Option<(String, Option<Form>)> {
    let (text, form) = match value {
        DeValue::String(text) => (text.to_string(), Form::Text),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
            (number.to_string(), Form::WholeNumber)
        }
        DeValue::Boolean(on) => (on.to_string(), Form::Switch),
        DeValue::Array(values) => {
            let texts: Option<Vec<&str>> = values
                .iter()
                .map(|value| value.get_ref().as_str().filter(|text| !text.contains(',')))
                .collect();
            (texts?.join(","), Form::List)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => return None,
    };
    Some((text, Some(form)))
}

/// `headroom.toml:3:1`
fn place_in(name: &str, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[start..].chars().count() + 1;
    format!("{name}:{line}:{column}")
}

/// Takes what a level says: known keys, once each, with values that their settings take.
fn checked(
    raws: Vec<Raw>,
    spell: impl Fn(&str) -> String,
    folder: &Path,
    faults: &mut Vec<ConfigFault>,
) -> Level {
    let mut level = Level::new();
    for raw in raws {
        let found = SETTINGS.iter().find_map(|setting| {
            if setting.key == raw.key {
                Some((setting, false))
            } else {
                (setting.file_key()? == raw.key).then_some((setting, true))
            }
        });
        let Some((setting, in_file)) = found else {
            faults.push(fault(
                &raw.key_place,
                format!(
                    "there is no setting {}{}",
                    raw.spelled,
                    suggestion(&raw.key, &spell)
                ),
            ));
            continue;
        };
        let Some((value, place)) = taken(setting, in_file, &raw, folder)
            .map_err(|message| faults.push(fault(&raw.place, message)))
            .ok()
        else {
            continue;
        };
        let given = Given {
            setting,
            value,
            place,
        };
        if let Some(first) = level.insert(setting.key, given) {
            faults.push(fault(
                &raw.place,
                format!(
                    "{} is given twice, also by {}; keep one",
                    setting.key, first.place
                ),
            ));
        }
    }
    level
}

/// The value of a setting and its place, or what is wrong with it.
fn taken(
    setting: &Setting,
    in_file: bool,
    raw: &Raw,
    folder: &Path,
) -> Result<(String, String), String> {
    let wrong = || format!("{}: expected {}", setting.key, setting.expected);
    let (value, form) = raw.value.as_ref().ok_or_else(wrong)?;
    if in_file {
        if form.is_some_and(|form| form != Form::Text) {
            return Err(format!("{}: expected the name of a file", raw.spelled));
        }
        let text = text_of(&folder.join(value))
            .map_err(|why| format!("{}: {value} {why}", raw.spelled))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(format!("{}: {value} is empty", raw.spelled));
        }
        return if (setting.takes)(text) {
            Ok((text.to_owned(), raw.place.clone()))
        } else {
            Err(format!(
                "{}: what stands in {value} is not {}",
                setting.key, setting.expected
            ))
        };
    }
    // In TOML a number is written as a number; the other levels have only texts.
    let fits = form.is_none_or(|form| {
        form == setting.form || form == Form::Text && setting.form == Form::List
    });
    if fits && (setting.takes)(value) {
        Ok((value.clone(), raw.place.clone()))
    } else if setting.shown == Shown::Whole {
        Err(format!(
            "{} is {value:?}; expected {}",
            setting.key, setting.expected
        ))
    } else {
        Err(wrong())
    }
}

/// The key that was probably meant.
fn suggestion(key: &str, spell: impl Fn(&str) -> String) -> String {
    SETTINGS
        .iter()
        .flat_map(|setting| [Some(setting.key.to_owned()), setting.file_key()])
        .flatten()
        .map(|known| {
            let likeness = strsim::jaro_winkler(&known, key);
            (likeness, known)
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(
            || "; `headroom config check` lists all".to_owned(),
            |(_, known)| format!("; did you mean {}?", spell(&known)),
        )
}

/// A small text file, or what is wrong with it.
fn text_of(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(cannot)?
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("is larger than {} KB", LARGEST_FILE / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}
