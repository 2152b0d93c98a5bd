//! Merges of every kind of text.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use super::*;

fn markers(style: ConflictStyle) -> Markers {
    Markers {
        size: 7,
        ours: "O".to_owned(),
        base: "B".to_owned(),
        theirs: "T".to_owned(),
        style,
    }
}

fn merged(format: Format, base: Option<&str>, ours: &str, theirs: &str) -> Option<(String, Vec<String>)> {
    let merged = merge(format, Texts { base, ours, theirs }, &markers(ConflictStyle::Merge))?;
    let conflicts = merged.conflicts.iter().map(ToString::to_string).collect();
    Some((merged.text.to_string(), conflicts))
}

#[track_caller]
fn case(format: Format, base: &str, ours: &str, theirs: &str, expected: &str) {
    let (text, conflicts) = merged(format, Some(base), ours, theirs).unwrap_or_default();
    assert_eq!(text, expected, "{base:?} {ours:?} {theirs:?}");
    assert!(conflicts.is_empty(), "{conflicts:?}");
}

#[track_caller]
fn yaml(base: &str, ours: &str, theirs: &str, expected: &str) {
    case(Format::Yaml, base, ours, theirs, expected);
}

#[track_caller]
fn conflict(format: Format, base: &str, ours: &str, theirs: &str, expected: &str, places: &[&str]) {
    let base = (!base.is_empty()).then_some(base);
    let (text, conflicts) = merged(format, base, ours, theirs).unwrap_or_default();
    assert_eq!(text, expected, "{base:?} {ours:?} {theirs:?}");
    assert_eq!(conflicts, places);
}

#[test]
fn what_can_not_be_merged_by_key_is_left_to_lines() {
    #[track_caller]
    fn case(format: Format, base: &str, ours: &str, theirs: &str) {
        let base = (!base.is_empty()).then_some(base);
        assert_eq!(merged(format, base, ours, theirs), None, "{base:?} {ours:?} {theirs:?}");
    }
    case(Format::Yaml, "a: 1\n", "a: [\n", "a: 2\n");
    case(Format::Yaml, "a: [\n", "a: 1\n", "a: 2\n");
    case(
        Format::Yaml,
        "a: &x 1\nb: *x\n",
        "a: &x 2\nb: *x\n",
        "a: &x 1\nb: *x\nc: 1\n",
    );
    case(Format::Yaml, "a: 1\n", "a: 1\n---\nb: 1\n", "a: 2\n");
    case(Format::Yaml, "a: 1\n", "a: 1\na: 2\n", "a: 3\n");
    case(Format::Dotenv, "A=1\n", "A=1\nA=2\n", "A=3\n");
    case(Format::Ini, "[a]\nb=1\n", "[a]\nb=1\nb=2\n", "[a]\nb=3\n");
    case(Format::Json, "{}", "{\"a\": 1, \"a\": 2}", "{\"b\": 1}");
    case(Format::Binary, "a", "b", "c");
    // A comment that both sides changed.
    case(Format::Yaml, "# x\na: 1\n", "# y\na: 1\n", "# z\na: 1\n");
    case(Format::Yaml, "a: 1 # x\n", "a: 1 # y\n", "a: 1 # z\n");
    // All entries gone: no document is left.
    case(Format::Yaml, "a: 1\nb: 2\n", "a: 1\n", "b: 2\n");
}

