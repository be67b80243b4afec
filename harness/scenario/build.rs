//! Writes the table of the scenarios under `scenarios/`, so that the binary carries them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../scenarios");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut table = String::from("&[\n");
    for family in sorted(&root)? {
        if !family.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", family.display());
        for file in sorted(&family)?.into_iter().filter(|f| f.extension().is_some_and(|e| e == "yaml")) {
            let file = fs::canonicalize(file)?;
            println!("cargo::rerun-if-changed={}", file.display());
            let (family, stem) = (name(&family), file.file_stem().unwrap_or_default().to_string_lossy());
            writeln!(table, "({family:?}, {stem:?}, include_str!({file:?})),").map_err(io::Error::other)?;
        }
    }
    table.push(']');
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("builtin.rs"), table)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
