//! Text as it stands in markup.
//!
//! Must never know what the markup is for.

/// Escapes what would be read as markup, also within a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escape("</textarea><a b=\"c\">&amp;"),
            "&lt;/textarea&gt;&lt;a b=&quot;c&quot;&gt;&amp;amp;"
        );
    }
}