#[test]
fn neighbours_merge() {
    yaml("a: 1\nb: 2\n", "a: 3\nb: 2\n", "a: 1\nb: 4\n", "a: 3\nb: 4\n");
    yaml("a: 1\n", "a: 1\nb: 2\n", "a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\n");
    yaml("a: 1\nb: 2\nc: 3\n", "b: 2\nc: 3\n", "a: 1\nb: 2\n", "b: 2\n");
    yaml("a: 1\nb: 2\n", "a: 5\nb: 2\n", "a: 5\nb: 3\n", "a: 5\nb: 3\n");
    yaml(
        "a: 1\nb: 2\n",
        "a: 1\nx: 7\nb: 2\n",
        "a: 1\nx: 7\nb: 3\n",
        "a: 1\nx: 7\nb: 3\n",
    );
    yaml(
        "a: 1\nb: 2\n",
        "a: 0\nb: 2\n",
        "x: 9\na: 1\nb: 2\n",
        "x: 9\na: 0\nb: 2\n",
    );
    yaml("a: 1\nb: 2\n", "b: 2\na: 0\n", "a: 1\nb: 3\n", "b: 3\na: 0\n");
    yaml("a: 1\nb: 2", "a: 1\nb: 3", "a: 1\nb: 2\nc: 4", "a: 1\nb: 3\nc: 4");
    yaml(
        "a: 1\r\nb: 2\r\n",
        "a: 3\r\nb: 2\r\n",
        "a: 1\r\nb: 4\r\n",
        "a: 3\r\nb: 4\r\n",
    );
    yaml(
        "a:\n  b: 1\n  c: 2\nd:\n  e: 1\n",
        "a:\n  b: 5\n  c: 2\nd:\n  e: 1\n  f: 2\n",
        "a:\n  b: 1\n  c: 6\n  x:\n    y: 1\n    z: [1]\nd:\n  e: 1\n",
        "a:\n  b: 5\n  c: 6\n  x:\n    y: 1\n    z: [1]\nd:\n  e: 1\n  f: 2\n",
    );
    yaml(
        "a: |\n  x\nb: |+\n  y\n\nc: 1\n",
        "a: |\n  z\nb: |+\n  y\n\nc: 1\n",
        "a: |\n  x\nb: |+\n  w\n\n\nc: 2\n",
        "a: |\n  z\nb: |+\n  w\n\n\nc: 2\n",
    );
    yaml(
        "a: {b: 1, c: 2}\n",
        "a: {b: 3, c: 2}\n",
        "a: {b: 1, c: 4, d: 5}\n",
        "a: {b: 3, c: 4, d: 5}\n",
    );
    yaml(
        "a: 1\n---\nb: 1\n",
        "a: 2\n---\nb: 1\n",
        "a: 1\n---\nb: 2\n",
        "a: 2\n---\nb: 2\n",
    );
    yaml("a: {}\n", "a: {b: 1}\n", "a: {}\nc: 1\n", "a: {b: 1}\nc: 1\n");
    yaml("a:\nb: 1\n", "a: x\nb: 1\n", "a:\nb: 2\n", "a: x\nb: 2\n");
    // The rest of a map goes with the last entry that one side had left.
    yaml(
        "m:\n  a: 1\n  b: 2\nz: 1\n",
        "m:\n  a: 1\nz: 1\n",
        "m:\n  b: 2\nz: 1\n",
        "m: {}\nz: 1\n",
    );
    // A map that theirs has in brackets, empty.
    yaml(
        "m:\n  a: 1\nz: 1\n",
        "m:\n  a: 1\n  b: 1\nz: 1\n",
        "m: {}\nz: 1\n",
        "m:\n  b: 1\nz: 1\n",
    );
}

#[test]
fn layout_and_comments_come_along() {
    // Ours was laid out anew.
    yaml(
        "a:\n  b: 1\n  c: 2\n",
        "a:\n    b: 1\n    c: 2\n",
        "a:\n  b: 1\n  c: 3\n",
        "a:\n    b: 1\n    c: 3\n",
    );
    yaml("a: 1\nb: 2\n", "a: 1\nb:   2\n", "a: 1\nb: 3\n", "a: 1\nb:   3\n");
    yaml(
        "a:\n  b: 1\n",
        "a:\n    b: 2\n",
        "a:\n  b: 1\n  # new\n  c:\n    - x: 1\n      y: |\n        t\n",
        "a:\n    b: 2\n    # new\n    c:\n      - x: 1\n        y: |\n          t\n",
    );
    yaml(
        "a: 1\nb: 2\n",
        "a: 3\nb: 2\n",
        "# top\na: 1 # in\n# on b\nb: 2\n",
        "# top\na: 3 # in\n# on b\nb: 2\n",
    );
    yaml(
        "# h\n\na: 1\n",
        "# h\n\na: 2\n",
        "# h\n\n# on z\nz: 1\n# on a\na: 1\n",
        "# h\n\n# on z\nz: 1\n# on a\na: 2\n",
    );
    yaml("# h\n\na: 1\n", "# h\n\na: 2\n", "# h2\n\na: 1\n", "# h2\n\na: 2\n");
    yaml(
        "a:\n  b: 1\n  # foot\nc: 1\n",
        "a:\n  b: 2\n  # foot\nc: 1\n",
        "a:\n  b: 1\n  d: 4\n  # foot\nc: 1\n",
        "a:\n  b: 2\n  d: 4\n  # foot\nc: 1\n",
    );
    yaml(
        "a: 1\n\nb: 2\n",
        "a: 1\n\nb: 3\n",
        "a: 1\n\n# on c\nc: 4\n\nb: 2\n",
        "a: 1\n\n# on c\nc: 4\n\nb: 3\n",
    );
    // A comment goes with the entry that theirs removed.
    yaml(
        "a: 1\n# on b\nb: 2\nc: 3\n",
        "a: 5\n# on b\nb: 2\nc: 3\n",
        "a: 1\nc: 3\n",
        "a: 5\nc: 3\n",
    );
}

