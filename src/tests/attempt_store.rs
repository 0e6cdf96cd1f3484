//! The store of attempts, the same suite on each engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::app::START;
use super::engines::{Database, on_each_engine};
use crate::domain::attempt::{
    ATTEMPTS_PER_GUEST, MINUTE, Presence, SECTION_BYTES, SectionName, Terms, UnixMillis, Way,
};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::scorecard::{Entry, Scorecard};
use crate::error::{AppError, Current};
use crate::practice::store::{self, AttemptPermit, Save};
use crate::server::clock::new_id;
use crate::server::database::Db;
use crate::server::store::insert_owner;
use crate::transact;

const TERMS: Terms = Terms {
    way: Way::Interview,
    level: Level::Senior,
    minutes: Some(60),
};

/// An attempt in a database, without a server around it. Everything below goes through it.
#[derive(Clone)]
struct Desk {
    db: Db,
    owner: String,
    attempt: String,
}

/// Runs a store function on the desk's attempt in a transaction of its own, with leave asked for anew.
macro_rules! on_desk {
    ($desk:expr, |$conn:ident, $permit:ident| $body:expr) => {{
        let outcome = transact!($desk.db, |$conn| {
            let $permit = store::permit($conn, Some(&$desk.owner), &$desk.attempt).await?;
            $body.await
        });
        outcome.map_err(AppError::from)
    }};
}

impl Desk {
    async fn new(database: &Database) -> Self {
        let (owner, attempt) = (new_id(START), new_id(START));
        let desk = Self {
            db: database.db.clone(),
            owner,
            attempt,
        };
        transact!(desk.db, |conn| insert_owner(conn, &desk.owner, START).await).expect("an owner");
        desk.start(&desk.attempt).await.expect("starts");
        desk
    }

    async fn start(&self, id: &str) -> Result<(), AppError> {
        let outcome = transact!(self.db, |conn| {
            store::start_attempt(
                conn,
                &self.owner,
                ATTEMPTS_PER_GUEST,
                store::Start {
                    id,
                    prompt: "payments-processor",
                    variant: None,
                    terms: TERMS,
                    phase: Phase::Requirements,
                },
                START,
            )
            .await
        });
        outcome.map_err(AppError::from)
    }

    async fn permit(&self) -> AttemptPermit {
        let mut reader = self.db.read().await.expect("a reader");
        store::permit(&mut reader.conn(), Some(&self.owner), &self.attempt)
            .await
            .expect("leave")
    }

    /// Saves the API section.
    async fn save(
        &self,
        base: i64,
        key: &str,
        body: &str,
        now: UnixMillis,
    ) -> Result<Current, AppError> {
        self.save_in(SectionName::Phase(Phase::Api), base, key, body, now)
            .await
    }

    async fn save_in(
        &self,
        name: SectionName,
        base: i64,
        key: &str,
        body: &str,
        now: UnixMillis,
    ) -> Result<Current, AppError> {
        let save = Save {
            name: &name,
            body,
            base,
            key,
        };
        on_desk!(self, |conn, permit| store::save(conn, &permit, &save, now))
    }

    async fn current(&self) -> Current {
        let name = SectionName::Phase(Phase::Api);
        on_desk!(self, |conn, permit| store::current(conn, &permit, &name)).expect("reads")
    }

    /// The numbers of the kept revisions of the API section, the latest first.
    async fn revisions(&self) -> Vec<i64> {
        let name = SectionName::Phase(Phase::Api);
        let lines =
            on_desk!(self, |conn, permit| store::revisions(conn, &permit, &name)).expect("reads");
        lines.into_iter().map(|line| line.revision).collect()
    }

    async fn revision(&self, number: i64) -> Result<Current, AppError> {
        let name = SectionName::Phase(Phase::Api);
        on_desk!(self, |conn, permit| store::revision(
            conn, &permit, &name, number
        ))
    }

    async fn mark(&self, phase: Phase, now: UnixMillis) -> Presence {
        on_desk!(self, |conn, permit| store::mark(conn, &permit, phase, now)).expect("marks")
    }

    async fn spent(&self) -> [i64; 8] {
        on_desk!(self, |conn, permit| store::presence(conn, &permit))
            .expect("reads")
            .spent
    }

