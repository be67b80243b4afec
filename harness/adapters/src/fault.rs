//! What a driver can do wrong, each with what to do about it.

/// What a driver did that no driver may do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It could not be started.
    #[error("the driver cannot be started ({0}); check its command and its path")]
    NotStarted(String),
    /// No answer in time.
    #[error(
        "the driver did not answer `{method}` within {ms} ms; answer every request, with an error of kind `timeout` if need be"
    )]
    Silent {
        /// What was asked.
        method: &'static str,
        /// The deadline.
        ms: u64,
    },
    /// Its process ended, or it closed its output.
    #[error(
        "the driver ended before it was told to: {0}; keep it running until `shutdown` or the end of its input"
    )]
    Ended(String),
    /// A line that is none of the protocol.
    #[error(
        "the driver printed a line that is none of the protocol: {0}; print only protocol lines on standard output, and logs on standard error"
    )]
    Garbage(String),
    /// A line without end.
    #[error("the driver printed a line of more than 1 MiB; keep lines short, media never pass this channel")]
    TooLong,
    /// Too many lines.
    #[error("the driver printed more than 200000 lines in one session; print each frame and claim once")]
    Flood,
    /// An answer to nothing.
    #[error("the driver answered request {0}, which is not open; answer each request once")]
    Unasked(u64),
    /// It refused what it has to do.
    #[error(
        "the driver refused `{method}` ({kind}: {message}); see the page of the driver protocol for what is due"
    )]
    Refused {
        /// What was asked.
        method: &'static str,
        /// The kind of error.
        kind: &'static str,
        /// Its words.
        message: String,
    },
    /// An answer of the wrong shape.
    #[error("the driver's answer to `{method}` cannot be read ({why}); see the page of the driver protocol")]
    Misshapen {
        /// What was asked.
        method: &'static str,
        /// What is wrong.
        why: String,
    },
}
