//! The work on a review: the change, the comments at their lines, and the form for one.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::exercise::{
    COMMENT_BYTES, Comment, FREE_NOTES, FaultKind, MOST_COMMENTS, MOST_LINES, NotTaken, Review,
    Severity,
};
use crate::exercises::island::ExerciseHelp;
use crate::exercises::store::Exercise;
use crate::server::clock::words;
use crate::server::document::{Kind as PageKind, own_page};
use crate::server::exercise_library::PublishedCodeReview;
use crate::ui::text_area::TextArea;

use super::change::{Rows, change, jump_list, line_id};
use super::{Desk, OpenQuery, elapsed, own_head, sources_shown};

/// A comment as its form holds it, which need not be one that can be taken.
#[derive(Clone, Debug, Default)]
pub struct CommentForm {
    /// The comment that it changes; `None` makes a new one.
    pub comment: Option<u32>,
    /// The revision at which that comment was read.
    pub base: i64,
    pub file: String,
    pub first: String,
    pub last: String,
    pub kind: Option<FaultKind>,
    pub severity: Option<Severity>,
    pub text: String,
    pub trouble: Option<Trouble>,
}

/// Why a comment was not taken.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The change shows no such lines.
    Lines,
    /// It stands at more lines than a comment may.
    Wide,
    /// No kind or no severity was chosen.
    Choices,
    NotTaken(NotTaken),
}

impl CommentForm {
    fn at(file: &str, line: u32) -> Self {
        Self {
            file: file.to_owned(),
            first: line.to_string(),
            last: line.to_string(),
            ..Self::default()
        }
    }

    /// The comment that saving the form changes; one that is gone becomes a new one.
    fn changes(&self) -> Option<u32> {
        match self.trouble {
            Some(Trouble::NotTaken(NotTaken::Gone)) => None,
            _ => self.comment,
        }
    }

    fn of(comment: &Comment) -> Self {
        let said = &comment.said;
        Self {
            comment: Some(comment.id),
            base: comment.revision,
            file: said.file.clone(),
            first: said.lines.first.to_string(),
            last: said.lines.last.to_string(),
            kind: Some(said.kind),
            severity: Some(said.severity),
            text: said.text.clone(),
            trouble: None,
        }
    }
}

pub(super) fn work(
    desk: Desk<'_>,
    review: &Review,
    published: &PublishedCodeReview,
    query: &OpenQuery,
) -> Response {
    let at_line = || {
        let (file, line) = query.line.rsplit_once(':')?;
        let line: u32 = line.parse().ok()?;
        let shown = published.review.change.file(file)?.shows(line);
        shown.then(|| CommentForm::at(file, line))
    };
    let at_comment = || {
        let comment = review.comment(query.comment.parse().ok()?)?;
        Some(CommentForm::of(comment))
    };
    let form = at_comment().or_else(at_line);
    render(desk, review, published, form, StatusCode::OK)
}