    async fn commit(&self, id: &str, rating: Rating, now: UnixMillis) -> Result<(), AppError> {
        let entry = |criterion| Entry {
            criterion,
            rating,
            evidence: format!("{criterion:?} “quoted”"),
        };
        let card = Scorecard {
            entries: vec![entry(CriterionId::TradeOffs), entry(CriterionId::Api)],
        };
        on_desk!(self, |conn, permit| store::commit_score(
            conn, &permit, id, 3, &card, now
        ))
    }

    async fn scores(&self) -> Vec<store::Score> {
        on_desk!(self, |conn, permit| store::scores(conn, &permit)).expect("reads")
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a save comes to is a result")]
fn saved(revision: i64, body: &str, saved_at: UnixMillis) -> Result<Current, AppError> {
    Ok(Current {
        revision,
        body: body.to_owned(),
        saved_at,
    })
}

fn conflict(revision: i64, body: &str, saved_at: UnixMillis) -> Result<Current, AppError> {
    Err(AppError::Conflict(Box::new(Current {
        revision,
        body: body.to_owned(),
        saved_at,
    })))
}

/// Runs the same work in many tasks at once and gathers what each came to.
async fn at_once<T, F>(tasks: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks));
    let mut running = JoinSet::new();
    for task in (0..tasks).map(work) {
        let barrier = barrier.clone();
        running.spawn(async move {
            barrier.wait().await;
            task.await
        });
    }
    running.join_all().await
}

#[tokio::test]
async fn a_save_counts_up_from_what_it_started_from() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        assert_eq!(
            desk.current().await,
            Current {
                revision: 0,
                body: String::new(),
                saved_at: START
            }
        );
        assert_eq!(
            desk.save(0, "a", "one", START + 1).await,
            saved(1, "one", START + 1)
        );
        assert_eq!(
            desk.save(1, "b", "two", START + 2).await,
            saved(2, "two", START + 2)
        );
        assert_eq!(
            desk.save(2, "c", "", START + 3).await,
            saved(3, "", START + 3)
        );
        assert_eq!(
            desk.current().await,
            Current {
                revision: 3,
                body: String::new(),
                saved_at: START + 3
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_stale_save_is_refused_with_the_current_text() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START + 1).await.expect("saved");
        desk.save(1, "b", "two", START + 2).await.expect("saved");
        for base in [0, 1, 3, 99, -1, i64::MIN] {
            assert_eq!(
                desk.save(base, &format!("stale {base}"), "mine", START + 3)
                    .await,
                conflict(2, "two", START + 2),
                "{base}"
            );
        }
        // A refused save leaves nothing: its key is free, the text is as it was.
        assert_eq!(
            desk.save(2, "stale 1", "three", START + 4).await,
            saved(3, "three", START + 4)
        );
        // From nothing, while there is something; from something, while there is nothing.
        let name = || SectionName::Curveball("x".to_owned());
        assert_eq!(
            desk.save_in(name(), 1, "d", "text", START + 5).await,
            conflict(0, "", START)
        );
        assert_eq!(
            desk.save_in(name(), 0, "e", "text", START + 6).await,
            saved(1, "text", START + 6)
        );
    })
    .await;
}

#[tokio::test]
async fn a_base_at_the_end_of_the_numbers_is_only_stale() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START).await.expect("saved");
        assert_eq!(
            desk.save(i64::MAX, "b", "two", START).await,
            conflict(1, "one", START)
        );
    })
    .await;
}

