//! The workspace: phases and clock left, the text in the middle, the prompt and its help right.

use std::time::Duration;

use leptos::either::Either;
use leptos::ev;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use crate::domain::attempt::{MINUTE, RoundClock, SectionName, Terms, Tone, UnixMillis, Way};
use crate::domain::phase::Phase;
use crate::error::AppError;
use crate::practice::api::{DueCurveball, SectionText, WorkspaceData, preview, take_pulse};
use crate::ui::text_area::TextArea;

use super::calculators::Calculators;
use super::device;
use super::palette::{Action, Command, Palette, Shortcuts};
use super::saving::{Editor, Status};
use super::worksheet::Worksheet;

const PULSE_EVERY: Duration = Duration::from_secs(20);
/// How long going to scoring waits for the last saves, in milliseconds.
const LEAVE_WITHIN: i64 = 4_000;
const PREVIEW_AFTER: Duration = Duration::from_millis(300);

/// How the text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Write,
    Both,
    Preview,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Write, Self::Both, Self::Preview];

    fn slug(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Both => "both",
            Self::Preview => "preview",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Write => "Write",
            Self::Both => "Both",
            Self::Preview => "Preview",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Write => Self::Both,
            Self::Both => Self::Preview,
            Self::Preview => Self::Write,
        }
    }
}

/// What the parts of the workspace share. Cheap to copy: handles only.
#[derive(Clone, Copy)]
struct Desk {
    attempt: StoredValue<String>,
    terms: Terms,
    clock: RoundClock,
    /// The server's clock, advanced here.
    now: RwSignal<UnixMillis>,
    spent: RwSignal<[i64; 8]>,
    /// When `spent` was told, by the server's clock.
    spent_at: RwSignal<UnixMillis>,
    current: RwSignal<String>,
    editors: RwSignal<Vec<Editor>>,
    curveballs: RwSignal<Vec<DueCurveball>>,
    next_curveball_at: RwSignal<Option<UnixMillis>>,
    /// Announced to a screen reader, politely.
    announced: RwSignal<String>,
    closed: RwSignal<bool>,
    /// This browser's session has no such attempt any more.
    signed_out: RwSignal<bool>,
    live: RwSignal<bool>,
    mode: RwSignal<Mode>,
    side: RwSignal<bool>,
    page: StoredValue<String>,
    /// When the person asked to go to scoring, by the page's clock.
    leaving: RwSignal<i64>,
    /// What had not reached the server then.
    left_behind: RwSignal<String>,
}

impl Desk {
    fn path(&self, section: &str) -> String {
        format!("/attempts/{}/{section}", self.attempt.get_value())
    }

    fn phase(&self) -> Option<Phase> {
        self.current
            .with(|current| SectionName::from_slug(current))
            .and_then(|name| name.phase())
    }

    fn editor(&self, name: &str) -> Option<Editor> {
        self.editors.with(|editors| {
            editors
                .iter()
                .find(|editor| editor.name.with_value(|slug| slug == name))
                .copied()
        })
    }

    /// The editors that the open page shows: the phase's text, and the worksheet beside the estimates.
    fn open_editors(&self) -> Vec<Editor> {
        let current = self.current.get();
        let mut open: Vec<Editor> = self.editor(&current).into_iter().collect();
        if current == Phase::Estimates.slug() {
            open.extend(self.editor("worksheet"));
        }
        open
    }

    /// Whether the server said so last, to a save or to a sign of life.
    fn is_signed_out(&self) -> bool {
        self.signed_out.get()
            || self.editors.with(|editors| {
                editors
                    .iter()
                    .any(|editor| editor.status.with(|status| *status == Status::SignedOut))
            })
    }

    fn kept(&self) -> bool {
        self.open_editors().iter().all(|editor| editor.kept.get())
    }

    fn tone(&self) -> Tone {
        let phase = self.phase();
        let spent = phase.map_or(0, |phase| self.spent_in(phase));
        let target = phase.map_or(u32::MAX, |phase| self.terms.target(phase));
        self.clock.tone(self.now.get(), spent, target)
    }

    /// Goes to scoring, once everything has reached the server; says what has not.
    fn go_to_score(self) {
        for editor in self.editors.get_untracked() {
            editor.flush();
        }
        self.leaving.set(device::since_opened());
        self.leave_when_saved();
    }

    fn leave_when_saved(self) {
        let dirty = self
            .editors
            .get_untracked()
            .into_iter()
            .filter(Editor::is_unsaved)
            .collect::<Vec<_>>();
        if dirty.is_empty() {
            device::go_to(&self.path("score"));
        } else if device::since_opened() - self.leaving.get_untracked() < LEAVE_WITHIN {
            set_timeout(move || self.leave_when_saved(), Duration::from_millis(100));
        } else {
            let names = dirty
                .iter()
                .map(|editor| self.title(&editor.slug()))
                .collect::<Vec<_>>()
                .join(", ");
            self.left_behind.set(names);
        }
    }

