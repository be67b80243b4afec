//! Colour, which only ever repeats what a word already says.

/// What a colour repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Shown to hold.
    Good,
    /// Shown not to hold, or stumbled.
    Bad,
    /// Neither.
    Doubt,
    /// Of less weight.
    Faint,
    /// Of more weight.
    Strong,
}

/// Colours text, or leaves it alone.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether to colour.
    pub colour: bool,
}

impl Paint {
    /// `text` in the colour of `tone` (ECMA-48 SGR), where colour is wanted.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Doubt => 33,
            Tone::Faint => 2,
            Tone::Strong => 1,
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
