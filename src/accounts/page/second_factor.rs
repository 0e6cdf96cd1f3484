//! The second factor: turned on with an authenticator, its recovery codes, and turned off.
//!
//! Must never show the secret again once it is confirmed, nor a recovery code a second time.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::Field;

use super::{FormState, Frame, below_account, counted, instant, respond};

/// How the second factor of an account stands.
#[derive(Clone, Debug, Default)]
pub struct SecondFactor {
    /// Since when it is on; `None` when it is off.
    pub confirmed_at: Option<UnixMillis>,
    pub recovery_codes_left: i64,
    /// An administrator's account: it has to stay on.
    pub required: bool,
}

fn frame(title: &str) -> Frame {
    Frame {
        title: title.to_owned(),
        path: "/account/second-factor".to_owned(),
        trail: below_account(),
        width: "narrow",
        fields: &["code", "password"],
        ..Frame::default()
    }
}

/// `GET /account/second-factor`. The forms are `codes` and `off`.
pub fn second_factor(
    state: &AppState,
    theme: Theme,
    factor: &SecondFactor,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    respond(
        state,
        theme,
        frame("Second factor"),
        form,
        status,
        || match factor.confirmed_at {
            None => off(factor.required, form),
            Some(since) => on(factor, since, zone, form),
        },
    )
}

fn off(required: bool, form: &FormState) -> AnyView {
    let start = form.part("start");
    view! {
        <p><span class="tag">"off"</span>" Your password alone signs you in."</p>
        <p>
            "With a second factor, whoever learns your password still cannot sign in: it also takes a code that an authenticator app \
             on your phone or computer shows, a new one every 30 seconds."
        </p>
        {required.then(|| view! { <p class="notice">"Administrators need one: without it the pages of administration stay closed."</p> })}
        <form class="form" method="post" action="/account/second-factor/start" novalidate=true>
            <Field entry=start.entry("password", "") label="Your password" kind="password" autocomplete="current-password"/>
            <p class="actions"><button class="btn go">"Turn it on"</button></p>
        </form>
    }
    .into_any()
}

fn on(factor: &SecondFactor, since: UnixMillis, zone: &str, form: &FormState) -> AnyView {
    let (codes, off) = (form.part("codes"), form.part("off"));
    let left = factor.recovery_codes_left;
    let few = match left {
        0 => "There is no recovery code left. Without your authenticator you cannot sign in: make new ones now.".to_owned(),
        1 | 2 => format!("Only {} left. Make new ones in time.", counted(left, "recovery code is", "recovery codes are")),
        _ => format!("{left} recovery codes are left. Each of them signs you in once when you do not have your authenticator."),
    };
    view! {
        <p><span class="pass">"✓ on"</span>" since "{instant(since, zone)}"."</p>
        <section aria-labelledby="codes">
            <h2 id="codes">"Recovery codes"</h2>
            <p class=if left <= 2 { "undecided" } else { "" }>{few}</p>
            <form class="form" method="post" action="/account/second-factor/codes" novalidate=true>
                <Field entry=codes.entry("password", "") label="Your password" kind="password" autocomplete="current-password"/>
                <p class="quiet">"The codes that you have now stop working."</p>
                <p class="actions"><button class="btn">"Make new recovery codes"</button></p>
            </form>
        </section>
        <section aria-labelledby="off">
            <h2 id="off">"Turn it off"</h2>
            {if factor.required {
                view! { <p class="quiet">"An administrator's account needs its second factor, so it cannot be turned off as long as you are one."</p> }.into_any()
            } else {
                view! {
                    <form class="form" method="post" action="/account/second-factor/off" novalidate=true>
                        <Field entry=off.entry("password", "") label="Your password" kind="password" autocomplete="current-password"/>
                        <Field
                            entry=off.entry("code", "")
                            label="Code"
                            autocomplete="one-time-code"
                            input_mode="numeric"
                            short=true
                            help="Of your authenticator, or a recovery code."
                        />
                        <p class="actions"><button class="btn">"Turn off the second factor"</button></p>
                    </form>
                }
                .into_any()
            }}
        </section>
    }
    .into_any()
}

/// The answer to `POST /account/second-factor/start`, and `GET /account/second-factor` until the first code was right.
/// The form is `confirm`.
/// `qr` is an SVG element, `secret` is Base32.
pub fn enroll_second_factor(
    state: &AppState,
    theme: Theme,
    qr: &str,
    secret: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    respond(
        state,
        theme,
        frame("Turn on the second factor"),
        form,
        status,
        || {
            // What may stand before the element does not belong into a page.
            let qr = qr.find("<svg").map_or("", |at| &qr[at..]).to_owned();
            view! {
                <ol class="stages">
                    <li>
                        <h2>"Scan this with your authenticator"</h2>
                        <div class="qr" role="img" aria-label="QR code that holds the secret. The secret stands below as text." inner_html=qr></div>
                        <p class="quiet">"Or type the secret into it, as a key based on time:"</p>
                        <p><code class="secret">{in_fours(secret)}</code></p>
                    </li>
                    <li>
                        <h2>"Type the code that it shows"</h2>
                        <form class="form" method="post" action="/account/second-factor/confirm" novalidate=true>
                            <Field
                                entry=form.part("confirm").entry("code", "")
                                label="Code"
                                autocomplete="one-time-code"
                                input_mode="numeric"
                                short=true
                                help="Six digits. If it is refused again and again, look whether the clock of your device is right."
                            />
                            <p class="actions links"><button class="btn go">"Turn it on"</button><a href="/account">"Not now"</a></p>
                        </form>
                    </li>
                </ol>
            }
            .into_any()
        },
    )
}

/// A secret as it is typed: in groups of four.
fn in_fours(secret: &str) -> String {
    let characters: Vec<char> = secret
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    characters
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The answer to `POST /account/second-factor/confirm` and `…/codes`: the only time that the codes are shown.
/// `next` is where the person goes on to.
pub fn recovery_codes(state: &AppState, theme: Theme, codes: &[String], next: &str) -> Response {
    respond(
        state,
        theme,
        frame("Your recovery codes"),
        &FormState::default(),
        StatusCode::OK,
        || {
            let lines = codes
                .iter()
                .map(|code| view! { <li><code>{code.clone()}</code></li> })
                .collect_view();
            view! {
                <p class="notice" role="status">"The second factor is on. Copy these codes now: they are not shown again."</p>
                <p>
                    "Each one signs you in once, in place of a code of your authenticator. Print this page or keep them where you keep \
                     your passwords, not only on the device that has the authenticator."
                </p>
                <ol class="codes">{lines}</ol>
                <p class="print-only">"Recovery codes of a Headroom account. Each works once."</p>
                <p class="actions"><a class="btn go" href=next.to_owned()>"I have kept them"</a></p>
            }
            .into_any()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::in_fours;

    #[test]
    fn a_secret_is_read_in_fours() {
        for (secret, shown) in [
            ("", ""),
            ("ABCD", "ABCD"),
            ("JBSW Y3DPEHPK3PXP", "JBSW Y3DP EHPK 3PXP"),
            ("ABCDE", "ABCD E"),
        ] {
            assert_eq!(in_fours(secret), shown);
        }
    }
}