#[tokio::test]
async fn a_repeated_save_is_the_same_save() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let first = desk.save(0, "a", "one", START + 1).await;
        assert_eq!(desk.save(0, "a", "one", START + 50).await, first);
        assert_eq!(desk.revisions().await, [1]);
        // Also after others have gone on.
        desk.save(1, "b", "two", START + 60).await.expect("saved");
        assert_eq!(desk.save(0, "a", "one", START + 70).await, first);
        assert_eq!(desk.current().await.body, "two");
        // Another attempt may use the same key.
        let other = Desk::new(database).await;
        assert_eq!(
            other.save(0, "a", "else", START + 2).await,
            saved(1, "else", START + 2)
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_one_text() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START).await.expect("saved");
        let elsewhere = SectionName::Worksheet;
        for outcome in [
            desk.save(0, "a", "other", START).await,
            desk.save(1, "a", "one", START).await,
            desk.save_in(elsewhere, 0, "a", "one", START).await,
        ] {
            assert!(
                matches!(&outcome, Err(AppError::Invalid(faults)) if faults[0].field == "key"),
                "{outcome:?}"
            );
        }
        assert_eq!(
            desk.current().await,
            Current {
                revision: 1,
                body: "one".to_owned(),
                saved_at: START
            }
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_text_is_fine_whatever_it_started_from() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START).await.expect("saved");
        desk.save(1, "b", "two", START + 1).await.expect("saved");
        let same = desk.save(0, "c", "two", START + 9).await;
        assert_eq!(same, saved(2, "two", START + 1));
        // And a repeat of that gets the same answer, though the text has changed since.
        desk.save(2, "d", "three", START + 10).await.expect("saved");
        assert_eq!(desk.save(0, "c", "two", START + 11).await, same);
    })
    .await;
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START).await.expect("saved");
        desk.save(1, "b", "two", START + 25 * 60 * MINUTE)
            .await
            .expect("saved");
        // No longer known, so it is a save like any other: stale.
        assert!(matches!(
            desk.save(0, "a", "one", START + 25 * 60 * MINUTE).await,
            Err(AppError::Conflict(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_minute_of_typing_is_kept_as_one_revision() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for number in 0..5 {
            desk.save(
                number,
                &format!("k{number}"),
                &format!("text {number}"),
                START + number * 10_000,
            )
            .await
            .expect("saved");
        }
        assert_eq!(desk.revisions().await, [5]);
        // The minute counts from its first save, not from the last.
        desk.save(5, "k5", "text 5", START + MINUTE)
            .await
            .expect("saved");
        assert_eq!(desk.revisions().await, [6, 5]);
        desk.save(6, "k6", "text 6", START + MINUTE + 1)
            .await
            .expect("saved");
        assert_eq!(desk.revisions().await, [7, 5]);
        assert_eq!(desk.revision(5).await, saved(5, "text 4", START + 40_000));
        assert_eq!(desk.revision(6).await, Err(AppError::NotFound));
    })
    .await;
}

#[tokio::test]
async fn a_save_apart_and_a_big_cut_keep_what_was_before() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", &"word ".repeat(100), START)
            .await
            .expect("saved");
        desk.save(1, "apart-b", &"merged ".repeat(100), START + 1)
            .await
            .expect("saved");
        assert_eq!(desk.revisions().await, [2, 1]);
        // Half of the length is still a change, less is a cut. Length is in characters on each engine.
        desk.save(2, "c", &"é".repeat(350), START + 2)
            .await
            .expect("saved");
        assert_eq!(desk.revisions().await, [3, 1]);
        desk.save(3, "d", &"é".repeat(174), START + 3)
            .await
            .expect("saved");
        assert_eq!(desk.revisions().await, [4, 3, 1]);
        let name = SectionName::Phase(Phase::Api);
        let lines =
            on_desk!(desk, |conn, permit| store::revisions(conn, &permit, &name)).expect("reads");
        assert_eq!(
            lines.iter().map(|line| line.length).collect::<Vec<_>>(),
            [174, 350, 500]
        );
        assert_eq!(desk.revision(3).await.expect("kept").body, "é".repeat(350));
    })
    .await;
}

#[tokio::test]
async fn of_very_many_revisions_the_newest_are_kept() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for number in 0..205 {
            let key = format!("apart-{number}");
            desk.save(number, &key, &key, START + number)
                .await
                .expect("saved");
        }
        assert_eq!(desk.revisions().await, (6..=205).rev().collect::<Vec<_>>());
        assert_eq!(desk.current().await.body, "apart-204");
    })
    .await;
}

