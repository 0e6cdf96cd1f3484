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
    /// This browser's session has no such attempt any more; the text is kept here.
    SignedOut,
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
    /// Whether this device keeps what was typed.
    pub kept: RwSignal<bool>,
    pub node: NodeRef<Textarea>,
    /// A decision between two versions that is under way: mine, and what was chosen instead.
    chosen: StoredValue<Option<(String, String)>>,
    first_text: StoredValue<String>,
    saved_body: StoredValue<String>,
    flight: StoredValue<Option<Flight>>,
    /// What an earlier page sent last: it may arrive after this page was rendered, and is our own text then.
    sent: StoredValue<Option<String>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    failures: StoredValue<u32>,
    page: StoredValue<String>,
}

impl Editor {
    pub fn new(attempt: &str, page: &str, section: &SectionText) -> Self {
        let status = if section.unsaved.is_some() {
            Status::Refused("the message above says why".to_owned())
        } else if section.revision == 0 {
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
            kept: RwSignal::new(true),
            node: NodeRef::new(),
            chosen: StoredValue::new(None),
            first_text: StoredValue::new(
                section
                    .unsaved
                    .clone()
                    .unwrap_or_else(|| section.body.clone()),
            ),
            saved_body: StoredValue::new(section.body.clone()),
            flight: StoredValue::new(None),
            sent: StoredValue::new(None),
            timer: StoredValue::new(None),
            failures: StoredValue::new(0),
            page: StoredValue::new(page.to_owned()),
        }
    }

    /// Names the loaded page that drafts on this device belong to.
    pub fn set_page(&self, page: &str) {
        self.page.set_value(page.to_owned());
    }

    /// What stands in the editor at first: what the server has, or what it has just refused.
    pub fn first_text(&self) -> String {
        self.first_text.get_value()
    }

    pub fn slug(&self) -> String {
        self.name.get_value()
    }

    pub fn is_dirty(&self) -> bool {
        self.saved_body
            .with_value(|saved| self.body.with_untracked(|body| body != saved))
    }

    /// Whether anything typed is not known to have reached the server.
    pub fn is_unsaved(&self) -> bool {
        self.is_dirty()
            || self.flight.with_value(Option::is_some)
            || self.theirs.with_untracked(Option::is_some)
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
        if !self.is_signed_out() {
            self.status.set(Status::Pending);
        }
        self.flush_after(AFTER_LAST_KEY);
    }

    fn is_signed_out(&self) -> bool {
        self.status
            .with_untracked(|status| *status == Status::SignedOut)
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
            sent: self
                .flight
                .with_value(|flight| flight.as_ref().map(|flight| flight.body.clone())),
        };
        let kept = self.with_names(|attempt, section, page| {
            device::keep_draft(attempt, section, page, &draft)
        });
        self.kept.set(kept);
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
        let saved = self.saved_body.get_value();
        for (place, draft) in
            self.with_names(|attempt, section, _| device::drafts(attempt, section))
        {
            device::forget_place(&place);
            if draft.body == saved {
                continue;
            }
            // From here on it is this page's draft. Older ones stay for the next time.
            let base = self.base.get_untracked();
            if draft.base == base || draft.sent.as_ref() == Some(&saved) {
                self.recovered.set(true);
                self.sent.set_value(draft.sent);
                self.replace(draft.body);
                return;
            }
            let saved_at = match self.status.get_untracked() {
                Status::Saved(at) => at,
                _ => device::now(),
            };
            self.theirs.set(Some(Current {
                revision: base,
                body: saved,
                saved_at,
            }));
            self.status.set(Status::Conflict);
            self.base.set(draft.base);
            self.replace(draft.body);
            return;
        }
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
                .with_untracked(|status| matches!(status, Status::Pending | Status::SignedOut))
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
        self.keep();
        if self.failures.get_value() == 0 && !self.is_signed_out() {
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
                if let Some(chosen) = self.chosen.try_update_value(Option::take).flatten() {
                    self.follow_with_chosen(chosen, revision, saved_at);
                    return;
                }
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
                self.chosen.set_value(None);
                self.failures.set_value(0);
                if self.body.with_untracked(|body| *body == current.body) {
                    self.saved_body.set_value(current.body.clone());
                    self.base.set(current.revision);
                    self.status.set(Status::Saved(current.saved_at));
                } else if self
                    .sent
                    .with_value(|sent| sent.as_ref() == Some(&current.body))
                {
                    self.saved_body.set_value(current.body);
                    self.base.set(current.revision);
                    self.flush();
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
                self.failures.set_value(0);
                self.status.set(Status::SignedOut);
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

    /// The network is said to be back, the page is looked at again, or the session has the attempt again.
    pub fn retry(&self) {
        if matches!(
            self.status.get_untracked(),
            Status::Offline | Status::Pending | Status::SignedOut
        ) {
            self.flush();
        }
    }

    /// The page goes away: what is unsaved is sent in a way that outlives it.
    pub fn flush_at_exit(&self) {
        if self
            .status
            .with_untracked(|status| *status == Status::Conflict)
        {
            return;
        }
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
        self.keep();
        if let Ok(body) = serde_json::to_string(&save) {
            device::post_and_forget(SaveSection::PATH, &body);
        }
    }

    /// The decision: `text` is what the section shall hold. Both versions stay in its history.
    pub fn settle(&self, text: String) {
        let Some(theirs) = self.theirs.get_untracked() else {
            return;
        };
        // The buttons of the decision go away with it.
        if let Some(node) = self.node.get_untracked() {
            let _ = node.focus();
        }
        let mine = self.body.get_untracked();
        self.theirs.set(None);
        self.saved_body.set_value(theirs.body);
        self.base.set(theirs.revision);
        self.status.set(Status::Pending);
        if text != mine {
            // Mine goes into the history first, then what was chosen over it.
            self.chosen.set_value(Some((mine, text)));
        }
        self.flight.set_value(None);
        if let Some(flight) = self.next_flight("apart-") {
            self.send(flight);
        }
    }

    /// Mine is in the history: what was chosen follows, unless more was typed meanwhile.
    fn follow_with_chosen(
        &self,
        (mine, text): (String, String),
        revision: i64,
        saved_at: UnixMillis,
    ) {
        if self.body.with_untracked(|body| *body != mine) {
            self.theirs.set(Some(Current {
                revision,
                body: text,
                saved_at,
            }));
            self.status.set(Status::Conflict);
            return;
        }
        if let Some(node) = self.node.get_untracked() {
            node.set_value(&text);
        }
        self.body.set(text);
        self.keep();
        if let Some(flight) = self.next_flight("apart-") {
            self.send(flight);
        }
    }
}
