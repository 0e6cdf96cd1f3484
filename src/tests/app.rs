//! The application under test, its clients, and attempts under way.
//!
//! No socket: requests go through the whole router. The clock stands still until a test moves it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};
use tower::ServiceExt as _;

use super::engines::Database;
use crate::accounts::store::{AdminPermit, administration};
use crate::app::router;
use crate::domain::account::Role;
use crate::domain::attempt::{MINUTE, UnixMillis, Way, length_slug};
use crate::domain::level::Level;
use crate::domain::phase::Phase;
use crate::server::clock::{Clock, new_id};
use crate::server::content_library::{Library, Origin, PublishedPrompt};
use crate::server::database::Db;
use crate::server::extract::ClientAddress;
use crate::server::state::{Allowances, AppState, Settings};

/// When every test starts: the first of January 2026.
pub const START: UnixMillis = 1_767_225_600_000;
pub const PROMPT: &str = "payments-processor";
/// The exercises that were made for the tests: an incident of four steps, and a change with seven faults.
pub const INCIDENT: &str = "quiet-bridges";
pub const CODE_REVIEW: &str = "bridge-export";
/// What everybody signs up with who does not choose a password of their own.
pub const PASSWORD: &str = "a horse that counts to eleven";

/// The published content, read once: what is tested is what is published, and two exercises of the tests' own.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut library = Library::read(&Origin::Program).expect("the content is there");
        assert!(library.diagnostics.is_empty(), "{}", library.diagnostics[0]);
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/domain/content/exercise/testdata"
        );
        let samples = Library::read(&Origin::Directory(folder.into())).expect("is there");
        assert!(samples.diagnostics.is_empty(), "{}", samples.diagnostics[0]);
        let exercises = &mut library.exercises;
        exercises.incidents.extend(samples.exercises.incidents);
        exercises
            .code_reviews
            .extend(samples.exercises.code_reviews);
        library
    })
}

pub fn published() -> &'static PublishedPrompt {
    library().prompt(PROMPT).expect("published")
}