#[tokio::test]
async fn sections_of_one_attempt_do_not_mix() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let names = [
            SectionName::Phase(Phase::Api),
            SectionName::Worksheet,
            SectionName::Curveball("late".to_owned()),
        ];
        for (number, name) in names.iter().enumerate() {
            let body = format!("text {number}");
            desk.save_in(name.clone(), 0, &format!("k{number}"), &body, START)
                .await
                .expect("saved");
        }
        let other = Desk::new(database).await;
        other.save(0, "k", "another's", START).await.expect("saved");
        let sections =
            on_desk!(desk, |conn, permit| store::sections(conn, &permit)).expect("reads");
        let bodies: BTreeMap<_, _> = sections
            .iter()
            .map(|section| (section.name.slug(), section.body.as_str()))
            .collect();
        assert_eq!(
            bodies,
            BTreeMap::from([
                ("api".to_owned(), "text 0"),
                ("curveball-late".to_owned(), "text 2"),
                ("worksheet".to_owned(), "text 1"),
            ])
        );
        // What is newer than known: less is sent when more is known.
        let since = async |known: &[(&str, i64)]| {
            let known = known
                .iter()
                .map(|(name, revision)| ((*name).to_owned(), *revision))
                .collect();
            let changed = on_desk!(desk, |conn, permit| store::sections_since(
                conn, &permit, &known
            ))
            .expect("reads");
            changed
                .into_iter()
                .map(|section| section.name.slug())
                .collect::<Vec<_>>()
        };
        assert_eq!(since(&[]).await, ["api", "curveball-late", "worksheet"]);
        assert_eq!(
            since(&[("api", 1), ("worksheet", 0), ("curveball-late", 7)]).await,
            ["worksheet"]
        );
        assert!(
            since(&[("api", 1), ("worksheet", 1), ("curveball-late", 1)])
                .await
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn every_text_comes_back_as_it_was() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let texts = [
            "é 日本語 👩🏽‍💻 \u{202e}right to left\u{202c} \u{feff}",
            "quotes ' \" `` \\ %s $1 ?1 -- ; DROP TABLE section;",
            "\n\n  leading and trailing \t\n",
            "e\u{301} is not é", // Nothing is normalized.
        ];
        for (base, text) in (0..).zip(texts) {
            desk.save(base, &format!("apart-{base}"), text, START + base)
                .await
                .expect("saved");
            assert_eq!(desk.current().await.body, text);
            assert_eq!(desk.revision(base + 1).await.expect("kept").body, text);
        }
        for filler in ["x", "é", "👍"] {
            let whole = filler.repeat(SECTION_BYTES / filler.len());
            let base = desk.current().await.revision;
            desk.save(base, &format!("long {filler}"), &whole, START + 100)
                .await
                .expect("saved");
            assert_eq!(desk.current().await.body, whole);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_saves_from_one_base_exactly_one_wins() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for base in 0..3 {
            let now = START + base;
            let writer = desk.clone();
            let outcomes = at_once(16, move |number| {
                let desk = writer.clone();
                async move {
                    desk.save(
                        base,
                        &format!("{base} {number}"),
                        &format!("text {base} {number}"),
                        now,
                    )
                    .await
                }
            })
            .await;
            let won: Vec<_> = outcomes.iter().flatten().collect();
            assert_eq!(won.len(), 1, "{outcomes:?}");
            assert_eq!(won[0].revision, base + 1);
            assert_eq!(*won[0], desk.current().await);
            for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
                assert_eq!(*lost, AppError::Conflict(Box::new(won[0].clone())));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_save_sent_many_times_at_once_is_one_save() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let sender = desk.clone();
        let outcomes = at_once(16, move |number| {
            let desk = sender.clone();
            async move {
                desk.save(0, "one key", "one text", START + number as i64)
                    .await
            }
        })
        .await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == outcomes[0] && outcome.is_ok()),
            "{outcomes:?}"
        );
        assert_eq!(desk.revisions().await, [1]);
    })
    .await;
}

#[tokio::test]
async fn time_is_counted_once() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.mark(Phase::Api, START + 5 * MINUTE).await;
        desk.mark(Phase::Api, START + 7 * MINUTE).await;
        desk.mark(Phase::Api, START + 7 * MINUTE).await;
        // A clock that stepped back, and a night away.
        desk.mark(Phase::Api, START + 6 * MINUTE).await;
        let told = desk.mark(Phase::Consistency, START + 600 * MINUTE).await;
        let mut spent = [0; 8];
        spent[Phase::Requirements.index()] = 5 * MINUTE;
        spent[Phase::Api.index()] = (2 + 15) * MINUTE;
        assert_eq!(desk.spent().await, spent);
        assert_eq!(told.spent, spent);
        assert_eq!(desk.permit().await.attempt().phase, Phase::Consistency);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn marks_at_the_same_time_count_the_time_once() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for round in 1..=3 {
            let marker = desk.clone();
            at_once(16, move |number| {
                let desk = marker.clone();
                let phase = if number % 2 == 0 {
                    Phase::Api
                } else {
                    Phase::DataModel
                };
                async move { desk.mark(phase, START + round * 4 * MINUTE).await }
            })
            .await;
            assert_eq!(desk.spent().await.iter().sum::<i64>(), round * 4 * MINUTE);
        }
    })
    .await;
}

