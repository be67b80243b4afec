//! The walk over the events of a file: where everything stands, and what the subset of YAML forbids.
//!
//! The subset is one on which every reader agrees. `serde_yaml` says what a scalar is, and only after this
//! walk has found nothing to refuse.

mod plain;

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_yaml::Value;

use crate::diagnostic::{Code, Diagnostic, Source};
use crate::place::{At, Places};

/// Levels of lists and mappings, one in another; a scenario needs seven.
const LEVELS: usize = 20;

/// A part of a file: what it is, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// In bytes.
    pub span: Range<usize>,
    pub content: Content,
}

/// What a part of a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// The text as it stands in the file, and what `serde_yaml` takes it for.
    Scalar(String, Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

impl Node {
    /// The value under `key`, if this is a mapping that has it.
    pub fn at(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// The entries, of which anything but a mapping has none.
    pub fn entries(&self) -> &[Entry] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    /// The items, of which anything but a list has none.
    pub fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// The text of a scalar, as it stands in the file.
    pub fn text(&self) -> Option<&str> {
        if let Content::Scalar(text, _) = &self.content { Some(text) } else { None }
    }

    /// The data, for `serde_yaml` to read further.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(_, value) => value.clone(),
            Content::List(items) => items.iter().map(Node::to_value).collect(),
            Content::Map(entries) => Value::Mapping(
                entries.iter().map(|e| (Value::String(e.key.clone()), e.value.to_value())).collect(),
            ),
        }
    }

    /// Where everything stands.
    pub fn places(&self) -> Places {
        let mut places = Places::default();
        self.note(&At::default(), None, &mut places);
        places
    }

    fn note(&self, at: &At, key: Option<&Range<usize>>, places: &mut Places) {
        places.note(at.clone(), key.cloned(), self.span.clone());
        for entry in self.entries() {
            entry.value.note(&at.key(&entry.key), Some(&entry.key_span), places);
        }
        for (index, item) in self.items().iter().enumerate() {
            item.note(&at.item(index), None, places);
        }
    }
}

/// Reads `text` into its parts.
pub(crate) fn read(source: &Source, text: &str) -> Result<Node, Diagnostic> {
    let mut walk = Walk { source, offsets: offsets(text), parser: Parser::new_from_str(text), text };
    walk.refuse_beginnings()?;
    let node = walk.document()?;
    let data: Value = serde_yaml::from_str(text).map_err(|e| {
        let start = e.location().map_or(0, |l| l.index());
        let message = "one reader of YAML takes this and another one does not".to_owned();
        walk.mistake(Code::NotYaml, message, start..start + 1, "stops here")
            .help(Some("write it in the plain style of the other scenarios".into()))
    })?;
    with_data(node, data).map_err(|span| {
        let message = "this is a text to one reader of YAML and something else to another".to_owned();
        walk.mistake(Code::NotYaml, message, span, "here").help(Some("put it in quotes".into()))
    })
}

/// Byte offsets by index of character, with the end of the text after the last one.
fn offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

/// Puts what `serde_yaml` takes each scalar for beside its text; the error is the place of a disagreement.
fn with_data(node: Node, data: Value) -> Result<Node, Range<usize>> {
    let content = match (node.content, data) {
        (Content::Scalar(text, _), value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
            Content::Scalar(text, value)
        }
        (Content::List(items), Value::Sequence(values)) if items.len() == values.len() => {
            let pairs = items.into_iter().zip(values);
            Content::List(pairs.map(|(item, value)| with_data(item, value)).collect::<Result<_, _>>()?)
        }
        (Content::Map(entries), Value::Mapping(values)) if entries.len() == values.len() => {
            let pairs = entries.into_iter().zip(values);
            Content::Map(
                pairs
                    .map(|(entry, (key, value))| entry_with_data(entry, &key, value))
                    .collect::<Result<_, _>>()?,
            )
        }
        _ => return Err(node.span),
    };
    Ok(Node { span: node.span, content })
}

fn entry_with_data(entry: Entry, key: &Value, value: Value) -> Result<Entry, Range<usize>> {
    if key.as_str() != Some(&entry.key) {
        return Err(entry.key_span);
    }
    Ok(Entry { value: with_data(entry.value, value)?, ..entry })
}