    /// Milliseconds in a phase up to now.
    fn spent_in(&self, phase: Phase) -> i64 {
        let told = self.spent.get()[phase.index()];
        let running = self.phase() == Some(phase) && !self.closed.get();
        if running {
            told + (self.now.get() - self.spent_at.get()).max(0)
        } else {
            told
        }
    }

    /// The order of the rail: phases, then curveballs.
    fn rail(&self) -> Vec<String> {
        let phases = Phase::ALL.iter().map(|phase| phase.slug().to_owned());
        let balls = self.curveballs.get_untracked();
        phases
            .chain(
                balls
                    .iter()
                    .map(|ball| SectionName::Curveball(ball.id.clone()).slug()),
            )
            .collect()
    }

    fn open(&self, name: &str) {
        if self.current.get_untracked() == name {
            return;
        }
        for editor in self.editors.get_untracked() {
            editor.flush();
        }
        device::show_address(&self.path(name));
        self.show(name);
    }

    /// Shows a section whose address is in the bar already.
    fn show(&self, name: &str) {
        self.keep_focus();
        self.current.set(name.to_owned());
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            let title = self.title(name);
            let tail = document
                .title()
                .split_once(" · ")
                .map_or(String::new(), |(_, tail)| tail.to_owned());
            document.set_title(&format!("{title} · {tail}"));
        }
        self.announced.set(self.title(name));
        // A hint that is asked for leads back to here.
        if let Some(back) = element::<web_sys::HtmlInputElement>("back") {
            back.set_value(name);
        }
        self.pulse();
    }

    /// Where the focus is in a text that is about to be hidden, it goes to what is shown instead.
    fn keep_focus(self) {
        let inside = web_sys::window()
            .and_then(|window| window.document()?.active_element())
            .is_some_and(|element| {
                element
                    .closest(".sheets")
                    .is_ok_and(|found| found.is_some())
            });
        if !inside {
            return;
        }
        set_timeout(
            move || {
                let text = self
                    .editor(&self.current.get_untracked())
                    .and_then(|editor| editor.node.get_untracked());
                let _ = match (self.mode.get_untracked(), text) {
                    (Mode::Preview, _) | (_, None) => {
                        element::<web_sys::HtmlElement>("preview").map(|pane| pane.focus())
                    }
                    (_, Some(text)) => Some(text.focus()),
                };
            },
            Duration::ZERO,
        );
    }

    fn next_mode(&self) {
        self.keep_focus();
        self.mode.update(|mode| *mode = mode.next());
    }

    fn title(&self, name: &str) -> String {
        match SectionName::from_slug(name) {
            Some(SectionName::Phase(phase)) => phase.title().to_owned(),
            Some(SectionName::Curveball(id)) => self
                .curveballs
                .with_untracked(|balls| {
                    balls
                        .iter()
                        .find(|ball| ball.id == id)
                        .map(|ball| ball.title.clone())
                })
                .unwrap_or_else(|| "Curveball".to_owned()),
            _ => "Numbers".to_owned(),
        }
    }

    fn step(&self, by: isize) {
        let rail = self.rail();
        let at = rail
            .iter()
            .position(|name| self.current.with_untracked(|current| current == name))
            .unwrap_or(0);
        if let Some(name) = at.checked_add_signed(by).and_then(|at| rail.get(at)) {
            self.open(name);
        }
    }

    fn pulse(self) {
        if !device::is_visible() {
            return;
        }
        spawn_local(async move {
            let known = self
                .editors
                .get_untracked()
                .iter()
                .map(|editor| (editor.slug(), editor.base.get_untracked()))
                .collect();
            let told = match take_pulse(
                self.attempt.get_value(),
                self.current.get_untracked(),
                known,
            )
            .await
            {
                Ok(told) => told,
                Err(AppError::NotFound) => {
                    self.signed_out.set(true);
                    return;
                }
                Err(_) => return,
            };
            if self.signed_out.get_untracked() {
                // Signed in again, in another tab.
                self.signed_out.set(false);
                for editor in self.editors.get_untracked() {
                    editor.retry();
                }
            }
            self.now.set(told.now);
            self.spent.set(told.spent);
            self.spent_at.set(told.now);
            self.next_curveball_at.set(told.next_curveball_at);
            self.receive(told.curveballs);
            for section in &told.changed {
                match self.editors.with_untracked(|editors| {
                    editors
                        .iter()
                        .find(|editor| editor.slug() == section.name)
                        .copied()
                }) {
                    Some(editor) => editor.newer(section),
                    None => self.add_editor(section),
                }
            }
            if told.closed && !self.closed.get_untracked() {
                self.closed.set(true);
                self.announced
                    .set("This attempt has been scored and takes no more changes.".to_owned());
            }
        });
    }

    fn add_editor(&self, section: &SectionText) {
        let editor = Editor::new(&self.attempt.get_value(), &self.page.get_value(), section);
        self.editors.update(|editors| editors.push(editor));
    }

    /// Curveballs arrive: said quietly, with no change of focus.
    fn receive(&self, balls: Vec<DueCurveball>) {
        let known = self.curveballs.get_untracked();
        for ball in &balls {
            if known.iter().any(|known| known.id == ball.id) {
                continue;
            }
            let name = SectionName::Curveball(ball.id.clone()).slug();
            if self
                .editors
                .with_untracked(|editors| editors.iter().all(|editor| editor.slug() != name))
            {
                self.add_editor(&SectionText {
                    name,
                    body: String::new(),
                    revision: 0,
                    saved_at: 0,
                    unsaved: None,
                });
            }
            self.announced.set(format!(
                "The interviewer asks: {}. It is in the list of phases.",
                ball.title
            ));
        }
        if balls.len() != known.len() {
            self.curveballs.set(balls);
        }
    }
}

