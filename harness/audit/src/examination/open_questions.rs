//! What captures do not answer, each with the evidence that would.
//!
//! Invariant: a question is asked only where something in the captures raises it.

use model::audit::{Audit, NotConcluded, Protection};
use model::results::Sweep;

use super::counted::counted;
use super::overhearing::Overheard;
use super::survey::Survey;
use crate::capture::class::Class;
use crate::capture::feed::Ended;
use crate::plant::Controls;

/// The questions so far.
#[derive(Debug, Default)]
pub struct Questions {
    all: Vec<NotConcluded>,
}

impl Questions {
    fn ask(&mut self, text: String, would_settle_it: &str) {
        let would_settle_it = would_settle_it.to_owned();
        self.all.push(NotConcluded { text, would_settle_it });
    }

    /// Asks what one capture leaves open.
    pub fn of(
        &mut self,
        name: &str,
        survey: &Survey,
        ended: &Ended,
        embedded: usize,
        overheard: Option<&Overheard>,
    ) {
        let count = |class: Class| survey.classes.get(&class).copied().unwrap_or_default();
        if !ended.is_capture {
            self.ask(format!("{name}: it is no capture"), "the capture itself, as pcap or pcapng");
            return;
        }
        if !ended.problems.is_empty() {
            let text = format!("{name}: parts of it could not be read");
            self.ask(text, "a capture that was written to its end and not changed since");
        }
        let tls = count(Class::Tls);
        // Connections that opened with keys which were given have been read.
        if tls > 0 && !overheard.is_some_and(|overheard| overheard.reads_all) {
            let text = format!(
                "{name}: {} not read, so what was signalled, keys included, is unknown",
                counted(tls, "packet of TLS was", "packets of TLS were")
            );
            self.ask(text, "session descriptions of the calls, or the signalling recorded in readable form");
        }
        if !survey.zrtp.is_empty() {
            let text = match survey.zrtp.compared() {
                0 => format!("{name}: ZRTP was begun, and no whole agreement was recorded"),
                whole => format!(
                    "{name}: ZRTP agreed {whole} times on keys that no key file can hold; its hashes were compared, and \
                     they cannot tell who sat in between"
                ),
            };
            self.ask(text, "the short authentication strings that both people compared");
        }
        let hidden = survey.associations.iter().filter_map(|a| a.client_and_server());
        if hidden.filter(|(_, _, server)| server.version == Some(0xFEFC)).count() > 0 {
            let text = format!(
                "{name}: the certificates of DTLS 1.3 handshakes are encrypted and were not compared"
            );
            self.ask(text, "the fingerprints that each end saw");
        }
        if embedded > 0 {
            let text = format!(
                "{name}: {} embedded in the capture, and nothing says who held what",
                counted(embedded as u64, "key is", "keys are")
            );
            self.ask(text, "the same keys in a file with an owner: --keys OWNER:FILE");
        }
        if survey.beyond > 0 {
            let packets = counted(survey.beyond, "packet belongs", "packets belong");
            let text = format!("{name}: {packets} to more streams than are looked at");
            self.ask(text, "a capture of fewer calls");
        }
        let unread = survey.carriers.unread;
        if unread > 0 {
            let text = format!(
                "{name}: {unread} bytes of TCP connections that carry media could not be read: parts of them are missing"
            );
            self.ask(text, "a capture without lost packets");
        }
        if ended.refused_fragments > 0 {
            let text = format!(
                "{name}: {} did not fit together",
                counted(ended.refused_fragments, "fragment of a datagram", "fragments of datagrams")
            );
            self.ask(text, "a capture without lost packets");
        }
    }

    /// Asks for a second reading, which keys that the capture itself holds need.
    pub fn untried(&mut self, name: &str, keys: usize) {
        let text = format!(
            "{name}: {} not tried: too much flowed by to be kept for a second reading",
            counted(keys as u64, "key that stands in it was", "keys that stand in it were")
        );
        self.ask(text, "the same capture written to a file, and that named");
    }

    /// Asks for the handshakes of secrets that were given, where the capture has media under others or none.
    pub fn strangers(&mut self, name: &str, strangers: usize, has_handshakes: bool) {
        if strangers > 0 && !has_handshakes {
            let text = format!(
                "{name}: {strangers} secrets are of handshakes that it does not hold, so nothing follows from them"
            );
            self.ask(text, "a capture from the start of the call, or the keys of SRTP themselves");
        }
    }

    /// Asks what guesses, sweep and search leave open about so many streams that are end-to-end-consistent, on some of
    /// which nothing was tried.
    pub fn overheard(&mut self, name: &str, overheard: &Overheard, consistent: usize, untried: usize) {
        let Controls { planted, found } = overheard.controls;
        if found < planted {
            let text = format!(
                "{name}: of {planted} keys planted as controls only {found} were found, so that a key which is given away \
                 could be missed"
            );
            self.ask(text, "a report of this as a fault of the harness, with the capture");
        }
        if consistent == 0 {
            return;
        }
        if untried > 0 {
            let text = format!(
                "{name}: whether keys of {untried} end-to-end-consistent streams can be guessed or read: no secret could be \
                 tried on them"
            );
            self.ask(text, "a capture from the start of the calls, with the keys of the parties");
        }
        if overheard.sweep == Sweep::Off {
            let text = format!(
                "{name}: whether keys of the end-to-end-consistent streams stand in what a middle party reads: keys were \
                 guessed, and nothing was swept"
            );
            self.ask(text, "the same audit with --sweep light or --sweep full");
        } else if overheard.left_packets > 0 || overheard.left_bytes > 0 {
            let text = format!(
                "{name}: whether keys of the end-to-end-consistent streams stand beyond the bounds of the sweep, which left \
                 {} packets and {} bytes",
                overheard.left_packets, overheard.left_bytes
            );
            let full = overheard.sweep == Sweep::Full;
            self.ask(
                text,
                if full { "captures of single calls" } else { "the same audit with --sweep full" },
            );
        }
    }

    /// Adds what all streams together leave open.
    pub fn finish(mut self, audit: &Audit) -> Vec<NotConcluded> {
        let of =
            |wanted: Protection| audit.streams.iter().filter(|stream| stream.protection == wanted).count();
        let undetermined = of(Protection::EncryptedUndetermined);
        if undetermined > 0 {
            self.ask(
                format!("whether a middle party can read the {undetermined} streams that are encrypted-undetermined"),
                "the hop keys that relays, forwarders and conference servers hold: --keys OWNER:FILE, and --complete \
                 OWNER where these are all",
            );
        }
        let insufficient = of(Protection::Insufficient);
        if insufficient > 0 {
            self.ask(
                format!("what the {insufficient} streams with fewer than 8 packets are"),
                "a longer capture",
            );
        }
        if audit.streams.is_empty() {
            self.ask(
                "whether there was a call at all: no media stream was found".to_owned(),
                "a capture of the media",
            );
        }
        let consistent = of(Protection::EndToEndConsistent);
        if consistent > 0 {
            self.ask(
                format!("whether somebody holds keys of the {consistent} end-to-end-consistent streams who handed none over"),
                "nothing that a capture holds: who has which keys is the submitter's statement",
            );
        }
        self.all
    }
}
