//! Autosave: a section's way from the keyboard to the server, with nothing lost on it.
//!
//! The text is on the device before it is sent. One save of a section is under way at a time; a save whose answer was
//! lost is repeated with the same key and text until it is answered, and only then comes the newer text.

use std::time::Duration;

use leptos::html::Textarea;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use server_fn::ServerFn as _;

use crate::domain::attempt::{SECTION_BYTES, UnixMillis};
use crate::error::{AppError, Current};
use crate::practice::api::{SaveSection, SectionText, save_section};

use super::device::{self, Draft};

/// After the last key.
const AFTER_LAST_KEY: Duration = Duration::from_millis(800);
/// An unanswered save is sent again after this.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);

/// What is known about a section's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was ever typed.
    Untouched,
    /// Typed, on this device, about to be sent.
    Pending,
    Saving,
    Saved(UnixMillis),
    /// The server cannot be reached; the text is kept here and sent again.
    Offline,
    /// Too long to be saved, in KB.
    TooLong(usize),
    /// Changed elsewhere: both versions wait for a decision.
    Conflict,
    /// Refused, with the reason.
    Refused(String),
}

/// A save that was sent and not yet answered.
#[derive(Clone, Debug)]
struct Flight {
    key: String,
    body: String,
    base: i64,
    under_way: bool,
}

/// One section in the browser. Cheap to copy: handles only.
#[derive(Clone, Copy)]
pub struct Editor {
    attempt: StoredValue<String>,
    pub name: StoredValue<String>,
    /// What is in the editor.
    pub body: RwSignal<String>,
    pub status: RwSignal<Status>,
    /// The server's version while there is a conflict.
    pub theirs: RwSignal<Option<Current>>,
    /// The revision that the editor's text started from.
    pub base: RwSignal<i64>,
    /// What was brought back from this device, to tell the person once.
    pub recovered: RwSignal<bool>,
    pub node: NodeRef<Textarea>,
    saved_body: StoredValue<String>,
    flight: StoredValue<Option<Flight>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    failures: StoredValue<u32>,
    page: StoredValue<String>,
}

impl Editor {
    pub fn new(attempt: &str, page: &str, section: &SectionText) -> Self {
        let status = if section.revision == 0 {
            Status::Untouched
        } else {
            Status::Saved(section.saved_at)
        };
        Self {
            attempt: StoredValue::new(attempt.to_owned()),
            name: StoredValue::new(section.name.clone()),
            body: RwSignal::new(section.body.clone()),
            status: RwSignal::new(status),
            theirs: RwSignal::new(None),
            base: RwSignal::new(section.revision),
            recovered: RwSignal::new(false),
            node: NodeRef::new(),
            saved_body: StoredValue::new(section.body.clone()),
            flight: StoredValue::new(None),
            timer: StoredValue::new(None),
            failures: StoredValue::new(0),
            page: StoredValue::new(page.to_owned()),
        }
    }

    /// Names the loaded page that drafts on this device belong to.
    pub fn set_page(&self, page: &str) {
        self.page.set_value(page.to_owned());
    }

    pub fn slug(&self) -> String {
        self.name.get_value()
    }

    pub fn is_dirty(&self) -> bool {
        self.saved_body
            .with_value(|saved| self.body.with_untracked(|body| body != saved))
    }

    /// The person typed.
    pub fn typed(&self, text: String) {
        self.body.set(text);
        self.keep();
        if self
            .status
            .with_untracked(|status| *status == Status::Conflict)
        {
            return;
        }
        self.status.set(Status::Pending);
        self.flush_after(AFTER_LAST_KEY);
    }

    /// Puts a text into the editor that was not typed there.
    pub fn replace(&self, text: String) {
        if let Some(node) = self.node.get_untracked() {
            node.set_value(&text);
        }
        self.typed(text);
    }

    fn keep(&self) {
        let draft = Draft {
            body: self.body.get_untracked(),
            base: self.base.get_untracked(),
            at: device::now(),
        };
        self.with_names(|attempt, section, page| {
            device::keep_draft(attempt, section, page, &draft)
        });
    }

    fn with_names<T>(&self, work: impl FnOnce(&str, &str, &str) -> T) -> T {
        let (attempt, section, page) = (
            self.attempt.get_value(),
            self.name.get_value(),
            self.page.get_value(),
        );
        work(&attempt, &section, &page)
    }

