//! What a change does to texts of every layout.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use super::*;

fn changed(format: Format, text: &str, path: &str, value: Option<&str>) -> Result<Changed, Error> {
    let path = KeyPath::parse(path).unwrap();
    match value {
        Some(value) => set(format, text, &path, &json::parse_value(value).unwrap()),
        None => unset(format, text, &path),
    }
}

#[track_caller]
fn case(format: Format, text: &str, path: &str, value: Option<&str>, expected: &str) {
    let found = changed(format, text, path, value).map_err(|error| error.to_string());
    match found {
        Ok(found) => assert_eq!(*found.text, expected, "{text:?} {path} {value:?}"),
        Err(error) => panic!("{error}: {text:?} {path} {value:?}"),
    }
}

#[test]
fn what_can_not_be_changed_is_refused() {
    #[track_caller]
    fn case(text: &str, path: &str, value: Option<&str>, expected: &str) {
        let error = changed(Format::Yaml, text, path, value)
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{text:?} {path}");
    }
    case("a: 1\n", "", Some("1"), "the path is empty");
    case("a: 1\n", "", None, "the path is empty");
    case(
        "a: [\n",
        "['a']",
        Some("1"),
        "2:1: not valid YAML: did not find expected node content",
    );
    case(
        "a: 1\n",
        "[0]",
        Some("1"),
        "[0] of the path is a position, but a map is there",
    );
    case(
        "a: [1]\n",
        "['a']['b']",
        Some("1"),
        "[\"b\"] of the path is a key, but a list is there",
    );
    case(
        "a: [1]\n",
        "['a']['b']",
        None,
        "[\"b\"] of the path is a key, but a list is there",
    );
    case("a: 1\n", "['b']", None, "nothing is at [\"b\"] of the path");
    case("a: [1]\n", "['a'][1]", None, "nothing is at [1] of the path");
    case("a: 1\n", "['a']['b']", None, "nothing is at [\"b\"] of the path");
}

#[test]
fn a_scalar_takes_the_place_of_another_in_its_style() {
    #[track_caller]
    fn yaml(text: &str, path: &str, value: &str, expected: &str) {
        case(Format::Yaml, text, path, Some(value), expected);
    }
    yaml("a: 1 # x\nb: 2\n", "['a']", "5", "a: 5 # x\nb: 2\n");
    yaml("a: 'x'\n", "['a']", "\"it's\"", "a: 'it''s'\n");
    yaml("a: \"x\"\n", "['a']", "\"y\"", "a: \"y\"\n");
    yaml("a: \"x\"\n", "['a']", "7", "a: 7\n");
    yaml("a: x\n", "['a']", "\"7\"", "a: \"7\"\n");
    yaml("a: x\n", "['a']", "\"p\\nq\\n\"", "a: |\n    p\n    q\n");
    yaml("a: |\n  x\nb: 1\n", "['a']", "\"p\\nq\\n\"", "a: |\n  p\n  q\nb: 1\n");
    yaml("a: |-\n  x\nb: 1\n", "['a']", "\"p\\nq\\n\"", "a: |\n  p\n  q\nb: 1\n");
    yaml("a: >\n  x\n  y\nb: 1\n", "['a']", "\"z\"", "a: z\nb: 1\n");
    yaml("a: | # c\n  x\nb: 1\n", "['a']", "\"z\"", "a: z # c\nb: 1\n");
    yaml("a:\nb: 1\n", "['a']", "\"z\"", "a: z\nb: 1\n");
    yaml("a: # c\nb: 1\n", "['a']", "\"z\"", "a: z # c\nb: 1\n");
    yaml("a: [1, {b: x}]\n", "['a'][1]['b']", "\"p, q\"", "a: [1, {b: 'p, q'}]\n");
    yaml("a: {b, c: }\n", "['a']['b']", "1", "a: {b: 1, c: }\n");
    yaml("a: {b, c: }\n", "['a']['c']", "1", "a: {b, c: 1 }\n");
    yaml(
        "a: 1\r\nb: 2\r\n",
        "['a']",
        "\"p\\nq\\n\"",
        "a: |\r\n    p\r\n    q\r\nb: 2\r\n",
    );
    yaml("a: 1", "['a']", "2", "a: 2");
    yaml("? a\n: 1\n", "['a']", "2", "? a\n: 2\n");
    yaml("a: 1\n---\na: 1\n", "['a']", "2", "a: 2\n---\na: 1\n");
    yaml("a: 1\n", "['a']", "1.50", "a: 1.50\n");
    yaml(
        "a: 1\n",
        "['a']",
        "123456789012345678901234567890",
        "a: 1.2345678901234568e+29\n",
    );
    yaml("a: 1\n", "['a']", "null", "a: null\n");
    yaml(
        "- \n".replace("- \n", "a:\n-\n- 2\n").as_str(),
        "['a'][0]",
        "1",
        "a:\n- 1\n- 2\n",
    );
}

