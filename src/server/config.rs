//! What an operator can set, and its defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// How the server runs. Flags override the environment, the environment overrides the defaults.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Address to listen on.
    #[arg(long, env = "HEADROOM_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,

    /// Where everything is kept: sqlite:PATH or postgres://USER@HOST/NAME.
    #[arg(
        long,
        env = "HEADROOM_DATABASE_URL",
        default_value = "sqlite:data/headroom.db"
    )]
    pub database_url: String,

    /// Where people reach this server; canonical links and the cookie's security follow from it. [default: http://ADDR]
    #[arg(long, env = "HEADROOM_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// Content directory to serve instead of the one inside the program.
    #[arg(long, env = "HEADROOM_CONTENT")]
    pub content: Option<PathBuf>,

    /// For writing content: pick up edits without a restart, show faults in the page, reload pages after a rebuild.
    #[arg(long, env = "HEADROOM_DEV")]
    pub dev: bool,

    /// Most connections at one time; further ones wait.
    #[arg(long, env = "HEADROOM_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
}

impl ServeConfig {
    /// The address that links and the cookie's flags are made from, without a slash at the end.
    pub fn public_url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.addr))
            .trim_end_matches('/')
            .to_owned()
    }
}
