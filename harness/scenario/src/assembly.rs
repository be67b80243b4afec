//! Puts a plan together: one variant, with every default filled in.

mod attacks;
mod tenants;

use model::flaw::Flaw;
use model::plan::{NetKind, Network, Path, Plan, Profile, Service};
use model::release::{Release, ReleaseName};

use crate::diagnostic::{Code, Diagnostic, Source};
use crate::matrix::Variant;
use crate::people::People;
use crate::place::{At, Findings, said};
use crate::positions::Node;
use crate::schema::{Document, NetworkDocument};
use crate::statements::Stated;
use crate::story::{Story, duration};
use crate::{Checked, Vocabulary, quantity, shape, statements, suggest};

/// The delay of a change of policy where a file names none, in milliseconds.
const PROPAGATION_MS: u64 = 1000;

/// The plan of `variant` of the scenario `name` (`family/stem`), with where its parts stand; or every mistake.
pub(crate) fn checked(
    name: &str,
    variant: &Variant,
    source: &Source,
    vocabulary: &Vocabulary,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut places = variant.root.places();
    let mut findings = Findings::new(source, &places);
    shape::check_file(&variant.root, &mut findings);
    if !findings.list.is_empty() {
        return Err(findings.list);
    }
    let doc = match serde_yaml::from_value::<Document>(variant.root.to_value()) {
        Ok(doc) => doc,
        Err(_) => {
            let help = "write it as the other scenarios do";
            findings.value(
                Code::WrongType,
                &At::default(),
                said("this is no scenario", "cannot be read", help),
            );
            return Err(findings.list);
        }
    };
    let (plan, stated) = plan(name, doc, variant, vocabulary, &mut findings);
    if !findings.list.is_empty() {
        return Err(findings.list);
    }
    for (call, Stated { at, .. }) in plan.calls.iter().zip(&stated).rev() {
        let expect = At::of(&["expect"]);
        places.alias(&expect.key(call), at);
        places.alias(&expect, at);
    }
    Ok(Checked { plan, places, source: source.clone() })
}

fn plan(
    name: &str,
    doc: Document,
    variant: &Variant,
    vocabulary: &Vocabulary,
    findings: &mut Findings<'_>,
) -> (Plan, Vec<Stated>) {
    let release = Release::of(doc.release.unwrap_or(ReleaseName::Ga202203));
    let profile = doc.profile.unwrap_or(Profile::Frames);
    let path = doc.path.unwrap_or(profile.default_path());
    check_top(&doc, profile, path, findings);
    let top = At::default();
    let propagation =
        doc.propagation.as_ref().and_then(|text| duration(text, &top.key("propagation"), findings));
    let propagation_ms = propagation.unwrap_or(PROPAGATION_MS);
    let network = doc.network.as_ref().map(|network| self::network(network, &top.key("network"), findings));
    let tenants = tenants::read(&doc, &release, findings);
    let people = People::new(&doc.tenants);
    let told = Story::new(people, propagation_ms, speaks_of_strangers(variant)).tell(&doc.steps, findings);
    let stated = statements::read(variant, &told, vocabulary, findings);
    let attacks = attacks::read(&doc.attacks, &variant.root, vocabulary, findings);
    let plan = Plan {
        id: id(name, &variant.values),
        family: name.split('/').next().unwrap_or(name).to_owned(),
        title: doc.scenario.trim().to_owned(),
        about: doc.about.trim().to_owned(),
        variant: variant.values.clone(),
        release: release.name,
        profile,
        path,
        net: doc.net,
        propagation_ms,
        network,
        needs: doc.needs.by_role(),
        tenants,
        service: Service { flaw: doc.service.flaw, automatic_recording: doc.service.automatic_recording },
        attacks,
        calls: told.calls,
        steps: told.steps,
        expect: stated.iter().map(|s| s.expect.clone()).collect(),
    };
    check_flaws(&plan, &stated, findings);
    (plan, stated)
}

/// `family/file[key=value,…]`.
pub(crate) fn id(name: &str, values: &[(String, String)]) -> String {
    if values.is_empty() {
        return name.to_owned();
    }
    let pairs: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{name}[{}]", pairs.join(","))
}

