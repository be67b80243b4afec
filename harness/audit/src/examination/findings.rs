//! What is found beside the protection of each stream: weaknesses, and what an observer learns.
//!
//! Invariant: each finding names its packets and a Wireshark filter that shows them.

use std::collections::HashSet;

use model::audit::{AuditFinding, Severity};

use super::counts::Counts;
use super::directions::Directions;
use super::early::Early;
use super::keystreams::Shared;
use super::layer::Bare;
use super::listed::Listed;
use super::opening::Opened;
use super::overhearing::Overheard;
use super::payloads::Seen;
use super::properties;
use super::protection;
use super::reports::Reports;
use super::stream::{Stream, Through, Way};
use super::survey::{Association, Survey};
use crate::checks::dtls::{suite_is_forward_secret, version_and_profile_are_strong};
use crate::checks::sdp::fingerprints_match_certificates;

/// Findings of one capture.
#[derive(Debug, Default)]
pub struct Findings {
    /// In the order in which they were made.
    pub all: Vec<AuditFinding>,
    capture: usize,
}

impl Findings {
    /// Of the capture with this index.
    pub fn of(capture: usize) -> Self {
        Self { all: Vec::new(), capture }
    }

    fn add(&mut self, check: &str, severity: Severity, text: String, packets: &Listed) {
        self.shown(check, severity, text, packets.clone(), packets.filter());
    }

    /// A finding about every packet of a stream.
    fn of_all(&mut self, check: &str, severity: Severity, text: String, stream: &Stream) {
        self.shown(check, severity, text, stream.numbers(), stream_filter(stream.way));
    }

    fn shown(&mut self, check: &str, severity: Severity, text: String, packets: Listed, filter: String) {
        let (capture, packets_total) = (self.capture, packets.total);
        let (check, packets) = (check.to_owned(), packets.numbers);
        self.all.push(AuditFinding { check, severity, text, capture, packets, packets_total, filter });
    }

    /// What is found of one stream; the names of the checks.
    pub fn stream(
        &mut self,
        stream: &Stream,
        seen: &Seen,
        opened: &Opened,
        early: &Early,
        plaintext: bool,
        twin: Option<(&Shared, &str)>,
    ) -> Vec<String> {
        let before = self.all.len();
        let id = id(stream.way, stream.ssrc);
        if plaintext {
            let text = format!("{id}: media can be read without any key");
            self.of_all(properties::NOTHING_IN_THE_CLEAR.name, Severity::Failure, text, stream);
        } else {
            self.protected(stream, opened, &id);
            self.bare(protection::bare(seen, opened), &id);
            self.early(early, &id);
        }
        if let Some((shared, other)) = twin {
            let text = format!("{id}: one keystream covers it and {other}");
            self.add(properties::KEYSTREAM_IS_USED_ONCE.name, Severity::Failure, text, &shared.packets);
        }
        let replayed = &stream.repeats.replayed;
        if replayed.total > 0 {
            let text = format!("{id}: {} packets are sent a second time, byte for byte", replayed.total);
            self.add(properties::PACKETS_ARE_NOT_REPLAYED.name, Severity::Warning, text, replayed);
        }
        self.metadata(stream, seen, &id);
        self.all.iter().skip(before).map(|finding| finding.check.clone()).collect()
    }

    fn protected(&mut self, stream: &Stream, opened: &Opened, id: &str) {
        if stream.repeats.reused.total > 0 {
            let text = format!("{id}: another payload under an index that was used before");
            self.add(
                properties::KEYSTREAM_IS_USED_ONCE.name,
                Severity::Failure,
                text,
                &stream.repeats.reused,
            );
        }
        if opened.reused.total > 0 {
            let text = format!("{id}: frames with key and counter of another frame");
            self.add(properties::KEYSTREAM_IS_USED_ONCE.name, Severity::Failure, text, &opened.reused);
        }
        if opened.unsealed_packets.total > 0 {
            let text = format!("{id}: frames without a seal among frames with one");
            self.add(
                properties::EVERY_FRAME_IS_SEALED.name,
                Severity::Failure,
                text,
                &opened.unsealed_packets,
            );
        }
        if opened.clear.total > 0 {
            let text = format!("{id}: packets without SRTP among packets with it");
            self.add(properties::NOTHING_IN_THE_CLEAR.name, Severity::Failure, text, &opened.clear);
        }
        if stream.short.total > 0 {
            let text = format!("{id}: payloads too short to hold media and a tag, so without protection");
            self.add(properties::NOTHING_IN_THE_CLEAR.name, Severity::Warning, text, &stream.short);
        }
        let odd: Listed =
            opened.refused.numbers.iter().copied().filter(|n| !opened.clear.numbers.contains(n)).collect();
        if odd.total > 0 {
            let text = format!("{id}: packets that do not open under the key of the others");
            self.add(properties::PACKETS_AUTHENTICATE.name, Severity::Warning, text, &odd);
        }
    }

