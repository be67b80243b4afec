//! Mallory's deeds. Which options an attack has of its own is declared where the attack is written, and comes in
//! with the vocabulary.

use std::collections::BTreeMap;

use model::identity::Role;
use model::plan::{AttackPlan, Trigger};

use crate::diagnostic::Code;
use crate::place::{At, Findings, said};
use crate::positions::Node;
use crate::schema::AttackDocument;
use crate::story::duration;
use crate::{Vocabulary, shape, suggest};

/// Reads every attack; `root` holds the options that stand beside the known keys.
pub(crate) fn read(
    docs: &[AttackDocument],
    root: &Node,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> Vec<AttackPlan> {
    let list = At::of(&["attacks"]);
    let nodes = root.at("attacks").map(Node::items).unwrap_or_default();
    let both = docs.iter().zip(nodes).enumerate();
    both.map(|(index, (doc, node))| attack(doc, node, &list.item(index), vocabulary, findings)).collect()
}

fn attack(
    doc: &AttackDocument,
    node: &Node,
    at: &At,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> AttackPlan {
    let options = options(doc, node, at, vocabulary, findings);
    let legs = doc.legs.clone().unwrap_or_else(|| Role::ALL.to_vec());
    if legs.is_empty() {
        let help = "write `[caller]`, `[callee]` or both";
        findings.key(Code::EmptyList, &at.key("legs"), said("an attack on nobody", "no side", help));
    }
    let after = doc.at.after.as_ref().and_then(|text| duration(text, &at.key("at").key("after"), findings));
    AttackPlan {
        attack: doc.attack,
        place: doc.place,
        legs,
        at: Trigger {
            message: doc.at.message.clone(),
            media: doc.at.media,
            nth: doc.at.nth,
            every: doc.at.every,
            after_ms: after,
        },
        must_fire: doc.must_fire.unwrap_or(1),
        options,
    }
}

fn options(
    doc: &AttackDocument,
    node: &Node,
    at: &At,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, String> {
    let keys = shape::keys_of("AttackDocument");
    let own = vocabulary.attack_options.get(&doc.attack).map(Vec::as_slice).unwrap_or_default();
    let mut options = BTreeMap::new();
    for entry in node.entries().iter().filter(|e| !keys.contains(&e.key.as_str())) {
        let at = at.key(&entry.key);
        match entry.value.text() {
            _ if !own.contains(&entry.key) => {
                let known = own.iter().map(String::as_str).chain(keys.iter().copied());
                let message = format!("`{}` has no option `{}`", doc.attack, entry.key);
                let help = suggest::instead(&entry.key, known);
                findings.key(Code::UnknownKey, &at, said(message, "not a key here", help));
            }
            Some(text) => {
                options.insert(entry.key.clone(), text.to_owned());
            }
            None => {
                let message = "an option is one word or one number";
                findings.value(
                    Code::WrongType,
                    &at,
                    said(message, "of another shape", "write one word or number"),
                );
            }
        }
    }
    options
}
