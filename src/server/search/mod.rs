//! Searching texts: SQLite's full-text index (FTS5) over documents in memory.
//!
//! Words are compared by their stems; the last may be a beginning. A word that nothing holds is taken for the nearest one
//! that something does. Must never know what the documents are about, nor how a hit is shown.

mod store;

use std::collections::HashMap;

use sqlx::SqlitePool;

use super::database::StoreError;

/// The most words of a query that are looked at.
const MOST_WORDS: usize = 12;
/// The most characters of a word that are looked at.
const LONGEST_WORD: usize = 40;
/// Shorter words are not taken for others: everything is near them.
const SHORTEST_CORRECTED: usize = 4;

/// Around what was found in a title or an excerpt.
pub const MARK_OPEN: char = '\u{2}';
pub const MARK_CLOSE: char = '\u{3}';

/// Something that can be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What kind of thing it is, in a word that the reader sees.
    pub kind: String,
    pub title: String,
    /// Other names for it.
    pub also: String,
    /// Plain text.
    pub body: String,
    /// Where it stands.
    pub path: String,
}

/// A document that fits a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub kind: String,
    /// With marks around what was found.
    pub title: String,
    /// The part of the body that fits best, with marks.
    pub excerpt: String,
    pub path: String,
}

/// What a query came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The best first.
    pub found: Vec<Found>,
    /// The query as it was taken, where a word of it was not known.
    pub taken_as: Option<String>,
}

/// An index over documents that do not change.
#[derive(Debug)]
pub struct Index {
    pool: SqlitePool,
    /// Each word of the documents as it is written there in lower case, and how often.
    words: HashMap<String, u32>,
}

impl Index {
    /// # Errors
    /// When SQLite cannot make the index.
    pub async fn new(documents: &[Document]) -> Result<Self, StoreError> {
        let mut words: HashMap<String, u32> = HashMap::new();
        for document in documents {
            for text in [&document.title, &document.also, &document.body] {
                for word in words_of(text) {
                    *words.entry(word).or_default() += 1;
                }
            }
        }
        Ok(Self {
            pool: store::build(documents).await?,
            words,
        })
    }

    /// The documents that fit best, at most `most`. No words, or none that are known or near: nothing.
    ///
    /// # Errors
    /// When SQLite cannot answer.
    pub async fn search(&self, query: &str, most: u32) -> Result<Outcome, StoreError> {
        let typed: Vec<String> = words_of(query).take(MOST_WORDS).collect();
        if typed.is_empty() {
            return Ok(Outcome::default());
        }
        let last = typed.len() - 1;
        let taken: Vec<String> = typed
            .iter()
            .enumerate()
            .map(|(at, word)| self.known(word, at == last))
            .collect();
        let mut found = store::search(&self.pool, &expression(&taken, " AND "), most).await?;
        if found.is_empty() && taken.len() > 1 {
            found = store::search(&self.pool, &expression(&taken, " OR "), most).await?;
        }
        // A thing by this very name comes first, also where its name is a word that many others have; then what has all of
        // the words in its name.
        found.sort_by_key(|found| {
            let title: Vec<String> = words_of(&found.title).collect();
            (
                title != taken,
                !taken.iter().all(|word| title.contains(word)),
            )
        });
        Ok(Outcome {
            taken_as: (taken != typed && !found.is_empty()).then(|| taken.join(" ")),
            found,
        })
    }

    /// The word, or the nearest one that is in a document when it is in none.
    fn known(&self, word: &str, may_be_a_beginning: bool) -> String {
        let is_known = self.words.contains_key(word)
            || self.words.contains_key(&format!("{word}s"))
            || (may_be_a_beginning && self.words.keys().any(|known| known.starts_with(word)));
        let length = word.chars().count();
        // A number is no slip of another one.
        let has_digits = word.contains(|letter: char| letter.is_numeric());
        if is_known || has_digits || length < SHORTEST_CORRECTED {
            return word.to_owned();
        }
        // One slip in a short word, two in a long one.
        let allowed = if length < 8 { 1 } else { 2 };
        self.words
            .iter()
            .filter(|(known, _)| known.chars().count().abs_diff(length) <= allowed)
            .map(|(known, uses)| (strsim::osa_distance(known, word), *uses, known))
            .filter(|(distance, _, _)| *distance <= allowed)
            .min_by(|one, other| (one.0, other.1, one.2).cmp(&(other.0, one.1, other.2)))
            .map_or_else(|| word.to_owned(), |(_, _, known)| known.clone())
    }
}

