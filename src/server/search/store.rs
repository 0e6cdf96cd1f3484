//! The SQL of the full-text index. Must never know what the documents are about.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{FromRow, SqlitePool};

use super::{Document, Found, MARK_CLOSE, MARK_OPEN};
use crate::server::database::StoreError;

/// The words around a hit that an excerpt has.
const EXCERPT_WORDS: u32 = 24;
/// How much more a hit in a title and in another name weighs than one in the text.
const WEIGHTS: (f64, f64, f64) = (12.0, 8.0, 1.0);

#[derive(FromRow)]
struct Row {
    kind: String,
    title: String,
    excerpt: String,
    path: String,
}

/// One connection to one database in memory: a second would be another database.
pub async fn build(documents: &[Document]) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(SqliteConnectOptions::new().in_memory(true))
        .await?;
    let mut tx = pool.begin().await?;
    sqlx::query(
        "CREATE VIRTUAL TABLE document USING fts5 (title, also, body, kind UNINDEXED, path UNINDEXED, \
         tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3')",
    )
    .execute(&mut *tx)
    .await?;
    for document in documents {
        sqlx::query(
            "INSERT INTO document (title, also, body, kind, path) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&document.title)
        .bind(&document.also)
        .bind(&document.body)
        .bind(&document.kind)
        .bind(&document.path)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(pool)
}

/// `expression` is in FTS5's language.
pub async fn search(
    pool: &SqlitePool,
    expression: &str,
    most: u32,
) -> Result<Vec<Found>, StoreError> {
    let (title, also, body) = WEIGHTS;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT kind, highlight(document, 0, $2, $3) AS title, snippet(document, 2, $2, $3, ' … ', $4) AS excerpt, path \
         FROM document WHERE document MATCH $1 \
         ORDER BY bm25(document, $5, $6, $7) * CASE kind WHEN 'Reference' THEN 0.6 ELSE 1.0 END, path LIMIT $8",
    )
    .bind(expression)
    .bind(MARK_OPEN.to_string())
    .bind(MARK_CLOSE.to_string())
    .bind(EXCERPT_WORDS)
    .bind(title)
    .bind(also)
    .bind(body)
    .bind(most)
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Found {
            kind: row.kind,
            title: row.title,
            excerpt: row.excerpt,
            path: row.path,
        })
        .collect())
}