/// The workspace of one attempt. `data` is its [`WorkspaceData`] as JSON: as a property of its own type it would bring a
/// second reader of all its types along. `children` is the side panel, rendered by the server; which part of it belongs
/// to the open section is said by `data-current`.
#[island]
pub fn Workspace(data: String, children: Children) -> impl IntoView {
    serde_json::from_slice(data.as_bytes())
        .ok()
        .map(|data| tool(data, children))
}

fn tool(data: WorkspaceData, children: Children) -> impl IntoView {
    let page = StoredValue::new(String::new());
    let editors = data
        .sections
        .iter()
        .map(|section| Editor::new(&data.attempt, "", section))
        .collect::<Vec<_>>();
    let desk = Desk {
        attempt: StoredValue::new(data.attempt.clone()),
        terms: data.terms,
        clock: RoundClock {
            started_at: data.started_at,
            minutes: data.terms.minutes,
        },
        now: RwSignal::new(data.now),
        spent: RwSignal::new(data.spent),
        spent_at: RwSignal::new(data.now),
        current: RwSignal::new(data.current.clone()),
        editors: RwSignal::new(editors),
        curveballs: RwSignal::new(data.curveballs.clone()),
        next_curveball_at: RwSignal::new(data.next_curveball_at),
        announced: RwSignal::new(String::new()),
        closed: RwSignal::new(false),
        live: RwSignal::new(false),
        mode: RwSignal::new(Mode::Write),
        side: RwSignal::new(true),
        page,
        leaving: RwSignal::new(0),
        left_behind: RwSignal::new(String::new()),
        signed_out: RwSignal::new(false),
    };
    let palette = NodeRef::<Dialog>::new();
    let shortcuts = NodeRef::<Dialog>::new();
    let run = Callback::new(move |action: Action| match action {
        Action::Open(name) => desk.open(&name),
        Action::Go(path) => device::go_to(&path),
        Action::Preview => desk.next_mode(),
        Action::Side => desk.side.update(|side| *side = !*side),
        Action::Shortcuts => show(shortcuts),
    });
    Effect::new(move |ran: Option<()>| {
        if ran.is_none() {
            wake(desk, palette, shortcuts);
        }
    });
    Effect::new(move |_| {
        if desk.live.get() {
            device::remember("mode", desk.mode.get().slug());
            device::remember("side", if desk.side.get() { "open" } else { "closed" });
        }
    });

    let commands = Signal::derive(move || commands(desk));
    let terms = data.terms;
    let length = terms
        .minutes
        .map_or_else(|| "untimed".to_owned(), |minutes| format!("{minutes} min"));
    let tag = format!("{} · {} · {length}", terms.way.slug(), terms.level.slug());
    let score = desk.path("score");
    // The prompt's page holds hints and curveballs, which an interview keeps back.
    let what = match terms.way {
        Way::Guided => Either::Left(
            view! { <a href=format!("/prompts/{}", data.prompt)>{data.title.clone()}</a> },
        ),
        Way::Interview => Either::Right(view! { <span>{data.title.clone()}</span> }),
    };
    let sheet = move |editor: Editor| {
        view! {
            <SectionSheet desk=desk editor=editor form_key=data.form_key.clone() wanted=data.wanted.clone() givens=data.givens.clone() calculators=data.calculators.clone()/>
        }
    };
    view! {
        <div
            class="workspace"
            class:live=move || desk.live.get()
            class:without-side=move || !desk.side.get()
            data-current=move || desk.current.get()
        >
            <header class="bar">
                <a class="mark" href="/" aria-label="Headroom, home">
                    <svg width="16" height="18" viewBox="0 0 16 18" aria-hidden="true">
                        <rect x=".75" y=".75" width="14.5" height="16.5" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.5"/>
                        <rect class="fill" x="3.5" y="7" width="9" height="8"/>
                    </svg>
                    <span>"Headroom"</span>
                </a>
                <span class="what">{what}<span class="tag">{tag}</span></span>
                <span class="push"></span>
                <button type="button" class="btn with-script wide-only" on:click=move |_| show(palette)>"Commands "<kbd>"Ctrl K"</kbd></button>
                <button type="button" class="btn with-script wide-only" aria-pressed=move || if desk.side.get() { "true" } else { "false" } on:click=move |_| run.run(Action::Side)>"Side panel"</button>
                <a class="btn go" href=score on:click=move |event| {
                    if desk.live.get_untracked() {
                        event.prevent_default();
                        desk.go_to_score();
                    }
                }>"Score it"</a>
            </header>
            <Rail desk=desk/>
            <main id="main" class="made">
                <Notices desk=desk/>
                <MadeHeader desk=desk/>
                <div class="sheets" data-mode=move || desk.mode.get().slug()>
                    <For each=move || desk.editors.get() key=Editor::slug children=sheet/>
                    <PreviewPane desk=desk/>
                </div>
                <StatusLine desk=desk/>
            </main>
            <aside class="side" aria-label="Prompt and help">
                {children()}
            </aside>
            <nav class="bottom" aria-label="Panels">
                <input class="view hidden" type="radio" name="view" id="view-phases"/>
                <label for="view-phases">"Phases"</label>
                <input class="view hidden" type="radio" name="view" id="view-write" checked/>
                <label for="view-write">"Write"</label>
                <input class="view hidden" type="radio" name="view" id="view-side"/>
                <label for="view-side">"Prompt"</label>
            </nav>
            <p class="hidden" role="status" aria-live="polite">{move || desk.announced.get()}</p>
            <Palette node=palette commands=commands run=run/>
            <Shortcuts node=shortcuts/>
        </div>
    }
}

