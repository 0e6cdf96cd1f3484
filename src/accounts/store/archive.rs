//! Everything that an account holds, for an archive and from one.

use crate::domain::archive::{self, Archive, ArchivedTick};
use crate::domain::attempt::UnixMillis;
use crate::exercises::store::archive as exercises;
use crate::practice::store::archive as attempts;
use crate::reference::store as reference;
use crate::server::clock::new_id;
use crate::server::database::{Conn, StoreError};
use crate::server::extract::Theme;

use super::{AccountPermit, Profile, update_profile};

/// Everything that is kept of an account.
pub async fn collect(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    now: UnixMillis,
) -> Result<Archive, StoreError> {
    let account = permit.account();
    let profile = &account.profile;
    let ticks = reference::ticks(conn, permit).await?;
    Ok(Archive {
        format: archive::Format::One,
        exported_at: now,
        account: archive::Account {
            name: account.name.clone(),
            email: account.email.clone(),
            level: profile.level,
            interview_on: profile.interview_on.clone(),
            hours_a_week: profile.hours_a_week,
            time_zone: profile.time_zone.clone(),
            theme: profile.theme.slug().to_owned(),
            created_at: account.created_at,
        },
        attempts: attempts::everything(conn, &account.owner_id).await?,
        exercises: exercises::everything(conn, &account.owner_id).await?,
        ticks: ticks
            .into_iter()
            .map(|(item, ticked_at)| ArchivedTick { item, ticked_at })
            .collect(),
    })
}

/// Puts what an archive holds into an account: its attempts and exercises, which are counted together, what was ticked, and
/// its profile where the account has none yet.
pub async fn bring_in(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    read: &Archive,
    now: UnixMillis,
) -> Result<attempts::ImportReport, StoreError> {
    let account = permit.account();
    let blank = Profile {
        theme: account.profile.theme,
        ..Profile::default()
    };
    if account.profile == blank {
        let profile = Profile {
            level: read.account.level,
            interview_on: read.account.interview_on.clone(),
            hours_a_week: read.account.hours_a_week,
            time_zone: read.account.time_zone.clone(),
            theme: Theme::from_slug(&read.account.theme).unwrap_or(account.profile.theme),
        };
        update_profile(conn, permit, &account.name, &profile).await?;
    }
    let mut report = attempts::import(conn, permit, &read.attempts, || new_id(now), now).await?;
    let new = exercises::import(conn, permit, &read.exercises, || new_id(now)).await?;
    report.imported += new;
    report.already_there += read.exercises.len() - new;
    for tick in &read.ticks {
        reference::put(conn, permit, &tick.item, tick.ticked_at).await?;
    }
    Ok(report)
}
