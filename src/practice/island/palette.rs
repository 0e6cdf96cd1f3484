//! The command palette and the sheet of shortcuts: dialogs of the workspace.

use leptos::ev::MouseEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::domain::markup::escape;

/// Something that the palette can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub title: String,
    /// As shown beside it.
    pub keys: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Open(String),
    Go(String),
    Preview,
    Side,
    Shortcuts,
}

#[component]
pub fn Palette(
    node: NodeRef<Dialog>,
    #[prop(into)] commands: Signal<Vec<Command>>,
    run: Callback<Action>,
) -> impl IntoView {
    let wanted = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let wanted = wanted.get().to_ascii_lowercase();
        commands
            .get()
            .into_iter()
            .filter(|command| {
                wanted
                    .split_whitespace()
                    .all(|word| command.title.to_ascii_lowercase().contains(word))
            })
            .collect::<Vec<_>>()
    });
    let close = move || {
        if let Some(dialog) = node.get_untracked() {
            dialog.close();
        }
    };
    let take = move |index: usize| {
        if let Some(command) = found.get_untracked().get(index).cloned() {
            close();
            run.run(command.action);
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let last = found.get_untracked().len().saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|index| *index = (*index + 1).min(last)),
            "ArrowUp" => chosen.update(|index| *index = index.saturating_sub(1)),
            "Enter" => take(chosen.get_untracked()),
            _ => return,
        }
        event.prevent_default();
    };
    let list = move || {
        let chosen = chosen.get();
        let item = |(index, command): (usize, &Command)| {
            let keys = if command.keys.is_empty() {
                String::new()
            } else {
                format!("<kbd>{}</kbd>", escape(&command.keys))
            };
            format!(
                "<li id=\"command-{index}\" role=\"option\" data-index=\"{index}\" aria-selected=\"{}\"><span>{}</span>{keys}</li>",
                index == chosen,
                escape(&command.title)
            )
        };
        found.with(|found| found.iter().enumerate().map(item).collect::<String>())
    };
    let on_click = move |event: MouseEvent| {
        let item = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("[data-index]").ok().flatten());
        if let Some(index) = item.and_then(|item| item.get_attribute("data-index")?.parse().ok()) {
            take(index);
        }
    };
    view! {
        <dialog
            class="palette"
            node_ref=node
            aria-label="Commands"
            on:close=move |_| {
                wanted.set(String::new());
                chosen.set(0);
            }
        >
            <input
                type="text"
                role="combobox"
                aria-label="Find a command"
                aria-expanded="true"
                aria-controls="commands"
                aria-activedescendant=move || format!("command-{}", chosen.get())
                placeholder="Find a command"
                autocomplete="off"
                spellcheck="false"
                prop:value=move || wanted.get()
                on:input=move |event| {
                    wanted.set(event_target_value(&event));
                    chosen.set(0);
                }
                on:keydown=on_key
            />
            <ul id="commands" role="listbox" aria-label="Commands" on:click=on_click inner_html=list></ul>
            <p class="empty small" hidden=move || found.with(|found| !found.is_empty())>"No command has these words."</p>
        </dialog>
    }
}

/// Every shortcut of the workspace with what it does.
pub const SHORTCUTS: [(&str, &str); 9] = [
    ("[ or Alt ↑", "Previous phase"),
    ("] or Alt ↓", "Next phase"),
    ("Alt P", "Write, both, preview"),
    ("Alt S", "Show or hide the side panel"),
    ("Ctrl/⌘ S", "Save now"),
    ("Ctrl/⌘ Enter", "Go to scoring"),
    ("Ctrl/⌘ K", "Commands"),
    ("?", "This sheet"),
    ("Esc", "Close a dialog, or leave the text"),
];

#[component]
pub fn Shortcuts(node: NodeRef<Dialog>) -> impl IntoView {
    let rows: String = SHORTCUTS
        .map(|(keys, what)| {
            format!("<tr><th scope=\"row\"><kbd>{keys}</kbd></th><td>{what}</td></tr>")
        })
        .concat();
    view! {
        <dialog class="shortcuts" node_ref=node aria-labelledby="shortcuts-title">
            <h2 id="shortcuts-title">"Keyboard"</h2>
            <table><tbody inner_html=rows></tbody></table>
            <p class="quiet small">"[ ] and ? work where you are not typing."</p>
            <form method="dialog"><button class="btn">"Close"</button></form>
        </dialog>
    }
}