fn element<T: JsCast>(id: &str) -> Option<T> {
    web_sys::window()?
        .document()?
        .get_element_by_id(id)?
        .dyn_into()
        .ok()
}

fn show(dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.get_untracked()
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

/// In the browser: the island takes over from the forms.
fn wake(desk: Desk, palette: NodeRef<Dialog>, shortcuts: NodeRef<Dialog>) {
    let page = device::new_key();
    desk.page.set_value(page.clone());
    if let Some(mode) = device::remembered("mode") {
        desk.mode.set(
            Mode::ALL
                .into_iter()
                .find(|known| known.slug() == mode)
                .unwrap_or(Mode::Write),
        );
    }
    desk.side
        .set(device::remembered("side").as_deref() != Some("closed"));
    for editor in desk.editors.get_untracked() {
        editor.set_page(&page);
        editor.recover();
    }
    // With a script both parts of the estimates stand on one page.
    if desk
        .current
        .with_untracked(|current| current == "worksheet")
    {
        desk.current.set(Phase::Estimates.slug().to_owned());
    }
    desk.live.set(true);
    announce_changes(desk);

    // The server's clock, counted on by one that is never set.
    let told = StoredValue::new((desk.now.get_untracked(), device::since_opened()));
    Effect::new(move |_| {
        let server = desk.spent_at.get();
        told.set_value((server, device::since_opened()));
    });
    set_interval(
        move || {
            let (server, device) = told.get_value();
            let now = server + (device::since_opened() - device);
            desk.now.set(now);
            if desk
                .next_curveball_at
                .get_untracked()
                .is_some_and(|at| now >= at)
            {
                desk.next_curveball_at.set(None);
                desk.pulse();
            }
        },
        Duration::from_secs(1),
    );
    desk.pulse();
    set_interval(move || desk.pulse(), PULSE_EVERY);

    let all = move |work: &dyn Fn(Editor)| desk.editors.get_untracked().into_iter().for_each(work);
    let listen = |name: &'static str, work: Box<dyn Fn(ev::Event)>| {
        let _ = window_event_listener_untyped(name, work);
    };
    listen("online", Box::new(move |_| all(&|editor| editor.retry())));
    listen(
        "pagehide",
        Box::new(move |_| all(&|editor| editor.flush_at_exit())),
    );
    listen("pageshow", Box::new(move |_| all(&|editor| editor.retry())));
    listen("focus", Box::new(move |_| desk.pulse()));
    listen(
        "popstate",
        Box::new(move |_| {
            let address = device::address();
            if let Some(name) = address
                .rsplit('/')
                .next()
                .filter(|name| SectionName::from_slug(name).is_some())
            {
                desk.show(name);
            }
        }),
    );
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        let visibility = wasm_bindgen::closure::Closure::<dyn Fn()>::new(move || {
            if device::is_visible() {
                all(&|editor| editor.retry());
                desk.pulse();
            } else {
                all(&|editor| editor.flush());
            }
        });
        let _ = document.add_event_listener_with_callback(
            "visibilitychange",
            visibility.as_ref().unchecked_ref(),
        );
        visibility.forget();
    }
    let _ = window_event_listener(ev::keydown, move |event| {
        on_key(desk, palette, shortcuts, &event);
    });
}