    /// What an earlier page left on this device: brought back where it fits, shown beside the server's where it does not.
    pub fn recover(&self) {
        // Typed before the island woke.
        if let Some(node) = self.node.get_untracked() {
            let value = node.value();
            if self.body.with_untracked(|body| *body != value) {
                self.typed(value);
                return;
            }
        }
        let Some(draft) =
            self.with_names(|attempt, section, _| device::take_drafts(attempt, section))
        else {
            return;
        };
        if self.saved_body.with_value(|saved| *saved == draft.body) {
            return;
        }
        let base = self.base.get_untracked();
        if draft.base == base {
            self.recovered.set(true);
            self.replace(draft.body);
            return;
        }
        let theirs = Current {
            revision: base,
            body: self.saved_body.get_value(),
            saved_at: match self.status.get_untracked() {
                Status::Saved(at) => at,
                _ => device::now(),
            },
        };
        self.status.set(Status::Conflict);
        self.theirs.set(Some(theirs));
        self.replace(draft.body);
    }

    /// Something newer is on the server. An editor with nothing unsaved takes it over.
    pub fn newer(&self, section: &SectionText) {
        let idle = self.flight.with_value(Option::is_none);
        if section.revision <= self.base.get_untracked() || self.is_dirty() || !idle {
            return;
        }
        self.saved_body.set_value(section.body.clone());
        self.base.set(section.revision);
        self.body.set(section.body.clone());
        self.status.set(Status::Saved(section.saved_at));
        if let Some(node) = self.node.get_untracked() {
            node.set_value(&section.body);
        }
    }

