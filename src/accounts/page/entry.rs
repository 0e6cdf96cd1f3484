//! The way in: signing up and in, the second factor, a forgotten password, and the links that were mailed.
//!
//! Must never say whether an address has an account: the pages are the same for both.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::Field;

use super::{FormState, Frame, counted, query, respond};

/// What a password has to be, told before it is chosen.
pub(super) const PASSWORD_RULE: &str = "At least 8 characters; 15 or more are better. Anything goes: words, spaces, any script. \
                                        The most common passwords are refused.";

/// `GET /sign-up`. `guest_attempts`: what this browser's guest has, which the account takes over.
pub fn sign_up(
    state: &AppState,
    theme: Theme,
    next: &str,
    guest_attempts: usize,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Make an account".to_owned(),
        path: "/sign-up".to_owned(),
        query: query(&[("next", next)]),
        width: "narrow",
        fields: &["name", "email", "password"],
        lead: "Your attempts on every device, and no one else's eyes on them.",
        ..Frame::default()
    };
    let guest_attempts = i64::try_from(guest_attempts).unwrap_or(i64::MAX);
    respond(state, theme, frame, form, status, || {
        let claimed = match guest_attempts {
            0 => {
                "This browser has no attempts yet. What you do from now on is kept in your account."
                    .to_owned()
            }
            1 => "The attempt of this browser will belong to your account.".to_owned(),
            count => format!("The {count} attempts of this browser will belong to your account."),
        };
        view! {
            <p>"With an account you can go on with an attempt on another device, export everything, and delete everything. Practising needs none."</p>
            <form class="form" method="post" action="/sign-up" novalidate=true>
                <input type="hidden" name="next" value=next.to_owned()/>
                <Field entry=form.entry("name", "") label="Name" autocomplete="name" help="As it is shown to you, and to a mentor whom you ask for a review."/>
                <Field entry=form.entry("email", "") label="Email address" kind="email" autocomplete="username" help="You sign in with it. Nobody else is shown it."/>
                <Field entry=form.entry("password", "") label="Password" kind="password" autocomplete="new-password" help=PASSWORD_RULE/>
                <p class="quiet">{claimed}</p>
                <p class="actions"><button class="btn go">"Make the account"</button></p>
            </form>
            <p class="aside">"You have an account? "<a href=format!("/sign-in{}", query(&[("next", next)]))>"Sign in"</a>"."</p>
        }
        .into_any()
    })
}

/// `GET /sign-in`
pub fn sign_in(
    state: &AppState,
    theme: Theme,
    next: &str,
    guest_attempts: usize,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Sign in".to_owned(),
        path: "/sign-in".to_owned(),
        query: query(&[("next", next)]),
        width: "narrow",
        fields: &["email", "password"],
        ..Frame::default()
    };
    let guest_attempts = i64::try_from(guest_attempts).unwrap_or(i64::MAX);
    respond(state, theme, frame, form, status, || {
        view! {
            <form class="form" method="post" action="/sign-in" novalidate=true>
                <input type="hidden" name="next" value=next.to_owned()/>
                <Field entry=form.entry("email", "") label="Email address" kind="email" autocomplete="username"/>
                <Field entry=form.entry("password", "") label="Password" kind="password" autocomplete="current-password"/>
                {(guest_attempts > 0).then(|| view! {
                    <p class="quiet">{format!("{} of this browser will be added to your account.", counted(guest_attempts, "attempt", "attempts"))}</p>
                })}
                <p class="actions links">
                    <button class="btn go">"Sign in"</button>
                    <a href="/forgot-password">"Forgot your password?"</a>
                </p>
            </form>
            <p class="aside">"No account yet? "<a href=format!("/sign-up{}", query(&[("next", next)]))>"Make one"</a>"."</p>
        }
        .into_any()
    })
}

/// `GET /sign-in/second-factor`: the password was right.
pub fn second_factor_code(
    state: &AppState,
    theme: Theme,
    next: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Second factor".to_owned(),
        path: "/sign-in/second-factor".to_owned(),
        query: query(&[("next", next)]),
        trail: vec![("/sign-in".to_owned(), "Sign in".to_owned())],
        width: "narrow",
        fields: &["code"],
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let mut code = form.entry("code", "");
        // The one field of the page: who comes here comes to fill it in.
        code.focus |= form.fault("").is_none();
        view! {
            <form class="form" method="post" action="/sign-in/second-factor" novalidate=true>
                <input type="hidden" name="next" value=next.to_owned()/>
                <Field
                    entry=code
                    label="Code"
                    autocomplete="one-time-code"
                    input_mode="numeric"
                    short=true
                    help="The six digits that your authenticator shows now. A recovery code works too, once."
                />
                <p class="actions"><button class="btn go">"Go on"</button></p>
            </form>
            <p class="aside">
                "Neither the authenticator nor a recovery code? Ask who runs this server: the second factor can be taken off your account there."
            </p>
        }
        .into_any()
    })
}