/// Says what a person who does not look at the clock or the state should know, and nothing more.
fn announce_changes(desk: Desk) {
    Effect::new(move |before: Option<Tone>| {
        let tone = desk.tone();
        if before.is_some_and(|before| before != tone) && tone != Tone::Calm {
            desk.announced.set(tone_words(tone).to_owned());
        }
        tone
    });
    Effect::new(move |before: Option<bool>| {
        let mut trouble = false;
        let mut under_way = false;
        for editor in desk.open_editors() {
            editor.status.with(|status| match status {
                Status::Untouched | Status::Saved(_) => {}
                Status::Pending | Status::Saving => under_way = true,
                Status::Offline
                | Status::Conflict
                | Status::SignedOut
                | Status::Refused(_)
                | Status::TooLong(_) => trouble = true,
            });
        }
        // Another try is not yet a save.
        trouble |= under_way && before == Some(true);
        match before {
            Some(false) if trouble => {
                desk.announced
                    .set("Not saved yet. What you typed is kept.".to_owned());
            }
            Some(true) if !trouble => desk.announced.set("Saved again.".to_owned()),
            _ => {}
        }
        trouble
    });
}

fn tone_words(tone: Tone) -> &'static str {
    match tone {
        Tone::Calm => "",
        Tone::Amber => "This phase is over its target.",
        Tone::Red => "Time is up. Go on if you like: it counts as overtime.",
    }
}

fn on_key(
    desk: Desk,
    palette: NodeRef<Dialog>,
    shortcuts: NodeRef<Dialog>,
    event: &ev::KeyboardEvent,
) {
    let typing = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| {
            matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        });
    let in_dialog = [palette, shortcuts]
        .iter()
        .any(|dialog| dialog.get_untracked().is_some_and(|dialog| dialog.open()));
    let command = event.ctrl_key() || event.meta_key();
    let (key, code) = (event.key(), event.code());
    let done = match (key.as_str(), code.as_str()) {
        ("k" | "K", _) if command => {
            show(palette);
            true
        }
        _ if in_dialog => false,
        ("s" | "S", _) if command => {
            for editor in desk.editors.get_untracked() {
                editor.flush();
            }
            true
        }
        ("Enter", _) if command => {
            desk.go_to_score();
            true
        }
        (_, "ArrowDown") if event.alt_key() => {
            desk.step(1);
            true
        }
        (_, "ArrowUp") if event.alt_key() => {
            desk.step(-1);
            true
        }
        (_, "KeyP") if event.alt_key() => {
            desk.next_mode();
            true
        }
        (_, "KeyS") if event.alt_key() => {
            desk.side.update(|side| *side = !*side);
            true
        }
        ("]", _) if !typing => {
            desk.step(1);
            true
        }
        ("[", _) if !typing => {
            desk.step(-1);
            true
        }
        ("?", _) if !typing => {
            show(shortcuts);
            true
        }
        ("Escape", _) if typing => {
            if let Some(element) = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok())
            {
                let _ = element.blur();
            }
            false
        }
        _ => false,
    };
    if done {
        event.prevent_default();
    }
}

fn commands(desk: Desk) -> Vec<Command> {
    let command = |title: &str, keys: &str, action| Command {
        title: title.to_owned(),
        keys: keys.to_owned(),
        action,
    };
    desk.curveballs.track();
    let mut commands: Vec<_> = desk
        .rail()
        .into_iter()
        .map(|name| {
            command(
                &format!("Go to {}", desk.title(&name)),
                "",
                Action::Open(name),
            )
        })
        .collect();
    let current = desk.current.get();
    commands.extend([
        command("Write, both or preview", "Alt P", Action::Preview),
        command("Show or hide the side panel", "Alt S", Action::Side),
        command(
            "History of this section",
            "",
            Action::Go(desk.path(&format!("{current}/history"))),
        ),
        command(
            "Score this attempt",
            "Ctrl/⌘ Enter",
            Action::Go(desk.path("score")),
        ),
        command(
            "Export as Markdown",
            "",
            Action::Go(desk.path("export/attempt.md")),
        ),
        command(
            "Export as JSON",
            "",
            Action::Go(desk.path("export/attempt.json")),
        ),
        command("Share to read", "", Action::Go(desk.path("share"))),
        command("Your attempts", "", Action::Go("/attempts".to_owned())),
        command("Search the library", "", Action::Go("/search".to_owned())),
        command("Keyboard shortcuts", "?", Action::Shortcuts),
    ]);
    commands
}

