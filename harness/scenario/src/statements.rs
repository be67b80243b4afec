//! What a scenario states about its calls: one set, rows chosen by the matrix, or either by name of call.

use std::collections::BTreeMap;

use model::plan::CallExpect;
use serde_json::Value;

use crate::diagnostic::Code;
use crate::matrix::{Variant, text_of};
use crate::place::{At, Findings, said};
use crate::positions::{Content, Entry, Node};
use crate::schema::expect::ExpectDocument;
use crate::story::Told;
use crate::{Vocabulary, shape, suggest};

/// The statements about one call, and where they stand.
pub(crate) struct Stated {
    pub expect: CallExpect,
    pub at: At,
}

/// Checks what does not depend on a single variant: the rows, their `when`, and whether each is ever chosen.
pub(crate) fn check_rows(root: &Node, variants: &[Variant], findings: &mut Findings<'_>) {
    let Some(expect) = root.at("expect") else { return };
    let at = At::of(&["expect"]);
    let inner: Vec<(At, &Node)> = match is_by_name(expect) {
        true => expect.entries().iter().map(|e| (at.key(&e.key), &e.value)).collect(),
        false => vec![(at, expect)],
    };
    for (at, node) in inner {
        if let Content::List(rows) = &node.content {
            check_list(rows, &at, root, variants, findings);
        } else if node.at("when").is_some() {
            let help = "write a list of rows: `- { when: {…}, … }`, the last one without `when`";
            findings.key(
                Code::Unreachable,
                &at.key("when"),
                said("`when` outside a list of rows", "of no use here", help),
            );
        }
    }
}

fn check_list(rows: &[Node], at: &At, root: &Node, variants: &[Variant], findings: &mut Findings<'_>) {
    let Some((last, _)) = rows.split_last() else {
        let help = "take `expect` out, or add a row";
        return findings.key(Code::EmptyList, at, said("an empty list of rows", "no row", help));
    };
    for (index, row) in rows.iter().enumerate() {
        check_when(row, &at.item(index), root, findings);
    }
    if last.at("when").is_some() {
        let help = "add a last row without `when`, for the variants that no other row fits";
        let message = "the last row has a `when`";
        findings.key(
            Code::MissingKey,
            &at.item(rows.len() - 1).key("when"),
            said(message, "not for the last row", help),
        );
    }
    let chosen: Vec<usize> = variants.iter().filter_map(|v| choose(rows, v)).collect();
    for (index, row) in rows.iter().enumerate().filter(|(index, _)| !chosen.contains(index)) {
        let at = at.item(index);
        match rows.iter().take(index).position(|earlier| earlier.at("when").is_none()) {
            Some(earlier) => {
                let message = "a row after the one without `when`";
                let said = said(message, "never reached", "move the row without `when` to the end");
                let other = at.outer().unwrap_or_default().item(earlier);
                findings.pair(Code::Unreachable, &at, said, &other, "fits every variant");
            }
            None if !variants.is_empty() => {
                let message = match row.at("when") {
                    Some(_) => "no variant is left that this row fits",
                    None => "the rows above fit every variant",
                };
                findings.value(
                    Code::Unreachable,
                    &at,
                    said(message, "never chosen", "take the row out, or change its `when`"),
                );
            }
            None => {}
        }
    }
}

fn check_when(row: &Node, at: &At, root: &Node, findings: &mut Findings<'_>) {
    let Some(when) = row.at("when") else { return };
    let at = at.key("when");
    let lines = root.at("matrix").map(Node::entries).unwrap_or_default();
    for Entry { key, value, .. } in when.entries() {
        let Some(line) = lines.iter().find(|line| line.key == *key) else {
            let help = suggest::instead(key, lines.iter().map(|l| l.key.as_str()));
            let message = format!("`{key}` is not in the matrix");
            findings.key(Code::UnknownName, &at.key(key), said(message, "not in the matrix", help));
            continue;
        };
        let known: Vec<String> = line.value.items().iter().map(text_of).collect();
        let wanted = text_of(value);
        if !known.contains(&wanted) {
            let help = suggest::instead(&wanted, known.iter().map(String::as_str));
            let message = format!("`{key}` never is `{wanted}`");
            findings.value(Code::Unreachable, &at.key(key), said(message, "not one of its values", help));
        }
    }
}

/// The first row that fits.
fn choose(rows: &[Node], variant: &Variant) -> Option<usize> {
    let fits = |row: &Node| {
        let wanted = row.at("when").map(Node::entries).unwrap_or_default();
        wanted
            .iter()
            .all(|e| variant.values.iter().any(|(key, text)| *key == e.key && *text == text_of(&e.value)))
    };
    rows.iter().position(fits)
}