fn check_top(doc: &Document, profile: Profile, path: Path, findings: &mut Findings<'_>) {
    let title = doc.scenario.trim();
    if title.is_empty() || title.contains('\n') {
        let message = "the title is one line of text";
        findings.value(
            Code::BadName,
            &At::of(&["scenario"]),
            said(message, "not a title", "say in one line what happens"),
        );
    }
    if profile == Profile::Dtls && path == Path::Forwarder {
        let message = "a `dtls` call never goes over the forwarder";
        let help = "use `direct` or `relay`, or the profile `frames`";
        findings.value(
            Code::PathOfProfile,
            &At::of(&["path"]),
            said(message, "not a path of this profile", help),
        );
    }
    if doc.network.is_some() && doc.net == Some(NetKind::Loopback) {
        let message = "`network` works in memory only";
        let help = "take `network` out, or write `net: memory`";
        findings.key(Code::MemoryOnly, &At::of(&["network"]), said(message, "not over loopback", help));
    }
}

fn network(doc: &NetworkDocument, at: &At, findings: &mut Findings<'_>) -> Network {
    let plain = Network::default();
    let mut ms = |text: &Option<String>, key, default| match text {
        Some(text) => duration(text, &at.key(key), findings).unwrap_or(default),
        None => default,
    };
    let (latency_ms, jitter_ms) =
        (ms(&doc.latency, "latency", plain.latency_ms), ms(&doc.jitter, "jitter", plain.jitter_ms));
    let mut share = |text: &Option<String>, key, default| {
        let Some(text) = text else { return default };
        quantity::share(text).unwrap_or_else(|| {
            let message = format!("`{text}` is no share");
            let help = "write a number from 0 to 100 with its sign, such as `5%` or `0.5%`";
            findings.value(Code::Quantity, &at.key(key), said(message, "not a share", help));
            default
        })
    };
    let (loss, duplicate) =
        (share(&doc.loss, "loss", plain.loss), share(&doc.duplicate, "duplicate", plain.duplicate));
    Network { latency_ms, jitter_ms, loss, duplicate, from: doc.from.unwrap_or(plain.from) }
}

/// Whether the scenario states anywhere that somebody is called who does not exist.
fn speaks_of_strangers(variant: &Variant) -> bool {
    fn says(node: &Node) -> bool {
        node.text() == Some("unknown-user")
            || node.items().iter().any(says)
            || node.entries().iter().any(|e| says(&e.value))
    }
    variant.root.at("expect").is_some_and(says)
}

/// A flaw must be caught by somebody, and nobody fails without one.
fn check_flaws(plan: &Plan, stated: &[Stated], findings: &mut Findings<'_>) {
    let fails = |s: &&Stated| !s.expect.fails.is_empty() || !s.expect.may_fail.is_empty();
    let flaws = flaws(plan);
    if let (None, Some(stated)) = (flaws.first(), stated.iter().find(fails)) {
        let key = if stated.expect.fails.is_empty() { "may-fail" } else { "fails" };
        let help = "plant a `flaw`, or take the checks out";
        let message = "checks are said to fail, and nothing is wrong";
        findings.key(Code::FailsWithoutFlaw, &stated.at.key(key), said(message, "why would they?", help));
    }
    if let Some((at, flaw)) = flaws.first()
        && stated.iter().all(|s| s.expect.fails.is_empty())
    {
        let message = format!("no check is said to catch `{flaw}`");
        let help = format!(
            "add `fails: […]` to `expect` with the checks that must fail, such as {}",
            suggest::list(&["proof/unheard"])
        );
        findings.value(Code::FlawWithoutFails, at, said(message, "caught by nothing", help));
    }
}

/// Every flaw, with the place that plants it.
fn flaws(plan: &Plan) -> Vec<(At, Flaw)> {
    let users = plan
        .tenants
        .iter()
        .flat_map(|(tenant, t)| t.users.iter().map(move |(user, settings)| (tenant, user, settings)));
    let planted = users.filter_map(|(tenant, user, settings)| {
        Some((At::of(&["tenants", tenant, "users", user, "flaw"]), settings.flaw?))
    });
    planted.chain(plan.service.flaw.map(|flaw| (At::of(&["service", "flaw"]), flaw))).collect()
}
