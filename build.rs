//! Tells cargo what the server's binary takes in besides Rust: new migrations, and what a release embeds.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    if std::env::var_os("CARGO_FEATURE_SSR").is_some()
        && std::env::var("PROFILE").as_deref() == Ok("release")
    {
        println!("cargo::rerun-if-changed=target/site");
        println!("cargo::rerun-if-changed=content");
    }
}
