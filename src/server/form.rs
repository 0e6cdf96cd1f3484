//! What a form sends, as it is read by handlers.

/// The fields of a form in the order in which they were sent.
pub type Fields = Vec<(String, String)>;

/// The first field of a name; empty when it was not sent.
pub fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields
        .iter()
        .find(|(field, _)| field == name)
        .map_or("", |(_, value)| value.as_str())
}

/// A form sends line ends as CR LF, and no database takes NUL.
pub fn plain_text(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\0'], "")
}
