//! The text files of the project, read once.

use std::io;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Below the root, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl TextFile {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The project.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where it lies.
    pub root: PathBuf,
    /// Its text files, sorted by path.
    pub files: Vec<TextFile>,
}

/// Why the project cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read ({why}); run this inside the checkout", path.display())]
pub struct Unreadable {
    path: PathBuf,
    why: io::Error,
}

/// What a reader of the sources reads; captures and keys are no text.
const ENDINGS: &[&str] = &["rs", "toml", "yaml", "yml", "md", "txt", "py", "mjs"];

/// What is not ours, or made by running.
const SKIPPED: &[&str] =
    &["target", "reports", "vectors", "snapshots", ".git", "node_modules", ".venv", "__pycache__"];

/// Scripts without an ending.
const SCRIPTS: &[&str] = &[".ci/run", ".ci/peers"];

impl Tree {
    /// Reads the project at `root`.
    ///
    /// # Errors
    /// When a folder or a file cannot be read.
    pub fn read(root: &Path) -> Result<Self, Unreadable> {
        let mut tree = Self { root: root.to_owned(), files: Vec::new() };
        tree.walk(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// A tree of one file, for the tests of rules.
    pub fn of(path: &str, text: &str) -> Self {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        Self { root: PathBuf::new(), files: vec![file] }
    }

    /// The files of Rust.
    pub fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|f| f.is_rust())
    }

    fn walk(&mut self, folder: &Path, below: &str) -> Result<(), Unreadable> {
        let unreadable = |path: &Path, why| Unreadable { path: path.to_owned(), why };
        for entry in std::fs::read_dir(folder).map_err(|why| unreadable(folder, why))? {
            let entry = entry.map_err(|why| unreadable(folder, why))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let shown = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let skipped =
                SKIPPED.contains(&name.as_str()) || (below.is_empty() && name.starts_with("target-"));
            if path.is_dir() {
                if !skipped {
                    self.walk(&path, &shown)?;
                }
            } else if ENDINGS.iter().any(|e| name.ends_with(&format!(".{e}")))
                || SCRIPTS.contains(&shown.as_str())
            {
                let text = std::fs::read_to_string(&path).map_err(|why| unreadable(&path, why))?;
                self.files.push(TextFile { path: shown, text });
            }
        }
        Ok(())
    }
}