struct Walk<'a> {
    source: &'a Source,
    text: &'a str,
    offsets: Vec<usize>,
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Walk<'a> {
    fn mistake(&self, code: Code, message: String, span: Range<usize>, label: &str) -> Diagnostic {
        Diagnostic::new(self.source, &format!("scenario::{code}"), message, span, label.to_owned())
    }

    /// The event parser counts characters from 0; everything else here counts bytes.
    fn bytes(&self, span: Span) -> Range<usize> {
        let end_of_text = self.text.len();
        let byte = |at: usize| self.offsets.get(at).copied().unwrap_or(end_of_text);
        byte(span.start.index())..byte(span.end.index())
    }

    fn refuse_beginnings(&self) -> Result<(), Diagnostic> {
        if self.text.starts_with('\u{feff}') {
            let message = "a byte order mark stands before the scenario".to_owned();
            let found = self.mistake(Code::NotYaml, message, 0..3, "before this");
            return Err(found.help(Some("save the file as UTF-8 without a byte order mark".into())));
        }
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if line.starts_with('%') {
                let span = start..start + line.len();
                let message = "a directive may not stand in a scenario".to_owned();
                let found = self.mistake(Code::Directive, message, span, "a directive");
                return Err(found.help(Some("leave the line out".into())));
            }
            if !line.trim().is_empty() && !line.starts_with('#') {
                break;
            }
            start += line.len();
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.bytes(span);
                Ok((event, span))
            }
            Some(Err(error)) => {
                let start = self.offsets.get(error.marker().index()).copied().unwrap_or(self.text.len());
                let message = format!("this is no YAML: {}", error.info());
                let found = self.mistake(Code::NotYaml, message, start..start + 1, "stops here");
                Err(found.help(Some("check indentation, brackets and quotes here and above".into())))
            }
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    let message = "a scenario file holds one document".to_owned();
                    let found =
                        self.mistake(Code::SeveralDocuments, message, span, "a second one begins here");
                    return Err(found.help(Some("put the second scenario into a file of its own".into())));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        root.filter(|node| matches!(node.content, Content::Map(_))).ok_or_else(|| {
            let message = "a scenario file holds a mapping".to_owned();
            let found = self.mistake(Code::NotYaml, message, 0..1, "none here");
            found.help(Some("begin with `scenario:` and a title".into()))
        })
    }

    fn node(&mut self, event: Event<'a>, span: Range<usize>, level: usize) -> Result<Node, Diagnostic> {
        if level > LEVELS {
            let message = format!("more than {LEVELS} levels of lists and mappings");
            let found = self.mistake(Code::TooDeep, message, span, "one level too many");
            return Err(found.help(Some("close the brackets further up".into())));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                self.scalar(text, style, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                self.list(span, level)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                self.map(span, level)
            }
            // An alias without an anchor is refused by the parser, and anchors are refused here.
            _ => Err(self.mistake(Code::NotYaml, "this is no YAML".to_owned(), span, "stops here")),
        }
    }

    fn list(&mut self, span: Range<usize>, level: usize) -> Result<Node, Diagnostic> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                let last = items.last().map(|item| item.span.end);
                return Ok(Node { span: whole(&span, last, &at), content: Content::List(items) });
            }
            items.push(self.node(event, at, level + 1)?);
        }
    }

    fn map(&mut self, span: Range<usize>, level: usize) -> Result<Node, Diagnostic> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                let first = entries.first().map_or(span.start, |e| e.key_span.start.min(span.start));
                let span = whole(&(first..span.end), entries.last().map(|e| e.value.span.end), &at);
                return Ok(Node { span, content: Content::Map(entries) });
            }
            let key = self.node(event, at, level + 1)?;
            let Some(text) = key.text().map(str::to_owned) else {
                let message = "a key is one word or one text".to_owned();
                let found = self.mistake(Code::WrongType, message, key.span, "not a key");
                return Err(found.help(Some("write a name before the colon".into())));
            };
            if let Some(earlier) = entries.iter().find(|e| e.key == text) {
                let message = format!("the key `{text}` stands twice");
                let found = self.mistake(Code::DuplicateKey, message, key.span, "the second one");
                let found = found.other(earlier.key_span.clone(), "the first one".into());
                return Err(found.help(Some("keep one of the two".into())));
            }
            let (event, at) = self.next()?;
            let value = self.node(event, at, level + 1)?;
            entries.push(Entry { key: text, key_span: key.span, value });
        }
    }

    fn scalar(&self, text: Cow<'a, str>, style: ScalarStyle, span: Range<usize>) -> Result<Node, Diagnostic> {
        if style == ScalarStyle::Plain
            && let Some((code, label, help)) = plain::refused(&text)
        {
            let message = match code {
                Code::EmptyValue => "a key or an item has no value".to_owned(),
                _ => format!("readers of YAML take `{text}` for different things"),
            };
            return Err(self.mistake(code, message, span, label).help(Some(help)));
        }
        let text = text.into_owned();
        Ok(Node { span, content: Content::Scalar(text.clone(), Value::String(text)) })
    }

    fn refuse(&self, anchor: usize, tag: bool, span: &Range<usize>) -> Result<(), Diagnostic> {
        if anchor != 0 {
            let found = self.mistake(
                Code::Anchor,
                "an anchor may not stand in a scenario".into(),
                span.clone(),
                "an anchor",
            );
            return Err(found.help(Some(
                "write the value out; for values that differ between variants use `matrix`".into(),
            )));
        }
        if tag {
            let found =
                self.mistake(Code::Tag, "a tag may not stand in a scenario".into(), span.clone(), "a tag");
            return Err(found.help(Some("leave the tag out; put a text in quotes".into())));
        }
        Ok(())
    }
}

/// From the start of a list or mapping to its closing bracket, or to the end of its last part where it has none.
fn whole(start: &Range<usize>, last: Option<usize>, closing: &Range<usize>) -> Range<usize> {
    let end = if closing.is_empty() { last.unwrap_or(start.end) } else { closing.end };
    start.start..end.max(start.start)
}

#[cfg(test)]
mod tests;