#[test]
fn subtrees_are_written_in_the_manner_of_the_file() {
    #[track_caller]
    fn yaml(text: &str, path: &str, value: &str, expected: &str) {
        case(Format::Yaml, text, path, Some(value), expected);
    }
    let value = r#"{"u": "x", "l": [1, {"p": 2, "q": []}], "e": {}}"#;
    yaml(
        "a: 1 # c\nb: 2\n",
        "['a']",
        value,
        "a: # c\n    u: x\n    l:\n        - 1\n        - p: 2\n          q: []\n    e: {}\nb: 2\n",
    );
    yaml(
        "m:\n  n: 1\na: 1\n",
        "['a']",
        value,
        "m:\n  n: 1\na:\n  u: x\n  l:\n    - 1\n    - p: 2\n      q: []\n  e: {}\n",
    );
    yaml(
        "m:\n- n\na: {x: 1}\n",
        "['a']",
        "{\"b\": {\"c\": [1]}}",
        "m:\n- n\na:\n    b:\n        c:\n        - 1\n",
    );
    yaml(
        "l:\n- 1 # c\n- 2\n",
        "['l'][0]",
        "{\"a\": 1, \"b\": 2}",
        "l:\n- # c\n  a: 1\n  b: 2\n- 2\n",
    );
    yaml(
        "l:\n  - 1\n  - 2\n",
        "['l'][0]",
        "{\"a\": 1, \"b\": [3]}",
        "l:\n  - a: 1\n    b:\n      - 3\n  - 2\n",
    );
    yaml(
        "l:\n  - a: 1\n    b: 2\n  - 2\n",
        "['l'][0]",
        "[1, [2, 3]]",
        "l:\n  - - 1\n    - - 2\n      - 3\n  - 2\n",
    );
    yaml("l:\n  - a: 1\n    b: 2\n  - 2\n", "['l'][0]", "5", "l:\n  - 5\n  - 2\n");
    yaml(
        "a: {x: 1}\n",
        "['a']['x']",
        "{\"p\": [1, {}]}",
        "a: {x: {p: [1, {}]}}\n",
    );
    yaml("l:\n- 1\n", "['l']", "{\"a\": 1}", "l:\n    a: 1\n");
    yaml("l: # c\n- 1\n", "['l']", "5", "l: # c\n 5\n");
    yaml("a:\n  b: 1\n  # foot\nc: 1\n", "['a']", "5", "a: 5\n  # foot\nc: 1\n");
    yaml("a: &x\n  b: 1\nc: 1\n", "['a']", "[]", "a: &x []\nc: 1\n");
    yaml("a: &x 1\nc: 1\n", "['a']", "{\"b\": 1}", "a: &x\n    b: 1\nc: 1\n");
    yaml("a: 1\n", "['a']['b'][3]['c']", "1", "a:\n    b:\n        - c: 1\n");
}

