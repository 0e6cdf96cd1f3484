//! The one place where a `<textarea>` is written.
//!
//! Leptos does not escape a textarea's text when it renders on the server, so a candidate could write markup into the
//! page of whoever opens it. Here the text is escaped, and a test forbids the element anywhere else.

use leptos::prelude::*;

use crate::domain::markup::escape;

/// A textarea that starts with `text`. It is uncontrolled: islands read and set its value through the node, so that
/// what was typed before they woke is not overwritten.
#[component]
pub fn TextArea(
    #[prop(into)] id: String,
    #[prop(into)] name: String,
    #[prop(into)] text: String,
    #[prop(into, optional)] label: Option<String>,
    #[prop(into, optional)] described_by: Option<String>,
    #[prop(into, optional)] placeholder: Option<String>,
    #[prop(default = 12)] rows: u32,
    #[prop(optional)] invalid: bool,
    #[prop(optional)] read_only: bool,
    #[prop(optional)] node: NodeRef<leptos::html::Textarea>,
) -> impl IntoView {
    // The parser of a page drops a newline at the start, so the server always puts one there.
    let opening = if is_server() { "\n" } else { "" };
    view! {
        <textarea
            id=id
            name=name
            rows=rows
            aria-label=label
            aria-describedby=described_by
            aria-invalid=invalid.then_some("true")
            placeholder=placeholder
            readonly=read_only
            autocomplete="off"
            spellcheck="true"
            autocapitalize="sentences"
            node_ref=node
            inner_html=format!("{opening}{}", escape(&text))
        ></textarea>
    }
}
