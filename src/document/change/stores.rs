//! A value set or taken away in dotenv and INI: one line, or the lines of one value.

use zeroize::Zeroizing;

use super::error::Error;
use super::lines::line_start;
use crate::document::edit::{Edit, apply};
use crate::document::key_path::Step;
use crate::document::{Document, Format, Item, Leaf, Origin, Style, Value, dotenv, ini};
use crate::text::Span;

/// Changes one value; none of `value` takes it away.
pub(super) fn change(
    format: Format,
    text: &str,
    steps: &[Step],
    value: Option<&Value<'_>>,
) -> Result<Zeroizing<String>, Error> {
    let document = parse(format, text)?;
    let (section, key) = match (format, steps) {
        (Format::Dotenv, [Step::Key(key)]) => (None, key.as_str()),
        (Format::Ini, [Step::Key(section), Step::Key(key)]) => (Some(section.as_str()), key.as_str()),
        _ => return Err(inexpressible("a value at this depth", format)),
    };
    let place = Place::find(&document, section, key);
    let edits = match value {
        Some(value) => place.set(&document, section, key, value)?,
        None if place.leaves.is_empty() => {
            let missing = steps.iter().find(|_| place.end.is_none()).or(steps.last());
            return Err(missing.cloned().map_or(Error::EmptyPath, Error::NotFound));
        }
        None => place
            .leaves
            .iter()
            .map(|leaf| Edit::new(lines_of(text, leaf), ""))
            .collect(),
    };
    let changed = apply(text, edits).text;
    let after = parse(format, &changed)?;
    let found = Place::find(&after, section, key);
    let now = found.leaves.first().map(|leaf| &leaf.value);
    let right = match value {
        Some(value) => {
            now == Some(&Value::Str(
                crate::document::flat::text_of(value).into_owned().into_bytes().into(),
            ))
        }
        // In dotenv a key may stand twice; only the first is gone then.
        None => format == Format::Dotenv || now.is_none(),
    };
    if right { Ok(changed) } else { Err(Error::Layout) }
}

fn parse(format: Format, text: &str) -> Result<Document<'_>, Error> {
    Ok(if format == Format::Dotenv {
        dotenv::parse(text)?
    } else {
        ini::parse(text, "")?
    })
}

fn inexpressible(what: &'static str, format: Format) -> Error {
    Error::Inexpressible {
        what,
        format: format.name(),
    }
}

/// The lines of a key and its value, the last line feed included.
fn lines_of(text: &str, leaf: &Leaf<'_>) -> Span {
    let start = leaf.key.as_ref().map_or(leaf.span.start, |key| key.span.start);
    let rest = text.get(leaf.span.end..).unwrap_or_default();
    let end = rest.find('\n').map_or(text.len(), |feed| leaf.span.end + feed + 1);
    Span::new(line_start(text, start), end)
}

/// Where a key is, or would go.
struct Place<'d, 't> {
    /// The value, and the ones that it overrides.
    leaves: Vec<&'d Leaf<'t>>,
    /// Where a further key goes; none if there is no such section.
    end: Option<usize>,
}

impl<'d, 't> Place<'d, 't> {
    fn find(document: &'d Document<'t>, section: Option<&str>, key: &str) -> Self {
        let mut place = Self {
            leaves: Vec::new(),
            end: section.is_none().then_some(document.text.len()),
        };
        let mut inside = section.is_none();
        for item in &document.items {
            match item {
                Item::Enter(container) if place.end.is_none() => {
                    inside = container.key.as_ref().map(|key| key.name.as_ref()) == section;
                    if inside {
                        place.end = Some(container.span.end);
                    }
                }
                Item::Leave => inside = false,
                Item::Leaf(leaf)
                    if inside
                        && leaf.key.as_ref().is_some_and(|own| own.name == key)
                        && (place.leaves.is_empty() || leaf.origin == Origin::Overridden) =>
                {
                    place.leaves.push(leaf);
                }
                _ => {}
            }
        }
        place
    }