#[test]
fn what_is_missing_on_the_way_is_made() {
    #[track_caller]
    fn yaml(text: &str, path: &str, value: &str, expected: &str) {
        case(Format::Yaml, text, path, Some(value), expected);
    }
    yaml("a: 1\n# end\n", "['b']", "2", "a: 1\nb: 2\n# end\n");
    yaml("a: 1", "['b']", "2", "a: 1\nb: 2");
    yaml(
        "a:\n  b: 1 # c\n\nc: 1\n",
        "['a']['x']['y']",
        "2",
        "a:\n  b: 1 # c\n  x:\n    y: 2\n\nc: 1\n",
    );
    yaml("a:\n- 1\nc: 1\n", "['a'][1]", "2", "a:\n- 1\n- 2\nc: 1\n");
    yaml(
        "a:\n- 1\nc: 1\n",
        "['a'][99]",
        "{\"x\": 1, \"y\": 2}",
        "a:\n- 1\n- x: 1\n  y: 2\nc: 1\n",
    );
    yaml("a:\n- - 1\n  - 2\n", "['a'][0][9]", "2", "a:\n- - 1\n  - 2\n  - 2\n");
    yaml("a:\n- x: 1\n", "['a'][0]['y']", "2", "a:\n- x: 1\n  y: 2\n");
    yaml("a: {}\n", "['a']['b']", "2", "a:\n    b: 2\n");
    yaml("a: [] # c\n", "['a'][0]", "2", "a: # c\n    - 2\n");
    yaml("a: [1]\n", "['a'][7]", "\"x y\"", "a: [1, x y]\n");
    yaml("a: [1, ]\n", "['a'][7]", "2", "a: [1, 2, ]\n");
    yaml("a: [b: 1]\n", "['a'][0]['c']", "2", "a: [{b: 1, c: 2}]\n");
    yaml(
        "a: [\n  1, # c\n  2\n]\n",
        "['a'][7]",
        "3",
        "a: [\n  1, # c\n  2,\n  3\n]\n",
    );
    yaml("{}\n", "['a']", "1", "a: 1\n");
    yaml("{a: 1}\n", "['b']", "1", "{a: 1, b: 1}\n");
    yaml("---\n# only\n", "['b']", "1", "---\n# only\nb: 1\n");
    yaml("--- {}\n", "['b']", "1", "--- \nb: 1\n");
    yaml("a: 1\n---\nb: 1\n", "['c']", "1", "a: 1\nc: 1\n---\nb: 1\n");
    yaml("a: |+\n  x\n\n\n", "['b']", "1", "a: |+\n  x\n\n\nb: 1\n");
    yaml(
        "a:\n  k: |+\n    x\n\nb: 1\n",
        "['a']['c']",
        "1",
        "a:\n  k: |+\n    x\n\n  c: 1\nb: 1\n",
    );
    yaml("? a\n: 1\n", "['b']", "1", "? a\n: 1\nb: 1\n");
    yaml("a: 1\n...\n", "['b']", "1", "a: 1\nb: 1\n...\n");
    yaml("\u{feff}a: 1\n", "['b']", "1", "\u{feff}a: 1\nb: 1\n");
    yaml("a: 1\n", "['a b: c']", "1", "a: 1\n'a b: c': 1\n");
    yaml("a: 1\n", "['<<']", "1", "a: 1\n\"<<\": 1\n");
}

