//! Phones made by others that call each other over SIP, and what `audit` says of the packets that went over the wire.
//!
//! Each call has a network namespace of its own that holds the loopback alone, so that a capture is one call and nothing
//! leaves the machine. Every wait ends: with what is waited for, with the end of a phone, or at its deadline.
//! Skipped where a phone is missing, unless OVERHEARD_REQUIRE_PEERS is 1; `.ci/peers` installs them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use model::audit::{Audit, AuditVerdict, Protection};
use rstest::rstest;

use crate::{Room, there_or_skipped};

/// The capture ends with so many packets: signalling, key exchange, and more than three seconds of speech both ways.
const PACKETS: &str = "400";
/// A wait ends after so many looks, 20 ms apart: a minute and a half.
const LOOKS: usize = 4_500;

/// A process that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Gives what it is told on standard input; whoever drops the pipe ends that.
    fn stdin(&mut self) -> ChildStdin {
        self.0.stdin.take().unwrap()
    }
}

/// A network namespace with the loopback alone; it is there as long as the process that holds it.
struct Namespace(Running);

impl Namespace {
    /// None where the system does not let us have one.
    fn new() -> Option<Self> {
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "--", "sh", "-c"])
            .arg("ip link set lo up && echo up && exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut said = [0; 3];
        let up = holder.stdout.take().unwrap().read_exact(&mut said).is_ok();
        let namespace = Self(Running(holder));
        (up && &said == b"up\n").then_some(namespace)
    }

    /// Starts a program inside; what it says goes to a file of the room.
    fn start(&self, room: &Room, log: &str, home: &Path, words: &[&str]) -> Running {
        let target = self.0.0.id().to_string();
        let log = File::create(room.path(log)).unwrap();
        let child = Command::new("nsenter")
            .args(["--target", &target, "--user", "--net", "--preserve-credentials", "--"])
            .args(words)
            .env("HOME", home)
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Running(child.unwrap())
    }

    /// Whether somebody listens on that UDP port (Linux's table has local addresses as `hex:hex port`).
    fn listens(&self, port: u16) -> bool {
        let table = std::fs::read_to_string(format!("/proc/{}/net/udp", self.0.0.id())).unwrap_or_default();
        table.contains(&format!(":{port:04X} "))
    }
}

/// Waits until something holds; tells what was said where it never does, or where a process ends before.
fn until(room: &Room, running: &mut [&mut Running], what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if holds() {
            return;
        }
        let gone = running.iter_mut().any(|process| process.0.try_wait().unwrap().is_some());
        assert!(!gone || holds(), "a program has ended before {what}\n{}", logs(room));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("in vain it was waited until {what}\n{}", logs(room));
}

fn logs(room: &Room) -> String {
    let read =
        |name: &str| format!("== {name}\n{}", std::fs::read_to_string(room.path(name)).unwrap_or_default());
    ["capture.log", "alice.log", "bob.log"].map(read).concat()
}

/// Two phones of one make; alice calls bob.
#[derive(Clone, Copy)]
struct Make {
    program: &'static str,
    /// Writes the folder of a phone: name, address, SIP port and protection.
    settle: fn(&Room, &str, &str, u16, &str),
    /// The words that start the phone whose folder it is; the second is whether it calls.
    start: fn(&Path, bool) -> Vec<String>,
    /// What it is told on standard input once it listens.
    told: fn(&Path, bool) -> String,
}

const BARESIP: Make = Make {
    program: "baresip",
    settle: |room, name, address, port, protection| {
        let line =
            format!("<sip:{name}@{address}:{port}>;regint=0;answermode=auto;audio_codecs=opus/48000/2");
        room.write(&format!("{name}/accounts"), &format!("{line}{protection}\n"));
        room.write(&format!("{name}/contacts"), "");
        let rtp = port * 2;
        let modules = ["opus", "ausine", "srtp", "dtls_srtp"].map(|name| format!("module {name}.so\n"));
        room.write(
            &format!("{name}/config"),
            &format!(
                "poll_method epoll\nsip_listen {address}:{port}\naudio_path /usr/share/baresip\n\
                 audio_source ausine,440\nausrc_srate 48000\nauplay_srate 48000\nausrc_channels 2\n\
                 auplay_channels 1\nrtp_ports {rtp}-{}\nrtcp_mux yes\nnet_interface {address}\n\
                 module_path /usr/lib/baresip/modules\n{}module_tmp account.so\nmodule_app menu.so\n",
                rtp + 40,
                modules.concat(),
            ),
        );
    },
    start: |folder, calls| {
        let folder = folder.display().to_string();
        let mut words = ["baresip", "-4", "-f", &folder].map(str::to_owned).to_vec();
        if calls {
            words.extend(["-e", "d sip:bob@127.0.0.2:5062"].map(str::to_owned));
        }
        words
    },
    told: |_, _| String::new(),
};

