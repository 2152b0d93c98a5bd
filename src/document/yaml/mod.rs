//! YAML: a text as items, and the spelling of what is exchanged in it.
//!
//! Everything here agrees with go-yaml 3.0.4, which SOPS reads and writes YAML with: what is accepted, what a scalar
//! means and which container a comment belongs to. Sealing depends on it, because values and comments are encrypted with
//! the path of their container, and hashed by what they mean.

mod block;
mod comments;
mod cursor;
mod flow;
mod keys;
mod meaning;
mod names;
mod parser;
mod props;
mod quote;
mod resolve;
mod scalars;
mod scanner;
mod source;
mod spell;
mod strays;
mod timestamp;
mod token;
mod tree;
mod walk;

use self::parser::Parser;
use self::source::Source;
use self::token::{Step, Stop};
use self::walk::Walk;
use super::{Document, Error, Fault, Format, Item, Shape, StandIn};
use crate::text::Position;

pub use self::spell::{opened_token, sealed_token};

/// A text as a scalar in block context: plain where that reads back as the same text, else quoted.
#[must_use]
pub fn scalar(text: &str) -> String {
    let value = super::Value::Str(std::borrow::Cow::Borrowed(text.as_bytes()));
    opened_token(super::Style::Plain, super::Context::default(), &value, text.as_bytes()).unwrap_or_default()
}

/// Reads a YAML text of one or more documents.
///
/// Comments are attached as if the entry that sealing appends stood at [`super::Root::insert_at`] of each document, unless
/// it is there already: so they belong to the same containers in the sealed text.
///
/// # Errors
/// When the text is not valid YAML, when SOPS could not read it, and beyond the limits of depth and aliases.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    if let Some(at) = cursor::forbidden_character(text) {
        return Err(error(text, Stop::syntax(at, "control characters are not allowed")));
    }
    let mut walk = Walk::new(text);
    let mut stand_ins = walk_documents(&mut walk, text).map_err(|stop| error(text, stop))?;
    stand_ins.extend(empty_list_comments(&walk.items));
    stand_ins.sort_by_key(|stand_in| stand_in.span.start);
    if walk.items.is_empty() {
        return Err(error(
            text,
            Stop {
                at: 0,
                fault: if text.is_empty() {
                    Fault::Empty
                } else {
                    Fault::NoDocument
                },
            },
        ));
    }
    Ok(Document {
        text,
        format: Format::Yaml,
        items: walk.items,
        flaws: flaws(text, walk.flaws),
        stand_ins,
    })
}

/// Walks through all documents; gives what stands in for what can't be exchanged.
fn walk_documents<'t>(walk: &mut Walk<'t>, text: &'t str) -> Step<Vec<StandIn>> {
    let mut parser = Parser::new(text);
    let mut first = true;
    // Where the items of the last document begin.
    let mut begin = 0;
    while let Some(tree) = parser.next_document(first)? {
        begin = walk.items.len();
        let source = Source {
            nodes: &parser.nodes,
            comments: &parser.scanner.comments.found,
        };
        walk.document(&tree, source)?;
        place_strays(walk, &parser, begin, tree.end);
        walk.flaws
            .extend(parser.bad_directives.drain(..).map(|at| (at, Fault::YamlDirective)));
        if !parser.has_anchors() {
            parser.nodes.clear();
        }
        first = false;
    }
    if !first {
        place_strays(walk, &parser, begin, text.len() + 1);
    }
    let mut stand_ins = parser.scanner.stand_ins;
    stand_ins.append(&mut walk.stand_ins);
    Ok(stand_ins)
}

