//! The names of deliberate faults; what each does is written in `nodes`.

words! {
    /// A deliberate fault of a node.
    pub enum Flaw {
        /// Lights the lock and seals nothing.
        NoSealing = "no-sealing",
        /// Leaves one frame in twenty unsealed.
        UnsealedOneInTwenty = "unsealed-one-in-twenty",
        /// Seals audio and leaves video open.
        UnsealedVideo = "unsealed-video",
        /// Never starts to seal, and refuses what is not sealed.
        SealingNeverStarts = "sealing-never-starts",
        /// Starts to seal after two seconds.
        SealingStartsLate = "sealing-starts-late",
        /// Plays frames that have no seal.
        PlaysUnsealed = "plays-unsealed",
        /// Plays sealed frames as they arrive, without opening them.
        PlaysNoise = "plays-noise",
        /// Takes a packet without payload for a forged frame.
        EmptyPayloadEndsCall = "empty-payload-ends-call",
        /// Sends media before the handshake has begun.
        MediaBeforeHandshake = "media-before-handshake",
        /// Writes a base key into a signalling message.
        KeyInSignalling = "key-in-signalling",
        /// Uses the same base keys in every call.
        FixedKey = "fixed-key",
        /// Derives the keys from the call id alone.
        KeyFromCallId = "key-from-call-id",
        /// Does not compare the certificate with the description.
        NoFingerprintCheck = "no-fingerprint-check",
        /// Plays a frame as often as it arrives.
        ReplayAccepted = "replay-accepted",
        /// Sets the frame counter back during the call.
        NonceRestarts = "nonce-restarts",
        /// Lights the lock when one party alone has opted in.
        LockAfterOneOptIn = "lock-after-one-opt-in",
        /// Seals although a policy forbids it.
        PolicyIgnored = "policy-ignored",
        /// Records a sealed call when asked to.
        RecordingWhenSealed = "recording-when-sealed",
    }
}
