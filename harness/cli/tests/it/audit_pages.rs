//! Reports of `overheard audit` as files: pages, SARIF, and what is left of names when they are redacted.

use std::path::Path;

use crate::Room;

/// A capture of the gallery with its keys, copied into the room under a telling name.
fn copied(room: &Room) {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    for (from, to) in [
        ("flaw-no-sealing.pcapng.zst", "folder-of-carol/carols-call.pcapng.zst"),
        ("flaw-no-sealing.service.keys", "acmes.keys"),
    ] {
        std::fs::create_dir_all(room.path("folder-of-carol")).unwrap();
        std::fs::copy(gallery.join(from), room.path(to)).unwrap();
    }
}

const ARGUMENTS: &[&str] = &[
    "audit",
    "folder-of-carol/carols-call.pcapng.zst",
    "--keys",
    "acme:acmes.keys",
    "--format",
    "html:a.html",
    "--format",
    "sarif:a.sarif",
    "--format",
    "json:a.json",
];

#[test]
fn a_page_shows_streams_with_pictures_hashes_and_the_command() {
    let room = Room::new();
    copied(&room);
    let ended = room.overheard(ARGUMENTS);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let page = room.read("a.html");
    for part in [
        "whoever holds the keys of acme can hear it",
        "class=\"timeline\"",
        "class=\"columns\"",
        "SHA-256 as unpacked",
        "overheard audit folder-of-carol/carols-call.pcapng.zst --keys acme:acmes.keys",
        "DTLS 1.2",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&room.read("a.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
    let audit: model::audit::Audit = serde_json::from_str(&room.read("a.json")).unwrap();
    for stream in &audit.streams {
        let spans = &stream.timeline;
        assert_eq!(spans.iter().map(|span| span.packets).sum::<u64>(), stream.packets, "{}", stream.id);
        let opened: u64 = stream.opened.iter().filter(|o| o.layer == "srtp").map(|o| o.packets).sum();
        assert_eq!(spans.iter().map(|span| span.opened).sum::<u64>(), opened, "{}", stream.id);
    }
}

#[test]
fn a_redacted_report_names_nobody() {
    let room = Room::new();
    copied(&room);
    let ended = room.overheard(&[ARGUMENTS, &["--redact"]].concat());
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let reports = [ended.stdout, room.read("a.html"), room.read("a.sarif"), room.read("a.json")];
    for report in &reports {
        for name in ["10.0.0.", "carol", "contoso", "alice", "bob", "acme"] {
            assert!(!report.contains(name), "{name}: {report}");
        }
        assert!(report.contains("host-1:"), "{report}");
    }
    assert!(reports[1].contains("overheard audit file-1 --keys owner-1:keys-1 --redact"));
}