pub struct TestApp {
    pub db: Db,
    pub state: AppState,
    pub router: Router,
    clock: Arc<AtomicI64>,
    /// Removed with the test.
    _database: Option<Database>,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::at("http://headroom.test").await
    }

    /// Reached by people under this address.
    pub async fn at(public_url: &str) -> Self {
        let database = Database::sqlite().await;
        let app = Self::on(&database, public_url);
        Self {
            _database: Some(database),
            ..app
        }
    }

    pub fn on(database: &Database, public_url: &str) -> Self {
        Self::with(database, settings(public_url))
    }

    pub fn with(database: &Database, settings: Settings) -> Self {
        let shared = library();
        let library = Library {
            prompts: shared.prompts.clone(),
            pages: shared.pages.clone(),
            exercises: shared.exercises.clone(),
            glossary: shared.glossary.clone(),
            sources: shared.sources.clone(),
            shelf: shared.shelf.clone(),
            version: shared.version.clone(),
            diagnostics: Vec::new(),
        };
        Self::serving(database, settings, Origin::Program, library)
    }

    /// Serves another library than the published one.
    pub fn serving(
        database: &Database,
        settings: Settings,
        origin: Origin,
        library: Library,
    ) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let db = database.db.clone();
        let state = AppState::new(
            db.clone(),
            Clock::Set(clock.clone()),
            origin,
            library,
            settings,
        );
        Self {
            router: router(state.clone()),
            db,
            state,
            clock,
            _database: None,
        }
    }

    pub fn now(&self) -> UnixMillis {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn advance(&self, minutes: i64) {
        self.advance_millis(minutes * MINUTE);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance(days * 24 * 60);
    }

    pub fn advance_millis(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody with a browser of their own.
    pub fn guest(&self) -> Guest {
        Guest {
            router: self.router.clone(),
            cookies: Arc::default(),
            address: None,
        }
    }

    /// Somebody who has signed up a moment ago.
    pub async fn person(&self, email: &str) -> Guest {
        let browser = self.guest();
        browser.sign_up(email).await.expect(303);
        browser
    }

    /// A new browser that is signed in with the password alone.
    pub async fn signed_in(&self, email: &str) -> Guest {
        let browser = self.guest();
        let reply = browser.sign_in(email, PASSWORD).await.expect(303);
        assert_eq!(reply.location(), "/attempts");
        browser
    }

    pub async fn account_id(&self, email: &str) -> String {
        let mut reader = self.db.read().await.expect("a reader");
        let permit = AdminPermit::of_the_command_line();
        let found = administration::by_email(&mut reader.conn(), &permit, email).await;
        found
            .expect("reads")
            .unwrap_or_else(|| panic!("{email} has an account"))
            .account()
            .id
            .clone()
    }

    /// As the command line does.
    pub async fn grant(&self, email: &str, role: Role) {
        let id = self.account_id(email).await;
        let permit = AdminPermit::of_the_command_line();
        let now = self.now();
        crate::transact!(self.db, |conn| administration::grant(
            conn, &permit, &id, role, now
        )
        .await)
        .expect("granted");
    }

    /// Whoever looks after the service, signed in with both factors.
    pub async fn administrator(&self, email: &str) -> (Guest, Authenticator) {
        let browser = self.person(email).await;
        self.grant(email, Role::Administrator).await;
        let (authenticator, _) = browser.enrol(self.now()).await;
        browser.get("/admin").await.expect(200);
        (browser, authenticator)
    }

    /// A guest who has started an attempt.
    pub async fn attempt(&self, way: Way, level: Level, minutes: Option<u32>) -> Attempt {
        self.guest().start(way, level, minutes).await
    }

    pub async fn interview(&self) -> Attempt {
        self.attempt(Way::Interview, Level::Senior, Some(60)).await
    }

    pub async fn guided(&self) -> Attempt {
        self.attempt(Way::Guided, Level::Senior, Some(60)).await
    }
}

/// How a server is set up that people reach under this address.
pub fn settings(public_url: &str) -> Settings {
    Settings {
        public_url: public_url.to_owned(),
        dev: false,
        mail: false,
        trusted_proxies: Vec::new(),
        allowances: Allowances::default(),
    }
}

/// A route's parts that name something of the library, filled in.
pub fn in_the_library(path: &str) -> String {
    let slug = match path {
        path if path.starts_with("/exercises/debugging/") => INCIDENT,
        path if path.starts_with("/exercises/code-review/") => CODE_REVIEW,
        _ => PROMPT,
    };
    path.replace("{slug}", slug)
        .replace("{term}", "idempotency-key")
        .replace("{name}", "traffic")
        .replace("{page}", "levels")
}

/// What a person's telephone shows.
#[derive(Clone)]
pub struct Authenticator(Totp);

impl Authenticator {
    /// The six digits of an instant.
    pub fn code(&self, at: UnixMillis) -> String {
        let seconds = u64::try_from(at / 1000).expect("after 1970");
        self.0.generate(seconds).to_string()
    }
}

/// A browser: it keeps cookies, says that its forms come from our pages, and does not follow redirects.
#[derive(Clone)]
pub struct Guest {
    router: Router,
    pub cookies: Arc<Mutex<BTreeMap<String, String>>>,
    /// Where its requests come from; this machine unless a test says another.
    address: Option<IpAddr>,
}

impl Guest {
    /// The same session in a browser of its own.
    pub fn elsewhere(&self) -> Self {
        let cookies = self.cookies.lock().expect("sound").clone();
        Self {
            cookies: Arc::new(Mutex::new(cookies)),
            ..self.clone()
        }
    }

    /// The same browser in another network.
    pub fn at_address(&self, address: &str) -> Self {
        Self {
            address: Some(address.parse().expect("an address")),
            ..self.clone()
        }
    }

    /// What the session's cookie holds.
    pub fn session(&self) -> Option<String> {
        let cookies = self.cookies.lock().expect("sound");
        cookies.get("headroom").cloned()
    }

    pub async fn sign_up(&self, email: &str) -> Reply {
        self.sign_up_as("Somebody", email, PASSWORD).await
    }

    pub async fn sign_up_as(&self, name: &str, email: &str, password: &str) -> Reply {
        let fields = [("name", name), ("email", email), ("password", password)];
        self.post_form("/sign-up", &fields).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Reply {
        let fields = [("email", email), ("password", password)];
        self.post_form("/sign-in", &fields).await
    }

    pub async fn send_code(&self, code: &str) -> Reply {
        self.post_form("/sign-in/second-factor", &[("code", code)])
            .await
    }

    /// Whether this browser is signed in.
    pub async fn is_signed_in(&self) -> bool {
        let reply = self.get("/account").await;
        if reply.status == StatusCode::OK {
            return true;
        }
        assert_eq!(
            reply.expect(303).location(),
            "/sign-in?next=/account",
            "neither in nor out"
        );
        false
    }

    /// Turns the second factor on, with what the page shows: the authenticator, and the recovery codes.
    pub async fn enrol(&self, now: UnixMillis) -> (Authenticator, Vec<String>) {
        self.post_form("/account/second-factor/start", &[("password", PASSWORD)])
            .await
            .expect(303);
        let page = self.get("/account/second-factor").await.expect(200).page();
        let secret = page.text("code.secret").replace(' ', "");
        let totp = Builder::new()
            .with_secret(Secret::try_from_base32(&secret).expect("Base32"))
            .build()
            .expect("a sound secret");
        let authenticator = Authenticator(totp);
        let code = authenticator.code(now);
        let shown = self
            .post_form("/account/second-factor/confirm", &[("code", &code)])
            .await
            .expect(200);
        (authenticator, shown.page().texts(".codes code"))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(
            request(Method::GET, path)
                .body(Body::empty())
                .expect("a request"),
        )
        .await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(
            with(request(Method::GET, path), headers)
                .body(Body::empty())
                .expect("a request"),
        )
        .await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_raw(
            path,
            "application/x-www-form-urlencoded",
            urlencoded(fields),
        )
        .await
    }

    /// A post from one of our own pages, whatever it carries.
    pub async fn post_raw(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        let request = request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, kind)
            .header(CONTENT_LENGTH, body.len());
        self.send(request.body(Body::from(body)).expect("a request"))
            .await
    }

    /// A server function, as the island calls it.
    pub async fn call(&self, function: &str, arguments: &Value) -> Reply {
        self.call_raw(function, arguments.to_string()).await
    }

    pub async fn call_raw(&self, function: &str, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/{function}"))
            .header("host", "headroom.test")
            .header("sec-fetch-site", "same-origin")
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len());
        self.send(request.body(Body::from(body)).expect("a request"))
            .await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        let cookies = self
            .cookies
            .lock()
            .expect("sound")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        if !cookies.is_empty() && !request.headers().contains_key(COOKIE) {
            request
                .headers_mut()
                .insert(COOKIE, cookies.join("; ").parse().expect("a header"));
        }
        let what = format!("{} {}", request.method(), request.uri());
        if let Some(address) = self.address {
            request.extensions_mut().insert(ClientAddress(address));
        }
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("never fails");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("ASCII");
            let (name, value) = text
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a pair");
            let mut cookies = self.cookies.lock().expect("sound");
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Reply {
            what,
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn start(&self, way: Way, level: Level, minutes: Option<u32>) -> Attempt {
        self.start_at(PROMPT, way, level, minutes).await
    }

    pub async fn start_at(
        &self,
        prompt: &str,
        way: Way,
        level: Level,
        minutes: Option<u32>,
    ) -> Attempt {
        let fields = [
            ("way", way.slug()),
            ("level", level.slug()),
            ("minutes", &length_slug(minutes)),
        ];
        let reply = self
            .post_form(&format!("/prompts/{prompt}/attempts"), &fields)
            .await
            .expect(303);
        let id = reply
            .location()
            .split('/')
            .nth(2)
            .expect("an id")
            .to_owned();
        Attempt {
            guest: self.clone(),
            id,
        }
    }
}

/// An attempt under way, with the browser of who takes it.
#[derive(Clone)]
pub struct Attempt {
    pub guest: Guest,
    pub id: String,
}

impl Attempt {
    pub fn path(&self, rest: &str) -> String {
        format!("/attempts/{}/{rest}", self.id)
    }

    pub async fn get(&self, rest: &str) -> Reply {
        self.guest.get(&self.path(rest)).await
    }

    pub async fn post(&self, rest: &str, fields: &[(&str, &str)]) -> Reply {
        self.guest.post_form(&self.path(rest), fields).await
    }

    /// Saves as the island does.
    pub async fn save(&self, section: &str, base: i64, key: &str, body: &str) -> Reply {
        let arguments = json!({ "attempt": self.id, "section": section, "body": body, "base": base, "key": key });
        self.guest.call("save_section", &arguments).await
    }

    pub async fn pulse(&self, section: &str, known: &Value) -> Reply {
        self.guest
            .call(
                "pulse",
                &json!({ "attempt": self.id, "section": section, "known": known }),
            )
            .await
    }

    /// Saves as the page without a script does: what the page's form holds, with another text.
    pub async fn save_form(&self, section: &str, body: &str) -> Reply {
        let form = self
            .get(section)
            .await
            .expect(200)
            .form(&self.path(section));
        self.post(
            section,
            &[
                ("base", &form["base"]),
                ("key", &form["key"]),
                ("body", body),
                ("then", section),
            ],
        )
        .await
    }

    pub async fn commit(&self, fields: &[(String, String)]) -> Reply {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post("score", &fields).await
    }

    pub async fn score(&self, rating: &str) -> Reply {
        self.commit(&scorecard(rating, "It says so in the text."))
            .await
    }
}

/// Every criterion rated alike, with this evidence.
pub fn scorecard(rating: &str, evidence: &str) -> Vec<(String, String)> {
    let criteria = &published().prompt.rubric.criteria;
    let mut fields = vec![("score".to_owned(), new_id(START))];
    for criterion in criteria {
        fields.push((format!("rating.{}", criterion.id.slug()), rating.to_owned()));
        fields.push((
            format!("evidence.{}", criterion.id.slug()),
            evidence.to_owned(),
        ));
    }
    fields
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// Of this status, or the test fails and shows what it is instead.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        let start: String = self.text().chars().take(600).collect();
        assert_eq!(self.status, status, "{}: {start}", self.what);
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    #[track_caller]
    pub fn location(&self) -> &str {
        let location = self.header(LOCATION.as_str());
        assert!(
            !location.is_empty(),
            "{} leads nowhere: {}",
            self.what,
            self.status
        );
        location
    }

    /// The headers but the id that each answer has of its own.
    pub fn lasting_headers(&self) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id")
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect()
    }

    pub fn page(&self) -> Page {
        Page(Html::parse_document(&self.text()))
    }

    /// The named fields of the form with this action.
    #[track_caller]
    pub fn form(&self, action: &str) -> BTreeMap<String, String> {
        let fields = self.page().form(action);
        assert!(!fields.is_empty(), "{} has no form for {action}", self.what);
        fields
    }
}

/// A page as the browser reads it.
pub struct Page(pub Html);

impl Page {
    pub fn all(&self, selector: &str) -> Vec<scraper::ElementRef<'_>> {
        self.0
            .select(&Selector::parse(selector).expect("a selector"))
            .collect()
    }

    /// The text of each element, with runs of white space as one space.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector)
            .into_iter()
            .map(|element| squeezed(&element.text().collect::<String>()))
            .collect()
    }

    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.texts(selector)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("the page has no {selector}"))
    }

    /// Everything that is shown, and everything that is hidden in islands.
    pub fn whole_text(&self) -> String {
        squeezed(
            &self
                .all("body")
                .into_iter()
                .flat_map(|body| body.text())
                .collect::<String>(),
        )
    }

    #[track_caller]
    pub fn attribute(&self, selector: &str, name: &str) -> String {
        let found = self
            .all(selector)
            .into_iter()
            .find_map(|element| element.attr(name));
        found
            .unwrap_or_else(|| panic!("the page has no {selector} with {name}"))
            .to_owned()
    }

    fn form(&self, action: &str) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for form in self
            .all("form")
            .into_iter()
            .filter(|form| form.attr("action") == Some(action))
        {
            let any = Selector::parse("input[name], textarea[name]").expect("a selector");
            for field in form.select(&any) {
                let value = match field.value().name() {
                    "textarea" => field.text().collect(),
                    _ => field.attr("value").unwrap_or_default().to_owned(),
                };
                fields.insert(field.attr("name").unwrap_or_default().to_owned(), value);
            }
        }
        fields
    }

    /// The text in a textarea, as the person sees it.
    #[track_caller]
    pub fn textarea(&self, name: &str) -> String {
        let areas = self.all(&format!("textarea[name='{name}']"));
        areas
            .first()
            .unwrap_or_else(|| panic!("the page has no textarea {name}"))
            .text()
            .collect()
    }
}

pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A request of a browser that wants a page.
pub fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "headroom.test")
        .header(ACCEPT, "text/html")
}

pub fn with(
    mut builder: http::request::Builder,
    headers: &[(&str, &str)],
) -> http::request::Builder {
    for (name, value) in headers {
        builder = builder.header(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            *value,
        );
    }
    builder
}

pub fn urlencoded(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        for (sign, text) in [('&', name), ('=', value)] {
            if !(sign == '&' && out.is_empty()) {
                out.push(sign);
            }
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    }
    out
}

/// The pages and sections of an attempt by the names of its routes' parameters.
pub fn phases() -> impl Iterator<Item = &'static str> {
    Phase::ALL.into_iter().map(Phase::slug)
}
