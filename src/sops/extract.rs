//! One value of a plain file by its path (format, section 9.3): text as it is, anything else as SOPS lays it out.
//!
//! Only the first document is looked at, and only the target is written, where SOPS has the other documents follow a map.

use zeroize::Zeroizing;

use super::convert::{Indents, data, of_binary, room_for, to_json};
use super::convert_lines::{to_dotenv, to_ini};
use super::convert_yaml::to_yaml;
use super::door::text_of;
use super::error::Error;
use super::sealed::parse_document;
use crate::document::key_path::Step;
use crate::document::{Document, Format, Item, KeyPath, Leaf, Origin, Root, RootStyle, Shape, Value};

/// The value at a path of a plain `from` file, in the form of `to`. A text is given as its bytes alone; in JSON no line break ends
/// what is no map.
///
/// # Errors
/// [`Error::NoSuchPlace`]; [`Error::Document`] for what can't be read as `from`; [`Error::Inexpressible`] for what `to` has no form for.
pub fn extract(
    content: &[u8],
    from: Format,
    to: Format,
    path: &KeyPath,
    indents: &Indents,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text;
    let document = if from == Format::Binary {
        of_binary(content)
    } else {
        text = text_of(from, content)?.0;
        parse_document(from, &text)?
    };
    match find(&document.items, path)? {
        Found::Leaf(leaf) => self::leaf(leaf, document.text, to, indents),
        Found::Branch(shape, items) => branch(shape, items, to, content.len(), indents),
    }
}

enum Found<'d, 't> {
    Leaf(&'d Leaf<'t>),
    /// A map or list, and the items in it.
    Branch(Shape, &'d [Item<'t>]),
}

/// The index of the item that closes what is open before the first of these.
fn close(items: &[Item<'_>]) -> usize {
    let mut depth = 0_usize;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Enter(_) => depth += 1,
            Item::Leave if depth == 0 => return index,
            Item::Leave => depth -= 1,
            Item::Begin(_) => return index,
            Item::Leaf(_) | Item::Comment(_) => {}
        }
    }
    items.len()
}

fn find<'d, 't>(items: &'d [Item<'t>], path: &KeyPath) -> Result<Found<'d, 't>, Error> {
    let inner = items.get(1..).unwrap_or_default();
    let mut shape = Shape::Map;
    let mut inside = inner.get(..close(inner)).unwrap_or_default();
    let mut steps = path.steps.iter();
    while let Some(step) = steps.next() {
        let missing = || Error::NoSuchPlace { step: step.to_string() };
        let at = member(inside, shape, step).ok_or_else(missing)?;
        match inside.get(at) {
            Some(Item::Leaf(leaf)) => {
                return match steps.next() {
                    None => Ok(Found::Leaf(leaf)),
                    Some(step) => Err(Error::NoSuchPlace { step: step.to_string() }),
                };
            }
            Some(Item::Enter(container)) => {
                let rest = inside.get(at + 1..).unwrap_or_default();
                shape = container.shape;
                inside = rest.get(..close(rest)).unwrap_or_default();
            }
            _ => return Err(missing()),
        }
    }
    Ok(Found::Branch(shape, inside))
}

/// Where the member of a container lies that a step leads to.
fn member(items: &[Item<'_>], shape: Shape, step: &Step) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    while let Some(item) = items.get(at) {
        let (key, length) = match item {
            Item::Enter(container) => (&container.key, close(items.get(at + 1..)?) + 2),
            Item::Leaf(leaf) => (&leaf.key, 1),
            Item::Begin(_) | Item::Leave | Item::Comment(_) => {
                at += 1;
                continue;
            }
        };
        let fits = match (shape, step) {
            // SOPS sees the last value of a key only.
            _ if matches!(item, Item::Leaf(leaf) if leaf.origin == Origin::Overridden) => false,
            (Shape::Map, Step::Key(wanted)) => key.as_ref().is_some_and(|key| key.name == wanted.as_str()),
            (Shape::List, &Step::Index(index)) => index == count,
            _ => return None,
        };
        if fits {
            return Some(at);
        }
        at += length;
        count += 1;
    }
    None
}

/// Whether a document that was made of items is a map or a list.
pub(super) fn root_shape(document: &Document<'_>) -> Shape {
    let key = document.items.iter().find_map(|item| match item {
        Item::Enter(container) => Some(&container.key),
        Item::Leaf(leaf) => Some(&leaf.key),
        _ => None,
    });
    match key {
        Some(None) => Shape::List,
        _ => Shape::Map,
    }
}