    fn flush_after(&self, delay: Duration) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let editor = *self;
        if let Ok(timer) = set_timeout_with_handle(move || editor.flush(), delay) {
            self.timer.set_value(Some(timer));
        }
    }

    /// Sends what is unsaved, unless a save is under way or a decision is due.
    pub fn flush(&self) {
        if self
            .status
            .with_untracked(|status| *status == Status::Conflict)
        {
            return;
        }
        let Some(flight) = self.next_flight("") else {
            return;
        };
        self.send(flight);
    }

    /// The save to send now: the unanswered one first, else the editor's text.
    fn next_flight(&self, key_prefix: &str) -> Option<Flight> {
        if let Some(flight) = self.flight.get_value() {
            return (!flight.under_way).then_some(flight);
        }
        if !self.is_dirty() {
            if self
                .status
                .with_untracked(|status| *status == Status::Pending)
            {
                self.status.set(Status::Saved(device::now()));
            }
            self.with_names(device::drop_draft);
            return None;
        }
        let body = self.body.get_untracked();
        if body.len() > SECTION_BYTES {
            self.status.set(Status::TooLong(body.len().div_ceil(1024)));
            return None;
        }
        let key = format!("{key_prefix}{}", device::new_key());
        Some(Flight {
            key,
            body,
            base: self.base.get_untracked(),
            under_way: false,
        })
    }

    fn send(&self, mut flight: Flight) {
        flight.under_way = true;
        self.flight.set_value(Some(flight.clone()));
        if self.failures.get_value() == 0 {
            self.status.set(Status::Saving);
        }
        let editor = *self;
        let key = flight.key.clone();
        set_timeout(
            move || {
                let late = editor.flight.with_value(|flight| {
                    flight
                        .as_ref()
                        .is_some_and(|flight| flight.key == key && flight.under_way)
                });
                if late {
                    editor.failed(&key);
                }
            },
            ANSWER_WITHIN,
        );
        spawn_local(async move {
            let (attempt, section) = (editor.attempt.get_value(), editor.name.get_value());
            let answer = save_section(
                attempt,
                section,
                flight.body.clone(),
                flight.base,
                flight.key.clone(),
            )
            .await;
            editor.answered(
                &flight,
                answer.map(|saved| (saved.revision, saved.saved_at)),
            );
        });
    }

    fn answered(&self, flight: &Flight, answer: Result<(i64, UnixMillis), AppError>) {
        let ours = self
            .flight
            .with_value(|known| known.as_ref().is_some_and(|known| known.key == flight.key));
        if !ours {
            return;
        }
        match answer {
            Ok((revision, saved_at)) => {
                self.flight.set_value(None);
                self.failures.set_value(0);
                self.saved_body.set_value(flight.body.clone());
                self.base.set(revision);
                self.recovered.set(false);
                if self.is_dirty() {
                    self.keep();
                    self.status.set(Status::Pending);
                    self.flush_after(AFTER_LAST_KEY);
                } else {
                    self.status.set(Status::Saved(saved_at));
                    self.with_names(device::drop_draft);
                }
            }
            Err(AppError::Conflict(current)) => {
                self.flight.set_value(None);
                self.failures.set_value(0);
                if self.body.with_untracked(|body| *body == current.body) {
                    self.saved_body.set_value(current.body.clone());
                    self.base.set(current.revision);
                    self.status.set(Status::Saved(current.saved_at));
                } else {
                    self.theirs.set(Some(*current));
                    self.status.set(Status::Conflict);
                }
            }
            Err(AppError::Unreachable | AppError::Internal(_) | AppError::TooMany(_)) => {
                self.failed(&flight.key);
            }
            Err(AppError::NotFound) => {
                self.flight.set_value(None);
                self.status.set(Status::Refused(
                    "This browser's session no longer has this attempt. Your text is kept on this device: copy it.".to_owned(),
                ));
            }
            Err(error) => {
                self.flight.set_value(None);
                self.status.set(Status::Refused(error.to_string()));
            }
        }
    }

    /// The save may or may not have arrived: it is repeated as it was.
    fn failed(&self, key: &str) {
        self.flight.update_value(|flight| {
            if let Some(flight) = flight.as_mut().filter(|flight| flight.key == key) {
                flight.under_way = false;
            }
        });
        let failures = self.failures.get_value() + 1;
        self.failures.set_value(failures);
        self.status.set(Status::Offline);
        self.flush_after(Duration::from_secs(1 << failures.min(4)));
    }

    /// The network is said to be back, or the page is looked at again.
    pub fn retry(&self) {
        if matches!(
            self.status.get_untracked(),
            Status::Offline | Status::Pending
        ) {
            self.flush();
        }
    }

    /// The page goes away: what is unsaved is sent in a way that outlives it.
    pub fn flush_at_exit(&self) {
        let flight = match self.flight.get_value() {
            Some(flight) => Some(flight),
            None => self.next_flight(""),
        };
        let Some(mut flight) = flight else { return };
        flight.under_way = false;
        let save = SaveSection {
            attempt: self.attempt.get_value(),
            section: self.name.get_value(),
            body: flight.body.clone(),
            base: flight.base,
            key: flight.key.clone(),
        };
        self.flight.set_value(Some(flight));
        if let Ok(body) = serde_json::to_string(&save) {
            device::post_and_forget(SaveSection::PATH, &body);
        }
    }

    /// The decision: `text` is what the section shall hold. Both versions stay in its history.
    pub fn settle(&self, text: String) {
        let Some(theirs) = self.theirs.get_untracked() else {
            return;
        };
        let mine = self.body.get_untracked();
        let keeps_mine = text == mine;
        // The buttons of the decision go away with it.
        if let Some(node) = self.node.get_untracked() {
            let _ = node.focus();
        }
        self.theirs.set(None);
        self.saved_body.set_value(theirs.body);
        self.base.set(theirs.revision);
        self.status.set(Status::Pending);
        if keeps_mine {
            if let Some(flight) = self.next_flight("apart-") {
                self.send(flight);
            }
            return;
        }
        // Mine goes into the history first, then what was chosen over it.
        let editor = *self;
        let key = format!("apart-{}", device::new_key());
        spawn_local(async move {
            let (attempt, section) = (editor.attempt.get_value(), editor.name.get_value());
            let kept = save_section(attempt, section, mine.clone(), theirs.revision, key).await;
            match kept {
                Ok(saved) => {
                    editor.base.set(saved.revision);
                    editor.saved_body.set_value(mine);
                    if let Some(node) = editor.node.get_untracked() {
                        node.set_value(&text);
                    }
                    editor.body.set(text);
                    editor.keep();
                    if let Some(flight) = editor.next_flight("apart-") {
                        editor.send(flight);
                    }
                }
                Err(AppError::Conflict(current)) => {
                    editor.theirs.set(Some(*current));
                    editor.status.set(Status::Conflict);
                }
                Err(_) => {
                    // Nothing is changed here; the decision is asked for again.
                    editor.theirs.set(Some(Current {
                        revision: theirs.revision,
                        body: editor.saved_body.get_value(),
                        saved_at: theirs.saved_at,
                    }));
                    editor.status.set(Status::Conflict);
                }
            }
        });
    }
}