#[test]
fn lists_merge_by_element() {
    yaml(
        "l:\n- a\n- b\n",
        "l:\n- a\n- b\n- c\n",
        "l:\n- x\n- a\n- b\n",
        "l:\n- x\n- a\n- b\n- c\n",
    );
    yaml("l:\n- a\n- b\n- c\n", "l:\n- b\n- c\n", "l:\n- a\n- b\n", "l:\n- b\n");
    yaml("l: [a, b]\n", "l: [a, b, c]\n", "l: [a, b, d]\n", "l: [a, b, c, d]\n");
    yaml("l: [a, b]\n", "l: [b]\n", "l: [a, b, d]\n", "l: [b, d]\n");
    yaml(
        "l: [a, b, c]\n",
        "l: [a, b, c, d]\n",
        "l: [c, b, a]\n",
        "l: [c, d, b, a]\n",
    );
    yaml(
        "l:\n- name: x\n  v: 1\n- name: y\n  v: 2\n",
        "l:\n- name: x\n  v: 5\n- name: y\n  v: 2\n",
        "l:\n- name: n\n  v: 0\n- name: x\n  v: 1\n  w: 1\n- name: y\n  v: 6\n",
        "l:\n- name: n\n  v: 0\n- name: x\n  v: 5\n  w: 1\n- name: y\n  v: 6\n",
    );
    yaml(
        "l:\n- [1]\n- [2]\n",
        "l:\n- [3]\n- [2]\n",
        "l:\n- [1]\n- [4]\n",
        "l:\n- [3]\n- [4]\n",
    );
    yaml(
        "l: [1, 1, 2]\n",
        "l: [1, 1, 2, 3]\n",
        "l: [0, 1, 1, 2]\n",
        "l: [0, 1, 1, 2, 3]\n",
    );
    conflict(
        Format::Yaml,
        "l: [a, b]\nm: 1\n",
        "l: [a, x]\nm: 1\n",
        "l: [a, y]\nm: 2\n",
        "<<<<<<< O\nl: [a, x]\n=======\nl: [a, y]\n>>>>>>> T\nm: 2\n",
        &["[\"l\"]"],
    );
    conflict(
        Format::Yaml,
        "l:\n- name: x\n  v: 1\n- name: y\n  v: 1\n",
        "l:\n- name: x\n  v: 2\n- name: y\n  v: 1\n",
        "l:\n- name: x\n  v: 3\n- name: y\n  v: 4\n",
        "l:\n- name: x\n<<<<<<< O\n  v: 2\n=======\n  v: 3\n>>>>>>> T\n- name: y\n  v: 4\n",
        &["[\"l\"][0][\"v\"]"],
    );
    conflict(
        Format::Yaml,
        "l:\n- v: 1\n  id: x\n- id: y\n  v: 1\n",
        "l:\n- v: 2\n  id: x\n- id: y\n  v: 1\n",
        "l:\n- v: 3\n  id: x\n- id: y\n  v: 4\n",
        "l:\n<<<<<<< O\n- v: 2\n  id: x\n=======\n- v: 3\n  id: x\n>>>>>>> T\n- id: y\n  v: 4\n",
        &["[\"l\"][0][\"v\"]"],
    );
}