#[component]
fn Rail(desk: Desk) -> impl IntoView {
    let face = move || desk.clock.face(desk.now.get(), desk.terms.way);
    let tone = move || desk.tone();
    let share = move || {
        desk.terms.minutes.map(|minutes| {
            let whole = i64::from(minutes) * MINUTE;
            (desk.clock.elapsed(desk.now.get()).min(whole) * 1000 / whole).clamp(0, 1000)
        })
    };
    let phases = Phase::ALL
        .map(|phase| {
            let target = desk.terms.target(phase);
            let minutes = move || desk.spent_in(phase) / MINUTE;
            let over = move || desk.spent_in(phase) > i64::from(target) * MINUTE;
            view! {
                <li>
                    <a
                        href=desk.path(phase.slug())
                        aria-current=move || desk.current.with(|current| current == phase.slug()).then_some("step")
                        on:click=move |event| follow(desk, &event, phase.slug())
                    >
                        <span>{phase.title()}</span>
                        <span class="num" class:over=over>
                            {move || format!("{} / {target}", minutes())}
                            <span class="hidden">{move || if over() { " minutes, over the target" } else { " minutes" }}</span>
                        </span>
                        <Dot desk=desk name=phase.slug().to_owned()/>
                    </a>
                </li>
            }
        })
        .collect_view();
    let balls = move || {
        let balls = desk.curveballs.get();
        (!balls.is_empty()).then(|| {
            view! {
                <p class="eyebrow group">"The interviewer asks"</p>
                <ol class="phases">
                    {balls
                        .into_iter()
                        .map(|ball| {
                            let name = SectionName::Curveball(ball.id).slug();
                            let (here, there, path) = (name.clone(), name.clone(), desk.path(&name));
                            view! {
                                <li>
                                    <a
                                        class="ball"
                                        href=path
                                        aria-current=move || desk.current.with(|current| *current == here).then_some("step")
                                        on:click=move |event| follow(desk, &event, &there)
                                    >
                                        <span>{ball.title}</span>
                                        <Dot desk=desk name=name/>
                                    </a>
                                </li>
                            }
                        })
                        .collect_view()}
                </ol>
            }
        })
    };
    let milestone = move || {
        let minute = desk.clock.elapsed(desk.now.get()) / MINUTE;
        desk.terms
            .milestones()
            .into_iter()
            .find(|milestone| i64::from(milestone.minute) > minute)
            .map(|milestone| format!("By minute {}: {}", milestone.minute, milestone.text))
    };
    view! {
        <nav class="rail" aria-label="Phases">
            <div class="clock" data-tone=move || tone().slug() data-way=desk.terms.way.slug()>
                <b class="num" role="timer">{move || face().time}</b>
                <span class="eyebrow">{move || face().caption}</span>
                {move || share().map(|share| view! {
                    <svg class="meter" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="whole" width="1000" height="8"/>
                        <rect class="part" width=share.to_string() height="8"/>
                    </svg>
                })}
                <span class="tone small">{move || tone_words(tone())}</span>
            </div>
            <ol class="phases">{phases}</ol>
            {balls}
            <footer>
                <span>{milestone}</span>
                <span class="with-script"><kbd>"["</kbd>" "<kbd>"]"</kbd>" phase   "<kbd>"?"</kbd>" keys"</span>
            </footer>
        </nav>
    }
}

fn follow(desk: Desk, event: &ev::MouseEvent, name: &str) {
    if desk.live.get_untracked() && !event.ctrl_key() && !event.meta_key() && !event.shift_key() {
        event.prevent_default();
        desk.open(name);
        if let Some(write) = element::<web_sys::HtmlInputElement>("view-write") {
            write.set_checked(true);
        }
    }
}

/// What a section needs attention for, beside its name.
#[component]
fn Dot(desk: Desk, name: String) -> impl IntoView {
    move || {
        let editor = desk.editor(&name)?;
        let (class, text) = match editor.status.get() {
            Status::Conflict => ("dot bad", "two versions"),
            Status::SignedOut | Status::Refused(_) | Status::TooLong(_) => ("dot bad", "not saved"),
            Status::Offline => ("dot warn", "kept on this device"),
            Status::Untouched | Status::Pending | Status::Saving | Status::Saved(_) => return None,
        };
        Some(view! { <span class=class>{text}</span> })
    }
}

#[component]
fn Notices(desk: Desk) -> impl IntoView {
    let back = move || format!("/sign-in?next={}", desk.path(&desk.current.get()));
    view! {
        <p class="notice fault" role="alert" hidden=move || !desk.is_signed_out()>
            "This browser was signed out, or its session ended, so nothing is saved now. "
            {move || if desk.kept() {
                "What you typed is kept on this device and is saved once you are signed in again. "
            } else {
                "This device keeps nothing of what you typed: copy it before you leave this page. "
            }}
            <a href=back>"Sign in and come back"</a>
            ". Without an account, copy your text."
        </p>
        <p class="notice" hidden=move || !desk.closed.get()>
            "This attempt has been scored and takes no more changes. "<a href=desk.path("result")>"See the result"</a>"."
        </p>
        <p class="notice" role="alert" hidden=move || desk.left_behind.with(String::is_empty)>
            {move || format!("Not saved yet: {}. Once scored, the attempt takes no more changes. ", desk.left_behind.get())}
            <a href=desk.path("score")>"Score without it"</a>
        </p>
    }
}

