//! The tables as the schema itself tells them, in an order in which they can be filled; and the version of a database.
//!
//! No table is named here: a table of a new migration cannot be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, anyhow, bail, ensure};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, SqliteConnection};

use crate::server::database::{Conn, StoreError, migrations_for_postgres, migrations_for_sqlite};

use super::place::explained;
use super::store;

/// What a column holds; the schema has no other kinds, so that it is the same on both engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// In the order of the schema.
    pub columns: Vec<Column>,
    /// Places of the primary key's columns in `columns`, in the key's order.
    pub key: Vec<usize>,
}

/// The tables, each after those that it refers to.
#[derive(Clone, Debug)]
pub struct Schema {
    pub tables: Vec<Table>,
}

impl Schema {
    /// The schema of this program at a version, from its migrations alone.
    pub async fn at(version: i64) -> anyhow::Result<Self> {
        let mut empty = SqliteConnection::connect("sqlite::memory:")
            .await
            .context("SQLite cannot be opened in memory")?;
        migrations_for_sqlite()
            .run_to(version, &mut empty)
            .await
            .context("the migrations of this program do not run")?;
        Self::of(&mut empty).await
    }

    /// The schema that an SQLite file has.
    pub async fn of(connection: &mut SqliteConnection) -> anyhow::Result<Self> {
        let columns = store::columns(connection).await.map_err(explained)?;
        let references = store::references(connection).await.map_err(explained)?;
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        let mut keys: BTreeMap<String, Vec<(i64, usize)>> = BTreeMap::new();
        for (name, column, kind, key) in columns {
            let kind = match kind.to_ascii_uppercase().as_str() {
                "TEXT" => Kind::Text,
                "INTEGER" | "BIGINT" => Kind::Integer,
                other => bail!("the column {name}.{column} is of type {other}, which is not moved"),
            };
            let table = tables.entry(name.clone()).or_insert_with(|| Table {
                name: name.clone(),
                columns: Vec::new(),
                key: Vec::new(),
            });
            if key > 0 {
                keys.entry(name)
                    .or_default()
                    .push((key, table.columns.len()));
            }
            table.columns.push(Column { name: column, kind });
        }
        for (name, table) in &mut tables {
            let mut key = keys.remove(name).unwrap_or_default();
            ensure!(!key.is_empty(), "the table {name} has no primary key");
            key.sort_unstable();
            table.key = key.into_iter().map(|(_, column)| column).collect();
        }
        let tables = in_order(tables, &references)?;
        Ok(Self { tables })
    }
}

/// Puts each table after those that it refers to. A reference to itself is left to the order of the key.
fn in_order(
    mut tables: BTreeMap<String, Table>,
    references: &[(String, String)],
) -> anyhow::Result<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::new();
    let mut placed: BTreeSet<String> = BTreeSet::new();
    while !tables.is_empty() {
        let ready = tables.keys().find(|name| {
            references
                .iter()
                .filter(|(from, to)| from == *name && to != *name)
                .all(|(_, to)| placed.contains(to))
        });
        let Some(name) = ready.cloned() else {
            let left: Vec<_> = tables.into_keys().collect();
            bail!(
                "these tables refer to each other in a circle: {}",
                left.join(", ")
            );
        };
        placed.insert(name.clone());
        ordered.extend(tables.remove(&name));
    }
    Ok(ordered)
}

/// The version of the schema that this program works with.
pub fn program_version() -> i64 {
    migrations_for_sqlite()
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// How far a database's schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No table at all.
    Nothing,
    /// Tables, and none of ours.
    Foreign,
    /// A migration began and did not end.
    Unfinished(i64),
    /// A migration that was applied is not the one that this program has under the same number.
    Altered(i64),
    /// At this version, which may be newer than the program's.
    At(i64),
}

impl State {
    pub async fn of(conn: &mut Conn<'_>) -> Result<Self, StoreError> {
        let ours: Migrator = match conn {
            Conn::Sqlite(_) => migrations_for_sqlite(),
            Conn::Postgres(_) => migrations_for_postgres(),
        };
        let tables = store::tables(conn).await?;
        if !tables.iter().any(|name| name == store::MIGRATIONS) {
            return Ok(if tables.is_empty() {
                Self::Nothing
            } else {
                Self::Foreign
            });
        }
        let applied = store::applied_migrations(conn).await?;
        let newest = program_version();
        for (version, checksum, finished) in &applied {
            if !finished {
                return Ok(Self::Unfinished(*version));
            }
            let known = ours.iter().find(|known| known.version == *version);
            let altered = match known {
                Some(known) => *known.checksum != **checksum,
                None => *version < newest,
            };
            if altered {
                return Ok(Self::Altered(*version));
            }
        }
        Ok(match applied.iter().map(|(version, ..)| *version).max() {
            Some(version) => Self::At(version),
            None if tables.len() == 1 => Self::Nothing,
            None => Self::Foreign,
        })
    }

    /// The version, when it is a Headroom database that this program understands; else why not and what to do.
    pub fn understood(self, what: &str) -> anyhow::Result<i64> {
        let program = program_version();
        match self {
            Self::At(version) if version <= program => Ok(version),
            Self::At(version) => Err(anyhow!(
                "{what} has schema version {version}, and this program knows versions up to {program}; use the newer program"
            )),
            Self::Nothing => Err(anyhow!(
                "{what} holds no tables; it is not a Headroom database"
            )),
            Self::Foreign => Err(anyhow!(
                "{what} holds tables of something else; it is not a Headroom database"
            )),
            Self::Unfinished(version) => Err(anyhow!(
                "in {what} the migration to version {version} began and did not end; restore a backup from before it"
            )),
            Self::Altered(version) => Err(anyhow!(
                "{what} was made by a program whose schema version {version} differs from this one's; use the program that made it"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> (String, Table) {
        let table = Table {
            name: name.to_owned(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        (name.to_owned(), table)
    }

    fn order(names: &[&str], references: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
        let references: Vec<_> = references
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let ordered = in_order(names.iter().map(|name| table(name)).collect(), &references)?;
        Ok(ordered.into_iter().map(|table| table.name).collect())
    }

    #[test]
    fn tables_stand_after_those_they_refer_to() {
        let chain = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "c")];
        assert_eq!(
            order(&["a", "b", "c", "d"], &chain).expect("ordered"),
            ["c", "b", "a", "d"]
        );
        let circle = order(&["a", "b", "c"], &[("a", "b"), ("b", "a")]).expect_err("refused");
        assert!(circle.to_string().contains("a, b"), "{circle}");
    }
}