#[test]
fn a_conflict_is_around_its_entry_alone() {
    let yaml = |base, ours, theirs, expected, places: &[&str]| {
        conflict(Format::Yaml, base, ours, theirs, expected, places);
    };
    yaml(
        "a: 1\nb: 2\nc: 3\n",
        "a: 4\nb: 5\nc: 3\n",
        "a: 1\nb: 6\nc: 7\n",
        "a: 4\n<<<<<<< O\nb: 5\n=======\nb: 6\n>>>>>>> T\nc: 7\n",
        &["[\"b\"]"],
    );
    yaml(
        "a:\n  # on b\n  b: 1 # in\n  c: 1\n",
        "a:\n  # on b\n  b: 2 # in\n  c: 1\n",
        "a:\n  c: 2\n",
        "a:\n<<<<<<< O\n  # on b\n  b: 2 # in\n=======\n>>>>>>> T\n  c: 2\n",
        &["[\"a\"][\"b\"]"],
    );
    yaml(
        "",
        "a: 1\nb: 2",
        "a: 1\nb: 3",
        "a: 1\n<<<<<<< O\nb: 2\n=======\nb: 3\n>>>>>>> T\n",
        &["[\"b\"]"],
    );
    yaml(
        "a: 1\n",
        "a: 1\nm:\n  x: 1\n  y: 1\n",
        "a: 1\nm:\n  x: 1\n  y: 2\n  z: 3\n",
        "a: 1\nm:\n  x: 1\n<<<<<<< O\n  y: 1\n=======\n  y: 2\n>>>>>>> T\n  z: 3\n",
        &["[\"m\"][\"y\"]"],
    );
    yaml(
        "a: {b: 1, c: 1, d: 1}\n",
        "a: {b: 2, c: 1, d: 5}\n",
        "a: {b: 3, c: 4, d: 1}\n",
        "<<<<<<< O\na: {b: 2, c: 4, d: 5}\n=======\na: {b: 3, c: 4, d: 5}\n>>>>>>> T\n",
        &["[\"a\"][\"b\"]"],
    );
    yaml(
        "a: 1\r\nb: 1\r\n",
        "a: 2\r\nb: 1\r\n",
        "a: 3\r\nb: 1\r\n",
        "<<<<<<< O\r\na: 2\r\n=======\r\na: 3\r\n>>>>>>> T\r\nb: 1\r\n",
        &["[\"a\"]"],
    );
    conflict(
        Format::Json,
        "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
        "{\n  \"a\": 3,\n  \"b\": 4\n}\n",
        "{\n  \"a\": 5,\n  \"b\": 2,\n  \"c\": 6\n}\n",
        "{\n<<<<<<< O\n  \"a\": 3,\n=======\n  \"a\": 5,\n>>>>>>> T\n  \"b\": 4,\n  \"c\": 6\n}\n",
        &["[\"a\"]"],
    );
    conflict(
        Format::Json,
        "{\"a\": 1, \"b\": 2}",
        "{\"a\": 3, \"b\": 4}",
        "{\"a\": 5, \"b\": 2}",
        "<<<<<<< O\n{\"a\": 3, \"b\": 4}\n=======\n{\"a\": 5, \"b\": 4}\n>>>>>>> T\n",
        &["[\"a\"]"],
    );
    conflict(
        Format::Dotenv,
        "A=1\nB=1\n",
        "A=2\nB=1\n",
        "A=3\nB=4\n",
        "<<<<<<< O\nA=2\n=======\nA=3\n>>>>>>> T\nB=4\n",
        &["[\"A\"]"],
    );
    conflict(
        Format::Ini,
        "[s]\na = 1\nb = 1\n",
        "[s]\na = 2\nb = 1\n",
        "[s]\na = 3\nb = 4\n",
        "[s]\n<<<<<<< O\na = 2\n=======\na = 3\n>>>>>>> T\nb = 4\n",
        &["[\"s\"][\"a\"]"],
    );
}

