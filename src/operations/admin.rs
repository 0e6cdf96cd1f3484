//! `headroom admin …` and `headroom sessions flush`: what is done to accounts by who can reach the database.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::accounts::store::administration as rows;
use crate::accounts::store::audit::{Action, COMMAND_LINE, Entry, add};
use crate::accounts::store::token::{self, Purpose};
use crate::accounts::store::{self, AccountPermit, AdminPermit, NewAccount};
use crate::domain::account::{Role, email, name, password_fault};
use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::server::clock::{Clock, new_id, random_bytes};
use crate::server::config::Config;
use crate::server::database::{Conn, Db, StoreError};
use crate::server::extract::Theme;
use crate::server::password::{Passwords, is_common};
use crate::server::store::insert_owner;
use crate::transact;

use super::migrate::open_migrated;

#[derive(Subcommand, Clone, Debug)]
pub enum AdminCommand {
    /// Make an administrator's account.
    ///
    /// Prints a link to choose the password, or takes the password from standard input with --password-stdin.
    Create {
        /// Address to sign in with.
        #[arg(long)]
        email: String,
        /// Name that others see.
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Grant or take back a role.
    Grant {
        /// The account's address.
        email: String,
        /// mentor or administrator.
        role: String,
        /// Take the role back; the account's sessions end.
        #[arg(long)]
        revoke: bool,
    },
    /// Print a link with which the account's owner chooses a new password. It works once, for an hour.
    ResetPassword {
        /// The account's address.
        email: String,
        /// Turn the second factor off too, for somebody who lost it and the recovery codes.
        #[arg(long)]
        without_second_factor: bool,
    },
}

#[derive(Args, Clone, Debug)]
pub struct FlushArgs {
    /// End the sessions of guests too. What they made becomes unreachable.
    #[arg(long)]
    pub guests: bool,
}

/// Runs an `admin` command on the database that the configuration names.
pub async fn run(command: AdminCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let db = open_migrated(config).await?;
    let outcome = run_on(command, &db, &config.public_url()).await;
    db.close().await;
    outcome
}

async fn run_on(command: AdminCommand, db: &Db, public_url: &str) -> anyhow::Result<ExitCode> {
    let permit = AdminPermit::of_the_command_line();
    let now = Clock::System.now();
    match command {
        AdminCommand::Create {
            email,
            name,
            password_stdin,
        } => {
            let password = if password_stdin {
                Some(password_from_input()?)
            } else {
                None
            };
            let link = create(db, &permit, &name, &email, password.as_deref(), now).await?;
            say!("{email} is an administrator.");
            if let Some(secret) = link {
                let link = Purpose::ResetPassword.url(public_url, &secret);
                say!("Choose the password here, within an hour:\n{link}");
            }
            say!(
                "Administration opens once the second factor is set up: {public_url}/account/second-factor"
            );
        }
        AdminCommand::Grant {
            email,
            role,
            revoke,
        } => {
            let role = Role::from_slug(&role).with_context(|| {
                format!("there is no role {role:?}; the roles are mentor and administrator")
            })?;
            let changed = grant(db, &permit, &email, role, !revoke, now).await?;
            let title = match role {
                Role::Mentor => "a mentor",
                Role::Administrator => "an administrator",
            };
            match (changed, revoke) {
                (true, false) => say!("{email} is {title} now."),
                (false, false) => say!("{email} was {title} already."),
                (true, true) => say!("{email} is not {title} any more; all sessions ended."),
                (false, true) => say!("{email} was not {title}."),
            }
        }
        AdminCommand::ResetPassword {
            email,
            without_second_factor,
        } => {
            let secret = reset(db, &permit, &email, without_second_factor, now).await?;
            say!("{}", Purpose::ResetPassword.url(public_url, &secret));
            eprintln!("The link works once, for an hour. Who follows it chooses a new password.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends every account's sessions.
pub async fn flush_sessions(args: &FlushArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let db = open_migrated(config).await?;
    let permit = AdminPermit::of_the_command_line();
    let now = Clock::System.now();
    let ended = transact!(db, |conn| {
        let ended = rows::end_all_sessions(conn, &permit, args.guests).await?;
        note(conn, Action::SessionsEnded, None, "all accounts", now).await?;
        Ok(ended)
    })?;
    db.close().await;
    say!("{ended} sessions were ended.");
    Ok(ExitCode::SUCCESS)
}

fn password_from_input() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("Type the password and press Enter. It is shown as you type.");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An administrator's account. Without a password, the secret of the link by which it is chosen.
pub async fn create(
    db: &Db,
    permit: &AdminPermit,
    typed_name: &str,
    typed_email: &str,
    password: Option<&str>,
    now: UnixMillis,
) -> anyhow::Result<Option<String>> {
    let name = name(typed_name).map_err(anyhow::Error::msg)?;
    let email = email(typed_email).map_err(anyhow::Error::msg)?;
    if let Some(password) = password {
        if let Some(fault) = password_fault(password, &name, &email) {
            anyhow::bail!(fault);
        }
        anyhow::ensure!(
            !is_common(password),
            "this password is one of the most used ones; choose another"
        );
    }
    // Without a password nobody knows the one that is set: the link is the only way in.
    let chosen = password.map_or_else(
        || crate::server::session::hex(&random_bytes::<32>()),
        ToOwned::to_owned,
    );
    let hash = Passwords::for_cores(1).hash(&chosen).await?;
    let (id, owner) = (new_id(now), new_id(now));
    let secret = random_bytes();
    let link = transact!(db, |conn| {
        if rows::by_email(conn, permit, &email).await?.is_some() {
            // Whoever signed up with this address need not be who is meant.
            let message = format!(
                "There is an account with the address {email} already. If it belongs to whom you mean: headroom admin grant {email} administrator"
            );
            return Err(AppError::invalid("email", message).into());
        }
        insert_owner(conn, &owner, now).await?;
        let new = NewAccount {
            id: &id,
            owner_id: &owner,
            name: &name,
            email: &email,
            password_hash: &hash,
            theme: Theme::Auto,
        };
        store::create(conn, &new, now).await?;
        note(conn, Action::SignedUp, Some(&id), "", now).await?;
        if rows::grant(conn, permit, &id, Role::Administrator, now).await? {
            let role = Role::Administrator.slug();
            note(conn, Action::RoleGranted, Some(&id), role, now).await?;
        }
        if password.is_none() {
            let purpose = Purpose::ResetPassword;
            let secret = token::issue(conn, &id, purpose, &email, secret, now).await?;
            return Ok(Some(secret));
        }
        Ok(None)
    })?;
    Ok(link)
}

async fn found(
    conn: &mut Conn<'_>,
    permit: &AdminPermit,
    email: &str,
) -> Result<AccountPermit, StoreError> {
    rows::by_email(conn, permit, email).await?.ok_or_else(|| {
        AppError::invalid(
            "email",
            format!("There is no account with the address {email}."),
        )
        .into()
    })
}

/// Grants a role or takes it back: whether that changed anything.
pub async fn grant(
    db: &Db,
    permit: &AdminPermit,
    email: &str,
    role: Role,
    granted: bool,
    now: UnixMillis,
) -> anyhow::Result<bool> {
    let changed = transact!(db, |conn| {
        let account = found(conn, permit, email).await?;
        let id = account.account().id.clone();
        let (changed, action) = if granted {
            (
                rows::grant(conn, permit, &id, role, now).await?,
                Action::RoleGranted,
            )
        } else {
            (
                rows::revoke(conn, permit, &id, role).await?,
                Action::RoleRevoked,
            )
        };
        if changed {
            note(conn, action, Some(&id), role.slug(), now).await?;
        }
        Ok(changed)
    })?;
    Ok(changed)
}

/// The secret of a link that sets a new password.
pub async fn reset(
    db: &Db,
    permit: &AdminPermit,
    email: &str,
    without_second_factor: bool,
    now: UnixMillis,
) -> anyhow::Result<String> {
    let secret = random_bytes();
    let text = transact!(db, |conn| {
        let permit = found(conn, permit, email).await?;
        let account = permit.account();
        if without_second_factor {
            store::second_factor::remove(conn, &permit).await?;
            note(conn, Action::SecondFactorOff, Some(&account.id), "", now).await?;
        }
        note(conn, Action::ResetLinkMade, Some(&account.id), "", now).await?;
        let purpose = Purpose::ResetPassword;
        token::issue(conn, &account.id, purpose, &account.email, secret, now).await
    })?;
    Ok(text)
}

async fn note(
    conn: &mut Conn<'_>,
    action: Action,
    subject: Option<&str>,
    detail: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let entry = Entry {
        actor: None,
        action,
        subject,
        detail,
        address: COMMAND_LINE,
    };
    add(conn, &entry, now).await
}