#[component]
fn MadeHeader(desk: Desk) -> impl IntoView {
    let title = move || desk.title(&desk.current.get());
    let target = move || {
        desk.phase()
            .map(|phase| format!("target {} min", desk.terms.target(phase)))
    };
    let history = move || desk.path(&format!("{}/history", desk.current.get()));
    let mode = |mode: Mode| {
        view! {
            <label>
                <input type="radio" name="mode" checked=mode == Mode::Write prop:checked=move || desk.mode.get() == mode on:change=move |_| desk.mode.set(mode)/>
                {mode.title()}
            </label>
        }
    };
    view! {
        <header>
            <h1>{title}</h1>
            <span class="quiet num">{target}</span>
            <span class="push"></span>
            <a class="quiet small" href=history>"History"</a>
            <span class="seg with-script" role="group" aria-label="Show">{Mode::ALL.map(mode).collect_view()}</span>
        </header>
    }
}

/// One section: its question where it is a curveball's, the worksheet where it is that, its text.
#[component]
fn SectionSheet(
    desk: Desk,
    editor: Editor,
    form_key: String,
    wanted: Vec<crate::practice::api::WantedEstimate>,
    givens: Vec<crate::practice::api::GivenQuantity>,
    calculators: Vec<crate::practice::api::CalculatorLink>,
) -> impl IntoView {
    let name = editor.slug();
    let action = desk.path(&name);
    let key = format!("{form_key}-{name}");
    let shown = {
        let name = name.clone();
        move || {
            desk.current.with(|current| {
                *current == name || (name == "worksheet" && current == Phase::Estimates.slug())
            })
        }
    };
    let hidden = move || !shown();
    if name == "worksheet" {
        let notes = desk.path(Phase::Estimates.slug());
        return Either::Left(view! {
            <section class="sheet numbers" hidden=hidden>
                <Versions editor=editor/>
                <p class="without-script small"><a href=notes>"Notes on your estimates"</a></p>
                <Worksheet editor=editor action=action form_key=key wanted=wanted.clone() givens=givens.clone() live=desk.live/>
                <Calculators editor=editor attempt=desk.attempt.get_value() links=calculators wanted=wanted givens=givens live=desk.live/>
            </section>
        });
    }
    let question = {
        let id = name.strip_prefix("curveball-").map(ToOwned::to_owned);
        move || {
            let id = id.as_ref()?;
            desk.curveballs.with(|balls| {
                balls
                    .iter()
                    .find(|ball| ball.id == *id)
                    .map(|ball| ball.question.clone())
            })
        }
    };
    let field = format!("text-{name}");
    let label = if name == Phase::Estimates.slug() {
        "Notes on your estimates".to_owned()
    } else {
        desk.title(&name)
    };
    let then = Phase::from_slug(&name)
        .and_then(Phase::next)
        .map(Phase::slug);
    let body = editor.first_text();
    let node = editor.node;
    let too_long = move || match editor.status.get() {
        Status::TooLong(kilobytes) => Some(format!(
            "This section has {kilobytes} KB and a section holds 64 KB. It is kept on this device; shorten it and it is saved."
        )),
        _ => None,
    };
    Either::Right(view! {
        <section class="sheet" hidden=hidden>
            <h2 class="print-only">{label.clone()}</h2>
            {move || question().map(|html| view! { <div class="question prose" inner_html=html></div> })}
            <Versions editor=editor/>
            <form
                method="post"
                action=action
                on:input=move |event| editor.typed(event_target_value(&event))
                on:focusout=move |_| editor.flush()
                on:submit=move |event| {
                    if desk.live.get_untracked() {
                        event.prevent_default();
                        editor.flush();
                    }
                }
            >
                <input type="hidden" name="base" value=editor.base.get_untracked()/>
                <input type="hidden" name="key" value=key/>
                <p class="fault" role="alert">{too_long}</p>
                {(name == Phase::Estimates.slug()).then(|| view! {
                    <p class="without-script small"><a href=desk.path("worksheet")>"Your numbers"</a></p>
                })}
                <TextArea id=field name="body" text=body label=label rows=18 node=node placeholder="Markdown. A blank line starts a paragraph, - a list, ``` a block of code."/>
                <p class="without-script actions">
                    <button class="btn go">"Save"</button>
                    {then.map(|then| view! { <button class="btn" name="then" value=then>"Save and go to the next phase"</button> })}
                </p>
            </form>
        </section>
    })
}

