//! What a browser does, in few words: one connection, one cookie, the addresses and forms of the pages. Must never know
//! what is measured.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The page that is read, and the prompt that is answered.
pub const PROMPT: &str = "/prompts/payments-processor";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// Whoever waits longer has not been served.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came instead of the answer that was wanted.
#[derive(Debug)]
pub struct Fault {
    /// The same for faults that are counted together.
    pub kind: String,
    pub status: Option<u16>,
    detail: String,
}

impl Fault {
    pub fn new(kind: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self {
            kind: kind.into(),
            status: None,
            detail: detail.to_string(),
        }
    }

    pub fn broken(error: impl fmt::Display) -> Self {
        Self::new("a connection broke", error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Fault {}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The answer if it has this status.
    pub fn wanted(self, status: u16, what: &str) -> Result<Self, Fault> {
        if self.status == status {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.body[..self.body.len().min(300)]).into_owned();
        Err(Fault {
            status: Some(self.status),
            ..Fault::new(format!("{what} was answered with {}", self.status), said)
        })
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Fault::new("an answer does not read", error))
    }
}

/// One connection that is kept open.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    addr: SocketAddr,
    /// Of the session; empty before there is one.
    pub cookie: String,
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect(addr).await.map_err(Fault::broken)?;
        stream.set_nodelay(true).map_err(Fault::broken)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Fault::broken)?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            addr,
            cookie: String::new(),
        })
    }

    /// Whether the server has not hung up.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer, Fault> {
        self.send(Method::GET, path, "text/plain", String::new())
            .await
    }

    pub async fn post_form(&mut self, path: &str, form: String) -> Result<Answer, Fault> {
        self.send(Method::POST, path, FORM, form).await
    }

    pub async fn post_json(&mut self, path: &str, value: &Value) -> Result<Answer, Fault> {
        self.send(Method::POST, path, JSON, value.to_string()).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<Answer, Fault> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.addr.to_string())
            .header(ACCEPT_ENCODING, "br")
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, kind)
            .header(COOKIE, &self.cookie)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Fault::new("a request could not be made", error))?;
        let exchange = async {
            self.sender.ready().await?;
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
        };
        let (parts, body) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(|_| Fault::new("no answer in 30 s", path))?
            .map_err(Fault::broken)?;
        // The theme has a cookie too, which is of no interest here.
        let session = parts
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("headroom="));
        if let Some(cookie) = session {
            cookie.clone_into(&mut self.cookie);
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// Makes the account of that number, and is signed in with it.
    pub async fn sign_up(&mut self, number: usize) -> Result<Answer, Fault> {
        let form = format!("name=Candidate+{number}&{}", credentials(number));
        self.post_form("/sign-up", form).await
    }

    /// Signs in to the account of that number, in a session of its own.
    pub async fn sign_in(&mut self, number: usize) -> Result<Answer, Fault> {
        self.cookie.clear();
        self.post_form("/sign-in", credentials(number)).await
    }
}

/// Address and password of an account, as a form. The process's id keeps runs on one database apart.
fn credentials(number: usize) -> String {
    format!(
        "email=candidate-{}-{number}%40example.org&password=seventeen+green+lanterns+{number}",
        std::process::id()
    )
}

/// What the server said it has of an attempt, so that it can be looked for later.
pub struct Receipt {
    cookie: String,
    attempt: String,
    /// By section.
    revisions: BTreeMap<&'static str, i64>,
}

/// Who writes at an attempt of their own.
pub struct Writer {
    pub client: Client,
    pub attempt: String,
    revisions: BTreeMap<&'static str, i64>,
}

/// A save's answer.
#[derive(Deserialize)]
struct Saved {
    revision: i64,
}

/// What a sign of life brings of the sections.
#[derive(Deserialize)]
struct Pulse {
    changed: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    name: String,
    body: String,
    revision: i64,
}

impl Writer {
    /// Starts an attempt, as whoever the client is.
    pub async fn start(mut client: Client) -> Result<Self, Fault> {
        let form = "way=guided&level=senior&minutes=60".to_owned();
        let answer = client
            .post_form(&format!("{PROMPT}/attempts"), form)
            .await?
            .wanted(303, "a start")?;
        let attempt = answer
            .headers
            .get(LOCATION)
            .and_then(|to| to.to_str().ok()?.split('/').nth(2))
            .ok_or_else(|| Fault::new("a start leads nowhere", ""))?
            .to_owned();
        Ok(Self {
            client,
            attempt,
            revisions: BTreeMap::new(),
        })
    }

    /// Saves the next text of a section: how long it took until it was acknowledged.
    pub async fn save(&mut self, section: &'static str) -> Result<Duration, Fault> {
        let base = self.revisions.get(section).copied().unwrap_or(0);
        let save = json!({
            "attempt": self.attempt,
            "section": section,
            "body": text(base),
            "base": base,
            "key": format!("{section}-{base}"),
        });
        let sent = Instant::now();
        let answer = self.client.post_json("/api/save_section", &save).await?;
        let took = sent.elapsed();
        let saved: Saved = answer.wanted(200, "a save")?.json()?;
        if saved.revision != base + 1 {
            let detail = format!("{} after {base}", saved.revision);
            return Err(Fault::new("a save made another revision", detail));
        }
        self.revisions.insert(section, saved.revision);
        Ok(took)
    }

    pub fn receipt(self) -> Receipt {
        Receipt {
            cookie: self.client.cookie,
            attempt: self.attempt,
            revisions: self.revisions,
        }
    }
}

impl Receipt {
    /// Looks for everything that was acknowledged.
    pub async fn check(&self, addr: SocketAddr) -> Result<(), Fault> {
        let mut client = Client::connect(addr).await?;
        client.cookie.clone_from(&self.cookie);
        let pulse = json!({ "attempt": self.attempt, "section": "requirements", "known": {} });
        let answer = client.post_json("/api/pulse", &pulse).await?;
        let found: Pulse = answer.wanted(200, "a look for saves")?.json()?;
        for (name, acknowledged) in &self.revisions {
            let section = found.changed.iter().find(|section| section.name == *name);
            let kept = section.is_some_and(|section| {
                // One more may have been taken whose answer was lost on its way.
                (*acknowledged..=acknowledged + 1).contains(&section.revision)
                    && section.body == text(section.revision - 1)
            });
            if !kept {
                let revision = section.map(|section| section.revision);
                let detail = format!(
                    "{name} of {}: {acknowledged} was acknowledged, {revision:?} is there",
                    self.attempt
                );
                return Err(Fault::new("an acknowledged save is lost", detail));
            }
        }
        Ok(())
    }
}

/// About what a candidate has after a quarter of an hour, and another with each revision that it starts from.
fn text(base: i64) -> String {
    format!(
        "{}{base}",
        "A charge is taken once and only once. ".repeat(60)
    )
}
