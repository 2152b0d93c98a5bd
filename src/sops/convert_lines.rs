//! A plain document as dotenv or INI (format, sections 10.3 and 10.4), laid out as SOPS does it.

use zeroize::Zeroizing;

use super::convert::first;
use super::error::Error;
use crate::document::flat::text_of;
use crate::document::{Document, Format, Item, Leaf, Origin, Value, dotenv, ini};

fn inexpressible<T>(what: &'static str, format: Format) -> Result<T, Error> {
    Err(Error::Inexpressible {
        what,
        format: format.name(),
    })
}

/// A value that the format can hold: Go writes other bytes as they are, but no text file of ours can.
fn expressible(value: &Value<'_>, format: Format) -> Result<(), Error> {
    match value {
        Value::Str(text) if std::str::from_utf8(text).is_err() => inexpressible("text that is not UTF-8", format),
        _ => Ok(()),
    }
}

/// The first document as `KEY=VALUE` lines, put behind what is in `out`.
pub(super) fn to_dotenv(document: &Document<'_>, mut out: Zeroizing<String>) -> Result<Zeroizing<String>, Error> {
    for item in first(document) {
        match item {
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => {
                expressible(&leaf.value, Format::Dotenv)?;
                let key = leaf.key.as_ref().map_or("", |key| key.name.as_ref());
                let Some(line) = dotenv::line(key, &leaf.value).map(Zeroizing::new) else {
                    return inexpressible("a key with `=`, a line break, or `#` at its start", Format::Dotenv);
                };
                out.push_str(&line);
            }
            Item::Comment(comment) => {
                for line in comment.text.split('\n') {
                    out.push('#');
                    out.push_str(line);
                    out.push('\n');
                }
            }
            Item::Enter(_) | Item::Leave => return inexpressible("a map or list", Format::Dotenv),
            Item::Begin(_) => {}
        }
    }
    Ok(out)
}

/// A section that is being gathered.
struct Section<'d> {
    name: &'d str,
    comment: Option<&'d str>,
    keys: Vec<(&'d str, Zeroizing<String>, Option<&'d str>)>,
}

/// All documents as sections, put behind what is in `out`.
///
/// SOPS visits a comment of INI after its key and takes those of other formats for such; so do we.
pub(super) fn to_ini(document: &Document<'_>, mut out: Zeroizing<String>) -> Result<Zeroizing<String>, Error> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut open: Option<Section<'_>> = None;
    for item in &document.items {
        match (item, &mut open) {
            (Item::Begin(_), _) | (Item::Comment(_), None) => {}
            (Item::Enter(container), None) if container.shape == crate::document::Shape::Map => {
                open = Some(Section {
                    name: container.key.as_ref().map_or("", |key| key.name.as_ref()),
                    comment: None,
                    keys: Vec::new(),
                });
            }
            (Item::Leave, _) => sections.extend(open.take()),
            (Item::Leaf(leaf), Some(section)) => section.key(leaf)?,
            (Item::Comment(comment), Some(section)) if !comment.lost => match section.keys.last_mut() {
                Some((_, _, last)) => *last = Some(&comment.text),
                None => section.comment = section.comment.or(Some(&comment.text)),
            },
            (Item::Comment(_), Some(_)) => {}
            (Item::Enter(_), Some(_)) => return inexpressible("a map or list in a section", Format::Ini),
            (Item::Enter(_) | Item::Leaf(_), None) => {
                return inexpressible("a value or list outside of a section", Format::Ini);
            }
        }
    }
    let last = sections.len().saturating_sub(1);
    for (index, section) in sections.iter().enumerate() {
        section.write(index, index == last, &mut out)?;
    }
    Ok(out)
}