/// Both versions of a section that was changed in two places, and the decision.
#[component]
fn Versions(editor: Editor) -> impl IntoView {
    // Rows are told apart by their names: two sheets cannot stand one below the other.
    let numbers = editor.slug() == "worksheet";
    move || {
        let theirs = editor.theirs.get()?;
        let mine = editor.body.get();
        let (text, both) = (
            theirs.body.clone(),
            format!("{}\n\n{mine}", theirs.body.trim_end()),
        );
        Some(view! {
            <div class="versions" role="group" aria-label="Two versions of this section">
                <p><b>"This section was changed elsewhere"</b>{format!(" ({}). Nothing is lost: choose, and both stay in its history.", device::local_time(theirs.saved_at))}</p>
                <div class="pair">
                    <div><h2>"Elsewhere"</h2><pre tabindex="0">{theirs.body.clone()}</pre></div>
                    <div><h2>"Here"</h2><pre tabindex="0">{mine}</pre></div>
                </div>
                <p class="actions">
                    <button type="button" class="btn" on:click=move |_| editor.settle(editor.body.get_untracked())>"Keep what is here"</button>
                    <button type="button" class="btn" on:click=move |_| editor.settle(text.clone())>"Take the other"</button>
                    {(!numbers).then(|| view! { <button type="button" class="btn" on:click=move |_| editor.settle(both.clone())>"Put one below the other"</button> })}
                </p>
            </div>
        })
    }
}

#[component]
fn PreviewPane(desk: Desk) -> impl IntoView {
    let html = RwSignal::new(String::new());
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let wanted = desk.live.get() && desk.mode.get() != Mode::Write;
        let text = desk
            .editor(&desk.current.get())
            .map(|editor| editor.body.get())
            .unwrap_or_default();
        asked.update_value(|asked| *asked += 1);
        if !wanted {
            return;
        }
        let number = asked.get_value();
        set_timeout(
            move || {
                if asked.get_value() != number {
                    return;
                }
                spawn_local(async move {
                    let answer = preview(text).await;
                    if asked.get_value() == number {
                        html.set(answer.unwrap_or_else(|_| {
                            "<p class=\"fault\">The preview needs the server, which cannot be reached. Your text is safe.</p>".to_owned()
                        }));
                    }
                });
            },
            PREVIEW_AFTER,
        );
    });
    view! {
        <section class="preview prose with-script" id="preview" aria-label="Preview" tabindex="0" hidden=move || desk.mode.get() == Mode::Write>
            <p class="empty quiet" hidden=move || !html.with(String::is_empty)>"Nothing to show yet: write something."</p>
            <div inner_html=move || html.get()></div>
        </section>
    }
}

#[component]
fn StatusLine(desk: Desk) -> impl IntoView {
    let time = move |at| {
        if desk.live.get() {
            device::local_time(at)
        } else {
            device::utc_time(at)
        }
    };
    // The state that matters most among what is open.
    let state = move || {
        let rank = |status: &Status| match status {
            Status::Conflict => 6,
            Status::SignedOut | Status::Refused(_) => 5,
            Status::TooLong(_) => 4,
            Status::Offline => 3,
            Status::Saving => 2,
            Status::Pending => 1,
            Status::Saved(_) | Status::Untouched => 0,
        };
        desk.open_editors()
            .into_iter()
            .map(|editor| editor.status.get())
            .reduce(|a, b| match (&a, &b) {
                (Status::Saved(x), Status::Saved(y)) => Status::Saved(*x.max(y)),
                (Status::Untouched, _) => b,
                _ if rank(&b) > rank(&a) => b,
                _ => a,
            })
            .unwrap_or(Status::Untouched)
    };
    let shown = move || match state() {
        Status::Untouched => ("", "Nothing written yet".to_owned()),
        Status::Pending | Status::Saving => ("", "Saving…".to_owned()),
        Status::Saved(at) => ("saved", format!("Saved {}", time(at))),
        Status::Offline if desk.kept() => ("offline", "Offline: kept on this device".to_owned()),
        Status::Offline => (
            "offline",
            "Offline, and this device keeps nothing: leave this page open".to_owned(),
        ),
        Status::TooLong(kilobytes) => (
            "offline",
            format!("Not saved: {kilobytes} KB of 64 KB, kept on this device"),
        ),
        Status::Conflict => (
            "offline",
            "Two versions: choose above. Both are kept".to_owned(),
        ),
        Status::SignedOut if desk.kept() => {
            ("offline", "Signed out: kept on this device".to_owned())
        }
        Status::SignedOut => ("offline", "Signed out: not saved".to_owned()),
        Status::Refused(reason) => ("offline", format!("Not saved: {reason}")),
    };
    let revision = move || {
        desk.editor(&desk.current.get())
            .map(|editor| editor.base.get())
            .filter(|revision| *revision > 0)
            .map(|revision| format!("revision {revision}"))
    };
    let recovered = move || {
        desk.open_editors()
            .iter()
            .any(|editor| editor.recovered.get())
    };
    let words = move || {
        desk.editor(&desk.current.get())
            .map(|editor| editor.body.with(|body| body.split_whitespace().count()))
            .map(|words| format!("{words} {}", if words == 1 { "word" } else { "words" }))
    };
    view! {
        <div class="status">
            <span class=move || shown().0 data-state=move || shown().0>{move || shown().1}</span>
            <span class="num">{revision}</span>
            <span hidden=move || !recovered()>"Brought back from this device"</span>
            <span class="push num">{words}</span>
        </div>
    }
}
