//! Where the parts of a file stand: paths such as `steps`, `2`, `expect`, `result`, and the spans behind them.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Source};

/// A path into a file: keys of mappings and indices of lists, from the outside in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(Vec<String>);

impl At {
    /// The path of `parts`.
    pub fn of(parts: &[&str]) -> Self {
        Self(parts.iter().map(|p| (*p).to_owned()).collect())
    }

    /// One key further in.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.0.clone();
        path.push(key.to_owned());
        Self(path)
    }

    /// One item further in, from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.key(&index.to_string())
    }

    /// The path without its last part.
    pub(crate) fn outer(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }
}

/// The spans of a file's parts, in bytes.
#[derive(Clone, Debug, Default)]
pub struct Places {
    spans: BTreeMap<At, Spans>,
}

#[derive(Clone, Debug)]
struct Spans {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Places {
    /// Notes where the part at `at` stands.
    pub(crate) fn note(&mut self, at: At, key: Option<Range<usize>>, value: Range<usize>) {
        self.spans.insert(at, Spans { key, value });
    }

    /// Lets `alias` and everything inside mean what stands at `at`.
    pub(crate) fn alias(&mut self, alias: &At, at: &At) {
        let inside: Vec<_> = self
            .spans
            .range(at.clone()..)
            .take_while(|(path, _)| path.0.starts_with(&at.0))
            .map(|(path, spans)| {
                let rest = path.0.get(at.0.len()..).unwrap_or_default();
                (At([alias.0.as_slice(), rest].concat()), spans.clone())
            })
            .collect();
        self.spans.extend(inside);
    }

    /// The span of the value at `at`, else of the innermost part around it that the file has.
    pub(crate) fn value(&self, at: &At) -> Range<usize> {
        self.nearest(at).map_or(0..1, |spans| spans.value.clone())
    }

    /// The span of the key at `at`, else what [`Places::value`] gives.
    pub(crate) fn key(&self, at: &At) -> Range<usize> {
        self.spans.get(at).and_then(|s| s.key.clone()).unwrap_or_else(|| self.value(at))
    }

    fn nearest(&self, at: &At) -> Option<&Spans> {
        let mut at = at.clone();
        loop {
            if let Some(spans) = self.spans.get(&at) {
                return Some(spans);
            }
            at = at.outer()?;
        }
    }
}

/// Collects the mistakes of one file.
pub(crate) struct Findings<'a> {
    pub source: &'a Source,
    pub places: &'a Places,
    pub list: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    pub fn new(source: &'a Source, places: &'a Places) -> Self {
        Self { source, places, list: Vec::new() }
    }

    /// A mistake in the value at `at`.
    pub fn value(&mut self, code: Code, at: &At, said: Said) {
        self.push(code, self.places.value(at), said);
    }

    /// A mistake in the key at `at`.
    pub fn key(&mut self, code: Code, at: &At, said: Said) {
        self.push(code, self.places.key(at), said);
    }

    /// As [`Findings::value`], with a second place and what is there.
    pub fn pair(&mut self, code: Code, at: &At, said: Said, other: &At, label: &str) {
        self.value(code, at, said);
        let span = self.places.value(other);
        if let Some(last) = self.list.pop() {
            self.list.push(last.other(span, label.to_owned()));
        }
    }

    fn push(&mut self, code: Code, span: Range<usize>, said: Said) {
        let code = format!("scenario::{code}");
        self.list.push(
            Diagnostic::new(self.source, &code, said.message, span, said.label.to_owned()).help(said.help),
        );
    }
}

/// What is said of a mistake: a sentence, what the place is, and a remedy.
pub(crate) struct Said {
    pub message: String,
    pub label: &'static str,
    pub help: Option<String>,
}

/// Puts the three parts together.
pub(crate) fn said(message: impl Into<String>, label: &'static str, help: impl Into<String>) -> Said {
    Said { message: message.into(), label, help: Some(help.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_looked_for_around_its_place() {
        let mut places = Places::default();
        places.note(At::of(&[]), None, 0..40);
        places.note(At::of(&["expect"]), Some(1..7), 10..20);
        assert_eq!(places.value(&At::of(&["expect", "lock"])), 10..20);
        assert_eq!(places.key(&At::of(&["expect"])), 1..7);
        assert_eq!(places.value(&At::of(&["steps", "3"])), 0..40);
        assert_eq!(Places::default().value(&At::of(&["a"])), 0..1);
    }

    #[test]
    fn an_alias_means_everything_inside() {
        let mut places = Places::default();
        places.note(At::of(&["expect", "1"]), None, 5..9);
        places.note(At::of(&["expect", "1", "lock"]), None, 6..8);
        places.note(At::of(&["expect", "10"]), None, 11..12);
        places.alias(&At::of(&["expect"]), &At::of(&["expect", "1"]));
        assert_eq!(places.value(&At::of(&["expect", "lock"])), 6..8);
        assert_eq!(places.value(&At::of(&["expect"])), 5..9);
    }
}