    /// Frames without a seal, where no frame key was given that says more of them.
    fn bare(&mut self, bare: Option<&Bare>, id: &str) {
        let Some(bare) = bare else { return };
        let (severity, what) = if bare.found.is_structured() {
            (Severity::Failure, "and can be read")
        } else {
            (Severity::Warning, "and do not tell what they hold")
        };
        let text = format!("{id}: frames have no header of the layer that the others have, {what}");
        self.add(properties::EVERY_FRAME_IS_SEALED.name, severity, text, &bare.packets);
    }

    fn early(&mut self, early: &Early, id: &str) {
        if early.clear.total > 0 {
            let text = format!("{id}: packets in the clear before those that are protected");
            self.add(properties::NOTHING_IN_THE_CLEAR.name, Severity::Failure, text, &early.clear);
        }
        if early.without_keys.total > 0 {
            let text = format!("{id}: packets were sent before the handshake gave anybody a key");
            self.add(properties::NOTHING_IN_THE_CLEAR.name, Severity::Warning, text, &early.without_keys);
        }
    }

    fn metadata(&mut self, stream: &Stream, seen: &Seen, id: &str) {
        if let Some((profile, count)) =
            seen.tallies.extensions.iter().find(|(profile, _)| !matches!(*profile, 0xC0DE | 0xC2DE))
        {
            let text = format!(
                "{id}: {count} of {} packets carry header extensions ({profile:#06x}) in the clear",
                stream.packets
            );
            self.of_all(properties::HEADER_EXTENSIONS.name, Severity::Advisory, text, stream);
        }
        let bits = entropy(&seen.tallies.lengths);
        if bits > 0.5 && stream.packets >= 100 {
            let text = format!(
                "{id}: payload lengths vary by {bits:.1} bits a packet, which tells of what is said (RFC 6562 §2); {} \
                 pauses of more than 60 ms",
                stream.pauses
            );
            self.of_all(properties::PACKET_LENGTHS.name, Severity::Advisory, text, stream);
        }
    }

    /// What is found beside the streams; `protected` are the ways of those that are not plaintext.
    pub fn of_survey(&mut self, survey: &Survey, protected: &HashSet<Way>) {
        self.handshakes(survey);
        self.agreements(survey);
        self.rtcp(survey, protected);
        self.described(survey);
        self.identifiers(survey);
    }

    /// Keys that protect what both of two ends send.
    pub fn both_directions(&mut self, directions: &Directions) {
        for (way, packets) in directions.shared() {
            let text = format!(
                "{} and {}: one master key protects both directions, so that nothing but the SSRC keeps their keystreams \
                 apart (RFC 3711 §9.1)",
                way.source, way.destination
            );
            self.add(properties::KEYSTREAM_IS_USED_ONCE.name, Severity::Warning, text, &packets);
        }
    }

    /// Secrets that can be guessed, or read by somebody who was not given them.
    pub fn overheard(&mut self, overheard: &Overheard) {
        for (text, packets) in &overheard.told {
            self.add(properties::KEYS_ARE_NOT_GIVEN_AWAY.name, Severity::Failure, text.clone(), packets);
        }
    }

    /// What is found of the handshakes.
    fn handshakes(&mut self, survey: &Survey) {
        for association in &survey.associations {
            self.handshake(association, survey);
        }
    }

    fn handshake(&mut self, association: &Association, survey: &Survey) {
        let Some((way, client, server)) = association.client_and_server() else { return };
        let who = format!("handshake of {} with {}", way.source, way.destination);
        let packets = &association.packets;
        let version = server.version.or(client.version);
        // The server of DTLS 1.3 names its profile where nobody can read it.
        let hidden = version == Some(0xFEFC);
        let profile = server.srtp_profiles.first().copied();
        if server.is_server {
            let weak = version_and_profile_are_strong::weaknesses(server.version, profile);
            for what in weak.filter(|what| !(hidden && what.is_of_profile())) {
                if !client.srtp_profiles.is_empty() || !what.is_of_profile() {
                    let text = format!("{who}: it {what}");
                    self.add(&version_and_profile_are_strong::CHECK.name(), Severity::Warning, text, packets);
                }
            }
            if !suite_is_forward_secret::is_strong(server.cipher_suites.first().copied()) {
                let text = format!("{who}: its suite has no forward secrecy or no AEAD");
                self.add(&suite_is_forward_secret::CHECK.name(), Severity::Warning, text, packets);
            }
        }
        if survey.described.fingerprints.is_empty() {
            return;
        }
        for (side, fingerprint) in [("client", client.fingerprint), ("server", server.fingerprint)] {
            let Some(fingerprint) = fingerprint else { continue };
            if !survey.described.fingerprints.contains_key(&fingerprint) {
                let text = format!(
                    "{who}: the {side}'s certificate is in none of the descriptions in this capture: a hop ends here, or \
                     somebody sits in between"
                );
                self.add(&fingerprints_match_certificates::CHECK.name(), Severity::Failure, text, packets);
            }
        }
    }

