//! The macro that ties an enum to the words that files and reports use for it.

/// Declares a fieldless enum together with the word for each variant: `word()`, `ALL`, `Display`, `FromStr`
/// and serde all use that one table.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that files and reports use.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// What the word stands for: the first line of its documentation.
            pub fn about(self) -> &'static str {
                match self { $($name::$variant => $crate::about(stringify!($($vmeta),*))),+ }
            }
        }

        impl $crate::schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                $crate::schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.word() == text).ok_or_else(|| $crate::UnknownWord {
                    word: text.to_owned(),
                    known: Self::ALL.iter().map(|v| v.word()).collect(),
                })
            }
        }
    };
}

/// The first line of the documentation among `attributes`, as the compiler spells them: `doc = " Text.", default`.
#[doc(hidden)]
pub fn about(attributes: &'static str) -> &'static str {
    // The text may be spelt as a raw string, with or without hashes, and stand on the next line.
    let text = attributes
        .split_once("doc =")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(_, rest)| rest);
    text.split_once('"').map_or(text, |(text, _)| text).trim()
}

/// A word that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {}; use one of these", known.join(", "))]
pub struct UnknownWord {
    /// What stood there.
    pub word: String,
    /// What may stand there.
    pub known: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use crate::flaw::Flaw;
    use crate::release::Feature;
    use crate::results::Sweep;

    #[test]
    fn the_documentation_is_found_among_attributes() {
        assert_eq!(crate::about("doc = \" A. \", default"), "A.");
        assert_eq!(crate::about("doc = r#\" A. \"#"), "A.");
        assert_eq!(crate::about("doc =\n\" A. \""), "A.");
        assert_eq!(crate::about("default"), "");
    }

    #[test]
    fn a_word_says_what_it_stands_for() {
        assert_eq!(Flaw::NoSealing.about(), "Lights the lock and seals nothing.");
        assert_eq!(Sweep::Off.about(), "None.");
        for flaw in Flaw::ALL {
            assert!(flaw.about().ends_with('.') && !flaw.about().contains('\\'), "{flaw}: {}", flaw.about());
        }
        for feature in Feature::ALL {
            assert!(feature.about().ends_with('.'), "{feature}: {}", feature.about());
        }
    }
}
