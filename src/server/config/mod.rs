//! What an operator can set. Each setting is taken from the highest level that gives it: flags, then the environment,
//! then a TOML file, then the default.
//!
//! All faults are found, each with its place: whoever sets a server up mends them in one go. An empty environment
//! variable is as good as none; an empty text anywhere else switches an optional setting off. Must never read the
//! process's own environment: it is handed in.

mod flags;
mod settings;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use flags::ConfigFlags;
pub use settings::{Config, Form, LogFormat, SETTINGS, Setting, Shown, variable, without_password};

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "headroom.toml";

/// The variable that names the TOML file.
pub const FILE_VARIABLE: &str = "HEADROOM_CONFIG";

/// A setting's value with the place that it was taken from.
#[derive(Clone)]
pub struct Given {
    pub(in crate::server::config) setting: &'static Setting,
    /// As it was written.
    pub(in crate::server::config) value: String,
    /// `default`, `headroom.toml:3:1`, `environment HEADROOM_ADDR`, `flag --addr`.
    pub(in crate::server::config) place: String,
}

/// Something that cannot be taken as it is, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    pub place: String,
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What is shown of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub key: &'static str,
    /// Without anything secret.
    pub value: String,
    pub place: String,
}

impl Config {
    /// Settles every setting. Relative names of files count from the `folder`.
    ///
    /// # Errors
    /// Every fault of every level, also of values that a higher level overrides.
    pub fn load(
        flags: &ConfigFlags,
        environment: impl IntoIterator<Item = (String, String)>,
        folder: &Path,
    ) -> Result<Self, Vec<ConfigFault>> {
        let environment: BTreeMap<String, String> = environment
            .into_iter()
            .filter(|(name, value)| name.starts_with("HEADROOM_") && !value.is_empty())
            .collect();
        let mut faults = Vec::new();
        let file = sources::file(
            flags.file.as_deref(),
            environment.get(FILE_VARIABLE),
            folder,
            &mut faults,
        );
        let levels = [
            file,
            sources::environment(&environment, folder, &mut faults),
            sources::flags(flags, folder, &mut faults),
        ];
        let given: Vec<Given> = SETTINGS
            .iter()
            .map(|setting| {
                let highest = levels.iter().rev().find_map(|level| level.get(setting.key));
                highest.cloned().unwrap_or_else(|| Given {
                    setting,
                    value: setting.default.to_owned(),
                    place: "default".to_owned(),
                })
            })
            .collect();
        if faults.is_empty() {
            faults = between(&given);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Self::from_given(given).ok_or_else(|| {
            vec![ConfigFault {
                place: "default".to_owned(),
                message: "a default cannot be read; this is a fault of the program".to_owned(),
            }]
        })
    }

    /// Every setting with its value and where that came from.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        self.given.iter().map(|given| Line {
            key: given.setting.key,
            value: given.setting.show(&given.value),
            place: given.place.clone(),
        })
    }
}

/// No secret is printed by accident.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.lines().map(|line| (line.key, line.value)))
            .finish()
    }
}

/// What does not go together.
fn between(given: &[Given]) -> Vec<ConfigFault> {
    let find = |key| given.iter().find(|one| one.setting.key == key);
    let mut faults = Vec::new();
    if let (Some(server), Some(sender)) = (find("smtp_url"), find("mail_from"))
        && !server.value.is_empty()
        && sender.value.is_empty()
    {
        faults.push(ConfigFault {
            place: server.place.clone(),
            message: "smtp_url is set, so mail_from must say who the mail is from".to_owned(),
        });
    }
    if let (Some(pages), Some(metrics)) = (find("addr"), find("metrics_addr"))
        && pages.value == metrics.value
        && !pages.value.ends_with(":0")
    {
        faults.push(ConfigFault {
            place: metrics.place.clone(),
            message: format!(
                "metrics_addr is {}, where the pages are served; choose another port",
                metrics.value
            ),
        });
    }
    faults
}