    /// What is found of agreements of ZRTP.
    fn agreements(&mut self, survey: &Survey) {
        for mismatch in survey.zrtp.mismatches(&survey.described) {
            let Way { source, destination, .. } = mismatch.way;
            let text = format!(
                "ZRTP of {source} with {destination}: {}: somebody may sit in between",
                mismatch.text
            );
            self.add(properties::ZRTP_HASHES_FIT.name, Severity::Failure, text, &mismatch.packets);
        }
    }

    /// RTCP in the clear beside media that are protected; on the ports of the media or on those above (RFC 3550 §11).
    fn rtcp(&mut self, survey: &Survey, protected: &HashSet<Way>) {
        let mut ways: Vec<(&Way, &Reports)> = survey.rtcp.iter().collect();
        ways.sort_by_key(|(way, _)| **way);
        for (way, reports) in ways {
            let packets = &reports.packets;
            let mut media = *way;
            for end in [&mut media.source, &mut media.destination] {
                end.set_port(end.port().saturating_sub(1));
            }
            if protected.contains(&way.both()) || protected.contains(&media.both()) {
                let text = format!(
                    "{} > {}: RTCP is not protected although the media are, in {} packets ({})",
                    way.source,
                    way.destination,
                    packets.total,
                    reports.told()
                );
                self.add(properties::RTCP_IN_THE_CLEAR.name, Severity::Warning, text, packets);
            }
        }
    }

    /// Names by which somebody is known again.
    fn identifiers(&mut self, survey: &Survey) {
        for (text, packets) in survey.identifiers.told() {
            self.add(properties::STABLE_IDENTIFIERS.name, Severity::Advisory, text, packets);
        }
        let (certificates, packets) = super::identifiers::certificates(&survey.associations);
        if certificates > 0 {
            let text =
                format!("{certificates} certificates serve in several handshakes, which ties them together");
            self.add(properties::STABLE_IDENTIFIERS.name, Severity::Advisory, text, &packets);
        }
    }

    /// What is found in readable signalling.
    fn described(&mut self, survey: &Survey) {
        let (mut packets, count): (Vec<u64>, usize) =
            (survey.described.keys.iter().map(|key| key.packet).collect(), survey.described.keys.len());
        packets.dedup();
        let keys: Listed = packets.into_iter().collect();
        if keys.total > 0 {
            let text = format!("{count} keys of SRTP stand in readable session descriptions");
            self.add(properties::NO_KEY_IN_THE_CLEAR.name, Severity::Failure, text, &keys);
        }
        for (suite, packets) in &survey.described.foreign_suites {
            let text = format!(
                "keys of the suite `{suite}` stand in readable session descriptions; they were not tried"
            );
            self.add(properties::NO_KEY_IN_THE_CLEAR.name, Severity::Failure, text, packets);
        }
        if survey.described.unprotected.total > 0 {
            let text = "session descriptions offer or accept media without protection".to_owned();
            self.add(
                properties::MEDIA_ARE_PROTECTED.name,
                Severity::Warning,
                text,
                &survey.described.unprotected,
            );
        }
    }
}

/// Names a stream within an audit.
pub fn id(way: Way, ssrc: u32) -> String {
    format!("{} > {} {ssrc:08x}", way.source, way.destination)
}

/// A Wireshark filter of one direction of a five-tuple.
pub fn stream_filter(way: Way) -> String {
    let ip = if way.source.is_ipv4() { "ip" } else { "ipv6" };
    let transport = if way.through == Some(Through::Tcp) { "tcp" } else { "udp" };
    format!(
        "{ip}.src == {} && {transport}.srcport == {} && {ip}.dst == {} && {transport}.dstport == {}",
        way.source.ip(),
        way.source.port(),
        way.destination.ip(),
        way.destination.port()
    )
}

/// Shannon entropy of the payload lengths, in bits a packet.
fn entropy(lengths: &Counts<u16>) -> f64 {
    let total: u64 = lengths.iter().map(|(_, count)| count).sum();
    let share = |(_, count): (u16, u64)| count as f64 / total.max(1) as f64;
    lengths.iter().map(share).map(|p| -p * p.log2()).sum()
}