    fn set(
        &self,
        document: &Document<'_>,
        section: Option<&str>,
        key: &str,
        value: &Value<'_>,
    ) -> Result<Vec<Edit>, Error> {
        let text = document.text;
        if let Some(leaf) = self.leaves.first() {
            let token = if document.format == Format::Dotenv {
                dotenv::opened_token(value)
            } else {
                let own = ini::opened_token(leaf.style, value);
                own.or_else(|| ini::opened_token(Style::Plain, value))
                    .ok_or(Error::Layout)?
            };
            return Ok(vec![Edit::new(leaf.span, token)]);
        }
        let line = match section {
            None => dotenv::line(key, value),
            Some(_) => ini::is_key(key).then(|| ini::line(key, &crate::document::flat::text_of(value), 0)),
        };
        let line = line
            .map(Zeroizing::new)
            .ok_or(inexpressible("this key", document.format))?;
        let (at, new) = match (self.end, section) {
            // Behind the mark that a file may begin with.
            (Some(0), Some(_)) => (text.len() - text.trim_start_matches('\u{feff}').len(), line),
            (Some(at), _) => (at, line),
            (None, _) => {
                let blank = if text.is_empty() { "" } else { "\n" };
                let header = format!("{blank}[{}]\n", section.unwrap_or_default());
                (text.len(), Zeroizing::new(format!("{header}{}", line.as_str())))
            }
        };
        let before = text.get(..at).unwrap_or_default();
        let ended = before.trim_start_matches('\u{feff}').is_empty() || before.ends_with('\n');
        let new = match new.strip_suffix('\n').filter(|_| !ended) {
            Some(new) => Zeroizing::new(format!("\n{new}")),
            None => new,
        };
        Ok(vec![Edit::new(Span::new(at, at), new.as_str())])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn changed(format: Format, text: &str, path: &[&str], value: Option<&str>) -> Result<String, String> {
        let steps: Vec<Step> = path.iter().map(|key| Step::Key((*key).to_owned())).collect();
        let value = value.map(|value| Value::Str(value.as_bytes().into()));
        change(format, text, &steps, value.as_ref())
            .map(|text| text.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_has_no_place_is_refused() {
        #[track_caller]
        fn case(format: Format, path: &[&str], value: Option<&str>, expected: &str) {
            let text = if format == Format::Ini { "[s]\nk=v\n" } else { "k=v\n" };
            assert_eq!(changed(format, text, path, value).unwrap_err(), expected);
        }
        case(
            Format::Dotenv,
            &["a", "b"],
            Some("x"),
            "a value at this depth can't be written as dotenv",
        );
        case(
            Format::Ini,
            &["s"],
            Some("x"),
            "a value at this depth can't be written as ini",
        );
        case(
            Format::Dotenv,
            &["a=b"],
            Some("x"),
            "this key can't be written as dotenv",
        );
        case(Format::Ini, &["s", ""], Some("x"), "this key can't be written as ini");
        case(Format::Dotenv, &["a"], None, "nothing is at [\"a\"] of the path");
        case(Format::Ini, &["s", "a"], None, "nothing is at [\"a\"] of the path");
        case(Format::Ini, &["t", "a"], None, "nothing is at [\"t\"] of the path");
    }

    #[test]
    fn one_value_changes() {
        #[track_caller]
        fn case(format: Format, text: &str, path: &[&str], value: Option<&str>, expected: &str) {
            assert_eq!(changed(format, text, path, value).unwrap(), expected);
        }
        let env = Format::Dotenv;
        case(env, "#c\nA=1\nB=2\n", &["A"], Some("x\ny"), "#c\nA=x\\ny\nB=2\n");
        case(env, "A=1", &["B"], Some("2"), "A=1\nB=2");
        case(env, "", &["B"], Some("2"), "B=2\n");
        case(env, "A=1\nB=2", &["A"], None, "B=2");
        let ini = Format::Ini;
        case(
            ini,
            "[s]\nk = \"v\" ; c\n",
            &["s", "k"],
            Some("a b"),
            "[s]\nk = \"a b\" ; c\n",
        );
        case(
            ini,
            "[s]\nk = v ; c\n",
            &["s", "k"],
            Some("a;b"),
            "[s]\nk = `a;b` ; c\n",
        );
        case(
            ini,
            "[s]\nk=1\n[t]\nl=2\n",
            &["s", "n"],
            Some("3"),
            "[s]\nk=1\nn = 3\n[t]\nl=2\n",
        );
        case(ini, "[s]\nk=1", &["t", "n"], Some("3"), "[s]\nk=1\n\n[t]\nn = 3");
        case(
            ini,
            "\u{feff}[s]\n",
            &["DEFAULT", "n"],
            Some("3"),
            "\u{feff}n = 3\n[s]\n",
        );
        case(
            ini,
            "k=1\nj=2\nk=\"\"\"a\nb\"\"\"\nl=3\n",
            &["DEFAULT", "k"],
            None,
            "j=2\nl=3\n",
        );
    }
}
