//! The SQL of ticks: what a person has reached on the roadmap and read of the list.
//!
//! A tick is a row of an owner and an item. What is no longer published keeps its row and is not shown. Must never know what
//! an item says.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::accounts::store::AccountPermit;
use crate::domain::attempt::UnixMillis;
use crate::domain::content::shelf::TickItem;
use crate::server::database::{Conn, StoreError};
use crate::{affected, on};

#[derive(FromRow)]
struct TickRow {
    item: String,
    ticked_at: i64,
}

/// Everything that the account has ticked, by the item's name, and when.
pub async fn ticks(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
) -> Result<BTreeMap<String, UnixMillis>, StoreError> {
    let rows = on!(conn, |c| {
        sqlx::query_as::<_, TickRow>("SELECT item, ticked_at FROM tick WHERE owner_id = $1")
            .bind(&permit.account().owner_id)
            .fetch_all(c)
    })?;
    Ok(rows
        .into_iter()
        .map(|row| (row.item, row.ticked_at))
        .collect())
}

/// Ticks an item.
pub async fn tick(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    item: &TickItem,
    now: UnixMillis,
) -> Result<(), StoreError> {
    put(conn, permit, &item.name(), now).await
}

/// Ticks what has this name, whether or not it is published. What is ticked keeps its time.
pub async fn put(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    item: &str,
    at: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| {
        sqlx::query(
            "INSERT INTO tick (owner_id, item, ticked_at) VALUES ($1, $2, $3) ON CONFLICT (owner_id, item) DO NOTHING",
        )
        .bind(&permit.account().owner_id)
        .bind(item)
        .bind(at)
        .execute(c)
    })?;
    Ok(())
}

/// Takes a tick back; nothing happens where there is none.
pub async fn untick(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    item: &TickItem,
) -> Result<(), StoreError> {
    affected!(conn, |c| {
        sqlx::query("DELETE FROM tick WHERE owner_id = $1 AND item = $2")
            .bind(&permit.account().owner_id)
            .bind(item.name())
            .execute(c)
    })?;
    Ok(())
}
