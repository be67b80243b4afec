//! The matrix: one variant per combination of values, put in where a path or a `$name` says.

use std::collections::BTreeSet;

use crate::diagnostic::Code;
use crate::place::{At, Findings, said};
use crate::positions::{Content, Entry, Node};
use crate::{shape, suggest};

/// More combinations than this are a mistake, not a wish.
const VARIANTS: usize = 1000;

/// The keys at the top of a file that a matrix may vary.
const TOP: [&str; 5] = ["release", "profile", "path", "net", "propagation"];

/// One combination of values.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// Paths and names with the texts of their values, in the order of the file.
    pub values: Vec<(String, String)>,
    /// The file with the values put in and without the matrix.
    pub root: Node,
}

/// One line of the matrix.
struct Axis<'a> {
    name: &'a str,
    /// Where the values go, if `name` is a path into the file.
    path: Option<Vec<String>>,
    values: &'a [Node],
}

/// Every variant of the file; none where the matrix itself has a mistake.
pub(crate) fn variants(root: &Node, findings: &mut Findings<'_>) -> Vec<Variant> {
    let before = findings.list.len();
    let mut bare = root.clone();
    if let Content::Map(entries) = &mut bare.content {
        entries.retain(|e| e.key != "matrix");
    }
    let lines = root.at("matrix").map(Node::entries).unwrap_or_default();
    if let Some(matrix) = root.at("matrix") {
        check_shape(matrix, findings);
    }
    let mut used = BTreeSet::new();
    names(root.at("steps"), &At::of(&["steps"]), &mut |name, _| {
        used.insert(name.to_owned());
    });
    let axes: Vec<_> = lines.iter().filter_map(|line| axis(line, root, &used, findings)).collect();
    names(root.at("steps"), &At::of(&["steps"]), &mut |name, at| {
        if !lines.iter().any(|line| line.key == name) {
            let known: Vec<&str> = lines.iter().map(|l| l.key.as_str()).collect();
            let help = match suggest::nearest(name, &known) {
                Some(near) => format!("did you mean `${near}`?"),
                None => format!("add `{name}: […]` to `matrix`"),
            };
            let message = format!("unknown name `${name}`");
            findings.value(Code::UnknownName, at, said(message, "not in the matrix", help));
        }
    });
    let count = axes.iter().try_fold(1_usize, |n, axis| n.checked_mul(axis.values.len()));
    if count.is_none_or(|n| n > VARIANTS) {
        let message = format!("the matrix makes more than {VARIANTS} variants");
        let help = "take values out, or split the story over several files";
        findings.key(
            Code::TooManyVariants,
            &At::of(&["matrix"]),
            said(message, "too many combinations", help),
        );
    }
    if findings.list.len() > before {
        return Vec::new();
    }
    let first = vec![Variant { values: Vec::new(), root: bare }];
    axes.iter().fold(first, |all, axis| {
        all.iter().flat_map(|variant| axis.values.iter().map(|value| variant.with(axis, value))).collect()
    })
}

impl Variant {
    fn with(&self, axis: &Axis<'_>, value: &Node) -> Self {
        let mut root = self.root.clone();
        if let Some(path) = &axis.path {
            put(&mut root, path, value);
        }
        if let Content::Map(entries) = &mut root.content {
            entries
                .iter_mut()
                .filter(|e| e.key == "steps")
                .for_each(|e| substitute(&mut e.value, axis.name, value));
        }
        let mut values = self.values.clone();
        values.push((axis.name.to_owned(), text_of(value)));
        Self { values, root }
    }
}

/// The text of a value in an id: a list is joined with `+`.
pub(crate) fn text_of(value: &Node) -> String {
    match &value.content {
        Content::Scalar(text, _) => text.clone(),
        Content::List(items) => items.iter().map(text_of).collect::<Vec<_>>().join("+"),
        Content::Map(_) => String::new(),
    }
}

fn check_shape(matrix: &Node, findings: &mut Findings<'_>) {
    let schema = shape::schema().get("properties").and_then(|p| p.get("matrix"));
    if let Some(schema) = schema {
        shape::check(matrix, &At::of(&["matrix"]), schema, findings);
    }
}

fn axis<'a>(
    line: &'a Entry,
    root: &Node,
    used: &BTreeSet<String>,
    findings: &mut Findings<'_>,
) -> Option<Axis<'a>> {
    let at = At::of(&["matrix", &line.key]);
    let path = match path(&line.key, root) {
        Ok(path) => Some(path),
        Err(_) if used.contains(&line.key) => None,
        Err(help) => {
            let message = format!("`{}` is neither a path nor a name that the steps use", line.key);
            findings.key(Code::MatrixPath, &at, said(message, "leads nowhere", help));
            return None;
        }
    };
    let characters = |c: char| c.is_ascii_alphanumeric() || ".@+-".contains(c);
    let (user, key) = line.key.split_once(':').unwrap_or((&line.key, "x"));
    if [user, key].iter().any(|part| part.is_empty() || !part.chars().all(characters)) {
        let message = format!("`{}` cannot stand in the id of a variant", line.key);
        let help = "use letters, digits and `.@+-`";
        findings.key(Code::MatrixPath, &at, said(message, "not a name for an id", help));
    }
    if line.value.items().is_empty() && matches!(line.value.content, Content::List(_)) {
        let message = format!("`{}` has no value", line.key);
        findings.key(Code::EmptyList, &at, said(message, "no value", "add values, or take the line out"));
    }
    check_values(line, &at, findings);
    Some(Axis { name: &line.key, path, values: line.value.items() })
}

