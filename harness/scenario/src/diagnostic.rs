//! A mistake in a scenario file, with its place; and the table of everything that can be said.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, SourceCode};

model::words! {
    /// What is wrong, as the last part of a stable code such as `scenario::unknown-key`.
    pub enum Code {
        /// A user without a tenant where several tenants have one of that name.
        AmbiguousUser = "ambiguous-user",
        /// An anchor.
        Anchor = "anchor",
        /// A name with characters that it may not have.
        BadName = "bad-name",
        /// A call whose caller and callees do not fit together.
        BadTarget = "bad-target",
        /// A user with `devices` and `platform`, or with an empty list of devices.
        Devices = "devices",
        /// A directive.
        Directive = "directive",
        /// A key that stands twice in a mapping.
        DuplicateKey = "duplicate-key",
        /// A list without items.
        EmptyList = "empty-list",
        /// A key without a value.
        EmptyValue = "empty-value",
        /// Checks that are said to fail where nothing is wrong.
        FailsWithoutFlaw = "fails-without-flaw",
        /// A flaw that no check is said to catch.
        FlawWithoutFails = "flaw-without-fails",
        /// Groups in a release that does not assign policies to groups.
        GroupsNotInRelease = "groups-not-in-release",
        /// A row of the matrix that is neither a path nor a name that the steps use.
        MatrixPath = "matrix-path",
        /// A value of the matrix that is repeated or cannot stand in an id.
        MatrixValue = "matrix-value",
        /// An impaired network over loopback.
        MemoryOnly = "memory-only",
        /// A key that must be there.
        MissingKey = "missing-key",
        /// Two calls, or two variants, of one name.
        NameClash = "name-clash",
        /// A key that the verb beside it does not take.
        NeedlessKey = "needless-key",
        /// A setting that was invoked.
        NeverInvoked = "never-invoked",
        /// No YAML at all.
        NotYaml = "not-yaml",
        /// A number that readers of YAML take for different things.
        NumberForm = "number-form",
        /// A step without a verb, or with several.
        OneVerb = "one-verb",
        /// A step that cannot happen at its place.
        OutOfOrder = "out-of-order",
        /// A number that is too small or too large.
        OutOfRange = "out-of-range",
        /// A path that the profile does not have.
        PathOfProfile = "path-of-profile",
        /// A text that is no duration or no share.
        Quantity = "quantity",
        /// More than one document.
        SeveralDocuments = "several-documents",
        /// A tag.
        Tag = "tag",
        /// Too many levels.
        TooDeep = "too-deep",
        /// Too many variants.
        TooManyVariants = "too-many-variants",
        /// A call that nobody has placed under that name.
        UnknownCall = "unknown-call",
        /// A check that there is none of.
        UnknownCheck = "unknown-check",
        /// A folder that is no family.
        UnknownFamily = "unknown-family",
        /// A group that the tenant does not have.
        UnknownGroup = "unknown-group",
        /// A key that there is none of.
        UnknownKey = "unknown-key",
        /// A `$name` that the matrix does not have.
        UnknownName = "unknown-name",
        /// A policy that the tenant does not have.
        UnknownPolicy = "unknown-policy",
        /// A tenant that the scenario does not have.
        UnknownTenant = "unknown-tenant",
        /// A user that the scenario does not have.
        UnknownUser = "unknown-user",
        /// A word that is none of the few that may stand there.
        UnknownWord = "unknown-word",
        /// A statement that nothing can meet.
        Unreachable = "unreachable",
        /// A value of another shape.
        WrongType = "wrong-type",
        /// `yes`, `no` or another word that readers of YAML take for different things.
        YesOrNo = "yes-or-no",
    }
}

/// The text of a scenario file under the name that its reader knows.
#[derive(Clone, Debug)]
pub struct Source {
    named: NamedSource<Arc<str>>,
}

impl Source {
    /// `text` as it stands in the file that is displayed as `path`.
    pub fn new(path: &str, text: &str) -> Self {
        Self { named: NamedSource::new(path, Arc::from(text)) }
    }

    fn text(&self) -> &str {
        self.named.inner()
    }
}

/// A mistake in a scenario file.
#[derive(Clone)]
pub struct Diagnostic(Box<Mistake>);

#[derive(Clone)]
struct Mistake {
    code: String,
    message: String,
    source: Source,
    span: Range<usize>,
    label: String,
    other: Option<(Range<usize>, String)>,
    help: Option<String>,
}

impl Diagnostic {
    /// A mistake at `span`, in bytes; a span of several lines is cut at the end of its first one, and one
    /// that does not fit the text is moved to its end.
    pub fn new(source: &Source, code: &str, message: String, span: Range<usize>, label: String) -> Self {
        let span = clip(source.text(), span);
        let (code, source) = (code.to_owned(), source.clone());
        Self(Box::new(Mistake { code, message, source, span, label, other: None, help: None }))
    }

    /// Adds one concrete remedy.
    #[must_use]
    pub fn help(mut self, help: Option<String>) -> Self {
        self.0.help = help;
        self
    }

    /// Adds a second place, with what is there.
    #[must_use]
    pub fn other(mut self, span: Range<usize>, label: String) -> Self {
        self.0.other = Some((clip(self.0.source.text(), span), label));
        self
    }

    /// The stable code, such as `scenario::unknown-key`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// One lower-case sentence, with the offending text in backticks.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// One concrete remedy.
    pub fn remedy(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The file, as it was given to [`crate::read`].
    pub fn file(&self) -> &str {
        self.0.source.named.name()
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        let before = self.before();
        before.rsplit('\n').next().unwrap_or(before).chars().count() + 1
    }

    fn before(&self) -> &str {
        self.0.source.text().get(..self.0.span.start).unwrap_or_default()
    }

    /// Where it stands and what it says: two mistakes with the same key are one.
    pub fn key(&self) -> (usize, &str, &str) {
        (self.0.span.start, &self.0.code, &self.0.message)
    }
}

/// Cuts `span` to one line of `text` and to whole characters.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let down = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    // A place behind the last word would not be shown: it is moved to that word's last character.
    let last = text.trim_end().char_indices().next_back().map_or(0, |(at, _)| at);
    let start = down(span.start).min(last);
    let end = down(span.end).max(start);
    let inside = text.get(start..end).unwrap_or_default();
    let line = inside.lines().next().unwrap_or_default().trim_end();
    start..start + line.len()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: {}", self.file(), self.line(), self.column(), self.0.code, self.0.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.0.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|h| Box::new(h) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.source.named)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let main = LabeledSpan::new_primary_with_span(Some(self.0.label.clone()), self.0.span.clone());
        let other = self
            .0
            .other
            .iter()
            .map(|(span, label)| LabeledSpan::new_with_span(Some(label.clone()), span.clone()));
        Some(Box::new(std::iter::once(main).chain(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(&Source::new("a.yaml", text), "scenario::tag", "m".into(), span, "l".into())
    }

    #[test]
    fn columns_count_characters_where_spans_count_bytes() {
        let text = "scenario: Café\nabout: Zürich hört mit";
        let start = text.find("hört").expect("there");
        let found = at(text, start..start + 5);
        assert_eq!((found.line(), found.column()), (2, 15));
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_moved() {
        assert_eq!(at("é", 1..1).0.span, 0..0);
        assert_eq!(at("ab", 7..9).0.span, 1..2);
        assert_eq!(at("ab\ncd", 0..5).0.span, 0..2);
        assert_eq!(at("", 0..1).0.span, 0..0);
    }
}
