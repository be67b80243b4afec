//! Which room may depend on which, and what the judge may never see (design, section 4, law 1).

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

use crate::tree::Tree;

/// Each room and the rooms that it may depend on; an edge more is an edit of this table and of ARCHITECTURE.md.
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("net", &[]),
    ("scenario", &["model"]),
    ("nodes", &["model", "net"]),
    ("adapters", &["model", "net"]),
    ("runner", &["adapters", "model", "scenario", "net", "nodes"]),
    ("audit", &["model"]),
    ("report", &["model"]),
    ("cli", &["adapters", "audit", "model", "net", "nodes", "report", "runner", "scenario"]),
    ("dev", &["adapters", "audit", "cli", "model", "net", "nodes", "report", "runner", "scenario"]),
];

/// Whether the judge must not contain the crate `name`.
pub fn is_accused(name: &str) -> bool {
    ["nodes", "net", "adapters", "sframe"].contains(&name)
        || ["webrtc", "rtc", "rustls"].iter().any(|start| name.starts_with(start))
        || name.contains("srtp")
}

/// Edges between rooms that the table does not allow, and rooms that it does not know.
pub fn rooms(tree: &Tree) -> Vec<String> {
    let metadata = match metadata(tree) {
        Ok(metadata) => metadata,
        Err(violation) => return vec![violation],
    };
    let rooms: BTreeSet<&str> = metadata.workspace_packages().iter().map(|p| p.name.as_str()).collect();
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let own = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        let own = own.map(|d| d.name.as_str()).filter(|name| rooms.contains(name));
        edges.insert(package.name.as_str(), own.collect());
    }
    forbidden(&edges)
}

/// Compares `edges` with the table.
fn forbidden(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut violations = Vec::new();
    for (room, depends_on) in edges {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == room) else {
            violations
                .push(format!("{room}: no such room in the table; add it there and to ARCHITECTURE.md"));
            continue;
        };
        for other in depends_on.iter().filter(|other| !allowed.contains(other)) {
            violations
                .push(format!("{room}: depends on {other}, which the table does not allow; drop the edge"));
        }
    }
    violations
}

/// Crates of the accused in the judge's dependency tree, dev-dependencies left out.
pub fn judge(tree: &Tree) -> Vec<String> {
    let metadata = match metadata(tree) {
        Ok(metadata) => metadata,
        Err(violation) => return vec![violation],
    };
    let Some(audit) = metadata.workspace_packages().into_iter().find(|p| p.name.as_str() == "audit") else {
        return vec!["audit: the room of the judge is gone; this rule cannot hold without it".to_owned()];
    };
    let names: BTreeMap<&PackageId, &str> =
        metadata.packages.iter().map(|p| (&p.id, p.name.as_str())).collect();
    let below = everything_below(&metadata, &audit.id);
    let accused = below.iter().filter_map(|id| names.get(id)).filter(|name| is_accused(name));
    accused
        .map(|name| format!("audit: contains {name}, code of the accused; write the judge's own"))
        .collect()
}

fn everything_below<'a>(metadata: &'a Metadata, from: &'a PackageId) -> BTreeSet<&'a PackageId> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes: BTreeMap<&PackageId, _> = nodes.map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for dependency in nodes.get(id).iter().flat_map(|node| &node.deps) {
            let counts = dependency.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development);
            if counts && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen
}

/// The metadata for this machine only: crates of other systems need not have been fetched.
pub(super) fn metadata(tree: &Tree) -> Result<Metadata, String> {
    let host = host().ok_or("rustc: does not name its host; make `rustc -vV` work first")?;
    let mut command = MetadataCommand::new();
    command.manifest_path(tree.root.join("Cargo.toml"));
    command.other_options(vec!["--offline".to_owned(), "--filter-platform".to_owned(), host]);
    command.exec().map_err(|why| format!("Cargo.toml: cargo metadata failed ({why}); make it work first"))
}

fn host() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::judge_sees_nodes("audit", "nodes")]
    #[case::report_sees_the_judge("report", "audit")]
    #[case::nodes_see_the_runner("nodes", "runner")]
    #[case::net_sees_the_nouns("net", "model")]
    fn an_edge_that_is_not_in_the_table_is_named(#[case] room: &str, #[case] other: &str) {
        let violations = forbidden(&BTreeMap::from([(room, BTreeSet::from([other]))]));
        assert_eq!(violations.len(), 1);
        assert!(violations[0].contains(other), "{violations:?}");
    }

    #[test]
    fn allowed_edges_pass_and_unknown_rooms_do_not() {
        assert!(forbidden(&BTreeMap::from([("nodes", BTreeSet::from(["net", "model"]))])).is_empty());
        assert_eq!(forbidden(&BTreeMap::from([("attic", BTreeSet::new())])).len(), 1);
    }

    #[test]
    fn the_table_has_no_circle() {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for (room, allowed) in [ALLOWED, &[]].concat() {
            let ready = allowed.iter().all(|other| done.contains(other));
            assert!(ready || room == "cli" || room == "dev", "{room} stands before what it depends on");
            done.insert(room);
        }
    }

    #[rstest]
    #[case("rtc-srtp", true)]
    #[case("webrtc", true)]
    #[case("my-srtp-fork", true)]
    #[case("rustls-pki-types", true)]
    #[case("sframe", true)]
    #[case("aes", false)]
    #[case("etherparse", false)]
    fn crates_of_the_accused_are_known(#[case] name: &str, #[case] accused: bool) {
        assert_eq!(is_accused(name), accused);
    }
}
