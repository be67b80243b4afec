//! Names that say nothing, and calls that panic for want of a check.

use syn::visit::{self, Visit};

use crate::tree::{TextFile, Tree};

/// Parts of a type's or module's name that only say that something assists something.
const EMPTY_WORDS: &[&str] = &["Manager", "Util", "Utils", "Helper", "Helpers", "Misc", "Common"];

/// File names that say as little; `mod.rs` is written as `foo.rs` beside `foo/`.
const EMPTY_FILES: &[&str] =
    &["mod.rs", "common.rs", "util.rs", "utils.rs", "helper.rs", "helpers.rs", "misc.rs", "imp.rs"];

/// Types, modules, functions and files with an empty name.
pub fn check(tree: &Tree) -> Vec<String> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<String> {
    let mut violations = Vec::new();
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    if EMPTY_FILES.contains(&name) {
        violations.push(format!("{}: the file's name says nothing; name it after its noun", file.path));
    }
    if let Ok(parsed) = syn::parse_file(&file.text) {
        let mut names = Names { path: &file.path, violations };
        names.visit_file(&parsed);
        violations = names.violations;
    }
    violations
}

struct Names<'a> {
    path: &'a str,
    violations: Vec<String>,
}

impl Names<'_> {
    fn look_at(&mut self, ident: &syn::Ident) {
        let (name, line) = (ident.to_string(), ident.span().start().line);
        if EMPTY_WORDS.iter().any(|word| name.ends_with(word)) {
            let path = self.path;
            self.violations.push(format!("{path}:{line}: `{name}` says nothing; name it after what it is"));
        }
    }

    fn look_at_function(&mut self, ident: &syn::Ident) {
        let (name, line) = (ident.to_string(), ident.span().start().line);
        if name.starts_with("get_") {
            let path = self.path;
            self.violations.push(format!("{path}:{line}: `{name}` begins with get_; name what it returns"));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.look_at(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.look_at(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.look_at(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.look_at_function(&item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // A name that a foreign trait asks for is not ours to choose.
        if item.trait_.is_none() {
            for function in &item.items {
                if let syn::ImplItem::Fn(function) = function {
                    self.look_at_function(&function.sig.ident);
                }
            }
        }
        visit::visit_item_impl(self, item);
    }
}

/// Calls of `unwrap()` and attributes `allow` outside tests.
pub fn unwraps(tree: &Tree) -> Vec<String> {
    let shipped = tree.rust().filter(|f| !is_test(&f.path));
    shipped
        .flat_map(|file| {
            let mut calls = Calls { path: &file.path, violations: Vec::new() };
            if let Ok(parsed) = syn::parse_file(&file.text) {
                calls.visit_file(&parsed);
            }
            calls.violations
        })
        .collect()
}

/// Whether the file holds nothing but tests or benchmarks.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests" || part == "benches")
}

struct Calls<'a> {
    path: &'a str,
    violations: Vec<String>,
}

fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        let cfg_test =
            a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test"));
        cfg_test || a.path().is_ident("test") || a.path().is_ident("rstest")
    })
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" && call.args.is_empty() {
            let (path, line) = (self.path, call.method.span().start().line);
            self.violations.push(format!(
                "{path}:{line}: unwrap() outside a test; return an error, or expect(\"the invariant\")"
            ));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let Some(ident) = attribute.path().get_ident().filter(|ident| *ident == "allow") {
            let (path, line) = (self.path, ident.span().start().line);
            self.violations.push(format!("{path}:{line}: allow; write #[expect(lint, reason = \"…\")]"));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::struct_("struct CallManager;")]
    #[case::enum_("enum NetHelper {}")]
    #[case::getter("fn get_name() {}")]
    #[case::method("impl A { fn get_name(&self) {} }")]
    fn empty_names_are_found(#[case] text: &str) {
        assert_eq!(check(&Tree::of("a.rs", text)).len(), 1, "{text}");
    }

    #[rstest]
    #[case::noun("struct Call;")]
    #[case::foreign_trait("impl Get for A { fn get_name(&self) {} }")]
    #[case::inside_a_word("struct Utility;")]
    fn other_names_are_not(#[case] text: &str) {
        assert_eq!(check(&Tree::of("a.rs", text)), Vec::<String>::new());
    }

    #[test]
    fn empty_file_names_are_found() {
        for name in EMPTY_FILES {
            assert_eq!(check(&Tree::of(&format!("harness/net/src/{name}"), "")).len(), 1, "{name}");
        }
    }

    #[rstest]
    #[case::in_a_function("fn f() { g().unwrap(); }", 1)]
    #[case::in_a_closure("fn f() { h(|| g().unwrap()); }", 1)]
    #[case::in_a_test_module("#[cfg(test)] mod tests { fn f() { g().unwrap(); } }", 0)]
    #[case::in_a_test("#[test] fn f() { g().unwrap(); }", 0)]
    #[case::in_a_text("fn f() { g(\".unwrap()\"); }", 0)]
    #[case::another_method("fn f() { g().unwrap_or_default(); }", 0)]
    #[case::allow("#[allow(dead_code)] fn f() {}", 1)]
    #[case::expect("#[expect(dead_code, reason = \"x\")] fn f() {}", 0)]
    fn unwrap_is_for_tests(#[case] text: &str, #[case] expected: usize) {
        assert_eq!(unwraps(&Tree::of("harness/net/src/a.rs", text)).len(), expected);
        assert!(unwraps(&Tree::of("harness/net/src/a/tests.rs", text)).is_empty());
    }
}
