//! SRTP, SFrame and the key agreement against their vectors.

use model::Role;

use super::{SelfTestFailed, check};
use crate::agreement::{key_id_owner, x25519, x25519_public};
use crate::sframe::{FrameOpener, Header, Suite};
use crate::srtp::{MasterKey, Profile, RtcpOpener, RtpOpener, open_under_session_keys};
use crate::vectors;

/// Opens each packet; with a bit of its tag or its header changed it must not open.
pub(super) fn srtp(file: &vectors::Srtp) -> Result<usize, SelfTestFailed> {
    let mut run = 0;
    for case in &file.session {
        let is_rtcp = case.protocol == "rtcp";
        let open = |packet: &[u8]| {
            let profile = Profile::named(&case.profile)?;
            open_under_session_keys(profile, &case.key, &case.salt, packet, is_rtcp)
        };
        opens(&case.sealed, &case.plain, open, "SRTP", &case.source)?;
        run += 1;
    }
    for case in &file.master {
        let profile = Profile::named(&case.profile);
        let master = profile.and_then(|profile| MasterKey::new(profile, &case.master).ok());
        let rtp = master.as_ref().map(RtpOpener::new);
        let rtcp = master.as_ref().map(RtcpOpener::new);
        let open_rtp = |packet: &[u8]| rtp.as_ref()?.open(packet, 0);
        let open_rtcp = |packet: &[u8]| rtcp.as_ref()?.open(packet).map(|opened| opened.packet);
        opens(&case.rtp_sealed, &case.rtp_plain, open_rtp, "SRTP", &case.source)?;
        opens(&case.rtcp_sealed, &case.rtcp_plain, open_rtcp, "SRTCP", &case.source)?;
        run += 2;
    }
    Ok(run)
}

/// Reads each header and opens each frame; with a changed bit it must not open.
pub(super) fn sframe(file: &vectors::Sframe) -> Result<usize, SelfTestFailed> {
    for case in &file.header {
        let expected = Header { key_id: case.kid, counter: case.ctr, length: case.encoded.len() };
        check(
            Header::parse(&case.encoded) == Some(expected),
            "the SFrame header",
            hex::encode(&*case.encoded),
        )?;
    }
    for case in &file.sframe {
        let suite = Suite::numbered(case.cipher_suite);
        let opener = suite.map(|suite| FrameOpener::new(suite, case.kid, &case.base_key));
        let open = |frame: &[u8]| opener.as_ref()?.open(frame, &case.metadata);
        let counter = Header::parse(&case.ct).map(|header| header.counter);
        check(counter == Some(case.ctr), "the SFrame header", case.cipher_suite)?;
        opens(&case.ct, &case.pt, open, "SFrame", &format!("cipher suite {}", case.cipher_suite))?;
    }
    Ok(file.header.len() + file.sframe.len())
}

/// Recomputes each example from the two secrets to both codes.
pub(super) fn agreement(file: &vectors::Agreement) -> Result<usize, SelfTestFailed> {
    for (index, example) in file.examples.iter().enumerate() {
        let holds = |holds: bool, what: &str| check(holds, "the key agreement", format!("{index}, {what}"));
        let caller = example.inputs.caller_secret.array();
        let callee = example.inputs.callee_secret.array();
        holds(x25519_public(&caller) == *example.caller_public, "the caller's key")?;
        holds(x25519_public(&callee) == *example.callee_public, "the callee's key")?;
        let z = x25519(&caller, &example.callee_public.array());
        holds(z == *example.z, "the shared secret")?;
        let signalled = example.signalled();
        holds(signalled.keeps_commitment(), "the commitment")?;
        holds(signalled.agreed().as_ref().is_ok_and(|hash| *hash == *example.agreed), "agreed")?;
        let code = signalled.security_code().map(|code| code.to_string());
        holds(code.as_ref() == Ok(&example.security_code), "the security code")?;
        let code = example.dtls_call().security_code().map(|code| code.to_string());
        holds(code.as_ref() == Ok(&example.dtls_security_code), "the code of dtls")?;
        let Ok(schedule) = signalled.key_schedule(&z) else {
            return holds(false, "the transcript").map(|()| 0);
        };
        holds(
            signalled.transcript().as_ref().is_ok_and(|hash| *hash == *example.transcript),
            "the transcript",
        )?;
        holds(*schedule.prk() == *example.prk, "prk")?;
        holds(
            schedule.confirmation(Role::Caller) == *example.confirmations.caller,
            "the caller's confirmation",
        )?;
        holds(
            schedule.confirmation(Role::Callee) == *example.confirmations.callee,
            "the callee's confirmation",
        )?;
        for (id, base_key) in (0..).zip(&example.sframe_base_keys_by_key_id) {
            let found = key_id_owner(id).map(|(sender, kind)| schedule.base_key(sender, kind));
            holds(found.is_some_and(|found| found == **base_key), "a base key")?;
        }
    }
    Ok(file.examples.len())
}

/// `sealed` must open to `plain`, and with its last bit or a bit of its first word changed to
/// nothing.
fn opens(
    sealed: &[u8],
    plain: &[u8],
    open: impl Fn(&[u8]) -> Option<Vec<u8>>,
    primitive: &'static str,
    vector: &str,
) -> Result<(), SelfTestFailed> {
    check(open(sealed).as_deref() == Some(plain), primitive, vector)?;
    for at in [1, sealed.len() - 1] {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        check(open(&changed).is_none(), primitive, format!("{vector} with byte {at} changed"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_packet_or_frame_is_noticed() {
        let mut file: vectors::Srtp = vectors::read(vectors::SRTP);
        file.master[1].rtcp_plain.0[0] ^= 1;
        assert_eq!(srtp(&file).expect_err("it is wrong").primitive, "SRTCP");
        file.session[0].plain.0[0] ^= 1;
        assert_eq!(srtp(&file).expect_err("it is wrong").vector, "RFC 7714 16.1.1");
        let mut file: vectors::Sframe = vectors::read(vectors::SFRAME);
        file.sframe[4].pt.0[0] ^= 1;
        assert_eq!(sframe(&file).expect_err("it is wrong").vector, "cipher suite 5");
        file.header[288].ctr ^= 1;
        assert_eq!(sframe(&file).expect_err("it is wrong").primitive, "the SFrame header");
    }

    #[test]
    fn an_opener_that_does_not_check_is_noticed() {
        let careless = |packet: &[u8]| packet.starts_with(b"a").then(|| b"plain".to_vec());
        let failed = opens(b"a sealed one", b"plain", careless, "SRTP", "x").expect_err("it does not check");
        assert_eq!(failed.vector, "x with byte 1 changed");
    }

    #[test]
    fn a_wrong_value_of_the_agreement_is_noticed() {
        let spoils: [fn(&mut vectors::AgreementExample); 9] = [
            |example| example.caller_public.0[0] ^= 1,
            |example| example.z.0[0] ^= 1,
            |example| example.commit.0[0] ^= 1,
            |example| example.agreed.0[0] ^= 1,
            |example| example.prk.0[0] ^= 1,
            |example| example.sframe_base_keys_by_key_id[5].0[0] ^= 1,
            |example| example.confirmations.callee.0[0] ^= 1,
            |example| example.security_code.push('0'),
            |example| example.dtls_security_code.push('0'),
        ];
        for spoil in spoils {
            let mut file: vectors::Agreement = vectors::read(vectors::AGREEMENT);
            spoil(&mut file.examples[3]);
            assert!(agreement(&file).is_err());
        }
    }
}
