//! Handshakes as the report tells them.

use std::collections::HashMap;

use model::audit::Handshake;

use super::stream::Way;
use super::survey::Survey;
use crate::capture::feed::Ended;
use crate::srtp::Profile;

/// Protection profiles that authenticate and do not encrypt (RFC 5764 §4.1.2).
const NULL_PROFILES: [u16; 2] = [0x0005, 0x0006];

/// The profile without encryption that was chosen on a way, whichever direction names it.
pub fn null_profiles(survey: &Survey) -> HashMap<Way, u16> {
    let chosen = survey.associations.iter().filter_map(|association| {
        let (way, _, server) = association.client_and_server()?;
        Some((way.both(), *server.srtp_profiles.first()?))
    });
    chosen.filter(|(_, profile)| NULL_PROFILES.contains(profile)).collect()
}

/// Every handshake of which both hellos were seen.
pub fn told(capture: usize, survey: &Survey, ended: &Ended) -> Vec<Handshake> {
    let of = |association: &super::survey::Association| {
        let (way, client, server) = association.client_and_server()?;
        let suite = server.cipher_suites.first();
        let profile = server.srtp_profiles.first();
        Some(Handshake {
            capture,
            interface: ended.interfaces.get(way.interface).cloned().unwrap_or_default(),
            client: way.source.to_string(),
            server: way.destination.to_string(),
            version: server.version.filter(|_| server.is_server).map(version),
            cipher_suite: suite.map(|suite| suite_name(*suite)),
            srtp_profile: profile.map(|number| {
                Profile::numbered(*number)
                    .map_or_else(|| format!("{number:#06x}"), |profile| profile.name().to_owned())
            }),
            client_fingerprint: client.fingerprint.map(hex::encode),
            server_fingerprint: server.fingerprint.map(hex::encode),
            packets: association.packets.numbers.clone(),
        })
    };
    survey.associations.iter().filter_map(of).collect()
}

/// DTLS counts its versions down (RFC 6347 §4.1).
fn version(number: u16) -> String {
    match number {
        0xFEFF => "DTLS 1.0".to_owned(),
        0xFEFD => "DTLS 1.2".to_owned(),
        0xFEFC => "DTLS 1.3".to_owned(),
        other => format!("{other:#06x}"),
    }
}

/// Names of the suites that media handshakes choose most; others by number.
fn suite_name(number: u16) -> String {
    let name = match number {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xC009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xC00A => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xC013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xC014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xC02B => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02C => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xC02F => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xC030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xCCA8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xCCA9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        other => return format!("{other:#06x}"),
    };
    name.to_owned()
}