impl<'d> Section<'d> {
    fn key(&mut self, leaf: &'d Leaf<'_>) -> Result<(), Error> {
        if leaf.origin == Origin::Overridden {
            return Ok(());
        }
        expressible(&leaf.value, Format::Ini)?;
        let name = leaf.key.as_ref().map_or("", |key| key.name.as_ref());
        let value = Zeroizing::new(text_of(&leaf.value).into_owned());
        // A key twice in one section (JSON, later documents of YAML): the last value, at the first place.
        match self.keys.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, known, _)) => *known = value,
            None => self.keys.push((name, value, None)),
        }
        Ok(())
    }

    fn write(&self, index: usize, last: bool, out: &mut String) -> Result<(), Error> {
        if self.name.is_empty() || self.name.contains('\n') || self.keys.iter().any(|(name, ..)| !ini::is_key(name)) {
            return inexpressible(
                "a name that is empty or holds line breaks or all kinds of quotes",
                Format::Ini,
            );
        }
        comment(self.comment, out);
        if index > 0 || !self.name.eq_ignore_ascii_case(ini::DEFAULT) {
            out.push('[');
            out.push_str(self.name);
            out.push_str("]\n");
        } else if self.keys.is_empty() {
            return Ok(());
        }
        let width = ini::width(self.keys.iter().map(|(name, ..)| *name));
        for (name, value, above) in &self.keys {
            comment(*above, out);
            out.push_str(&Zeroizing::new(ini::line(name, value, width)));
        }
        if !last {
            out.push('\n');
        }
        Ok(())
    }
}

/// The lines of a comment; one that has a comment character keeps it.
fn comment(text: Option<&str>, out: &mut String) {
    for line in text
        .filter(|text| !text.is_empty())
        .into_iter()
        .flat_map(|text| text.split('\n'))
    {
        let own = line.chars().next().filter(|mark| matches!(mark, '#' | ';'));
        let rest = own.map_or(line, |mark| line.strip_prefix(mark).unwrap_or(line));
        out.push(own.unwrap_or(';'));
        out.push(' ');
        out.push_str(rest.trim());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use crate::document::Format;
    use crate::sops::convert::{Indents, convert};

    fn converted(text: &str, from: Format, to: Format) -> Result<String, String> {
        convert(text.as_bytes(), from, to, &Indents::default())
            .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_lines_have_no_form_for_is_refused() {
        #[track_caller]
        fn case(text: &str, to: Format, what: &str) {
            let expected = format!("{what} can't be written as {to}");
            assert_eq!(converted(text, Format::Json, to).unwrap_err(), expected);
        }
        case("{\"a\": {}}", Format::Dotenv, "a map or list");
        case("{\"a\": []}", Format::Dotenv, "a map or list");
        let key = "a key with `=`, a line break, or `#` at its start";
        case("{\"a=b\": 1}", Format::Dotenv, key);
        case("{\"a\": 1}", Format::Ini, "a value or list outside of a section");
        case("{\"a\": [1, 2]}", Format::Ini, "a value or list outside of a section");
        case("{\"a\": {\"b\": [1, 2]}}", Format::Ini, "a map or list in a section");
        case("{\"a\": {\"b\": {}}}", Format::Ini, "a map or list in a section");
        let name = "a name that is empty or holds line breaks or all kinds of quotes";
        case("{\"a\": {\"\": 1}}", Format::Ini, name);
        case("{\"\": {\"a\": 1}}", Format::Ini, name);
    }

    #[test]
    fn values_become_text() {
        let yaml = "# c\na: 1\nb: 1.0\nc: true\nd: ~\ne: \"x\\ny\"\nf: 2020-01-02\n---\ng: lost\n";
        assert_eq!(
            converted(yaml, Format::Yaml, Format::Dotenv).unwrap(),
            "# c\na=1\nb=1.0\nc=true\nd=<nil>\ne=x\\ny\nf=2020-01-02T00:00:00Z\n"
        );
        let yaml = "# lost\ns:\n  # above\n  a: 1e21\n  # next\n  long=: \"[][0]\"\n---\nt: {}\n";
        assert_eq!(
            converted(yaml, Format::Yaml, Format::Ini).unwrap(),
            "; above\n[s]\n; next\na       = 1E+21\n`long=` = [][0]\n\n[t]\n"
        );
    }

    #[test]
    fn lines_become_trees() {
        let text = "top = 1\n; c\n[s]\na = \"x\" ; y\n; z\na = 2\n";
        assert_eq!(
            converted(text, Format::Ini, Format::Yaml).unwrap(),
            "DEFAULT:\n    top: \"1\"\ns:\n    #c\n    a: \"2\"\n    #z\n"
        );
        assert_eq!(
            converted(text, Format::Ini, Format::Json).unwrap(),
            "{\n\t\"DEFAULT\": {\n\t\t\"top\": \"1\"\n\t},\n\t\"s\": {\n\t\t\"a\": \"2\"\n\t}\n}\n"
        );
        assert_eq!(
            converted("#c\nA=x\\ny\n", Format::Dotenv, Format::Json).unwrap(),
            "{\n\t\"A\": \"x\\ny\"\n}\n"
        );
    }
}
