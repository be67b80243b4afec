//! What devices claim of a call, why, and who may listen.

words! {
    /// What the devices claim of a call; whether it is true is what the proof legs judge (design, section 3).
    pub enum Outcome {
        /// Media flow, both locks lit, codes equal.
        Sealed = "sealed",
        /// Media flow, no lock.
        Ordinary = "ordinary",
        /// Media flow, a lock is lit somewhere, and the codes differ or only one screen has the lock.
        Exposed = "exposed",
        /// No media frame after the device that reports the reason has sent `hang-up`.
        Ended = "ended",
        /// There never was a call.
        NotPlaced = "not-placed",
    }
}

words! {
    /// Why a call is ordinary, has ended or was not placed, in the order in which reports list them.
    pub enum Reason {
        /// The caller's tenant does not let the caller turn the option on.
        CallerPolicy = "caller-policy",
        /// The callee's tenant does not let the callee turn the option on.
        CalleePolicy = "callee-policy",
        /// The caller has not turned the option on.
        CallerSwitchedOff = "caller-switched-off",
        /// The callee has not turned the option on.
        CalleeSwitchedOff = "callee-switched-off",
        /// The release does not offer the option on the caller's platform.
        CallerPlatform = "caller-platform",
        /// The release does not offer the option on the callee's platform.
        CalleePlatform = "callee-platform",
        /// The caller's client is outdated.
        CallerVersion = "caller-version",
        /// The callee's client is outdated.
        CalleeVersion = "callee-version",
        /// The release is a preview and the caller is not in its ring.
        CallerPreviewRing = "caller-preview-ring",
        /// The release is a preview and the callee is not in its ring.
        CalleePreviewRing = "callee-preview-ring",
        /// The caller's tenant is of a kind that is not offered the option.
        CallerTenantKind = "caller-tenant-kind",
        /// The callee's tenant is of a kind that is not offered the option.
        CalleeTenantKind = "callee-tenant-kind",
        /// The caller is under compliance recording.
        CallerComplianceRecording = "caller-compliance-recording",
        /// The callee is under compliance recording.
        CalleeComplianceRecording = "callee-compliance-recording",
        /// The call was scheduled.
        Scheduled = "scheduled",
        /// More than one party was called.
        GroupCall = "group-call",
        /// The callee is a telephone number.
        Pstn = "pstn",
        /// An intent of 1 did not arrive where it was sent.
        IntentMissing = "intent-missing",
        /// The callee said no.
        Declined = "declined",
        /// The callee did not answer.
        NoAnswer = "no-answer",
        /// The callee is in a call.
        Busy = "busy",
        /// Nobody of that name is known.
        UnknownUser = "unknown-user",
        /// The revealed key and nonce are not the committed ones.
        CommitmentMismatch = "commitment-mismatch",
        /// The other device's confirmation is wrong.
        ConfirmationMismatch = "confirmation-mismatch",
        /// The other device's confirmation never came.
        ConfirmationMissing = "confirmation-missing",
        /// The agreed value is all zero.
        LowOrderKey = "low-order-key",
        /// The answer chose a suite that was not offered.
        UnofferedSuite = "unoffered-suite",
        /// A certificate is not the one of the description.
        FingerprintMismatch = "fingerprint-mismatch",
        /// The fingerprint changed within a call.
        FingerprintChanged = "fingerprint-changed",
        /// A frame without a seal arrived in a sealed call.
        UnsealedFrame = "unsealed-frame",
        /// ICE or DTLS did not connect in time.
        SetUpTimeout = "set-up-timeout",
        /// The client gave up for a reason of its own.
        ClientFailed = "client-failed",
    }
}

impl Reason {
    /// Whether the reason makes a call ordinary (design, section 1.3), rather than end it.
    pub fn makes_ordinary(self) -> bool {
        self <= Self::IntentMissing
    }
}

words! {
    /// Somebody who might hear a call (design, section 2).
    pub enum Listener {
        /// Every byte on every wire, also inside the service.
        Eve = "eve",
        /// Eve, and all that the service holds.
        Trudy = "trudy",
        /// The man in the middle, where the scenario has an attack.
        Mallory = "mallory",
        /// Trudy's recording, and whatever any node still holds after hang-up.
        Harvest = "harvest",
        /// The two devices: the control.
        Parties = "parties",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_an_ordinary_call_come_before_reasons_of_an_ended_one() {
        assert!(Reason::IntentMissing.makes_ordinary());
        assert!(!Reason::Declined.makes_ordinary());
        assert_eq!(Reason::ALL.iter().filter(|r| r.makes_ordinary()).count(), 18);
    }
}
