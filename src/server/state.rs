//! What every request can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use tokio::sync::Notify;

use crate::domain::attempt::UnixMillis;

use super::assets;
use super::clock::Clock;
use super::content_library::{Library, Origin};
use super::database::{Db, StoreError};
use super::page_cache::PageCache;
use super::password::Passwords;
use super::search::{Document, Index};
use super::telemetry::metrics::Metrics;

/// The version of a library, and the index over it.
type VersionedIndex = (String, Arc<Index>);

/// A handle: every layer of every request clones it.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub db: Db,
    pub clock: Clock,
    pub pages: PageCache,
    library: ArcSwap<Library>,
    /// The index over the library of a version.
    search: tokio::sync::Mutex<Option<VersionedIndex>>,
    origin: Origin,
    pub settings: Settings,
    pub passwords: Passwords,
    pub metrics: Arc<Metrics>,
    /// The server was told to stop: it still answers, and says that it is not ready.
    pub draining: AtomicBool,
    /// Told when a mail was put into the outbox.
    pub mail: Arc<Notify>,
    pub started_at: UnixMillis,
}

/// What was settled when the server started.
#[derive(Debug)]
pub struct Settings {
    /// Without a slash at the end.
    pub public_url: String,
    pub dev: bool,
    /// Whether mail goes out.
    pub mail: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub allowances: Allowances,
}

/// How much may come from one network address, or be tried at one account.
#[derive(Clone, Copy, Debug)]
pub struct Allowances {
    pub guests_per_hour: u32,
    pub signups_per_hour: u32,
    /// Failures at one account from one address.
    pub signins_per_quarter_hour: u32,
    /// Failures from one address, whatever the account.
    pub signins_per_address: u32,
}

impl Default for Allowances {
    fn default() -> Self {
        Self {
            guests_per_hour: 1000,
            signups_per_hour: 20,
            signins_per_quarter_hour: 5,
            signins_per_address: 50,
        }
    }
}

impl Settings {
    pub fn https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    pub fn new(db: Db, clock: Clock, origin: Origin, library: Library, settings: Settings) -> Self {
        Self(Arc::new(Parts {
            metrics: Arc::new(Metrics::new(db.clone(), clock.now())),
            draining: AtomicBool::default(),
            mail: Arc::default(),
            started_at: clock.now(),
            db,
            clock,
            pages: PageCache::default(),
            library: ArcSwap::from_pointee(library),
            search: tokio::sync::Mutex::default(),
            origin,
            settings,
            passwords: Passwords::for_cores(
                std::thread::available_parallelism().map_or(1, usize::from),
            ),
        }))
    }

    /// After a transaction that put mail into the outbox: it goes out at once.
    pub fn wake_mail(&self) {
        self.mail.notify_one();
    }

    pub fn library(&self) -> Arc<Library> {
        self.library.load_full()
    }

    /// The index over what `documents` finds in the library, made when first asked for.
    ///
    /// # Errors
    /// When the index cannot be made.
    pub async fn search_index(
        &self,
        documents: impl FnOnce(&Library) -> Vec<Document>,
    ) -> Result<Arc<Index>, StoreError> {
        let library = self.library();
        let mut search = self.search.lock().await;
        if let Some((version, index)) = search.as_ref()
            && *version == library.version
        {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(Index::new(&documents(&library)).await?);
        *search = Some((library.version.clone(), Arc::clone(&index)));
        Ok(index)
    }

    /// Under `dev`: reads the content again when it has changed since.
    pub fn refresh_library(&self) {
        match Library::read(&self.origin) {
            Ok(library) if library.version != self.library.load().version => {
                self.library.store(Arc::new(library));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the content could not be read"),
        }
    }

    /// Changes when the content or an asset does: what is cached for one version is not served for another.
    pub fn version(&self) -> String {
        format!("{}-{}", self.library.load().version, assets::version())
    }
}

/// What `HydrationScripts` needs to find a bundle of islands.
pub fn leptos_options(bundle: &str) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("headroom")
        .site_pkg_dir(assets::islands_directory(bundle))
        .build()
}