/// Runs of letters and digits in lower case, as the index cuts a text.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().chars().take(LONGEST_WORD).collect())
}

/// The query in FTS5's language: each word quoted, the last as a beginning.
fn expression(words: &[String], between: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    // One letter begins too many words to be a beginning.
    let begins = words.last().is_some_and(|word| word.chars().count() > 1);
    format!("{}{}", quoted.join(between), if begins { "*" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(title: &str, also: &str, body: &str) -> Document {
        Document {
            kind: "Term".to_owned(),
            title: title.to_owned(),
            also: also.to_owned(),
            body: body.to_owned(),
            path: format!("/{}", title.to_lowercase().replace(' ', "-")),
        }
    }

    async fn index() -> Index {
        Index::new(&[
            document(
                "Idempotency key",
                "idempotent request",
                "A client retries a charge without charging twice.",
            ),
            document("Backpressure", "", "A full queue says so to who fills it."),
            document(
                "Rate limiter",
                "throttling",
                "Limits requests; a queue is not needed. A charge is not a request.",
            ),
            document("Été", "", "Déjà vu <b>&amp;</b>"),
        ])
        .await
        .expect("an index")
    }

    #[tokio::test]
    async fn what_is_typed_is_found() {
        let index = index().await;
        for (query, expected, taken_as) in [
            ("idempotency", vec!["/idempotency-key"], None),
            ("IDEMPOTENCY KEY", vec!["/idempotency-key"], None),
            // A beginning, a stem, another name, no accents.
            ("idem", vec!["/idempotency-key"], None),
            ("throttle", vec!["/rate-limiter"], None),
            ("queue", vec!["/backpressure", "/rate-limiter"], None),
            ("ete", vec!["/été"], None),
            // Slips.
            ("idempotancy", vec!["/idempotency-key"], Some("idempotency")),
            ("backpresure", vec!["/backpressure"], Some("backpressure")),
            ("ratt limiter", vec!["/rate-limiter"], Some("rate limiter")),
            ("qeueu", vec![], None),
            // Not all of the words in one document: any of them.
            ("charging limiter", vec!["/rate-limiter"], None),
            (
                "backpressure idempotency",
                vec!["/backpressure", "/idempotency-key"],
                None,
            ),
            ("", vec![], None),
            ("  \"*-^:() ", vec![], None),
            ("NOT AND OR NEAR(", vec!["/rate-limiter"], None),
            ("zzzzzzzz", vec![], None),
        ] {
            let outcome = index.search(query, 10).await.expect("an answer");
            let mut paths: Vec<_> = outcome
                .found
                .iter()
                .map(|found| found.path.as_str())
                .collect();
            paths.sort_unstable();
            let mut expected = expected;
            expected.sort_unstable();
            assert_eq!(paths, expected, "{query:?}");
            assert_eq!(outcome.taken_as.as_deref(), taken_as, "{query:?}");
        }
    }

    #[tokio::test]
    async fn a_title_counts_more_than_a_text_and_what_was_found_is_marked() {
        let outcome = index().await.search("charge", 10).await.expect("an answer");
        assert_eq!(outcome.found.len(), 2);
        assert!(
            outcome
                .found
                .iter()
                .all(|found| found.excerpt.contains(MARK_OPEN)),
            "{outcome:?}"
        );
        let titled = index()
            .await
            .search("limiter", 10)
            .await
            .expect("an answer");
        assert_eq!(titled.found[0].title, "Rate \u{2}limiter\u{3}");
    }
}
