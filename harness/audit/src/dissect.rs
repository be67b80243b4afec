//! Dissectors, one protocol a file.
//!
//! Invariant: any byte string dissects without panic, and what is not understood is `None`.

pub mod dtls;
pub mod framed;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod stun;
pub mod turn;
pub mod vp8;
pub mod zrtp;