/// The page again, with the comment that was sent and why it was not taken.
pub fn review_again(
    desk: Desk<'_>,
    review: &Review,
    published: &PublishedCodeReview,
    form: CommentForm,
) -> Response {
    let status = match &form.trouble {
        Some(Trouble::NotTaken(NotTaken::Changed(_) | NotTaken::Gone)) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    render(desk, review, published, Some(form), status)
}

fn render(
    desk: Desk<'_>,
    review: &Review,
    published: &PublishedCodeReview,
    form: Option<CommentForm>,
    status: StatusCode,
) -> Response {
    let Desk {
        state,
        viewer,
        theme,
        exercise,
    } = desk;
    let front = &published.review.front;
    let head = own_head(&front.title, exercise, "", PageKind::Islands);
    let now = state.clock.now();
    let zone = viewer.zone();
    own_page(state, theme, &head, status, || {
        let id = &exercise.id;
        let link = |file: &str, line: u32| {
            let anchor = line_id(published, file, line);
            format!("/exercises/work/{id}?line={file}:{line}#{anchor}")
        };
        // The line below which the form stands; where that is not shown, the form stands above the change.
        let place = form.as_ref().and_then(|form| {
            let line: u32 = form.last.parse().ok()?;
            let shown = published.review.change.file(&form.file)?.shows(line);
            shown.then(|| (form.file.clone(), line))
        });
        let below = |file: &str, line: u32| -> Vec<AnyView> {
            let editing = form.as_ref().and_then(|form| form.comment);
            let here = review.comments.iter().filter(|comment| {
                let said = &comment.said;
                said.file == file && said.lines.last == line && editing != Some(comment.id)
            });
            let mut views: Vec<AnyView> = here
                .map(|comment| comment_view(exercise, comment, published))
                .collect();
            if let (Some(form), true) = (
                &form,
                place
                    .as_ref()
                    .is_some_and(|(at, number)| at == file && *number == line),
            ) {
                views.push(comment_form(exercise, form));
            }
            views
        };
        let mark = |file: &str, line: u32| {
            let commented = review.comments.iter().any(|comment| {
                let said = &comment.said;
                said.file == file && (said.lines.first..=said.lines.last).contains(&line)
            });
            if commented { "commented" } else { "" }
        };
        let above = form
            .as_ref()
            .filter(|_| place.is_none())
            .map(|form| comment_form(exercise, form));
        let has_new_form = form.as_ref().is_some_and(|form| form.changes().is_none());
        // For the island, which moves it below a line.
        let spare = (!has_new_form).then(|| comment_form(exercise, &CommentForm::default()));
        let rows = Rows {
            link: Some(&link),
            below: &below,
            mark: &mark,
        };
        view! {
            <main id="main" class="page wide review">
                <p class="eyebrow"><a href="/exercises">"Exercises"</a>{format!(" / Code review / {}", exercise.level.slug())}</p>
                <h1>{front.title.clone()}</h1>
                <p class="quiet num">{format!("{}. Started {}.", elapsed(exercise.started_at, now, front), words(exercise.started_at, &zone))}</p>
                <ExerciseHelp exercise=id.clone()/>
                <details class="fold" open=review.comments.is_empty()><summary>"The context"</summary><div class="prose" inner_html=published.context.clone()></div></details>
                <section class="guide" aria-labelledby="guide">
                    <h2 id="guide" class="hidden">"How to comment"</h2>
                    <p>
                        "Choose the number of a line on the new side to comment on it. Removed lines have none: comment beside them. "
                        <span class="with-script">"With the keyboard, the arrows go from line to line and Enter opens the form; with Shift a second line stretches the comment to there. "</span>
                        "How many faults there are is not said. Some things only look wrong. "
                        {format!("What meets no fault is a false alarm, unless you call it minor: then it is a note. Notes cost nothing up to {FREE_NOTES} of them; one more is a false alarm like any other.")}
                    </p>
                </section>
                {jump_list(published)}
                {above}
                {change(published, &rows)}
                <div id="spare" hidden>{spare}</div>
                <section class="finish" aria-labelledby="finish">
                    <h2 id="finish">"Finish the review"</h2>
                    <p>{match review.comments.len() {
                        0 => "You have no comments yet. ".to_owned(),
                        1 => "You have one comment. ".to_owned(),
                        count => format!("You have {count} comments. "),
                    }}"Once finished, they change no more. You rate the review yourself, and then see what was there to find."</p>
                    <form method="post" action=format!("/exercises/work/{id}/finish")>
                        <p class="actions"><button class="btn go">"Finish the review"</button></p>
                    </form>
                </section>
                {sources_shown(&published.sources, &[&published.context])}
            </main>
        }
        .into_any()
    })
}

/// `Security, blocking, lines 41 to 44`
pub(super) fn comment_words(comment: &Comment) -> String {
    let said = &comment.said;
    let lines = if said.lines.first == said.lines.last {
        "line"
    } else {
        "lines"
    };
    format!(
        "{}, {}, {lines} {}",
        said.kind.title(),
        said.severity.slug(),
        said.lines.words()
    )
}

fn comment_view(
    exercise: &Exercise,
    comment: &Comment,
    published: &PublishedCodeReview,
) -> AnyView {
    let id = &exercise.id;
    let anchor = line_id(published, &comment.said.file, comment.said.lines.last);
    view! {
        <article class="comment" id=format!("comment-{}", comment.id)>
            <p class="eyebrow">{comment_words(comment)}</p>
            <p class="words">{comment.said.text.clone()}</p>
            <form class="actions" method="post" action=format!("/exercises/work/{id}/comments")>
                <a href=format!("/exercises/work/{id}?comment={}#{anchor}", comment.id)>"Change"</a>
                <input type="hidden" name="comment" value=comment.id/>
                <input type="hidden" name="base" value=comment.revision/>
                <button class="btn" name="do" value="delete">"Delete"</button>
            </form>
        </article>
    }
    .into_any()
}

/// What is wrong with a comment, in words.
fn trouble_words(trouble: &Trouble) -> String {
    let text = match trouble {
        Trouble::Lines => {
            "The change shows no such lines. Choose a first and a last line that it shows, in this order."
        }
        Trouble::Wide => {
            return format!(
                "A comment points at {MOST_LINES} lines at most. Choose those that it is about; one of them is enough."
            );
        }
        Trouble::Choices => "Choose what kind of fault it is, and how grave.",
        Trouble::NotTaken(NotTaken::Empty) => {
            "A comment says something. Write it, or leave the form."
        }
        Trouble::NotTaken(NotTaken::TooLong) => {
            return format!(
                "A comment holds {} KB, and this one is longer. Shorten it; what is here is kept until you do.",
                COMMENT_BYTES / 1024
            );
        }
        Trouble::NotTaken(NotTaken::TooMany) => {
            return format!(
                "A review holds {MOST_COMMENTS} comments. Delete one that matters less, then save this one."
            );
        }
        Trouble::NotTaken(NotTaken::Changed(_)) => {
            "This comment was changed elsewhere since you opened it. Yours is in the form and not saved yet; the other one stands \
             here. Take what you need of both, then save."
        }
        Trouble::NotTaken(NotTaken::Gone) => {
            "This comment was deleted elsewhere. Yours is in the form; saving makes a new comment of it."
        }
    };
    text.to_owned()
}

fn comment_form(exercise: &Exercise, form: &CommentForm) -> AnyView {
    let id = &exercise.id;
    let comment = form.changes();
    // What was changed elsewhere is changed from what it is now.
    let base = match &form.trouble {
        Some(Trouble::NotTaken(NotTaken::Changed(there))) => there.revision,
        _ => form.base,
    };
    let there = match &form.trouble {
        Some(Trouble::NotTaken(NotTaken::Changed(there))) => Some(view! {
            <h4>"What stands there"</h4>
            <p class="eyebrow">{comment_words(there)}</p>
            <pre class="written" tabindex="0">{there.said.text.clone()}</pre>
        }),
        _ => None,
    };
    let name = comment.map_or_else(|| "new".to_owned(), |comment| comment.to_string());
    let anchor = if comment.is_none() {
        "new-comment"
    } else {
        "edit-comment"
    };
    let kinds = FaultKind::ALL
        .map(|kind| view! { <option value=kind.slug() selected=form.kind == Some(kind)>{kind.title()}</option> })
        .collect_view();
    let severities = Severity::ALL
        .map(|severity| {
            view! {
                <label><input type="radio" name="severity" value=severity.slug() checked=form.severity == Some(severity)/>{severity.title()}</label>
            }
        })
        .collect_view();
    let trouble = form.trouble.as_ref().map(|trouble| {
        view! { <div class="notice fault" role="alert"><p>{trouble_words(trouble)}</p>{there}</div> }
    });
    let id_of = |field: &str| format!("{field}-{name}");
    view! {
        <form
            class="comment-form"
            id=anchor
            method="post"
            action=format!("/exercises/work/{id}/comments")
            data-keep=format!("comment-{name}")
            data-base=if comment.is_none() { exercise.revision } else { base }
            data-always=comment.is_none().then_some("true")
            data-returned=form.trouble.is_some().then_some("true")
        >
            <h3>{if comment.is_none() { "A comment on " } else { "Change your comment on " }}<code data-place="true">{form.file.clone()}</code></h3>
            {trouble}
            <input type="hidden" name="file" value=form.file.clone()/>
            {comment.map(|comment| view! { <input type="hidden" name="comment" value=comment/><input type="hidden" name="base" value=base/> })}
            <div class="fields">
                <label><span class="eyebrow">"From line"</span><input type="number" name="first" min="1" value=form.first.clone() required/></label>
                <label><span class="eyebrow">"to line"</span><input type="number" name="last" min="1" value=form.last.clone() required/></label>
                <label><span class="eyebrow">"What it is about"</span><select name="kind" required><option value="">"Choose"</option>{kinds}</select></label>
                <fieldset><legend class="eyebrow">"How grave"</legend><span class="seg">{severities}</span></fieldset>
            </div>
            <label class="eyebrow" for=id_of("text")>"What you would write to the author"</label>
            <TextArea id=id_of("text") name="body" text=form.text.clone() rows=4 invalid=form.trouble.is_some()/>
            <p class="actions">
                <button class="btn go" name="do" value="save">"Save the comment"</button>
                <a href=format!("/exercises/work/{id}") data-close="true">"Leave it"</a>
            </p>
        </form>
    }
    .into_any()
}