/// `GET /forgot-password`
pub fn forgot_password(
    state: &AppState,
    theme: Theme,
    mail_on: bool,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = forgot_frame("Forgot your password?");
    respond(state, theme, frame, form, status, || {
        if !mail_on {
            return view! {
                <p>"This server sends no mail, so it cannot send you a link. Ask who runs it for one. They make it with:"</p>
                <pre tabindex="0"><code>"headroom admin reset-password EMAIL"</code></pre>
                <p class="aside"><a href="/sign-in">"Back to signing in"</a></p>
            }
            .into_any();
        }
        view! {
            <p>"Type the address that you signed up with. We send a link to it, by which you choose a new password."</p>
            <form class="form" method="post" action="/forgot-password" novalidate=true>
                <Field entry=form.entry("email", "") label="Email address" kind="email" autocomplete="username"/>
                <p class="actions links">
                    <button class="btn go">"Send the link"</button>
                    <a href="/sign-in">"Back to signing in"</a>
                </p>
            </form>
        }
        .into_any()
    })
}

fn forgot_frame(title: &str) -> Frame {
    Frame {
        title: title.to_owned(),
        path: "/forgot-password".to_owned(),
        trail: vec![("/sign-in".to_owned(), "Sign in".to_owned())],
        width: "narrow",
        fields: &["email"],
        ..Frame::default()
    }
}

/// The answer to `POST /forgot-password`, the same whether there is an account or not.
pub fn forgot_password_sent(state: &AppState, theme: Theme) -> Response {
    let frame = forgot_frame("Look into your mail");
    respond(
        state,
        theme,
        frame,
        &FormState::default(),
        StatusCode::OK,
        || {
            view! {
                <p>"If there is an account with that address, a link is on its way to it. It works once, and for one hour."</p>
                <p>"Nothing came after a few minutes? Look among unwanted mail, and whether it is the address that you signed up with."</p>
                <p class="aside"><a href="/forgot-password">"Try another address"</a>" · "<a href="/sign-in">"Back to signing in"</a></p>
            }
            .into_any()
        },
    )
}

/// `GET /reset-password/{token}`, for a link that can still be used.
pub fn reset_password(
    state: &AppState,
    theme: Theme,
    token: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let path = format!("/reset-password/{token}");
    let frame = Frame {
        title: "Choose a new password".to_owned(),
        path: path.clone(),
        width: "narrow",
        fields: &["password"],
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        view! {
            <form class="form" method="post" action=path novalidate=true>
                <Field entry=form.entry("password", "") label="New password" kind="password" autocomplete="new-password" help=PASSWORD_RULE/>
                <p class="quiet">"Every session of your account will be ended, this browser's too. Then you sign in with the new password."</p>
                <p class="actions"><button class="btn go">"Set the password"</button></p>
            </form>
        }
        .into_any()
    })
}

/// `GET /verify-email/{token}`, for a link that can still be used. Opening it changes nothing: programs that look
/// through mail open links too.
pub fn verify_email(
    state: &AppState,
    theme: Theme,
    token: &str,
    email: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let path = format!("/verify-email/{token}");
    let frame = Frame {
        title: "Verify your email address".to_owned(),
        path: path.clone(),
        width: "narrow",
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        view! {
            <p>"Is "<b>{email.to_owned()}</b>" the address of your account? Then links to reset your password will go there."</p>
            <form method="post" action=path><p class="actions"><button class="btn go">"Yes, verify it"</button></p></form>
            <p class="aside">"If you made no account here, do nothing: the link stops working by itself."</p>
        }
        .into_any()
    })
}

/// A mailed link that is used, expired, or mistyped: which of them is not told apart. 410.
pub fn expired_link(state: &AppState, theme: Theme, resets_password: bool) -> Response {
    let (path, way_on, text) = if resets_password {
        (
            "/forgot-password",
            "Ask for a new link",
            "A link to reset a password works once, and for one hour. Your password is as it was.",
        )
    } else {
        (
            "/account",
            "Your account",
            "A link to verify an address works once, and for 7 days. If your address is not verified yet, your account's page sends a new one.",
        )
    };
    let frame = Frame {
        title: "This link no longer works".to_owned(),
        path: path.to_owned(),
        width: "narrow",
        ..Frame::default()
    };
    respond(
        state,
        theme,
        frame,
        &FormState::default(),
        StatusCode::GONE,
        || {
            view! {
                <p>{text}</p>
                <p class="actions"><a class="btn" href=path>{way_on}</a></p>
            }
            .into_any()
        },
    )
}