fn check_values(line: &Entry, at: &At, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for (index, value) in line.value.items().iter().enumerate() {
        let text = text_of(value);
        let at = at.item(index);
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || ".@+-".contains(c)) {
            let message = format!("`{text}` cannot stand in the id of a variant");
            let help = "use letters, digits and `.@+-`; write other texts into the steps";
            findings.value(Code::MatrixValue, &at, said(message, "not a value for an id", help));
        }
        if !seen.insert(text.clone()) {
            let message = format!("`{text}` stands twice among the values of `{}`", line.key);
            findings.value(Code::MatrixValue, &at, said(message, "the second one", "take it out"));
        }
    }
}

/// Where the values of `name` go, or the remedy when it is no path.
fn path(name: &str, root: &Node) -> Result<Vec<String>, String> {
    let owned = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
    if TOP.contains(&name) {
        return Ok(owned(&[name]));
    }
    let user_keys: Vec<&str> =
        shape::keys_of("UserDocument").into_iter().filter(|k| *k != "devices").collect();
    let check = |keys: &[&str], key: &str, path: &[&str]| match keys.contains(&key) {
        true => Ok(owned(path)),
        false => Err(suggest::instead(key, keys.iter().copied())),
    };
    if let Some((user, key)) = name.split_once(':') {
        let (user, tenant) = user.split_once('@').ok_or("write `user@tenant:KEY`")?;
        let there = root.at("tenants").and_then(|t| t.at(tenant)?.at("users")?.at(user));
        there.ok_or_else(|| format!("the scenario has no user `{user}@{tenant}`"))?;
        return check(&user_keys, key, &["tenants", tenant, "users", user, key]);
    }
    let Some((outer, key)) = name.rsplit_once('.') else {
        return Err(match suggest::nearest(name, &TOP) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use `${name}` in a step, or write a path such as `alice.e2ee`"),
        });
    };
    match (outer, tenants_with(outer, root).as_slice()) {
        ("service", []) => check(&shape::keys_of("ServiceDocument"), key, &[outer, key]),
        ("network", []) => check(&shape::keys_of("NetworkDocument"), key, &[outer, key]),
        (_, [tenant]) => check(&user_keys, key, &["tenants", tenant, "users", outer, key]),
        (_, []) => Err(suggest::instead(outer, users(root).into_iter().chain(["service", "network"]))),
        (_, [first, ..]) => Err(format!("several tenants have `{outer}`; write `{outer}@{first}:{key}`")),
    }
}

fn tenants_with<'a>(user: &str, root: &'a Node) -> Vec<&'a str> {
    let tenants = root.at("tenants").map(Node::entries).unwrap_or_default();
    let has = |t: &&Entry| t.value.at("users").is_some_and(|users| users.at(user).is_some());
    tenants.iter().filter(has).map(|t| t.key.as_str()).collect()
}

fn users(root: &Node) -> Vec<&str> {
    let tenants = root.at("tenants").map(Node::entries).unwrap_or_default();
    tenants
        .iter()
        .filter_map(|t| t.value.at("users"))
        .flat_map(Node::entries)
        .map(|e| e.key.as_str())
        .collect()
}

/// Calls `found` with each `$name` in `node`, without the sign.
fn names(node: Option<&Node>, at: &At, found: &mut impl FnMut(&str, &At)) {
    let Some(node) = node else { return };
    if let Some(name) = node.text().and_then(name_of) {
        found(name, at);
    }
    node.entries().iter().for_each(|e| names(Some(&e.value), &at.key(&e.key), found));
    node.items().iter().enumerate().for_each(|(i, item)| names(Some(item), &at.item(i), found));
}

fn name_of(text: &str) -> Option<&str> {
    text.strip_prefix('$').filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn substitute(node: &mut Node, name: &str, value: &Node) {
    match &mut node.content {
        Content::Scalar(text, _) if name_of(text) == Some(name) => *node = value.clone(),
        Content::Scalar(..) => {}
        Content::List(items) => items.iter_mut().for_each(|item| substitute(item, name, value)),
        Content::Map(entries) => entries.iter_mut().for_each(|e| substitute(&mut e.value, name, value)),
    }
}

/// Puts `value` at `path`, with mappings around it where there are none.
fn put(node: &mut Node, path: &[String], value: &Node) {
    let Some((key, rest)) = path.split_first() else {
        *node = value.clone();
        return;
    };
    let Content::Map(entries) = &mut node.content else { return };
    if !entries.iter().any(|e| e.key == *key) {
        let empty = Node { span: value.span.clone(), content: Content::Map(Vec::new()) };
        entries.push(Entry { key: key.clone(), key_span: value.span.clone(), value: empty });
    }
    entries.iter_mut().filter(|e| e.key == *key).for_each(|e| put(&mut e.value, rest, value));
}