#[tokio::test]
async fn hints_are_recorded_once() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for (number, now) in [(0, 1), (1, 5), (1, 9), (0, 9)] {
            on_desk!(desk, |conn, permit| store::ask_hint(
                conn,
                &permit,
                number,
                START + now
            ))
            .expect("asks");
        }
        let hints = on_desk!(desk, |conn, permit| store::hints(conn, &permit)).expect("reads");
        assert_eq!(hints, [(0, START + 1), (1, START + 5)]);
    })
    .await;
}

#[tokio::test]
async fn a_score_is_never_changed() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let (first, second) = (new_id(START), new_id(START));
        desk.commit(&first, Rating::Mid, START + 1)
            .await
            .expect("commits");
        let before = desk.scores().await;
        desk.commit(&first, Rating::Staff, START + 2)
            .await
            .expect("the same id again is no fault");
        assert_eq!(desk.scores().await, before);
        assert_eq!(
            (
                before[0].number,
                before[0].rubric_version,
                before[0].scored_at
            ),
            (1, 3, START + 1)
        );
        // In the rubric's order, with the evidence as it was.
        let entries: Vec<_> = before[0]
            .card
            .entries
            .iter()
            .map(|entry| (entry.criterion, entry.rating))
            .collect();
        assert_eq!(
            entries,
            [
                (CriterionId::TradeOffs, Rating::Mid),
                (CriterionId::Api, Rating::Mid)
            ]
        );
        assert_eq!(before[0].card.entries[1].evidence, "Api “quoted”");

        desk.commit(&second, Rating::Staff, START + 3)
            .await
            .expect("commits");
        let after = desk.scores().await;
        assert_eq!(
            after.iter().map(|score| score.number).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(after[0], before[0]);
        let of_owner = transact!(desk.db, |conn| store::scores_of_owner(conn, &desk.owner)
            .await)
        .expect("reads");
        assert_eq!(
            of_owner,
            after
                .into_iter()
                .map(|score| (desk.attempt.clone(), score))
                .collect::<Vec<_>>()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_scores_at_once_none_is_lost() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        let scorer = desk.clone();
        let outcomes = at_once(12, move |_| {
            let desk = scorer.clone();
            async move { desk.commit(&new_id(START), Rating::Mid, START).await }
        })
        .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let scores = desk.scores().await;
        assert_eq!(
            scores.iter().map(|score| score.number).collect::<Vec<_>>(),
            (1..=12).collect::<Vec<_>>()
        );
        assert!(scores.iter().all(|score| score.card.entries.len() == 2));
    })
    .await;
}

#[tokio::test]
async fn a_scored_attempt_takes_no_more_writing() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "one", START).await.expect("saved");
        desk.mark(Phase::Api, START + MINUTE).await;
        desk.commit(&new_id(START), Rating::Below, START + 2 * MINUTE).await.expect("commits");
        assert!(desk.permit().await.attempt().is_closed());
        let spent = desk.spent().await;
        let outcome = desk.save(1, "b", "two", START + 3 * MINUTE).await;
        assert!(matches!(&outcome, Err(AppError::Invalid(faults)) if faults[0].message.contains("scored")), "{outcome:?}");
        desk.mark(Phase::TradeOffs, START + 9 * MINUTE).await;
        assert_eq!(desk.spent().await, spent);
        assert_eq!(desk.current().await, Current { revision: 1, body: "one".to_owned(), saved_at: START });
    })
    .await;
}

