//! The SQL of finding the account that an archive belongs to.

use crate::domain::archive::Account;
use crate::domain::level::Level;
use crate::on;
use crate::server::database::{Conn, StoreError};

#[derive(sqlx::FromRow)]
struct AccountRow {
    owner_id: String,
    name: String,
    email: String,
    level: Option<String>,
    interview_on: Option<String>,
    hours_a_week: Option<i64>,
    time_zone: String,
    theme: String,
    created_at: i64,
}

/// The owner of an account's attempts and what the account says of its person, by the key of its address.
pub async fn account(
    conn: &mut Conn<'_>,
    email_key: &str,
) -> Result<Option<(String, Account)>, StoreError> {
    let row = on!(conn, |c| {
        sqlx::query_as::<_, AccountRow>(
        "SELECT owner_id, name, email, level, interview_on, hours_a_week, time_zone, theme, created_at \
         FROM account WHERE email_key = $1"
    )
    .bind(email_key)
    .fetch_optional(c)
    })?;
    Ok(row.map(|row| {
        let account = Account {
            name: row.name,
            email: row.email,
            level: row.level.as_deref().and_then(Level::from_slug),
            interview_on: row.interview_on,
            hours_a_week: row.hours_a_week,
            time_zone: row.time_zone,
            theme: row.theme,
            created_at: row.created_at,
        };
        (row.owner_id, account)
    }))
}