#[test]
fn what_is_taken_away_leaves_the_rest() {
    #[track_caller]
    fn yaml(text: &str, path: &str, expected: &str) {
        case(Format::Yaml, text, path, None, expected);
    }
    yaml("a: 1\nb: 2\n", "['a']", "b: 2\n");
    yaml("a: 1\nb: 2\n", "['b']", "a: 1\n");
    yaml("a: 1\nb: 2", "['b']", "a: 1");
    yaml("a: 1\nb: 2", "['a']", "b: 2");
    yaml("a: 1\n", "['a']", "{}\n");
    yaml("# c\na: 1 # d\n# e\n", "['a']", "# c\n{} # d\n# e\n");
    yaml("# c\na: 1 # d\n# e\nb: 2\n", "['a']", "# c\n# d\n# e\nb: 2\n");
    yaml("a:\n  b:\n    c: 1\nd: 1\n", "['a']['b']", "a: {}\nd: 1\n");
    yaml("a:\n  b:\n    c: 1\n  x: 2\nd: 1\n", "['a']['b']", "a:\n  x: 2\nd: 1\n");
    yaml("a:\n- 1\n- 2\n", "['a'][0]", "a:\n- 2\n");
    yaml("a:\n- 1\n- 2\n", "['a'][1]", "a:\n- 1\n");
    yaml("a:\n- 1\n", "['a'][0]", "a: []\n");
    yaml("a:\n- x: 1\n  y: 2\n", "['a'][0]['x']", "a:\n- y: 2\n");
    yaml("a:\n- x: 1 # c\n  y: 2\n", "['a'][0]['x']", "a:\n- # c\n  y: 2\n");
    yaml("a:\n- - 1\n  - 2\n", "['a'][0][0]", "a:\n- - 2\n");
    yaml("a: [1, 2, 3]\n", "['a'][0]", "a: [2, 3]\n");
    yaml("a: [1, 2, 3]\n", "['a'][1]", "a: [1, 3]\n");
    yaml("a: [1, 2, 3]\n", "['a'][2]", "a: [1, 2]\n");
    yaml("a: [ 1 ]\n", "['a'][0]", "a: []\n");
    yaml(
        "a: [\n  1, # c\n  2, # d\n]\n",
        "['a'][0]",
        "a: [\n  # c\n  2, # d\n]\n",
    );
    yaml("a: {b: 1, c: 2}\n", "['a']['b']", "a: {c: 2}\n");
    yaml("a: |\n  x\n  y\nb: 1\n", "['a']", "b: 1\n");
    yaml("a: | # c\n  x\nb: 1\n", "['a']", "# c\nb: 1\n");
    yaml("? a\n: 1\nb: 1\n", "['a']", "b: 1\n");
    yaml("a: &x 1\nb: 1\n", "['a']", "b: 1\n");
}

#[test]
fn aliases_are_written_out_where_only_that_changes_one_place() {
    #[track_caller]
    fn yaml(text: &str, path: &str, value: Option<&str>, expected: &str, reach: Reach) {
        let found = changed(Format::Yaml, text, path, value).unwrap();
        assert_eq!((found.text.as_str(), found.reach), (expected, reach));
    }
    yaml("a: &x 1\nb: *x\n", "['b']", Some("2"), "a: &x 1\nb: 2\n", Reach::Place);
    yaml(
        "a: &x 1\nb: *x\n",
        "['a']",
        Some("2"),
        "a: &x 2\nb: 1\n",
        Reach::Aliases,
    );
    yaml(
        "a: &x\n  p: 1\n  q: [s]\nb: *x\n",
        "['b']['p']",
        Some("2"),
        "a: &x\n  p: 1\n  q: [s]\nb: {p: 2, q: [s]}\n",
        Reach::Aliases,
    );
    yaml(
        "a: &x\n  p: 1\nb:\n  <<: *x\n  r: 1\n",
        "['a']['p']",
        Some("2"),
        "a: &x\n  p: 2\nb:\n  <<: {p: 1}\n  r: 1\n",
        Reach::Aliases,
    );
    yaml("a: &x\n  p: 1\nb: *x\n", "['a']", None, "b: {p: 1}\n", Reach::Aliases);
}