fn leaf(leaf: &Leaf<'_>, text: &str, to: Format, indents: &Indents) -> Result<Zeroizing<Vec<u8>>, Error> {
    if let Value::Str(bytes) = &leaf.value {
        return Ok(Zeroizing::new(bytes.to_vec()));
    }
    // The only element of a list, without its dash or brackets, is the value alone.
    let alone = Leaf {
        key: None,
        ..leaf.clone()
    };
    let document = document(vec![Item::Leaf(alone)], text);
    let (lead, text) = match to {
        Format::Yaml => ("- ", to_yaml(&document, 64, indents.yaml)?),
        Format::Json => ("", super::convert::json_token(&leaf.value)?),
        Format::Dotenv | Format::Ini | Format::Binary => return Err(inexpressible("a value that is no text", to)),
    };
    let text = text.strip_prefix(lead).unwrap_or(&text);
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

fn branch(
    shape: Shape,
    items: &[Item<'_>],
    to: Format,
    size: usize,
    indents: &Indents,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let is_empty = items.iter().all(|item| matches!(item, Item::Comment(_)));
    let document = document(items.to_vec(), "");
    let text = match (to, shape) {
        (Format::Yaml, Shape::List) if is_empty => Zeroizing::new("[]\n".to_owned()),
        (Format::Json, Shape::List) if is_empty => Zeroizing::new("[]".to_owned()),
        (Format::Yaml, _) => to_yaml(&document, size, indents.yaml)?,
        (Format::Json, Shape::Map) => to_json(&document, size, &indents.json)?,
        (Format::Json, Shape::List) => {
            let mut text = to_json(&document, size, &indents.json)?;
            text.pop();
            text
        }
        (Format::Binary, Shape::Map) => return data(&document),
        (Format::Dotenv, Shape::Map) => to_dotenv(&document, room_for(&document, size, 0))?,
        (Format::Ini, Shape::Map) => to_ini(&document, room_for(&document, size, 0))?,
        (Format::Dotenv | Format::Ini | Format::Binary, Shape::List) => return Err(inexpressible("a list", to)),
    };
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

const fn inexpressible(what: &'static str, to: Format) -> Error {
    Error::Inexpressible {
        what,
        format: to.name(),
    }
}

/// Items as a document of their own.
fn document<'t>(items: Vec<Item<'t>>, text: &'t str) -> Document<'t> {
    let root = Root {
        style: RootStyle::Nothing,
        insert_at: 0,
    };
    let items = std::iter::once(Item::Begin(root)).chain(items).collect();
    Document {
        text,
        format: Format::Yaml,
        items,
        flaws: Vec::new(),
        stand_ins: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    const YAML: &str = "# c\na: text\nb:\n  # d\n  - 1\n  - x: 1.50\n    y: |\n      p\n      q\n  - []\nc: {}\nd: ~\ne: true\nf: 2020-01-02\n---\nz: 1\n";

    fn extracted(text: &str, from: Format, to: Format, path: &str) -> Result<String, String> {
        let path = KeyPath::parse(path).unwrap();
        extract(text.as_bytes(), from, to, &path, &Indents::default())
            .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_there_is_refused() {
        #[track_caller]
        fn case(path: &str, to: Format, expected: &str) {
            assert_eq!(extracted(YAML, Format::Yaml, to, path).unwrap_err(), expected);
        }
        case("['x']", Format::Yaml, "nothing is at [\"x\"] of the path");
        case("['z']", Format::Yaml, "nothing is at [\"z\"] of the path");
        case("['b'][3]", Format::Yaml, "nothing is at [3] of the path");
        case("['b']['x']", Format::Yaml, "nothing is at [\"x\"] of the path");
        case("['a'][0]", Format::Yaml, "nothing is at [0] of the path");
        case("[0]", Format::Yaml, "nothing is at [0] of the path");
        case(
            "['e']",
            Format::Binary,
            "a value that is no text can't be written as binary",
        );
        case(
            "['e']",
            Format::Dotenv,
            "a value that is no text can't be written as dotenv",
        );
        case("['b']", Format::Ini, "a list can't be written as ini");
        case(
            "['b'][1]",
            Format::Ini,
            "a value or list outside of a section can't be written as ini",
        );
        case(
            "['c']",
            Format::Binary,
            "a document without a text named `data` can't be written as binary",
        );
    }

    #[test]
    fn a_value_is_given_in_the_form_of_the_output() {
        #[track_caller]
        fn case(path: &str, to: Format, expected: &str) {
            assert_eq!(extracted(YAML, Format::Yaml, to, path).unwrap(), expected, "{path}");
        }
        for to in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
            case("['a']", to, "text");
            case("['b'][1]['y']", to, "p\nq\n");
        }
        case(
            "['b']",
            Format::Yaml,
            "# d\n- 1\n- x: 1.5\n  y: |\n    p\n    q\n- []\n",
        );
        case(
            "['b']",
            Format::Json,
            "[\n\t1,\n\t{\n\t\t\"x\": 1.5,\n\t\t\"y\": \"p\\nq\\n\"\n\t},\n\t[]\n]",
        );
        case("['b'][1]", Format::Json, "{\n\t\"x\": 1.5,\n\t\"y\": \"p\\nq\\n\"\n}\n");
        case("['b'][2]", Format::Yaml, "[]\n");
        case("['b'][2]", Format::Json, "[]");
        case("['b'][1]", Format::Dotenv, "x=1.5\ny=p\\nq\\n\n");
        case("['c']", Format::Yaml, "{}\n");
        case("['d']", Format::Yaml, "null\n");
        case("['d']", Format::Json, "null");
        case("['e']", Format::Yaml, "true\n");
        case("['e']", Format::Json, "true");
        case("['f']", Format::Yaml, "2020-01-02T00:00:00Z\n");
        case("['f']", Format::Json, "\"2020-01-02T00:00:00Z\"");
        assert_eq!(
            extracted("a\n", Format::Binary, Format::Binary, "['data']").unwrap(),
            "a\n"
        );
    }
}
