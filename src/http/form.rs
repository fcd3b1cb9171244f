//! Reading a page: the values of its inputs, and its classes, with a real HTML tokenizer.
//!
//! Comments, scripts and text are not tags; whatever the page holds, nothing here fails. It runs no
//! script and builds no tree, so it cannot tell one form of a page from another.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};

/// The value of the first input, hidden or not, with that name, else with that id.
pub fn input_value(html: &str, name_or_id: &str) -> Option<String> {
    let inputs: Vec<_> = tags(html).filter(|tag| *tag.name == *b"input").collect();
    let with = |key| inputs.iter().find(|tag| attribute(tag, key) == name_or_id);
    with("name").or_else(|| with("id")).map(|tag| attribute(tag, "value"))
}

/// The content of the first meta with that name or property.
pub fn meta_content(html: &str, name: &str) -> Option<String> {
    let is_named =
        |tag: &StartTag<()>| ["name", "property"].iter().any(|key| attribute(tag, key) == name);
    let mut metas = tags(html).filter(|tag| *tag.name == *b"meta");
    metas.find(is_named).map(|tag| attribute(&tag, "content"))
}

/// True when an element of the page carries `class` in its list of classes.
pub fn has_class(html: &str, class: &str) -> bool {
    tags(html).any(|tag| attribute(&tag, "class").split_ascii_whitespace().any(|c| c == class))
}

fn tags(html: &str) -> impl Iterator<Item = StartTag<()>> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).filter_map(|token| match token {
        Ok(Token::StartTag(tag)) => Some(tag),
        _ => None,
    })
}

fn attribute(tag: &StartTag<()>, name: &str) -> String {
    let value = tag.attributes.get(name.as_bytes());
    value.map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!DOCTYPE html><html><body class="page dark">
        <!-- <input type="hidden" name="state" value="comment"><p class="error-message"> -->
        <script>var s = '<input type="hidden" name="state" value="script">';</script>
        <style>.error-message { content: "<p class='error-message'>" }</style>
        <textarea><input type=hidden name=state value=text></textarea>
        <form action="/u/login" method="post">
          <INPUT TYPE="Hidden" ID="state" NAME="state" VALUE="a&amp;b&#x3D;&quot;c&quot;" value="twice">
          <input type=hidden name=_csrf_token value=tok/en+==>
          <input name='email' value='viewer@example.com'><input type="hidden" id="only-id" value="5">
          <input type="hidden" name="empty"><p class="note error-message-box">
        </form>"#;

    #[test]
    fn an_input_is_found_where_a_browser_finds_it_by_name_then_by_id() {
        for (name_or_id, expected) in [
            ("state", Some("a&b=\"c\"")),
            ("_csrf_token", Some("tok/en+==")),
            ("email", Some("viewer@example.com")),
            ("only-id", Some("5")),
            ("empty", Some("")),
            ("absent", None),
        ] {
            assert_eq!(input_value(PAGE, name_or_id).as_deref(), expected, "{name_or_id}");
        }
        let both = "<input id=a value=1><input name=a value=2>";
        assert_eq!(input_value(both, "a").as_deref(), Some("2"));
    }

    #[test]
    fn a_class_is_a_whole_word_of_the_list() {
        assert!(has_class(PAGE, "dark"));
        assert!(!has_class(PAGE, "error-message"));
        assert!(has_class("<p class='a\n\terror-message b'>", "error-message"));
        assert!(!has_class("<p class='Error-Message'>", "error-message"));
    }

    #[test]
    fn garbage_is_survived() {
        let mut pages = vec![
            String::new(),
            "<".repeat(1 << 20),
            "<input ".repeat(1 << 17),
            "<input type=hidden value=\"".to_owned(),
            "</input x=y".to_owned(),
            "<!--<!--<![CDATA[<?xml&#xffffffff;&;&#0;\0".to_owned(),
            String::from_utf8_lossy(&[0xff, b'<', 0xfe, b'p', 0x80, b'>']).into_owned(),
        ];
        // The tails and heads of a real page are pages too.
        for (index, _) in PAGE.char_indices().step_by(7) {
            pages.push(PAGE[index..].to_owned());
            pages.push(PAGE[..index].to_owned());
        }
        for page in pages {
            assert_eq!(input_value(&page, "never"), None);
            assert!(!has_class(&page, "never"));
        }
    }
}