#[test]
fn json_keeps_its_layout() {
    #[track_caller]
    fn json(text: &str, path: &str, value: Option<&str>, expected: &str) {
        case(Format::Json, text, path, value, expected);
    }
    json(
        "{\"a\":1}",
        "['b']",
        Some("[1,{\"c\":2}]"),
        "{\"a\":1,\"b\":[1,{\"c\":2}]}",
    );
    json(
        "{\"a\": 1, \"c\": 2}",
        "['b']",
        Some("[1,{\"c\":2}]"),
        "{\"a\": 1, \"c\": 2, \"b\": [1, {\"c\": 2}]}",
    );
    json("{\"a\": 1}", "['b']", Some("[1,2]"), "{\"a\": 1, \"b\": [1, 2]}");
    json(
        "{\n  \"a\": 1\n}\n",
        "['b']",
        Some("{\"c\":[1],\"d\":{}}"),
        "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1\n    ],\n    \"d\": {}\n  }\n}\n",
    );
    json(
        "{\n\t\"a\": {}\n}\n",
        "['a']['b']",
        Some("1"),
        "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
    );
    json("{}\n", "['a']", Some("1"), "{\n\t\"a\": 1\n}\n");
    json(
        "{\n\t\"a\": \"x\"\n}\n",
        "['a']",
        Some("[1]"),
        "{\n\t\"a\": [\n\t\t1\n\t]\n}\n",
    );
    json(
        "{\r\n\t\"a\": \"x\"\r\n}\r\n",
        "['b']",
        Some("1"),
        "{\r\n\t\"a\": \"x\",\r\n\t\"b\": 1\r\n}\r\n",
    );
    json(
        "{\"a\": [1, 2]}",
        "['a'][5]",
        Some("\"é\\u0041\""),
        "{\"a\": [1, 2, \"éA\"]}",
    );
    json(
        "{\"a\": 1.50, \"b\": 2}",
        "['b']",
        Some("1e3"),
        "{\"a\": 1.50, \"b\": 1e3}",
    );
    json("{\n\t\"a\": 1,\n\t\"b\": 2\n}\n", "['b']", None, "{\n\t\"a\": 1\n}\n");
    json("{\n\t\"a\": 1,\n\t\"b\": 2\n}\n", "['a']", None, "{\n\t\"b\": 2\n}\n");
    json("{\n\t\"a\": 1\n}\n", "['a']", None, "{}\n");
    json("{\"a\":[1,2,3]}", "['a'][1]", None, "{\"a\":[1,3]}");
    json("{\"a\":[1,2,3]}", "['a'][2]", None, "{\"a\":[1,2]}");
    json("{\"a\":[1,2,3]}", "['a'][0]", None, "{\"a\":[2,3]}");
    json("{\"a\": {\"b\": 1}}", "['a']['b']", None, "{\"a\": {}}");
    json(
        "{\n  \"a\": [1,\n    2]\n}",
        "['a'][0]",
        None,
        "{\n  \"a\": [\n    2]\n}",
    );
}

#[test]
fn what_lines_can_not_hold_is_refused() {
    #[track_caller]
    fn case(format: Format, text: &str, path: &str, value: Option<&str>, expected: &str) {
        let error = changed(format, text, path, value).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{text:?} {path}");
    }
    case(
        Format::Dotenv,
        "A=1\n",
        "['A']",
        Some("[1]"),
        "a map or list can't be written as dotenv",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "['A']",
        Some("{}"),
        "a map or list can't be written as dotenv",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "['A']['b']",
        Some("1"),
        "a map or list can't be written as dotenv",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "['A=b']",
        Some("1"),
        "such a key can't be written as dotenv",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "[0]",
        Some("1"),
        "[0] of the path is a position, but a map is there",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "['B']",
        None,
        "nothing is at [\"B\"] of the path",
    );
    case(
        Format::Dotenv,
        "A=1\n",
        "['A']",
        Some("\"a\\\\nb\""),
        "such a value can't be written as dotenv",
    );
    case(
        Format::Ini,
        "[s]\na = 1\n",
        "['s']",
        Some("1"),
        "a value outside of a section can't be written as ini",
    );
    case(
        Format::Ini,
        "[s]\na = 1\n",
        "['s']['a']",
        Some("{\"b\": 1}"),
        "a map or list can't be written as ini",
    );
    case(
        Format::Ini,
        "[s]\na = 1\n",
        "['s']['a']['b']",
        Some("1"),
        "a map or list can't be written as ini",
    );
    case(
        Format::Ini,
        "[s]\na = 1\n",
        "['s']['']",
        Some("1"),
        "such a key can't be written as ini",
    );
    case(
        Format::Ini,
        "[s]\na = 1\n",
        "['s']['b']",
        None,
        "nothing is at [\"b\"] of the path",
    );
}

