//! A labelled field of a form, with its help and with what is wrong with it beside it.
//!
//! Must never know which form it stands in. A password never has a value here: what was typed is not sent back.

use leptos::prelude::*;

/// A field as it comes back to the person: under which id, with what they typed, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Unique on the page; the summary of faults links to it.
    pub id: String,
    /// What the form sends.
    pub name: &'static str,
    pub value: String,
    pub fault: Option<String>,
    /// Takes the focus when the page opens.
    pub focus: bool,
}

impl Entry {
    /// The ids of what describes the field, for `aria-describedby`.
    fn described_by(&self, help: bool) -> Option<String> {
        let help = help.then(|| format!("{}-help", self.id));
        let fault = self.fault.as_ref().map(|_| format!("{}-fault", self.id));
        let ids: Vec<String> = fault.into_iter().chain(help).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// One line to type into. `kind` is the input's type: `text`, `email`, `password`, `date`, `file`.
#[component]
pub fn Field(
    entry: Entry,
    #[prop(into)] label: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    /// Empty when the label says enough.
    #[prop(into, optional)]
    help: String,
    /// May be left empty, and says so.
    #[prop(optional)]
    optional: bool,
    #[prop(into, optional)] input_mode: Option<&'static str>,
    /// The id of a list of values to choose from.
    #[prop(into, optional)]
    list: Option<&'static str>,
    /// What a file field takes.
    #[prop(into, optional)]
    accept: Option<&'static str>,
    /// As wide as what is typed into it.
    #[prop(optional)]
    short: bool,
) -> impl IntoView {
    let described_by = entry.described_by(!help.is_empty());
    let (help_id, fault_id) = (format!("{}-help", entry.id), format!("{}-fault", entry.id));
    let valued = !["password", "file"].contains(&kind);
    let literal = ["email", "password"].contains(&kind) || input_mode == Some("numeric");
    view! {
        <div class="field">
            <label for=entry.id.clone()>{label}{optional.then(|| view! { <span class="eyebrow">" optional"</span> })}</label>
            {(!help.is_empty()).then(|| view! { <p class="small quiet" id=help_id>{help}</p> })}
            <input
                id=entry.id
                name=entry.name
                type=kind
                class=short.then_some("short")
                value=valued.then_some(entry.value)
                autocomplete=autocomplete
                autocapitalize=literal.then_some("none")
                spellcheck=literal.then_some("false")
                inputmode=input_mode
                list=list
                accept=accept
                required=!optional
                aria-invalid=entry.fault.is_some().then_some("true")
                aria-describedby=described_by
                autofocus=entry.focus
            />
            {entry.fault.map(|fault| view! { <p class="fault" id=fault_id>{fault}</p> })}
        </div>
    }
}

/// One of a few values, side by side. Each option is what is sent and what is read.
#[component]
pub fn Choice(
    entry: Entry,
    #[prop(into)] label: String,
    options: Vec<(&'static str, &'static str)>,
    /// Empty when the label says enough.
    #[prop(into, optional)]
    help: String,
) -> impl IntoView {
    let described_by = entry.described_by(!help.is_empty());
    let (help_id, fault_id) = (format!("{}-help", entry.id), format!("{}-fault", entry.id));
    let options = options
        .into_iter()
        .map(|(value, text)| {
            view! { <label><input type="radio" name=entry.name value=value checked={value == entry.value}/>{text}</label> }
        })
        .collect_view();
    view! {
        <fieldset class="field" id=entry.id tabindex="-1" aria-describedby=described_by>
            <legend>{label}</legend>
            {(!help.is_empty()).then(|| view! { <p class="small quiet" id=help_id>{help}</p> })}
            <span class="seg">{options}</span>
            {entry.fault.map(|fault| view! { <p class="fault" id=fault_id>{fault}</p> })}
        </fieldset>
    }
}