const LINPHONE: Make = Make {
    program: "linphonec",
    settle: |room, name, address, port, protection| {
        // Without this folder it does not come up.
        room.write(&format!("{name}/.local/share/linphone/place"), "");
        let rtp = port + 2_000;
        room.write(
            &format!("{name}/rc"),
            &format!(
                "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nmedia_encryption={protection}\n\
                 media_encryption_mandatory=0\nbind_address={address}\nguess_hostname=0\n\
                 contact=\"{name}\" <sip:{name}@{address}:{port}>\nuse_ipv6=0\nauto_net_state_mon=0\n\
                 register_only_when_network_is_up=0\n[rtp]\naudio_rtp_port={rtp}\nbind_address={address}\n\
                 [net]\nstun_server=\nfirewall_policy=0\ndns_srv_enabled=0\n[video]\nenabled=0\n[misc]\n\
                 enable_ice=0\nfile_transfer_protocol=\n[app]\nauto_download=0\n"
            ),
        );
        std::fs::write(room.path(&format!("{name}/tone.wav")), tone()).unwrap();
    },
    start: |folder, calls| {
        let rc = folder.join("rc").display().to_string();
        let words = ["linphonec", "-c", &rc].map(str::to_owned);
        words.into_iter().chain((!calls).then(|| "-a".to_owned())).collect()
    },
    told: |folder, calls| {
        let call = if calls { "call sip:bob@127.0.0.2:5062\n" } else { "" };
        // There is no sound card.
        format!("soundcard use files\nplay {}\n{call}", folder.join("tone.wav").display())
    },
};

/// Twenty seconds of a tone, as a WAV file: 48 kHz, 16 bits, mono.
fn tone() -> Vec<u8> {
    let samples: u32 = 960_000;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples * 2).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(48_000_u32.to_le_bytes());
    wav.extend(96_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((samples * 2).to_le_bytes());
    for sample in 0..samples {
        let angle = f64::from(sample) * 440.0 * std::f64::consts::TAU / 48_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "at most 12,000")]
        wav.extend(((angle.sin() * 12_000.0) as i16).to_le_bytes());
    }
    wav
}

