//! A change as tables, one for each file: the old line, the new line and the code, with rows put below lines.
//!
//! Must never know what is put there.

use leptos::prelude::*;

use crate::domain::content::exercise::{ChangedFile, LineKind};
use crate::server::exercise_library::PublishedCodeReview;

/// Makes an address of a file and a line of its new side.
type LinkOf<'a> = &'a dyn Fn(&str, u32) -> String;

/// What a page makes of the lines of a change.
pub(super) struct Rows<'a> {
    /// The address that a line's number leads to, for a file and a line of its new side.
    pub link: Option<LinkOf<'a>>,
    /// What stands below a line.
    pub below: &'a dyn Fn(&str, u32) -> Vec<AnyView>,
    /// A class for a line.
    pub mark: &'a dyn Fn(&str, u32) -> &'static str,
}

/// The anchor of a line: `l0-41` is line 41 of the first file.
pub fn line_id(published: &PublishedCodeReview, file: &str, line: u32) -> String {
    let files = &published.review.change.files;
    let index = files.iter().position(|other| other.path == file);
    format!("l{}-{line}", index.unwrap_or_default())
}

/// The files to jump to.
pub(super) fn jump_list(published: &PublishedCodeReview) -> AnyView {
    let items = published
        .review
        .change
        .files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let (added, removed) = file.counts();
            view! {
                <li>
                    <a href=format!("#file-{index}")><code>{file.path.clone()}</code></a>
                    <span class="quiet small num">{format!(" {added} added, {removed} removed")}</span>
                </li>
            }
        })
        .collect_view();
    view! { <nav aria-label="Files of the change"><ul class="files">{items}</ul></nav> }.into_any()
}

pub(super) fn change(published: &PublishedCodeReview, rows: &Rows<'_>) -> AnyView {
    published
        .review
        .change
        .files
        .iter()
        .zip(&published.code)
        .enumerate()
        .map(|(index, (file, code))| file_table(index, file, code, rows))
        .collect_view()
        .into_any()
}

fn file_table(index: usize, file: &ChangedFile, code: &[String], rows: &Rows<'_>) -> AnyView {
    let mut code = code.iter();
    let mut body: Vec<AnyView> = Vec::new();
    for hunk in &file.hunks {
        let header = hunk.header.clone();
        body.push(
            view! { <tr class="hunk"><td colspan="3"><code>{header}</code></td></tr> }.into_any(),
        );
        for line in &hunk.lines {
            let html = code.next().cloned().unwrap_or_default();
            let (class, sign) = match line.kind {
                LineKind::Context => ("", " "),
                LineKind::Added => ("added", "+"),
                LineKind::Removed => ("removed", "-"),
            };
            let new = line.new.filter(|_| !file.is_deleted);
            let marked = new.map_or("", |new| (rows.mark)(&file.path, new));
            let number = new.map(|new| match rows.link {
                Some(link) => view! {
                    <a href=link(&file.path, new) data-line=format!("{}:{new}", file.path) title="Comment on this line">{new}</a>
                }
                .into_any(),
                None => new.into_any(),
            });
            body.push(
                view! {
                    <tr class=format!("{class} {marked}").trim().to_owned() id=new.map(|new| format!("l{index}-{new}"))>
                        <td class="no">{line.old}</td>
                        <td class="no">{number}</td>
                        <td class="code"><span class="sign">{sign}</span><code inner_html=html></code></td>
                    </tr>
                }
                .into_any(),
            );
            if let Some(new) = new {
                for view in (rows.below)(&file.path, new) {
                    body.push(
                        view! { <tr class="said"><td colspan="3">{view}</td></tr> }.into_any(),
                    );
                }
            }
        }
    }
    let state = match (&file.old_path, file.is_deleted) {
        (None, _) => ", new file".to_owned(),
        (_, true) => ", deleted".to_owned(),
        (Some(old), _) if *old != file.path => format!(", was {old}"),
        _ => String::new(),
    };
    let (added, removed) = file.counts();
    view! {
        <section class="changed" aria-labelledby=format!("file-{index}")>
            <h2 id=format!("file-{index}")><code>{file.path.clone()}</code><span class="quiet small num">{format!("{added} added, {removed} removed{state}")}</span></h2>
            <div class="scroll diff" tabindex="0" role="region" aria-label=format!("The change to {}", file.path)>
                <table>
                    <thead class="hidden"><tr><th scope="col">"Old line"</th><th scope="col">"New line"</th><th scope="col">"Code"</th></tr></thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}