#[test]
fn the_style_of_conflicts_is_kept() {
    #[track_caller]
    fn case(style: ConflictStyle, expected: &str) {
        let (base, ours, theirs) = (
            "a: |\n  p\n  1\n  q\n",
            "a: |\n  p\n  2\n  q\n",
            "a: |\n  p\n  3\n  q\n",
        );
        let mut markers = markers(style);
        markers.size = 9;
        let texts = Texts {
            base: Some(base),
            ours,
            theirs,
        };
        assert_eq!(*merge(Format::Yaml, texts, &markers).unwrap().text, expected);
    }
    case(
        ConflictStyle::Merge,
        "<<<<<<<<< O\na: |\n  p\n  2\n  q\n=========\na: |\n  p\n  3\n  q\n>>>>>>>>> T\n",
    );
    case(
        ConflictStyle::Diff3,
        "<<<<<<<<< O\na: |\n  p\n  2\n  q\n||||||||| B\na: |\n  p\n  1\n  q\n=========\na: |\n  p\n  3\n  q\n>>>>>>>>> T\n",
    );
    case(
        ConflictStyle::Zdiff3,
        "a: |\n  p\n<<<<<<<<< O\n  2\n||||||||| B\na: |\n  p\n  1\n  q\n=========\n  3\n>>>>>>>>> T\n  q\n",
    );
}

#[test]
fn brackets_and_lines_merge() {
    #[track_caller]
    fn json(base: &str, ours: &str, theirs: &str, expected: &str) {
        case(Format::Json, base, ours, theirs, expected);
    }
    json(
        "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n",
        "{\n\t\"a\": 3,\n\t\"b\": 2\n}\n",
        "{\n\t\"a\": 1,\n\t\"b\": 2,\n\t\"c\": {\n\t\t\"d\": 1\n\t}\n}\n",
        "{\n\t\"a\": 3,\n\t\"b\": 2,\n\t\"c\": {\n\t\t\"d\": 1\n\t}\n}\n",
    );
    json(
        "{\"a\":1,\"b\":2}",
        "{\"b\":2}",
        "{\"x\":0,\"a\":1,\"b\":2}",
        "{\"x\":0,\"b\":2}",
    );
    json(
        "{\n  \"a\": 1,\n  \"b\": 2\n}",
        "{\n  \"a\": 1\n}",
        "{\n  \"b\": 2\n}",
        "{}",
    );
    json(
        "{\"a\": [1, 2]}",
        "{\"a\": [1, 2, 3]}",
        "{\"a\": [0, 1, 2]}",
        "{\"a\": [0, 1, 2, 3]}",
    );
    case(
        Format::Dotenv,
        "A=1\n# c\nB=2\n",
        "A=3\n# c\nB=2\n",
        "A=1\n# c\nB=4\nC=5\n",
        "A=3\n# c\nB=4\nC=5\n",
    );
    case(Format::Dotenv, "", "A=1\n", "B=1\n", "A=1\nB=1\n");
    case(
        Format::Ini,
        "top = 1\n[a]\nx = 1\ny = 1\n\n; on b\n[b]\nz = 1\n",
        "top = 1\n[a]\nx = 2\ny = 1\n\n; on b\n[b]\nz = 1\n",
        "top = 2\n[a]\nx = 1\ny = 3\nn = 4\n\n; on b\n[b]\nz = 1\n\n[c]\nw = 1\n",
        "top = 2\n[a]\nx = 2\ny = 3\nn = 4\n\n; on b\n[b]\nz = 1\n\n[c]\nw = 1\n",
    );
}

#[test]
fn what_both_sides_added_is_there_once() {
    #[track_caller]
    fn case(ours: &str, theirs: &str, expected: &str) {
        let (text, conflicts) = merged(Format::Yaml, None, ours, theirs).unwrap_or_default();
        assert_eq!((text.as_str(), conflicts.len()), (expected, 0), "{ours:?} {theirs:?}");
    }
    case("a: 1\nb: 2\n", "a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\n");
    case("a: 1\n", "'a': 1\nc: 3\n", "a: 1\nc: 3\n");
    case("a: x # c\n", "a: 'x'\nb: 1\n", "a: x # c\nb: 1\n");
}
