//! How long a file and a function may be.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::tree::{TextFile, Tree};

/// Lines of a file, tests included.
pub const FILE_LINES_MAX: usize = 500;

/// Lines of a function, from its name's line to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// Files and functions that are too long, and files that are no Rust.
pub fn check(tree: &Tree) -> Vec<String> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        violations.push(format!(
            "{}: {lines} lines, and {FILE_LINES_MAX} are allowed; split it by nouns, or move its tests out",
            file.path
        ));
    }
    match syn::parse_file(&file.text) {
        Ok(parsed) => {
            let mut functions = Functions { path: &file.path, violations };
            functions.visit_file(&parsed);
            functions.violations
        }
        Err(why) => {
            violations.push(format!("{}: is no Rust ({why}); make it compile", file.path));
            violations
        }
    }
}

struct Functions<'a> {
    path: &'a str,
    violations: Vec<String>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (from, to) = (signature.span().start().line, block.span().end().line);
        let lines = to + 1 - from;
        if lines > FUNCTION_LINES_MAX {
            let name = &signature.ident;
            self.violations.push(format!(
                "{}:{from}: `{name}` has {lines} lines, and {FUNCTION_LINES_MAX} are allowed; take a step out of it",
                self.path
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn seventy_lines_are_a_function_and_seventy_one_are_not() {
        assert!(check(&Tree::of("a.rs", &function(70))).is_empty());
        let violations = check(&Tree::of("a.rs", &function(71)));
        assert_eq!(violations.len(), 1);
        assert!(violations[0].starts_with("a.rs:1: `f` has 71 lines"), "{violations:?}");
        let method = format!("impl A {{\n{}}}\n", function(71));
        assert_eq!(check(&Tree::of("a.rs", &method)).len(), 1);
    }

    #[test]
    fn a_file_has_five_hundred_lines_at_most() {
        assert!(check(&Tree::of("a.rs", &"// x\n".repeat(500))).is_empty());
        assert_eq!(check(&Tree::of("a.rs", &"// x\n".repeat(501))).len(), 1);
        assert_eq!(check(&Tree::of("a.rs", "fn {")).len(), 1);
    }
}