/// What keeps the comments without text in lists from becoming elements: SOPS opens one that its settings seal as an empty text.
fn empty_list_comments(items: &[Item<'_>]) -> Vec<StandIn> {
    let mut open = Vec::new();
    let mut found = Vec::new();
    for item in items {
        match item {
            Item::Enter(container) => open.push(container.shape),
            Item::Leave => {
                open.pop();
            }
            Item::Comment(comment) if comment.text.is_empty() && open.last() == Some(&Shape::List) => {
                found.push(StandIn {
                    span: comment.span,
                    text: " ",
                });
            }
            _ => {}
        }
    }
    found
}

/// Places the comments before `end` that no node took among the items since `begin`.
fn place_strays<'t>(walk: &mut Walk<'t>, parser: &Parser<'t>, begin: usize, end: usize) {
    let found = &parser.scanner.comments.found;
    walk.placed.resize(found.len(), false);
    let before_end = found.partition_point(|span| span.start < end);
    let mut strays = Vec::new();
    for (span, placed) in found.iter().zip(&mut walk.placed).take(before_end).skip(walk.settled) {
        if !*placed {
            *placed = true;
            strays.push(*span);
        }
    }
    walk.settled = before_end;
    if !strays.is_empty() {
        let items: Vec<Item<'t>> = walk.items.split_off(begin);
        walk.items.extend(strays::insert(walk.text, items, strays));
    }
}

fn error(text: &str, stop: Stop) -> Error {
    Error {
        place: Position::at(text.as_bytes(), stop.at),
        fault: stop.fault,
    }
}