/// Whether `expect` is a map from names of calls: none of its keys is a statement, and what they hold could be one.
fn is_by_name(expect: &Node) -> bool {
    let known = shape::keys_of("ExpectDocument");
    let entries = expect.entries();
    let inner = |e: &Entry| matches!(e.value.content, Content::Map(_) | Content::List(_));
    !entries.is_empty() && entries.iter().all(|e| !known.contains(&e.key.as_str()) && inner(e))
}

/// The statements about each of `calls`, as they hold for `variant`.
pub(crate) fn read(
    variant: &Variant,
    told: &Told,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> Vec<Stated> {
    let at = At::of(&["expect"]);
    let calls = &told.calls;
    let nothing = || Stated { expect: CallExpect::default(), at: at.clone() };
    let Some(expect) = variant.root.at("expect") else { return calls.iter().map(|_| nothing()).collect() };
    if calls.is_empty() && !told.blurred {
        let help = "state what is expected beside the steps, or place a call";
        let message = "`expect` states something about a call, and there is none";
        findings.key(Code::Unreachable, &at, said(message, "nothing can meet this", help));
    }
    if !is_by_name(expect) {
        let stated = one(expect, &at, variant, vocabulary, findings);
        let every = |_| Stated { expect: stated.expect.clone(), at: stated.at.clone() };
        return calls.iter().map(every).collect();
    }
    let mut by_name = BTreeMap::new();
    for entry in expect.entries() {
        let at = at.key(&entry.key);
        if !calls.contains(&entry.key) && !calls.is_empty() && !told.blurred {
            let statements = shape::keys_of("ExpectDocument");
            let known: Vec<&str> = calls.iter().map(String::as_str).chain(statements).collect();
            let help = match suggest::nearest(&entry.key, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "the calls are {}",
                    suggest::list(&calls.iter().map(String::as_str).collect::<Vec<_>>())
                ),
            };
            let message = format!("no call is called `{}`", entry.key);
            findings.key(Code::UnknownCall, &at, said(message, "not a call here", help));
        }
        by_name.insert(entry.key.clone(), one(&entry.value, &at, variant, vocabulary, findings));
    }
    calls.iter().map(|name| by_name.remove(name).unwrap_or_else(nothing)).collect()
}

/// One set of statements, or the row that fits.
fn one(
    node: &Node,
    at: &At,
    variant: &Variant,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> Stated {
    let schema: &'static Value = shape::definition("ExpectDocument");
    let before = findings.list.len();
    let (chosen, at) = match &node.content {
        Content::List(rows) => {
            rows.iter().enumerate().for_each(|(i, row)| shape::check(row, &at.item(i), schema, findings));
            match choose(rows, variant).and_then(|index| Some((rows.get(index)?, index))) {
                Some((row, index)) => (row, at.item(index)),
                None => return Stated { expect: CallExpect::default(), at: at.clone() },
            }
        }
        _ => {
            shape::check(node, at, schema, findings);
            (node, at.clone())
        }
    };
    if findings.list.len() > before {
        return Stated { expect: CallExpect::default(), at };
    }
    let expect = match serde_yaml::from_value::<ExpectDocument>(chosen.to_value()) {
        Ok(doc) => doc.into_plan(),
        Err(_) => {
            let help = "write the statements as the other scenarios do";
            let message = "these statements cannot be read";
            findings.value(Code::WrongType, &at, said(message, "of another shape", help));
            CallExpect::default()
        }
    };
    check_checks(&expect, &at, vocabulary, findings);
    Stated { expect, at }
}

fn check_checks(expect: &CallExpect, at: &At, vocabulary: &Vocabulary, findings: &mut Findings<'_>) {
    for (key, checks) in [("fails", &expect.fails), ("may-fail", &expect.may_fail)] {
        for (index, check) in checks.iter().enumerate() {
            let at = at.key(key).item(index);
            if !vocabulary.checks.contains(check) {
                let help = suggest::instead(check, vocabulary.checks.iter().map(String::as_str));
                findings.value(
                    Code::UnknownCheck,
                    &at,
                    said(format!("unknown check `{check}`"), "not a check", help),
                );
            }
            let twice = checks.iter().take(index).any(|c| c == check);
            if twice || (key == "may-fail" && expect.fails.contains(check)) {
                let message = format!("`{check}` stands twice");
                findings.value(Code::Unreachable, &at, said(message, "the second one", "take it out"));
            }
        }
    }
}
