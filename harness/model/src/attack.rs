//! The names of Mallory's deeds; what each does is written in `nodes`.

words! {
    /// A deed of the man in the middle.
    pub enum Attack {
        /// Puts her own certificate fingerprints into the descriptions.
        SubstituteFingerprint = "substitute-fingerprint",
        /// Puts her own agreement keys into the signalling.
        SubstitutePublicKey = "substitute-public-key",
        /// Puts a low-order point in place of an agreement key.
        LowOrderKey = "low-order-key",
        /// Sends the caller a second answer.
        SecondAnswer = "second-answer",
        /// Lets one side believe the call sealed and the other ordinary.
        HalfSealed = "half-sealed",
        /// Takes the intent out of offer or answer.
        StripIntent = "strip-intent",
        /// Flips bits of media packets.
        FlipBits = "flip-bits",
        /// Sends recorded media packets again.
        Replay = "replay",
        /// Sends a device its own media packets.
        Reflect = "reflect",
        /// Adds RTP packets of her own.
        InjectRtp = "inject-rtp",
        /// Adds RTP packets without payload.
        EmptyPackets = "empty-packets",
        /// Forges the answer of the policy server.
        ForgePolicy = "forge-policy",
    }
}

impl Attack {
    /// Whether it adds media packets and does nothing else, so that with honest clients a call comes to what it comes
    /// to without the attack.
    pub fn only_adds_media(self) -> bool {
        matches!(self, Self::Replay | Self::Reflect | Self::InjectRtp | Self::EmptyPackets)
    }
}

words! {
    /// Where an attack sits.
    pub enum Place {
        /// On the path between two links, without any key of the service.
        Wire = "wire",
        /// Inside the service, with everything that it holds.
        Service = "service",
    }
}