#[test]
fn dotenv_changes_by_the_line() {
    #[track_caller]
    fn env(text: &str, path: &str, value: Option<&str>, expected: &str) {
        case(Format::Dotenv, text, path, value, expected);
    }
    env("# c\nA=1\n\nB=2\n", "['A']", Some("6543"), "# c\nA=6543\n\nB=2\n");
    env("A=1\nB=2\n", "['C']", Some("\"x y\\nz\""), "A=1\nB=2\nC=x y\\nz\n");
    env("A=1", "['C']", Some("true"), "A=1\nC=true");
    env("", "['C']", Some("1.50"), "C=1.5\n");
    env("# c\nA=1\nB=2\n", "['A']", None, "# c\nB=2\n");
    env("A=1\nB=2", "['B']", None, "A=1");
    env("A=1\n", "['A']", None, "");
    env("A=# x\nB=1\n", "['A']", None, "B=1\n");
}

#[test]
fn ini_changes_by_the_line() {
    #[track_caller]
    fn ini(text: &str, path: &str, value: Option<&str>, expected: &str) {
        case(Format::Ini, text, path, value, expected);
    }
    let text = "; top\n[a]\nlong = 1 ; c\nb    = \"q\"\n\n; d\n[e]\nf=2\n";
    ini(
        text,
        "['a']['long']",
        Some("5"),
        "; top\n[a]\nlong = 5 ; c\nb    = \"q\"\n\n; d\n[e]\nf=2\n",
    );
    ini(
        text,
        "['a']['b']",
        Some("\"r\""),
        "; top\n[a]\nlong = 1 ; c\nb    = \"r\"\n\n; d\n[e]\nf=2\n",
    );
    ini(
        text,
        "['a']['x']",
        Some("5"),
        "; top\n[a]\nlong = 1 ; c\nb    = \"q\"\nx    = 5\n\n; d\n[e]\nf=2\n",
    );
    ini(
        text,
        "['e']['x']",
        Some("\"y;z\""),
        "; top\n[a]\nlong = 1 ; c\nb    = \"q\"\n\n; d\n[e]\nf=2\nx=`y;z`\n",
    );
    ini(text, "['n']['x']", Some("5"), &format!("{text}\n[n]\nx = 5\n"));
    ini(
        text,
        "['n']",
        Some("{\"x\": 5, \"long\": \"\"}"),
        &format!("{text}\n[n]\nx    = 5\nlong = \n"),
    );
    ini(
        text,
        "['e']",
        Some("{\"x\": 5}"),
        "; top\n[a]\nlong = 1 ; c\nb    = \"q\"\n\n; d\n[e]\nx = 5\n",
    );
    ini(text, "['DEFAULT']['x']", Some("5"), &format!("x = 5\n{text}"));
    ini(
        text,
        "['a']['long']",
        None,
        "; top\n[a]\n; c\nb    = \"q\"\n\n; d\n[e]\nf=2\n",
    );
    ini(text, "['a']['b']", None, "; top\n[a]\nlong = 1 ; c\n\n; d\n[e]\nf=2\n");
    ini("[e]\r\nf = 2\r\n", "['e']['g']", Some("3"), "[e]\r\nf = 2\r\ng = 3\r\n");
    ini("[e]\nf = 2", "['e']['g']", Some("3"), "[e]\nf = 2\ng = 3");
    ini("[e]\nf = 2\n", "['e']['f']", None, "[e]\n");
    ini("[e]\nf = 2\n\n[g]\nh = 1\n", "['g']", None, "[e]\nf = 2\n\n");
    ini("[e]\nf = \n", "['e']['f']", Some("1"), "[e]\nf = 1\n");
}