#[tokio::test]
async fn a_guest_keeps_so_many_attempts_and_no_more() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for _ in 1..ATTEMPTS_PER_GUEST {
            desk.start(&new_id(START)).await.expect("starts");
        }
        let refused = desk.start(&new_id(START)).await;
        assert!(
            matches!(&refused, Err(AppError::TooMany(wait)) if wait.message.contains("200")),
            "{refused:?}"
        );
        let mut reader = desk.db.read().await.expect("a reader");
        let kept = store::attempts(&mut reader.conn(), &desk.owner)
            .await
            .expect("reads");
        assert_eq!(kept.len() as i64, ATTEMPTS_PER_GUEST);
        assert!(
            kept.iter()
                .all(|attempt| attempt.terms == TERMS && attempt.started_at == START)
        );
        drop(reader);
        // Another's are not counted.
        Desk::new(database).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_at_the_same_time_do_not_pass_the_limit() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        for _ in 1..ATTEMPTS_PER_GUEST - 2 {
            desk.start(&new_id(START)).await.expect("starts");
        }
        let starter = desk.clone();
        let outcomes = at_once(12, move |_| {
            let desk = starter.clone();
            async move { desk.start(&new_id(START)).await }
        })
        .await;
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
            2,
            "{outcomes:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_saved_after_a_score_of_the_same_moment() {
    on_each_engine(async |database| {
        for _ in 0..5 {
            let desk = Desk::new(database).await;
            let both = desk.clone();
            let outcomes = at_once(9, move |number| {
                let desk = both.clone();
                async move {
                    if number == 4 {
                        return desk
                            .commit(&new_id(START), Rating::Mid, START)
                            .await
                            .map(|()| None);
                    }
                    let name = SectionName::Curveball(format!("x{number}"));
                    desk.save_in(name.clone(), 0, &format!("k{number}"), "text", START)
                        .await
                        .map(|_| Some(name))
                }
            })
            .await;
            // What was acknowledged is there, and what was refused is not.
            let mut saved: Vec<_> = outcomes
                .into_iter()
                .filter_map(|outcome| outcome.ok().flatten())
                .collect();
            saved.sort();
            let sections =
                on_desk!(desk, |conn, permit| store::sections(conn, &permit)).expect("reads");
            assert_eq!(
                sections
                    .into_iter()
                    .map(|section| section.name)
                    .collect::<Vec<_>>(),
                saved
            );
        }
    })
    .await;
}

#[tokio::test]
async fn leave_is_given_to_the_owner_alone() {
    on_each_engine(async |database| {
        let (desk, other) = (Desk::new(database).await, Desk::new(database).await);
        let mut reader = desk.db.read().await.expect("a reader");
        let conn = &mut reader.conn();
        let nul = format!("{}\0", desk.attempt);
        let upper = desk.attempt.to_uppercase();
        let long = "a".repeat(100_000);
        let cases = [
            (Some(&other.owner), desk.attempt.as_str()),
            (None, &desk.attempt),
            (Some(&desk.owner), "nothing"),
            (Some(&desk.owner), ""),
            (Some(&desk.owner), "' OR 1=1 --"),
            (Some(&desk.owner), "%"),
            (Some(&desk.owner), &nul),
            (Some(&desk.owner), &upper),
            (Some(&desk.owner), &long),
            (Some(&String::new()), &desk.attempt),
        ];
        for (owner, id) in cases {
            let outcome = store::permit(conn, owner.map(String::as_str), id)
                .await
                .map(|_| ())
                .map_err(AppError::from);
            assert_eq!(
                outcome,
                Err(AppError::NotFound),
                "{owner:?} {:?}",
                &id[..id.len().min(50)]
            );
        }
        let permit = store::permit(conn, Some(&desk.owner), &desk.attempt)
            .await
            .expect("leave");
        assert_eq!(
            (permit.attempt().id.as_str(), permit.attempt().terms),
            (desk.attempt.as_str(), TERMS)
        );
        assert!(
            store::attempts(conn, &other.owner)
                .await
                .expect("reads")
                .iter()
                .all(|attempt| attempt.id != desk.attempt)
        );
    })
    .await;
}

#[tokio::test]
async fn sections_saved_after_the_end_are_known() {
    on_each_engine(async |database| {
        let desk = Desk::new(database).await;
        desk.save(0, "a", "in time", START + 60 * MINUTE)
            .await
            .expect("saved");
        desk.save_in(
            SectionName::Worksheet,
            0,
            "b",
            "a: 1",
            START + 60 * MINUTE + 1,
        )
        .await
        .expect("saved");
        let ends_at = desk
            .permit()
            .await
            .attempt()
            .clock()
            .ends_at()
            .expect("timed");
        let late = on_desk!(desk, |conn, permit| store::sections_saved_after(
            conn, &permit, ends_at
        ))
        .expect("reads");
        assert_eq!(late, ["worksheet"]);
    })
    .await;
}