/// The flaws in the order of the text, with their places counted in one pass.
fn flaws(text: &str, mut found: Vec<(usize, Fault)>) -> Vec<Error> {
    found.sort_by_key(|&(at, _)| at);
    let mut line_start = 0;
    let mut line = 1;
    found
        .into_iter()
        .map(|(at, fault)| {
            let passed = text.as_bytes().get(line_start..at).unwrap_or_default();
            if let Some(newline) = passed.iter().rposition(|&byte| byte == b'\n') {
                line += passed.split(|&byte| byte == b'\n').count() - 1;
                line_start += newline + 1;
            }
            let column = Position::at(text.as_bytes().get(line_start..).unwrap_or_default(), at - line_start).column;
            Error {
                place: Position { line, column },
                fault,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::document::{Key, Leaf, Origin, Root, RootStyle, Value};

    fn key(key: Option<&Key<'_>>) -> String {
        key.map(|key| format!("{}:", key.name)).unwrap_or_default()
    }

    fn value(leaf: &Leaf<'_>) -> String {
        let bytes = leaf.value.plain_bytes().unwrap_or_default();
        let kind = match leaf.value {
            Value::Str(_) => "",
            Value::Int(_) => "int ",
            Value::Float(_) => "float ",
            Value::Bool(_) => "bool ",
            Value::Time(_) => "time ",
            Value::Null => "null",
        };
        format!("{kind}{}", String::from_utf8_lossy(&bytes))
    }

    /// The walk in a line: `#` before a comment, `~` before one that shares its line, `*` and `+` before aliases and copies.
    fn walk(text: &str) -> String {
        let document = match parse(text) {
            Ok(document) => document,
            Err(error) => return error.to_string(),
        };
        let mark = |origin| match origin {
            Origin::Text => "",
            Origin::Alias => "*",
            Origin::Copy => "+",
            Origin::Overridden => "-",
        };
        let items = document.items.iter().map(|item| match item {
            Item::Begin(_) => "-".to_owned(),
            Item::Enter(container) => {
                let open = if container.shape == Shape::Map { '{' } else { '[' };
                format!("{}{}{open}", mark(container.origin), key(container.key.as_ref()))
            }
            Item::Leave => ")".to_owned(),
            Item::Leaf(leaf) => format!("{}{}{}", mark(leaf.origin), key(leaf.key.as_ref()), value(leaf)),
            Item::Comment(comment) => {
                assert_eq!(comment.span.of(text), comment.text);
                format!("{}{}", if comment.inline { '~' } else { '#' }, comment.text)
            }
        });
        items.collect::<Vec<_>>().join(" ").replace('\n', "\\n")
    }

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(walk(text), expected, "{text:?}");
    }

    #[test]
    fn what_sops_can_not_read_is_refused() {
        for (text, place, reason) in [
            ("a: \u{1}", "1:4", "control characters are not allowed"),
            ("a: [1", "1:6", "did not find expected ',' or closing bracket"),
            ("a: 'x", "1:4", "found unexpected end of stream in a quoted scalar"),
            ("a:\n\tb: 1", "2:1", "found character that cannot start any token"),
            ("a: b: c", "1:5", "mapping values are not allowed in this context"),
            (
                "a: - b",
                "1:4",
                "block sequence entries are not allowed in this context",
            ),
            ("a: *b", "1:4", "unknown anchor referenced"),
            ("? [a]\n: b", "1:3", "a key is a map or a list"),
            ("a: &a:b c: d", "1:10", "mapping values are not allowed in this context"),
            ("a: !x!y z", "1:4", "found undefined tag handle"),
            ("a: \"\\ud83d\"", "1:5", "found invalid Unicode character escape code"),
            ("a: |0\n  b", "1:4", "found an indentation indicator equal to 0"),
            ("a: 1\n...\nb: 1", "3:1", "did not find expected document start"),
            ("%FOO\n---\na: 1", "1:1", "found unknown directive name"),
            ("a: 1\nb\n", "2:1", "could not find expected ':'"),
        ] {
            assert_eq!(walk(text), format!("{place}: not valid YAML: {reason}"), "{text:?}");
        }
        case("", "1:1: the file is empty");
        case("\n# a\n", "1:1: the file holds no document");
        case("- a\n", "1:1: the top level is not a map");
        case("a: 1\n---\nb\n", "3:1: the top level is not a map");
        case("&a ~\n", "1:4: the document is null; write {} or remove it");
        case("a: &a [1]\n--- *a\n", "2:5: the top level is not a map");
        case("a: &a 1\n--- *a\n", "2:5: the top level is not a map");
        case("a: &a [*a]\n", "1:8: an anchor contains itself");
    }

    #[test]
    fn depth_and_copies_have_limits() {
        let deep = |levels: usize| walk(&format!("a: {}{}", "[".repeat(levels), "]".repeat(levels)));
        assert!(deep(99).starts_with("- a:["), "{}", deep(99));
        assert_eq!(deep(100), "1:103: nested deeper than 100 levels");
        assert_eq!(deep(100_000), "1:103: nested deeper than 100 levels");
        let chain = (1..200)
            .map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1))
            .collect::<Vec<_>>()
            .concat();
        assert!(walk(&format!("a0: &a0 [x]\n{chain}")).ends_with("nested deeper than 100 levels"));
        let bomb = (1..9)
            .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(",")))
            .collect::<Vec<_>>()
            .concat();
        assert!(walk(&format!("a0: &a0 x\n{bomb}")).ends_with("its aliases expand to more than 100000 values"));
    }

    #[test]
    fn flaws_are_told_with_their_places() {
        #[track_caller]
        fn case(text: &str, expected: &[(&str, Fault)]) {
            let flaws = parse(text).unwrap().flaws;
            let found: Vec<_> = flaws
                .iter()
                .map(|flaw| (flaw.place.to_string(), flaw.fault.clone()))
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(place, fault)| ((*place).to_owned(), fault.clone()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
        case(
            "1: a\n~: b\n",
            &[("1:1", Fault::KeyIsNotText), ("2:1", Fault::KeyIsNotText)],
        );
        case("a: &a x\n*a : 1\n", &[("2:1", Fault::KeyIsNotText)]);
        case("18446744073709551615: x\n", &[("1:1", Fault::KeyIsNotText)]);
        case("a: 1\né: 2\n'a': 3\n", &[("3:1", Fault::DuplicateKey)]);
        case("a: {b: 1, é: 2, b: 3}\n", &[("1:17", Fault::DuplicateKey)]);
        case("a: 9223372036854775808\n", &[("1:4", Fault::IntegerTooLarge)]);
        case("a: !!int x\n", &[("1:4", Fault::TagDoesNotFit)]);
        case("%YAML 1.2\n---\na: 1\n", &[("1:1", Fault::YamlDirective)]);
        case("<<: 1\n", &[("1:1", Fault::MergeIsNotAMap)]);
        case(
            "a: &a {b: 1}\nc: {<<: [*a, {d: 1}]}\n\"1\": x\n'<<': 1\n%YAML 1.1\n---\na: 1\n",
            &[],
        );
    }

    #[test]
    fn what_can_not_stay_where_it_is_reads_as_it_does_for_sops() {
        case("a: |\n  x", "- a:x");
        case("a: >+\n  x\n  y", "- a:x y");
        case("a: |+\n  x\n  ", "- a:x\\n");
        case("a: |\n  x\n    ", "- a:x\\n  ");
        case("a: &a:b c\nd: *a\n", "- a::b c *d::b c");
        case("&a:b : c\n", "- :b:c");
        case("~\n", "-");
        case("# a\n--- null # b\n--- !!null ''\n", "- # a # b -");
        case("a: &a {b: 1} # c\n--- *a # d\n", "- a:{ # c b:int 1 ) - # d +b:int 1");
        case("a: &a ~\n---\n*a\n", "- a:null -");
    }

    #[test]
    fn values_are_read_as_sops_reads_them() {
        case(
            "a: x\nb: 1\nc: 1.5\nd: true\ne: ~\nf:\ng: 2001-1-2\n",
            "- a:x b:int 1 c:float 1.5 d:bool True e:null f:null g:time 2001-01-02T00:00:00Z",
        );
        case(
            "a: '1'\nb: \"x\\ty\\\n  z\"\nc: 'it''s'\nd: x\n  y\n\n  z\n",
            "- a:1 b:x\tyz c:it's d:x y\\nz",
        );
        case(
            "a: |\n  x\n  y\n\nb: >-\n  x\n  y\n\n   z\n  w\nc: |+\n  x\n\nd: |2\n   x\n",
            "- a:x\\ny\\n b:x y\\n\\n z\\nw c:x\\n\\n d: x\\n",
        );
        case(
            "a: {b: 1, 'c':2, d}\ne: [x, y: z, {}, [], ]\n",
            "- a:{ b:int 1 c:int 2 d:null ) e:[ x { y:z ) { ) [ ) )",
        );
        case("? a\n: b\n? c\nd:\n- x\n- - y\n-\n", "- a:b c:null d:[ x [ y ) null )");
        case(
            "a: !!str 1\nb: !foo 2\nc: !!binary aGk=\nd: ! 5\ne: !!float 5\n",
            "- a:1 b:2 c:hi d:int 5 e:float 5",
        );
        case("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n", "- a:int 1 b:x\\ny\\n");
    }

    #[test]
    fn aliases_are_copied_without_comments() {
        case("a: &a x\nb: *a\nc: [*a]\n", "- a:x *b:x c:[ *x )");
        case(
            "a: &a\n  # c\n  x: [1]\nb: *a\n<<: *a\n",
            "- a:{ # c x:[ int 1 ) ) *b:{ +x:[ +int 1 ) ) *<<:{ +x:[ +int 1 ) )",
        );
        case("a: &a 1\n---\nb: *a\n", "- a:int 1 - *b:int 1");
    }

    #[test]
    fn comments_belong_where_go_yaml_puts_them() {
        case(
            "# top\n\n# a\na: 1 # in\n# b\nb: 2\n# end\n",
            "- # top # a ~ in a:int 1 # b b:int 2 # end",
        );
        case(
            "a: # key\n  # first\n  b: 1\n  # last\nc: 2\n",
            "- # key a:{ # first b:int 1 # last ) c:int 2",
        );
        case(
            "a:\n  - x # in\n  # mid\n  - y\n  # end\nb: 1\n",
            "- a:[ ~ in x # mid y # end ) b:int 1",
        );
        case("a:\n  b: 1\n# root\n", "- a:{ b:int 1 ) # root");
        case("a:\n  b: 1\n\n  # foot\n", "- a:{ b:int 1 # foot )");
        case(
            "a: [1, 2] # flow\nb: | # block\n  x\n",
            "- a:[ # flow int 1 int 2 ) ~ block b:x\\n",
        );
        case("a: 1\n---\n# second\n---\nb: 2\n", "- a:int 1 - # second - b:int 2");
    }

    #[test]
    fn comments_that_go_yaml_loses_stay_where_they_are() {
        case("%TAG !e! x # lost\n---\na: 1\n", "- # lost a:int 1");
        case("a: [ # lost\n  1, 2]\nb: 1\n", "- a:[ # lost int 1 int 2 ) b:int 1");
        case("{a: [1], # root\n}\n", "- a:[ int 1 ) # root");
    }

    #[test]
    fn places_of_leaves_are_exact() {
        #[track_caller]
        fn case(text: &str, span: &str, body: &str, indent: usize) {
            let document = parse(text).unwrap();
            let leaf = document.items.iter().find_map(|item| match item {
                Item::Leaf(leaf) => Some(leaf),
                _ => None,
            });
            let leaf = leaf.unwrap();
            assert_eq!(
                (leaf.span.of(text), leaf.body.of(text), leaf.context.indent),
                (span, body, indent),
                "{text:?}"
            );
        }
        case("a: x # c\n", "x", "x", 4);
        case("a: &b  x y  \n", "x y", "x y", 4);
        case("a: !!int 5\n", "!!int 5", "!!int 5", 4);
        case("a: &b !!int 5\n", "!!int 5", "!!int 5", 4);
        case("a: !!str 'x'\n", "'x'", "'x'", 4);
        case("a: \"x\n  y\"\n", "\"x\n  y\"", "\"x\n  y\"", 4);
        case("a: x\n  y\n", "x\n  y", "x\n  y", 4);
        case("l:\n  - x", "x", "x", 4);
        case("a:\n", "", "", 4);
        case("a: |\n   x\n\n   y\n\nb: 1\n", "|\n   x\n\n   y", "   x\n\n   y", 3);
        case("a: |2- # c\n\n    x\n", "|2- # c\n\n    x", "\n    x", 2);
        case("a: |+\r\n  x\r\n\r\n\r\n", "|+\r\n  x", "  x", 2);
        case("a: >\n  x", ">\n  x", "  x", 2);
        case("l:\n- |\n x\n", "|\n x", " x", 1);
        case("? |\n k\n: - v\n", "v", "v", 4);
        case("\u{feff}a: x", "x", "x", 4);
        case("{a: x}", "x", "x", 0);
    }

    #[test]
    fn the_root_says_where_a_further_entry_goes() {
        #[track_caller]
        fn case(text: &str, expected: &[(RootStyle, usize)]) {
            let roots = parse(text).unwrap().items.into_iter().filter_map(|item| match item {
                Item::Begin(Root { style, insert_at }) => Some((style, insert_at)),
                _ => None,
            });
            assert_eq!(roots.collect::<Vec<_>>(), expected, "{text:?}");
        }
        let block = RootStyle::Block { column: 0 };
        let flow = |empty, comma| RootStyle::Flow { empty, comma };
        case("a: 1\n# c\n", &[(block, 9)]);
        case("a: 1", &[(block, 4)]);
        case("  a: 1\n", &[(RootStyle::Block { column: 2 }, 7)]);
        case(
            "a: 1\n---\n...\n---\nb: 2\n",
            &[(block, 5), (RootStyle::Nothing, 9), (block, 22)],
        );
        case("---\n# c\n", &[(RootStyle::Nothing, 8)]);
        case("{a: 1 }\n", &[(flow(false, false), 5)]);
        case("{a: [1] , }\n", &[(flow(false, true), 7)]);
        case("{ }\n", &[(flow(true, false), 1)]);
        case("{a: }\n", &[(flow(false, false), 4)]);
    }
}
