//! Kinds of media and directions.

words! {
    /// A kind of media that a call carries.
    pub enum Kind {
        /// Opus, one RTP packet per frame, every 20 ms.
        Audio = "audio",
        /// VP8 from the camera.
        Video = "video",
        /// VP8 from the screen.
        Screen = "screen",
    }
}

impl Kind {
    /// Frames that a sender produces in one second: `talk` counts them where they are sent.
    pub const fn frames_per_second(self) -> u32 {
        match self {
            Self::Audio => 50,
            Self::Video | Self::Screen => 30,
        }
    }
}

words! {
    /// The direction of a frame, seen from the device that keeps the ledger.
    pub enum Direction {
        /// Sent by the device.
        Sent = "sent",
        /// Received and played by the device.
        Received = "received",
    }
}
