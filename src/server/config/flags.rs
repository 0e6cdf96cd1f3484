//! The flags: one for each setting, made from the table.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::settings::{Form, SETTINGS, Setting};
use super::{DEFAULT_FILE, FILE_VARIABLE};

/// What the command line gives. Every command takes these flags.
#[derive(Clone, Debug, Default)]
pub struct ConfigFlags {
    /// The TOML file; without it the one that the environment names, or the usual one if it is there.
    pub file: Option<PathBuf>,
    /// Pairs of a key, or of a key that names a file, and its value.
    pub values: Vec<(String, String)>,
}

const FILE: &str = "config.config";

/// A key that can be given as a flag.
struct Key {
    /// A setting's key, or one that names a file.
    name: String,
    /// With dashes.
    flag: String,
    /// Apart from those of the commands' own flags.
    id: String,
    setting: &'static Setting,
}

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    SETTINGS
        .iter()
        .flat_map(|setting| {
            [Some(setting.key.to_owned()), setting.file_key()]
                .into_iter()
                .flatten()
                .map(move |name| Key {
                    flag: name.replace('_', "-"),
                    id: format!("config.{name}"),
                    name,
                    setting,
                })
        })
        .collect()
});

fn arg(id: &'static str, flag: &'static str, help: String) -> Arg {
    Arg::new(id)
        .long(flag)
        .help(help)
        .global(true)
        .action(ArgAction::Set)
        .hide_short_help(true)
        .help_heading("Configuration")
}

fn arg_of(key: &'static Key) -> Arg {
    let variable = super::variable(&key.name);
    let setting = key.setting;
    if key.name != setting.key {
        let help = format!(
            "File that holds the value of --{} [env: {variable}]",
            setting.flag()
        );
        return arg(&key.id, &key.flag, help).value_name("FILE");
    }
    let default = if setting.default.is_empty() {
        String::new()
    } else {
        format!(" [default: {}]", setting.default)
    };
    let help = format!("{} [env: {variable}]{default}", setting.help.trim());
    let arg = arg(&key.id, &key.flag, help);
    match setting.form {
        Form::Switch => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Form::WholeNumber => arg.value_name("NUMBER"),
        Form::Text | Form::List => arg.value_name("VALUE"),
    }
}

impl clap::Args for ConfigFlags {
    fn augment_args(command: Command) -> Command {
        let help = format!(
            "TOML file with settings [env: {FILE_VARIABLE}] [default: {DEFAULT_FILE}, if it is there]"
        );
        let file = arg(FILE, "config", help)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf));
        command.arg(file).args(KEYS.iter().map(arg_of))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ConfigFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(file) = matches.get_one::<PathBuf>(FILE) {
            self.file = Some(file.clone());
        }
        for key in KEYS.iter() {
            if let Some(value) = matches.get_one::<String>(&key.id) {
                self.values.push((key.name.clone(), value.clone()));
            }
        }
        Ok(())
    }
}
