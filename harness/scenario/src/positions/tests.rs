//! Spans in bytes, and texts that are made to break the walk.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn parts(text: &str) -> Result<Node, Diagnostic> {
    read(&Source::new("a.yaml", text), text)
}

#[test]
fn spans_count_bytes_where_the_event_parser_counts_characters() {
    let text = "scenario: Café Zürich\nabout: { ä: [ö, 'ü ü'] }\nplain: end\n";
    let places = parts(text).expect("reads").places();
    let cut = |span: Range<usize>| text.get(span).expect("on characters");
    assert_eq!(cut(places.value(&At::of(&["scenario"]))), "Café Zürich");
    assert_eq!(cut(places.key(&At::of(&["about", "ä"]))), "ä");
    assert_eq!(cut(places.value(&At::of(&["about", "ä", "1"]))), "'ü ü'");
    assert_eq!(cut(places.value(&At::of(&["about"]))), "{ ä: [ö, 'ü ü'] }");
    assert_eq!(cut(places.value(&At::of(&["plain"]))), "end");
}

#[rstest]
#[case::quoted("a: 'on'", "on")]
#[case::plain("a: on", "on")]
#[case::folded("a: one\n  two", "one two")]
#[case::block("a: |\n  x\n  y\n", "x\ny\n")]
fn scalars_are_read_as_texts(#[case] text: &str, #[case] value: &str) {
    assert_eq!(parts(text).expect("reads").at("a").and_then(Node::text), Some(value));
}

#[rstest]
#[case::tab("a:\n\t- b", Code::NotYaml)]
#[case::open("a: [b", Code::NotYaml)]
#[case::list("- a", Code::NotYaml)]
#[case::nothing("", Code::NotYaml)]
#[case::comment("# nothing", Code::NotYaml)]
#[case::anchor_on_a_list("a: &x [b]", Code::Anchor)]
#[case::alias("a: &x b\nc: *x", Code::Anchor)]
#[case::undefined_alias("a: *x", Code::NotYaml)]
#[case::binary("a: !!binary aGk=", Code::Tag)]
#[case::local_tag("a: !mine {}", Code::Tag)]
#[case::two("a: b\n---\nc: d", Code::SeveralDocuments)]
#[case::twice("a: b\n'a': c", Code::DuplicateKey)]
#[case::twice_inside("a: {b: c, b: d}", Code::DuplicateKey)]
#[case::complex_key("? [a]\n: b", Code::WrongType)]
#[case::version("%YAML 1.1\n---\na: b", Code::Directive)]
fn what_the_subset_forbids_is_refused(#[case] text: &str, #[case] code: Code) {
    let found = parts(text).expect_err("refused");
    assert_eq!(found.code(), format!("scenario::{code}"), "{found:?}");
}

#[rstest]
#[case::more_than_a_scenario_needs(25, Code::TooDeep)]
#[case::more_than_the_event_parser_takes(100_000, Code::NotYaml)]
fn many_levels_are_refused_and_do_not_exhaust_the_stack(#[case] levels: usize, #[case] code: Code) {
    let text = format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(parts(&text).expect_err("refused").code(), format!("scenario::{code}"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = parts(&text).map(|node| node.places());
    }

    #[test]
    fn text_made_of_yaml_is_read_or_refused(text in "([a-c:\\[\\]{}, \\-?&*!%|>'\"#\n\t0~.é]|a: |- |on|\n  )*") {
        let _ = parts(&text).map(|node| node.places());
    }

    #[test]
    fn what_is_accepted_reads_the_same_as_with_serde_yaml(text in "([a-c]: )?([a-c0-9:\\[\\]{}, '\"é]|a: |\n- |on|\n  |0\\.5|-1|\n)*") {
        if let Ok(node) = parts(&text) {
            prop_assert_eq!(node.to_value(), serde_yaml::from_str::<Value>(&text).expect("reads"));
        }
    }
}