/// Has alice call bob, records it and audits the capture; none where something is not there.
fn called(make: Make, protection: &str) -> Option<Audit> {
    let there = |program: &str| Command::new(program).arg("-h").stdin(Stdio::null()).output().is_ok();
    for program in [make.program, "dumpcap", "nsenter", "ip"] {
        let missing = format!("{program} is missing, no phone is called; run .ci/peers");
        if !there_or_skipped(there(program), &missing) {
            return None;
        }
    }
    let namespace = Namespace::new();
    let missing = "no network namespace could be made, no phone is called; allow `unshare --user --net`";
    if !there_or_skipped(namespace.is_some(), missing) {
        return None;
    }
    let (namespace, room) = (namespace?, Room::new());
    let capture = room.path("call.pcapng").display().to_string();
    let dump = ["dumpcap", "-q", "-i", "lo", "-c", PACKETS, "-w", &capture];
    let mut dump = namespace.start(&room, "capture.log", &room.path(""), &dump);
    until(&room, &mut [&mut dump], "the capture begins", || {
        std::fs::metadata(&capture).is_ok_and(|file| file.len() > 0)
    });
    let mut phones = [("bob", "127.0.0.2", 5062, false), ("alice", "127.0.0.1", 5061, true)].map(
        |(name, address, port, calls)| {
            (make.settle)(&room, name, address, port, protection);
            let folder = room.path(name);
            let words = (make.start)(&folder, calls);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut phone = namespace.start(&room, &format!("{name}.log"), &folder, &words);
            until(&room, &mut [&mut phone], &format!("{name}'s phone listens"), || namespace.listens(port));
            let mut stdin = phone.stdin();
            stdin.write_all((make.told)(&folder, calls).as_bytes()).unwrap();
            (phone, stdin)
        },
    );
    let [(bob, _), (alice, _)] = &mut phones;
    let mut status = None;
    until(&room, &mut [bob, alice], "the capture is full", || {
        status = dump.0.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.is_some_and(|status| status.success()), "{}", logs(&room));
    let ended = room.overheard(&["audit", "call.pcapng", "--format", "json:audit.json"]);
    assert!([0, 1, 3].contains(&ended.code), "{}", ended.stderr);
    Some(serde_json::from_str(&room.read("audit.json")).unwrap())
}

/// What the one stream of each direction came to, and its packets are all but all of the capture.
fn protections(audit: &Audit) -> Vec<Protection> {
    assert_eq!(audit.streams.len(), 2, "{:?}", audit.streams);
    assert!(audit.streams.iter().all(|stream| stream.packets > 100), "{:?}", audit.streams);
    audit.streams.iter().map(|stream| stream.protection).collect()
}

fn found(audit: &Audit, check: &str) -> bool {
    audit.findings.iter().any(|finding| finding.check == check && finding.packets_total > 0)
}

#[rstest]
#[case::baresip(BARESIP, "")]
#[case::linphone(LINPHONE, "none")]
fn a_call_without_protection_is_plaintext(#[case] make: Make, #[case] protection: &str) {
    let Some(audit) = called(make, protection) else { return };
    assert_eq!(protections(&audit), [Protection::Plaintext; 2]);
    assert_eq!(audit.verdict, AuditVerdict::NotEndToEnd);
    assert!(
        audit.streams.iter().all(|stream| stream.codec.as_deref() == Some("opus")),
        "{:?}",
        audit.streams
    );
    assert!(found(&audit, "sdp/media-are-protected"), "{:?}", audit.findings);
}

#[rstest]
#[case::baresip(BARESIP, ";mediaenc=srtp-mand")]
#[case::linphone(LINPHONE, "srtp")]
fn a_key_in_the_session_description_breaks_every_packet(#[case] make: Make, #[case] protection: &str) {
    let Some(audit) = called(make, protection) else { return };
    assert_eq!(protections(&audit), [Protection::Broken; 2]);
    assert_eq!(audit.verdict, AuditVerdict::NotEndToEnd);
    for stream in &audit.streams {
        let opened: u64 = stream.opened.iter().map(|opened| opened.packets).sum();
        assert_eq!(opened, stream.packets, "{stream:?}");
    }
    assert!(found(&audit, "signalling/no-key-in-the-clear"), "{:?}", audit.findings);
}

#[rstest]
#[case::baresip(BARESIP, ";mediaenc=dtls_srtp")]
#[case::linphone(LINPHONE, "dtls")]
fn what_a_handshake_protects_is_undetermined_and_says_what_would_settle_it(
    #[case] make: Make,
    #[case] protection: &str,
) {
    let Some(audit) = called(make, protection) else { return };
    assert_eq!(protections(&audit), [Protection::EncryptedUndetermined; 2]);
    assert_eq!(audit.verdict, AuditVerdict::Inconclusive);
    assert!(audit.packets.get("dtls").is_some_and(|packets| *packets >= 4), "{:?}", audit.packets);
    assert!(audit.not_concluded.iter().any(|open| open.would_settle_it.contains("hop keys")));
    assert!(!found(&audit, "signalling/no-key-in-the-clear"), "{:?}", audit.findings);
}

#[test]
fn zrtp_protects_from_its_confirmation_on_and_not_before() {
    let Some(audit) = called(LINPHONE, "zrtp") else { return };
    for stream in &audit.streams {
        let late = stream.why.contains("before there were keys");
        // How many packets go out in the clear is a matter of time; where there are none, nothing can be read.
        let due = if late { Protection::Broken } else { Protection::EncryptedUndetermined };
        assert_eq!(stream.protection, due, "{stream:?}");
        assert_eq!(stream.protocol, "srtp", "{stream:?}");
    }
    assert_eq!(protections(&audit).len(), 2);
    assert!(audit.packets.get("zrtp").is_some_and(|packets| *packets >= 10), "{:?}", audit.packets);
    let open = audit.not_concluded.iter().find(|open| open.text.contains("ZRTP agreed"));
    assert!(open.is_some_and(|open| open.would_settle_it.contains("short authentication strings")));
    assert!(!found(&audit, "signalling/no-key-in-the-clear"), "{:?}", audit.findings);
}
